import { NumberInput, PasswordInput, Select, Stack, Switch, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { isProblem } from '../api/client'

/** One setting as an adapter's JSON Schema describes it. */
interface Field {
  readonly type: 'string' | 'integer' | 'number' | 'boolean'
  readonly title?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly default?: string | number | boolean
  readonly secret?: boolean
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}
export interface SettingsSchema {
  readonly properties: Readonly<Record<string, Field>>
  readonly required?: readonly string[]
}
export type SettingsValue = Readonly<Record<string, string | number | boolean>>

/** What a new form begins with. */
export const defaultsOf = (schema: SettingsSchema): SettingsValue =>
  Object.fromEntries(
    Object.entries(schema.properties).flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]]))
  )

/** What is sent: empty fields are left out, so that their default, or the secret that is stored, stays. */
export const settingsToSend = (schema: SettingsSchema, value: SettingsValue): SettingsValue =>
  Object.fromEntries(
    Object.entries(value).filter(([name, given]) => name in schema.properties && (given !== '' || schema.properties[name]?.default === ''))
  )

/** The server's word on a field: from `errors` of a refusal, by pointer. */
export function errorAt(error: unknown, pointer: string): string | undefined {
  if (!isProblem(error) || !Array.isArray(error.errors)) return undefined
  const found = (error.errors as readonly { pointer?: unknown; detail?: unknown }[]).find(entry => entry.pointer === pointer)
  return typeof found?.detail === 'string' ? found.detail : undefined
}

/** Control characters have no face of their own. */
const faces: Readonly<Record<string, string>> = { '\t': '⇥ (tab)', '': '—' }

/** A form drawn from an adapter's JSON Schema. `about` names the adapter, whose own words may have a translation. */
export function SchemaForm({
  schema,
  about,
  value,
  change,
  secretsSet = [],
  error
}: {
  schema: SettingsSchema
  about: string
  value: SettingsValue
  change: (value: SettingsValue) => void
  secretsSet?: readonly string[]
  error: unknown
}) {
  const { t, i18n } = useTranslation()
  const words = (key: string, own: string | undefined) =>
    i18n.exists(`setting.${about}.${key}`) ? t(`setting.${about}.${key}` as 'setting.werkvloer.csv.delimiter') : own
  return (
    <Stack>
      {Object.entries(schema.properties).map(([name, field]) => {
        const given = value[name]
        const set = (next: string | number | boolean) => change({ ...value, [name]: next })
        const stored = secretsSet.includes(name)
        const common = {
          label: words(name, field.title ?? name),
          description: stored ? t('settings.secretSet') : words(`${name}Hint`, field.description),
          required: (schema.required?.includes(name) ?? false) && !stored,
          error: errorAt(error, `/config/${name}`)
        }
        if (field.type === 'boolean') {
          const { required: _, ...rest } = common
          return <Switch key={name} {...rest} checked={given === true} onChange={event => set(event.currentTarget.checked)} />
        }
        if (field.type !== 'string') {
          return (
            <NumberInput
              key={name}
              {...common}
              maw={320}
              allowDecimal={field.type === 'number'}
              {...(field.minimum === undefined ? {} : { min: field.minimum })}
              {...(field.maximum === undefined ? {} : { max: field.maximum })}
              value={typeof given === 'number' ? given : ''}
              onChange={set}
            />
          )
        }
        if (field.enum) {
          return (
            <Select
              key={name}
              {...common}
              maw={320}
              allowDeselect={false}
              data={field.enum.map(option => ({ value: option, label: faces[option] ?? option }))}
              value={typeof given === 'string' ? given : null}
              onChange={option => option !== null && set(option)}
            />
          )
        }
        const text = typeof given === 'string' ? given : ''
        return field.secret ? (
          <PasswordInput
            key={name}
            {...common}
            autoComplete="new-password"
            maxLength={field.maxLength ?? 4000}
            value={text}
            onChange={event => set(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': t('signIn.showPassword') }}
          />
        ) : (
          <TextInput
            key={name}
            {...common}
            maxLength={field.maxLength ?? 4000}
            value={text}
            onChange={event => set(event.currentTarget.value)}
          />
        )
      })}
    </Stack>
  )
}
