import type { House } from '../../core/house.ts'
import { describeApi } from '../../core/http/openapi.ts'

/** What these tests read of a JSON schema. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly format?: string
  readonly pattern?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>

export interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema?: Schema
}

/** One route as the description of the API tells of it. */
export interface Operation {
  readonly method: string
  readonly path: string
  readonly operationId: string | undefined
  readonly summary: string | undefined
  readonly tags: readonly string[]
  /** null: public. */
  readonly permission: string | null
  readonly refusals: readonly string[]
  readonly parameters: readonly Parameter[]
  /** What the address must say behind `?`, each with its schema. */
  readonly query: readonly (readonly [name: string, schema: Schema])[]
  readonly body: Content | undefined
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
export interface Description {
  readonly operations: readonly Operation[]
  readonly schemas: Readonly<Record<string, Schema>>
}

interface Raw {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly 'x-permission'?: string | null
  readonly 'x-refusals'?: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content?: Content }
  readonly responses?: Operation['responses']
}

export async function descriptionOf(house: House): Promise<Description> {
  const document = JSON.parse(await describeApi(house.app)) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Raw>>>>
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  }
  return {
    schemas: document.components.schemas,
    operations: Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, raw]) => ({
        method: method.toUpperCase(),
        path,
        operationId: raw.operationId,
        summary: raw.summary,
        tags: raw.tags ?? [],
        permission: raw['x-permission'] ?? null,
        refusals: raw['x-refusals'] ?? [],
        parameters: raw.parameters ?? [],
        query: (raw.parameters ?? [])
          .filter(one => one.in === 'query' && one.required)
          .map(({ name, schema }): readonly [string, Schema] => [name, schema ?? {}]),
        body: raw.requestBody?.content,
        responses: raw.responses ?? {}
      }))
    )
  }
}

const someId = '0190ffff-ffff-7fff-8fff-ffffffffffff'

/** The smallest value that a schema takes, so that a request gets past it to what is being tested. */
export function smallest(schema: Schema, schemas: Description['schemas']): unknown {
  if (schema.$ref) return smallest(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, schemas)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return smallest(schema.anyOf[0] ?? {}, schemas)
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        [...(schema.required ?? []), ...Object.keys(schema.properties ?? {}).slice(0, schema.minProperties ?? 0)].map(name => [
          name,
          smallest(schema.properties?.[name] ?? {}, schemas)
        ])
      )
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => smallest(schema.items ?? {}, schemas))
    case 'integer':
    case 'number':
      return schema.minimum ?? 0
    case 'boolean':
      return false
    case 'null':
      return null
    case 'string':
      if (schema.format === 'uuid') return someId
      if (schema.format === 'date-time') return '2026-03-02T08:00:00Z'
      if (schema.format === 'date') return '2026-03-02'
      return schema.pattern?.includes('\\d{1,12}') ? '1' : 'test'
    default:
      return {}
  }
}

/** A body that fits the route, `undefined` where it takes none. */
export function bodyFor(operation: Operation, schemas: Description['schemas']): unknown {
  const schema = operation.body?.['application/json']?.schema
  return schema && smallest(schema, schemas)
}

/** What must stand behind the address, `?` included; empty where nothing must. */
export function queryFor(operation: Operation, schemas: Description['schemas']): string {
  const query = new URLSearchParams(operation.query.map(([name, schema]): [string, string] => [name, String(smallest(schema, schemas))]))
  return query.size === 0 ? '' : `?${query}`
}
