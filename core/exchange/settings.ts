import { type Adapter, type ConfigOf, type ConfigSchema, readSettings, secret } from '../../adapters/contract/index.ts'
import type { FieldProblem } from '../errors.ts'

/** Values of settings as JSON; an adapter's schema knows text, numbers and booleans only. */
export type Settings = Readonly<Record<string, string | number | boolean>>
/** What a person sends: `null` takes an optional setting or a secret away. */
export type GivenSettings = Readonly<Record<string, string | number | boolean | null>>

export const isSecret = (schema: ConfigSchema, name: string): boolean => {
  const field = schema.properties[name]
  return field?.type === 'string' && field.secret === true
}
export const secretNames = (schema: ConfigSchema): readonly string[] =>
  Object.keys(schema.properties).filter(name => isSecret(schema, name))

/**
 * Settings as they will be stored: what was given over the former secrets, defaults filled in. A secret that is not given stays as it
 * is; everything else is taken as given, so that leaving a setting out means its default.
 */
export function mergeSettings(
  adapter: Adapter,
  given: GivenSettings,
  formerSecrets: Settings
): { plain: Settings; secrets: Settings } | { problems: readonly FieldProblem[] } {
  const schema = adapter.manifest.config
  const names = secretNames(schema)
  const kept = Object.fromEntries(
    names.filter(name => formerSecrets[name] !== undefined && !(name in given)).map(name => [name, formerSecrets[name]])
  )
  const whole = { ...kept, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) }
  const read = readSettings(schema, whole)
  if (!read.ok)
    return { problems: read.problems.slice(0, 20).map(({ field, message }) => ({ pointer: `/config${field}`, detail: message })) }
  const plain: Record<string, string | number | boolean> = {}
  const secrets: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(read.settings)) {
    if (typeof value === 'object') secrets[name] = value.reveal()
    else plain[name] = value
  }
  return { plain, secrets }
}

/** What is wrong with stored settings under today's schema; sentences that never repeat a value, which may be a secret. */
export function settingProblems(adapter: Adapter, whole: Settings): readonly string[] {
  const read = readSettings(adapter.manifest.config, whole)
  return read.ok ? [] : read.problems.map(problem => problem.message)
}

/** The settings as the adapter sees them: secrets opaque to printing. */
export function configOf(plain: Settings, secrets: Settings): ConfigOf<ConfigSchema> {
  const opaque = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, secret(String(value))]))
  return { ...plain, ...opaque } as unknown as ConfigOf<ConfigSchema>
}
