import { Ajv, type ValidateFunction } from 'ajv'
import formats, { type FormatName } from 'ajv-formats'
import { type Secret, secret } from './secret.ts'
import type { ConfigField, ConfigSchema } from './types.ts'

export interface SettingProblem {
  /** JSON pointer of the setting, such as /delimiter. */
  readonly field: string
  readonly message: string
}
/** Settings as an adapter gets them: defaults filled in, secrets wrapped. */
export type Settings = Readonly<Record<string, string | number | boolean | Secret>>

const ajv = new Ajv({ strict: true, allErrors: true })
formats.default(ajv, ['uri', 'hostname', 'email', 'date', 'time'] satisfies FormatName[])
ajv.addVocabulary(['secret'])
const validators = new WeakMap<ConfigSchema, ValidateFunction>()

/** The validator of a settings schema. @throws Error of ajv for a schema that is none */
export function settingsValidator(schema: ConfigSchema): ValidateFunction {
  const known = validators.get(schema)
  if (known) return known
  const made = ajv.compile(schema)
  validators.set(schema, made)
  return made
}

/**
 * Settings given by a person, checked against the adapter's schema before any of its code runs. Secrets come as plain text and leave
 * wrapped; a value never stands in a message.
 */
export function readSettings(
  schema: ConfigSchema,
  given: Readonly<Record<string, unknown>>
): { ok: true; settings: Settings } | { ok: false; problems: SettingProblem[] } {
  const filled: Record<string, unknown> = { ...given }
  for (const [name, field] of Object.entries(schema.properties))
    if (filled[name] === undefined && field.default !== undefined) filled[name] = field.default
  const validate = settingsValidator(schema)
  if (!validate(filled)) {
    const problems = (validate.errors ?? []).map(error => {
      const params = error.params as { missingProperty?: string; additionalProperty?: string; allowedValues?: unknown[] }
      const named = params.missingProperty ?? params.additionalProperty
      const field = named === undefined ? error.instancePath : `/${named}`
      const title = titleOf(schema, field)
      if (params.missingProperty !== undefined) return { field, message: `${title} is missing.` }
      if (params.additionalProperty !== undefined) return { field, message: `There is no setting "${params.additionalProperty}".` }
      if (params.allowedValues !== undefined) {
        return { field, message: `${title} must be one of ${params.allowedValues.map(value => JSON.stringify(value)).join(', ')}.` }
      }
      return { field, message: `${title} ${error.message ?? 'is wrong'}.` }
    })
    return { ok: false, problems }
  }
  const settings = Object.entries(filled).flatMap(([name, value]) => {
    const field: ConfigField | undefined = schema.properties[name]
    if (value === undefined || field === undefined) return []
    return [[name, field.type === 'string' && field.secret === true ? secret(String(value)) : value] as const]
  })
  return { ok: true, settings: Object.fromEntries(settings) as Settings }
}

const titleOf = (schema: ConfigSchema, pointer: string): string => schema.properties[pointer.slice(1)]?.title ?? pointer
