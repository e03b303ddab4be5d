import { Autocomplete, Badge, Button, Code, Group, Popover, Select, Stack, Table, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import {
  argumentOf,
  type Conversion,
  columnOf,
  conversionOf,
  conversions,
  entriesOf,
  isPlain,
  type Rule,
  type RuleObject,
  ruleAt,
  valueIn,
  withColumn,
  withConversion,
  withRule
} from './mapping-model'
import type { Adapter } from './use-connections'

/** Our fields, the ERP's columns, and what is done to the value on the way. */
export function ImportRules({
  adapter,
  rule,
  base,
  columns,
  source,
  readOnly,
  change
}: {
  adapter: Adapter
  rule: unknown
  base: unknown
  columns: readonly string[]
  source: RuleObject | undefined
  readOnly: boolean
  change: (rule: RuleObject) => void
}) {
  const { t } = useTranslation()
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('connections.ourField')}</Table.Th>
            <Table.Th>{t('connections.theirColumn')}</Table.Th>
            <Table.Th>{t('connections.conversion')}</Table.Th>
            {source ? <Table.Th>{t('connections.firstValue')}</Table.Th> : null}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entriesOf(rule, base).map(entry => {
            const own = ruleAt(rule, entry.path)
            const column = columnOf(own)
            const set = (next: Rule | undefined) => change(withRule(rule, entry.path, next, base))
            return (
              <Table.Tr key={entry.label}>
                <Table.Td>
                  <Code>{entry.label}</Code>
                </Table.Td>
                <Table.Td>
                  <Autocomplete
                    aria-label={t('connections.columnFor', { field: entry.label })}
                    data={[...columns]}
                    readOnly={readOnly || !isPlain(own)}
                    maxLength={200}
                    value={column}
                    onChange={value => set(withColumn(own, value))}
                  />
                </Table.Td>
                <Table.Td>
                  <ConversionCell adapter={adapter} field={entry.label} rule={own} readOnly={readOnly} change={set} />
                </Table.Td>
                {source ? (
                  <Table.Td maw={180}>
                    <Text size="sm" truncate c={columns.includes(column) || column === '' ? undefined : 'dimmed'}>
                      {column === '' || columns.includes(column) ? valueIn(source, entry, column) : t('connections.notInFile')}
                    </Text>
                  </Table.Td>
                ) : null}
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** The ERP's columns on the way out; a name may be changed, and how the value is written. */
export function ExportRules({
  adapter,
  rule,
  readOnly,
  change
}: {
  adapter: Adapter
  rule: unknown
  readOnly: boolean
  change: (rule: RuleObject) => void
}) {
  const { t } = useTranslation()
  const rows = Object.entries((rule ?? {}) as Readonly<Record<string, Rule>>)
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('connections.theirColumn')}</Table.Th>
            <Table.Th>{t('connections.ourField')}</Table.Th>
            <Table.Th>{t('connections.conversion')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([column, own]) => {
            const put = (name: string, next: Rule) =>
              change(Object.fromEntries(rows.map(([key, value]) => (key === column ? [name, next] : [key, value]))))
            return (
              <Table.Tr key={column}>
                <Table.Td>
                  <ColumnName
                    name={column}
                    taken={rows.map(([key]) => key)}
                    readOnly={readOnly}
                    label={t('connections.columnFor', { field: columnOf(own) })}
                    change={name => put(name, own)}
                  />
                </Table.Td>
                <Table.Td>
                  <Code>{columnOf(own)}</Code>
                </Table.Td>
                <Table.Td>
                  <ConversionCell
                    adapter={adapter}
                    field={columnOf(own)}
                    rule={own}
                    readOnly={readOnly}
                    change={next => put(column, next)}
                  />
                </Table.Td>
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** Taken over when the field is left, so that the row does not jump while somebody types. */
function ColumnName({
  name,
  taken,
  readOnly,
  label,
  change
}: {
  name: string
  taken: readonly string[]
  readOnly: boolean
  label: string
  change: (name: string) => void
}) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState(name)
  const wrong = typed.trim() === '' || (typed.trim() !== name && taken.includes(typed.trim()))
  return (
    <TextInput
      aria-label={label}
      readOnly={readOnly}
      maxLength={200}
      error={wrong ? t('connections.columnTaken') : null}
      value={typed}
      onChange={event => setTyped(event.currentTarget.value)}
      onBlur={() => (wrong ? setTyped(name) : typed.trim() !== name && change(typed.trim()))}
    />
  )
}

function ConversionCell({
  adapter,
  field,
  rule,
  readOnly,
  change
}: {
  adapter: Adapter
  field: string
  rule: Rule | undefined
  readOnly: boolean
  change: (rule: Rule) => void
}) {
  const { t } = useTranslation()
  if (rule === undefined) return null
  if (!isPlain(rule)) {
    return (
      <Badge variant="light" color="gray" tt="none">
        {t('connections.ownRule')}
      </Badge>
    )
  }
  const conversion = conversionOf(rule)
  const argument = argumentOf(rule)
  const summary =
    argument === '' || conversion === 'boolean'
      ? t(`connections.convert.${conversion}`)
      : `${t(`connections.convert.${conversion}`)}: ${argument}`
  const usual = typeof rule === 'object' && typeof rule.default === 'string' ? rule.default : ''
  return (
    <Popover width={320} position="bottom-end" withArrow trapFocus>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="subtle"
          disabled={readOnly}
          aria-label={t('connections.conversionOf', { field, conversion: summary })}
        >
          {summary}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <Select
            label={t('connections.conversion')}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            data={conversions.map(value => ({ value, label: t(`connections.convert.${value}`) }))}
            value={conversion}
            onChange={value =>
              value &&
              change(
                value === 'code' ? withConversion(rule, 'code', adapter.codeTables[0] ?? '') : withConversion(rule, value as Conversion)
              )
            }
          />
          {conversion === 'code' || conversion === 'decimal' ? (
            <Select
              label={conversion === 'code' ? t('connections.table') : t('connections.decimalSign')}
              allowDeselect={false}
              comboboxProps={{ withinPortal: false }}
              data={conversion === 'code' ? [...adapter.codeTables] : ['.', ',']}
              value={argument}
              onChange={value => value && change(withConversion(rule, conversion, value))}
            />
          ) : null}
          {conversion === 'date' || conversion === 'instant' || conversion === 'boolean' ? (
            <TextInput
              label={conversion === 'boolean' ? t('connections.yesWords') : t('connections.pattern')}
              value={argument}
              onChange={event => change(withConversion(rule, conversion, event.currentTarget.value))}
            />
          ) : null}
          <TextInput
            label={t('connections.ifEmpty')}
            value={usual}
            onChange={event => {
              const { default: _, ...rest } = typeof rule === 'string' ? { from: rule } : rule
              const value = event.currentTarget.value
              change(value === '' ? rest : { ...rest, default: value })
            }}
          />
          <Group>
            <Text size="xs" c="dimmed">
              {t('connections.previewFollows')}
            </Text>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
