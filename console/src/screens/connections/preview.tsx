import { Alert, Badge, Group, Loader, Stack, Table, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { components } from '../../api/schema'
import { ProblemNote } from '../../parts/problem'
import { RejectText } from '../../parts/reject-text'
import { columnsIn, flat } from './mapping-model'

export type DryRun = components['schemas']['DryRun']

/** First rows of the customer's own file under the mapping as it stands on the screen, errors at their field. */
export function Preview({
  run,
  busy,
  error,
  kind,
  order
}: {
  run: DryRun | undefined
  busy: boolean
  error: unknown
  kind: string
  /** Fields as the mapping lists them. */
  order: readonly string[]
}) {
  const { t } = useTranslation()
  if (error) return <ProblemNote error={error} />
  if (!run) return busy ? <Loader size="sm" aria-label={t('connections.previewBusy')} /> : null
  const sample = run.sample.filter(row => row.kind === kind)
  const columns = [...new Set(sample.flatMap(({ source }) => columnsIn(source)))]
  const place = (name: string) => {
    const found = order.indexOf(name.replace(/\.\d+\./g, '[].'))
    return found < 0 ? order.length : found
  }
  const names = [...new Set(sample.flatMap(({ record }) => (record ? flat(record).map(([name]) => name) : [])))]
    .sort((a, b) => place(a) - place(b))
    .slice(0, 16)
  return (
    <Stack gap="sm" aria-live="polite" opacity={busy ? 0.6 : 1}>
      <Refused run={run} />
      {columns.length > 0 ? (
        <div>
          <Text size="sm" fw={600} mb={4}>
            {t('connections.columns')}
          </Text>
          <Group gap={6}>
            {columns.map(column => {
              const unread = Object.keys(run.unknownColumns).some(name => name.startsWith(`${kind}.`) && name.endsWith(`.${column}`))
              return (
                <Badge key={column} variant={unread ? 'default' : 'light'} color="teal" tt="none">
                  {unread ? t('connections.columnUnread', { column }) : column}
                </Badge>
              )
            })}
          </Group>
        </div>
      ) : null}
      {sample.length > 0 ? (
        <Table.ScrollContainer minWidth={720}>
          <Table verticalSpacing={6} withTableBorder>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('connections.line')}</Table.Th>
                {names.map(name => (
                  <Table.Th key={name} style={{ whiteSpace: 'nowrap' }}>
                    {name}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {sample.map((row, index) => {
                const values = new Map(row.record ? flat(row.record) : [])
                const wrong =
                  row.reject ?? run.rejects.find(reject => reject.kind === row.kind && reject.line !== null && reject.line === row.line)
                return (
                  // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file have no other name
                  <Table.Tr key={index} bg={wrong ? 'var(--mantine-color-red-light)' : undefined}>
                    <Table.Td>{row.line ?? row.pointer}</Table.Td>
                    {row.record && !wrong ? (
                      names.map(name => (
                        <Table.Td key={name} style={{ whiteSpace: 'nowrap' }}>
                          {values.get(name)}
                        </Table.Td>
                      ))
                    ) : (
                      <Table.Td colSpan={Math.max(1, names.length)}>
                        <Text size="sm" fw={600}>
                          {wrong?.field ? t('connections.inField', { field: wrong.field }) : t('connections.rowRefused')}
                        </Text>
                        <RejectText code={wrong?.code} message={wrong?.message} />
                      </Table.Td>
                    )}
                  </Table.Tr>
                )
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : run.refused ? null : (
        <Text size="sm" c="dimmed">
          {t('connections.noneOfKind')}
        </Text>
      )}
    </Stack>
  )
}

/** The whole file would not be taken, and why. */
export function Refused({ run }: { run: DryRun }) {
  const { t } = useTranslation()
  return run.refused ? (
    <Alert color="red" role="alert" title={t('connections.fileRefused')}>
      <Text size="sm" lang="en">
        {run.refused.detail}
      </Text>
    </Alert>
  ) : null
}
