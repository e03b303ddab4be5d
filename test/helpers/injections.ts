import { type Description, type Operation, type Schema, smallest } from './api.ts'

/** Texts that mean something to a database where they become part of a statement. `canary` is an expression that leaves a mark when it is evaluated. */
export function injectionsOf(canary: string): readonly string[] {
  return [
    `'||(${canary})||'`,
    `' or (${canary}) is not null--`,
    `'; ${canary}; --`,
    `" or (${canary}) is not null--`,
    `') or (${canary}) is not null or ('`,
    `%' or (${canary}) is not null or '%'='`,
    `(${canary})`,
    `\\' or (${canary}) is not null--`,
    `$$||(${canary})||$$`,
    `x' union ${canary}--`,
    `1; ${canary}`,
    `\u02bc or (${canary}) is not null--`,
    `name desc, (${canary})`,
    `{"a":"' or (${canary}) is not null--"}`
  ]
}
/** What breaks a statement that is put together from text, so that its error shows. */
export const breakers: readonly string[] = ["'", '"', "\\'", '\\', '$$', "';--", '/*', '`', "')", '%%', ':a', '$1', '?', '@@version']

/** What a header can carry. */
const asHeader = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')

/** One way to put a text into a request to a route; everything else about the request fits. */
export interface Place {
  readonly operation: Operation
  readonly name: string
  readonly request: (text: string) => { readonly path: string; readonly headers?: Record<string, string>; readonly body?: unknown }
}

const someId = '0190ffff-ffff-7fff-8fff-ffffffffffff'
const headerNames = [
  'idempotency-key',
  'last-event-id',
  'x-forwarded-for',
  'user-agent',
  'if-none-match',
  'prefer',
  'accept-language',
  'x-tenant-id',
  'referer'
]

/** Every place of every route that a text can stand in: parts of the address, queries, fields of the body at any depth, headers, cookies. */
export function placesOf(
  { operations, schemas }: Description,
  skip: ReadonlySet<string>,
  /** A real id for a parameter of an address. */
  idOf: (path: string, name: string) => string | undefined
): Place[] {
  return operations
    .filter(({ operationId }) => !skip.has(operationId ?? ''))
    .flatMap(operation => {
      const path = (params: Readonly<Record<string, string>> = {}): string =>
        operation.path.replace(/\{(\w+)\}/g, (_all, name: string) =>
          encodeURIComponent(params[name] ?? idOf(operation.path, name) ?? (/number|seq/.test(name) ? '1' : someId))
        )
      const query = operation.query.map(([name, schema]) => `${name}=${encodeURIComponent(String(smallest(schema, schemas)))}`)
      const at = (more: readonly string[] = [], params?: Readonly<Record<string, string>>): string => {
        const all = [...query, ...more].join('&')
        return all === '' ? path(params) : `${path(params)}?${all}`
      }
      const bodySchema = operation.path.startsWith('/erp/') ? undefined : operation.body?.['application/json']?.schema
      const body = bodySchema && filled(bodySchema, schemas)
      return [
        ...operation.parameters
          .filter(one => one.in === 'path')
          .map(({ name }): Place => ({ operation, name: `path ${name}`, request: text => ({ path: at([], { [name]: text }), body }) })),
        ...operation.parameters
          .filter(one => one.in === 'query')
          .map(
            ({ name }): Place => ({
              operation,
              name: `query ${name}`,
              request: text => ({
                path: `${path()}?${[...query.filter(one => !one.startsWith(`${name}=`)), `${name}=${encodeURIComponent(text)}`].join('&')}`,
                body
              })
            })
          ),
        ...fieldsOf(body).map(
          (where): Place => ({
            operation,
            name: `body ${where.join('/')}`,
            request: text => ({ path: at(), body: put(body, where, text) })
          })
        ),
        ...(operation.method === 'GET' ? [] : ['idempotency-key']).map(
          (name): Place => ({
            operation,
            name: `header ${name}`,
            request: text => ({ path: at(), headers: { [name]: asHeader(text).replaceAll(' ', '/**/') }, body })
          })
        )
      ]
    })
}

/** Headers and cookies are read by the frame around every route: a few routes stand for all. */
export function headerPlaces({ operations }: Description, ids: readonly string[]): Place[] {
  return operations
    .filter(({ operationId }) => ids.includes(operationId ?? ''))
    .flatMap(operation =>
      [...headerNames, 'cookie', 'authorization'].map(
        (name): Place => ({
          operation,
          name: `header ${name}`,
          request: text => {
            const value = asHeader(text)
            const sent = name === 'cookie' ? `wv_refresh=${value}` : name === 'authorization' ? `Bearer ${value}` : value
            return { path: operation.path, headers: { [name]: sent }, ...(operation.method === 'GET' ? {} : { body: {} }) }
          }
        })
      )
    )
}

/** A body with every field that the schema knows, not only those that must be there. */
function filled(given: Schema, schemas: Description['schemas'], depth = 0): unknown {
  const schema = given.$ref ? (schemas[given.$ref.split('/').at(-1) ?? ''] ?? {}) : given
  const [first] = schema.anyOf ?? []
  if (first) return filled(first, schemas, depth + 1)
  if (schema.type === 'array' && schema.items && depth < 5) return [filled(schema.items, schemas, depth + 1)]
  if (schema.type !== 'object' || depth > 5) return smallest(schema, schemas)
  const known = Object.entries(schema.properties ?? {}).map(([name, one]) => [name, filled(one, schemas, depth + 1)])
  return Object.fromEntries(schema.additionalProperties === true ? [...known, ['anything', 'test']] : known)
}

type Where = readonly (string | number)[]

/** Every text in a body. */
function fieldsOf(body: unknown, at: Where = []): Where[] {
  if (typeof body === 'string') return [at]
  if (Array.isArray(body)) return body.flatMap((one, n) => fieldsOf(one, [...at, n]))
  if (typeof body !== 'object' || body === null) return []
  return Object.entries(body).flatMap(([name, one]) => fieldsOf(one, [...at, name]))
}

function put(body: unknown, [first, ...rest]: Where, text: string): unknown {
  if (first === undefined) return text
  if (Array.isArray(body)) return body.map((one, n) => (n === first ? put(one, rest, text) : one))
  const object = body as Record<string, unknown>
  return { ...object, [first]: put(object[first], rest, text) }
}
