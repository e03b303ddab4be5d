import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What happens to one call that changes something: it never arrives, or it is carried out and nobody hears of it. */
export type Break = 'request' | 'answer'

/** The line between the product and the ERP, which breaks when it hurts most. */
export interface Line {
  readonly url: string
  /** Breaks the next call that changes something in the ERP. `at` comes at the very moment, before either side notices. */
  breakNext(what: Break, at?: () => Promise<void>): Promise<void>
  /** How many calls were broken. */
  broken(): number
  close(): Promise<void>
}

/** Calls that only look; everything else changes something. */
const looks = /^(common\.|model\.[a-z_.]+\.(search|search_read|search_count|read|fields_get|get_preferences)$|system\.)/

/** Calls after which the books are others: drafts and notes are none of these. */
const counts = /^model\.(timesheet\.line\.(create|write)|.*\.(do|done|run))$/

export async function openLine(to: string): Promise<Line> {
  const target = new URL(to)
  const waiting: { readonly what: Break; readonly at: () => Promise<void>; readonly done: () => void }[] = []
  const sockets = new Set<Socket>()
  let broken = 0

  const forward = (given: IncomingMessage, body: Buffer): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const out = request(
        {
          host: target.hostname,
          port: target.port,
          method: given.method,
          path: given.url,
          headers: { ...given.headers, host: target.host }
        },
        answer => {
          bytesOf(answer).then(bytes => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: bytes }), reject)
        }
      )
      out.on('error', reject)
      out.end(body)
    })

  /** An answer that gets lost is one of which it matters; a request may be any that changes something. */
  function takeNext(method: string): (typeof waiting)[number] | undefined {
    const at = waiting.findIndex(({ what }) => (what === 'answer' ? counts.test(method) : !looks.test(method)))
    return at < 0 ? undefined : waiting.splice(at, 1)[0]
  }

  async function pass(given: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bytesOf(given)
    const next = takeNext(methodOf(body))
    if (next?.what === 'request') {
      broken++
      await next.at()
      given.socket.destroy()
      return next.done()
    }
    const answer = await forward(given, body)
    if (next) {
      broken++
      await next.at()
      given.socket.destroy()
      return next.done()
    }
    response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length }).end(answer.body)
  }

  const server = createServer((given, response) => {
    pass(given, response).catch(() => given.socket.destroy())
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    breakNext: (what, at = async () => undefined) => new Promise(done => waiting.push({ what, at, done })),
    broken: () => broken,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

function methodOf(body: Buffer): string {
  try {
    return String((JSON.parse(body.toString('utf8')) as { method?: string }).method)
  } catch {
    return 'system.unreadable'
  }
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
