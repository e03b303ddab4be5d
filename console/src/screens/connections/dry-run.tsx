import { Alert, Badge, Button, Group, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import { IconDownload, IconFlask } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { csvOf } from '../../parts/csv'
import { saveAs } from '../../parts/download'
import { ProblemNote } from '../../parts/problem'
import { useKindName } from '../../parts/record-kind'
import { RejectText } from '../../parts/reject-text'
import { type DryRun, Refused } from './preview'
import { FilePicker, type TryFile } from './try-file'
import type { Adapter, Connection } from './use-connections'

const counted = ['new', 'changed', 'unchanged', 'rejected', 'held', 'stale', 'closed', 'duplicate', 'acks'] as const
const decisions = ['new', 'changed', 'stale', 'closed', 'held', 'rejected'] as const
const colors: Readonly<Record<string, string>> = { new: 'teal', changed: 'blue', rejected: 'red', held: 'orange', closed: 'orange' }

/** What a file would do: everything is checked, nothing is written. */
export function DryRunPanel({
  connection,
  adapter,
  file,
  choose,
  ran
}: {
  connection: Connection
  adapter: Adapter
  file: TryFile | undefined
  choose: (file: TryFile | undefined) => void
  ran?: () => void
}) {
  const { t } = useTranslation()
  const run = api.useMutation('post', '/api/v1/connections/{id}/dry-runs', { onSuccess: () => ran?.() })
  return (
    <Stack>
      <Text size="sm" c="dimmed" maw={680}>
        {t('connections.dryRunText')}
      </Text>
      <FilePicker
        adapter={adapter}
        file={file}
        choose={next => {
          run.reset()
          choose(next)
        }}
      />
      <div>
        <Button
          leftSection={<IconFlask size={18} />}
          disabled={!file}
          loading={run.isPending}
          onClick={() => file && run.mutate({ params: { path: { id: connection.id } }, body: file })}
        >
          {t('connections.dryRun')}
        </Button>
      </div>
      <ProblemNote error={run.error} />
      {run.data ? <Result run={run.data} name={file?.name ?? ''} /> : null}
    </Stack>
  )
}

function Result({ run, name }: { run: DryRun; name: string }) {
  const { t, i18n } = useTranslation()
  const format = useFormat()
  const kindName = useKindName()
  const known = (decision: string) => decisions.some(one => one === decision)
  const decided = (decision: string) => (known(decision) ? t(`connections.decision.${decision as 'new'}`) : decision)
  const stem = `${t('connections.dryRunFile')}-${name.replace(/\.[^.]*$/, '')}`
  const lines = (): string[][] => [
    [
      t('connections.decision'),
      t('connections.kind'),
      t('connections.key'),
      t('connections.line'),
      t('connections.fields'),
      t('connections.what')
    ],
    ...run.changes
      .filter(({ decision }) => decision !== 'rejected')
      .map(c => [decided(c.decision), kindName(c.kind), c.key ?? '', String(c.line ?? ''), c.fields.join(', '), '']),
    ...run.rejects.map(r => [
      decided('rejected'),
      kindName(r.kind),
      r.key ?? '',
      String(r.line ?? r.pointer ?? ''),
      r.field ?? '',
      r.message
    ])
  ]
  const changes = run.changes.filter(({ decision }) => decision !== 'rejected')
  return (
    <Stack role="region" aria-label={t('connections.dryRunResult')} lang={i18n.language}>
      <Refused run={run} />
      {run.cut ? <Alert color="orange">{t('connections.cut', { count: run.items })}</Alert> : null}
      <SimpleGrid cols={{ base: 2, xs: 3, md: 5 }}>
        {counted
          .filter(what => run.counts[what] > 0 || ['new', 'changed', 'unchanged', 'rejected'].includes(what))
          .map(what => (
            <div key={what}>
              <Text
                size="xl"
                fw={700}
                className="figures"
                c={what === 'rejected' && run.counts.rejected > 0 ? 'var(--mantine-color-error)' : undefined}
              >
                {format.count(run.counts[what])}
              </Text>
              <Text size="sm" c="dimmed">
                {t(`connections.count.${what}`)}
              </Text>
            </div>
          ))}
      </SimpleGrid>
      {run.closings.map(({ kind, scope, count, of }) => (
        <Alert key={kind + (scope ?? '')} color="orange">
          {t('connections.closing', { kind: kindName(kind), count, of })}
        </Alert>
      ))}
      {Object.keys(run.unknownColumns).length > 0 ? (
        <Text size="sm" c="dimmed">
          {t('connections.unread', {
            columns: Object.keys(run.unknownColumns)
              .map(name => `${name.slice(name.lastIndexOf('.') + 1)} (${kindName(name.split('.')[0] ?? '')})`)
              .join(', ')
          })}
        </Text>
      ) : null}
      {run.rejects.length > 0 ? (
        <Table.ScrollContainer minWidth={560}>
          <Table verticalSpacing="xs" captionSide="top">
            <Table.Caption ta="left" fw={600}>
              {t('connections.refusedRows')}
            </Table.Caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('connections.line')}</Table.Th>
                <Table.Th>{t('connections.key')}</Table.Th>
                <Table.Th>{t('connections.field')}</Table.Th>
                <Table.Th>{t('connections.what')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {run.rejects.map((reject, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a row may be refused without line and key
                <Table.Tr key={index}>
                  <Table.Td>{reject.line ?? reject.pointer}</Table.Td>
                  <Table.Td>
                    {reject.key}
                    <Text size="xs" c="dimmed">
                      {kindName(reject.kind)}
                    </Text>
                  </Table.Td>
                  <Table.Td>{reject.field}</Table.Td>
                  <Table.Td>
                    <RejectText code={reject.code} message={reject.message} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : null}
      {changes.length > 0 ? (
        <Table.ScrollContainer minWidth={560} mah={420}>
          <Table verticalSpacing="xs" captionSide="top">
            <Table.Caption ta="left" fw={600}>
              {t('connections.wouldChange')}
            </Table.Caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('connections.decision')}</Table.Th>
                <Table.Th>{t('connections.key')}</Table.Th>
                <Table.Th>{t('connections.line')}</Table.Th>
                <Table.Th>{t('connections.fields')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {changes.map((change, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a record of a person has no key here
                <Table.Tr key={index}>
                  <Table.Td>
                    <Badge variant="light" color={colors[change.decision] ?? 'gray'} tt="none">
                      {decided(change.decision)}
                    </Badge>
                  </Table.Td>
                  <Table.Td>
                    {change.key}
                    <Text size="xs" c="dimmed">
                      {kindName(change.kind)}
                    </Text>
                  </Table.Td>
                  <Table.Td>{change.line}</Table.Td>
                  <Table.Td>{change.fields.join(', ')}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : null}
      <Group>
        <Button variant="default" leftSection={<IconDownload size={18} />} onClick={() => saveAs(`${stem}.csv`, csvOf(lines()))}>
          {t('connections.asCsv')}
        </Button>
        <Button
          variant="default"
          leftSection={<IconDownload size={18} />}
          onClick={() => saveAs(`${stem}.json`, new Blob([JSON.stringify(run, null, 2)], { type: 'application/json' }))}
        >
          {t('connections.asJson')}
        </Button>
      </Group>
    </Stack>
  )
}
