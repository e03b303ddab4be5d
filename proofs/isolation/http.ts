import { describeApi } from '../../core/http/openapi.ts'
import type { TestHouse } from '../../test/helpers/house.ts'
import type { Customer } from './customers.ts'
import type { Tally } from './tally.ts'

interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly format?: string
  readonly minItems?: number
  readonly minLength?: number
  readonly minimum?: number
  readonly $ref?: string
}
interface Operation {
  readonly operationId?: string
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
/** Ends what the probes themselves live by. */
const notAsked = new Set(['signOut', 'followChanges', 'endMySession'])

/** A value that the schema takes; every id in it is the one given, every free text a number that both customers use. */
function sample(schema: Schema | undefined, document: Document, id: string, depth = 0): unknown {
  if (!schema || depth > 8) return null
  const inner = (one: Schema | undefined) => sample(one, document, id, depth + 1)
  if (schema.$ref) return inner(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''])
  if (schema.enum) return schema.enum[0]
  const [first] = schema.anyOf ?? schema.allOf ?? []
  if (first) return inner(first)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object' || schema.properties)
    return Object.fromEntries((schema.required ?? []).map(name => [name, inner(schema.properties?.[name])]))
  if (type === 'array') return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () => inner(schema.items))
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1
  if (type === 'boolean') return true
  if (schema.format === 'uuid') return id
  if (schema.format === 'date') return '2026-01-05'
  return 'W0001'.padEnd(schema.minLength ?? 0, '1')
}

/** Of each table's ids a few, so that every kind of thing is asked for. */
function spread(ids: readonly string[], most: number): readonly string[] {
  const step = Math.max(1, Math.floor(ids.length / most))
  return ids.filter((_, n) => n % step === 0).slice(0, most)
}

/**
 * Every route with every credential of `by`, with ids of `of` in the path, the query and the body.
 * @param perRoute how many ids of the other are tried on each route and credential
 */
export async function probeRoutes(at: TestHouse, by: Customer, of: Customer, perRoute: number, tally: Tally): Promise<void> {
  const document = JSON.parse(await describeApi(at.house.app)) as Document
  const foreign = new Set(of.ids.filter(id => !by.ids.includes(id)))
  const ids = [of.connection, of.tenant.id, ...spread([...foreign], 200)]
  let next = 0
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (notAsked.has(operation.operationId ?? '')) continue
      const queries = (operation.parameters ?? []).filter(({ in: place, schema }) => place === 'query' && schema.format === 'uuid')
      const takesId = path.includes('{') || queries.length > 0 || operation.requestBody !== undefined
      for (const token of Object.values(by.credentials)) {
        for (let n = 0; n < (takesId ? perRoute : 1); n++) {
          const id = ids[next++ % ids.length] ?? of.tenant.id
          const address = path
            .replace(/\{(number|seq)\}/g, '1')
            .replace('{route}', 'orders')
            .replace(/\{(kind|code)\}/g, 'article')
            .replace(/\{connection\}/g, of.connection)
            .replace(/\{[^}]+\}/g, id)
          const query = queries.length > 0 ? `?${queries.map(({ name }) => `${name}=${id}`).join('&')}` : ''
          const schema = operation.requestBody?.content['application/json']?.schema
          const answer = await fetch(at.baseUrl + address + query, {
            method: method.toUpperCase(),
            headers: {
              authorization: `Bearer ${token}`,
              // What a proxy in front might be thought to decide the customer by.
              'x-tenant-id': of.tenant.id,
              'x-customer': of.tenant.code,
              'x-forwarded-host': `${of.tenant.code}.example`,
              ...(schema ? { 'content-type': 'application/json' } : {})
            },
            ...(schema ? { body: JSON.stringify(sample(schema, document, id)) } : {})
          })
          const text = await answer.text()
          const asked = new Set([id, of.connection])
          tally.probe(
            !text.includes(of.canary) && (text.match(uuid) ?? []).every(found => asked.has(found) || !foreign.has(found)),
            `${method} ${address}${query} answered ${answer.status} with something of the other customer`
          )
          // An id of the other opens nothing: at most what belongs to nobody, such as an empty list.
          if (path.includes('{id}') && method === 'get' && answer.status === 200) {
            const { items } = JSON.parse(text) as { items?: readonly unknown[] }
            tally.probe(items?.length === 0, `get ${address} answered 200`)
          }
          tally.probe(answer.status < 500 || answer.status === 503, `${method} ${address} answered ${answer.status}: ${text.slice(0, 200)}`)
        }
      }
    }
  }
}
