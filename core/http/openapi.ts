import type { App } from './app.ts'

/**
 * The description of the API (OpenAPI 3.1) as text, the same for the same code: keys in the order of the routes' registration,
 * two spaces. Printed to docs/reference/openapi.json by the command `docs` and compared by a test.
 */
export async function describeApi(app: App): Promise<string> {
  await app.ready()
  const document = (app as unknown as { swagger(): Record<string, unknown> }).swagger()
  return `${JSON.stringify(document, null, 2)}\n`
}

/** The same text for whoever builds against us; it names no data, so nobody needs to be signed in. */
export function descriptionRoute(app: App): void {
  let text: Promise<string> | undefined
  app.get('/api/v1/openapi.json', { config: { public: true }, schema: { hide: true } }, async (_request, reply) => {
    text ??= describeApi(app)
    return reply.type('application/json; charset=utf-8').send(await text)
  })
}
