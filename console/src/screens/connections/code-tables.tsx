import { ActionIcon, Alert, Button, Group, Select, Skeleton, Stack, Table, Text, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, isProblem } from '../../api/client'
import type { components } from '../../api/schema'
import { newKey } from '../../parts/act'
import { useFilter } from '../../parts/filter'
import { MappingProblem } from '../../parts/mapping-problem'
import { notifyDone, ProblemNote } from '../../parts/problem'
import { useMay } from '../../session'
import { type Adapter, type Connection, useConnectionChanged } from './use-connections'

type Mapping = components['schemas']['ConnectionMapping']
interface Row {
  readonly id: string
  readonly theirs: string
  readonly ours: string
}

/** The ERP's codes and ours. `?table=…&value=…` opens one at a value, ready to be translated. */
export function CodeTables({ connection, adapter }: { connection: Connection; adapter: Adapter }) {
  const stored = api.useQuery('get', '/api/v1/connections/{id}/mapping', { params: { path: { id: connection.id } } })
  if (stored.error) return <ProblemNote error={stored.error} retry={stored.refetch} />
  if (!stored.data) return <Skeleton height={240} />
  return <Tables connection={connection} adapter={adapter} stored={stored.data} />
}

interface Draft {
  readonly base: Mapping
  readonly rows: readonly Row[]
}

function Tables({ connection, adapter, stored }: { connection: Connection; adapter: Adapter; stored: Mapping }) {
  const { t } = useTranslation()
  const [filter, setFilter] = useFilter(['table', 'value'])
  const [draft, setDraft] = useState<Draft>()
  const table = adapter.codeTables.includes(filter.table) ? filter.table : (adapter.codeTables[0] ?? '')
  if (adapter.codeTables.length === 0) return null
  return (
    <Stack>
      <Text size="sm" c="dimmed" maw={680}>
        {t('connections.tablesText')}
      </Text>
      <Select
        label={t('connections.table')}
        description={draft ? t('connections.saveFirst') : null}
        maw={320}
        allowDeselect={false}
        disabled={draft !== undefined}
        data={adapter.codeTables.map(name => ({
          value: name,
          label: `${name} (${Object.keys(stored.codeTables[name] ?? {}).length})`
        }))}
        value={table}
        onChange={value => {
          setFilter('table', value)
          setFilter('value', null)
        }}
      />
      <TableRows key={table} connection={connection} stored={stored} table={table} asked={filter.value} draft={draft} keep={setDraft} />
    </Stack>
  )
}

const rowsOf = (mapping: Mapping, table: string, asked: string): readonly Row[] => {
  const own = Object.entries(mapping.codeTables[table] ?? {}).map(([theirs, ours]) => ({ id: theirs, theirs, ours }))
  const missing = asked !== '' && !own.some(row => row.theirs === asked)
  return missing ? [...own, { id: asked, theirs: asked, ours: '' }] : own
}

function TableRows({
  connection,
  stored,
  table,
  asked,
  draft,
  keep
}: {
  connection: Connection
  stored: Mapping
  table: string
  asked: string
  draft: Draft | undefined
  keep: (draft: Draft | undefined) => void
}) {
  const { t } = useTranslation()
  const mayEdit = useMay()('exchange.configure')
  const changed = useConnectionChanged()
  const queries = useQueryClient()
  const base = draft?.base ?? stored
  const rows = draft?.rows ?? rowsOf(stored, table, asked)
  const [key, setKey] = useState(newKey)
  const target = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (asked !== '') target.current?.focus()
  }, [asked])
  const save = api.useMutation('put', '/api/v1/connections/{id}/mapping', {
    onSuccess: made => {
      queries.setQueryData(
        api.queryOptions('get', '/api/v1/connections/{id}/mapping', { params: { path: { id: connection.id } } }).queryKey,
        made
      )
      keep(undefined)
      setKey(newKey())
      changed()
      notifyDone(t('connections.tableSaved', { table }))
    },
    onError: error => {
      if (!isProblem(error)) return
      setKey(newKey())
      changed()
    }
  })
  const put = (next: readonly Row[]) => keep({ base, rows: next })
  const newest = () => {
    keep(undefined)
    save.reset()
  }
  const twice = (row: Row) => rows.some(other => other.id !== row.id && other.theirs.trim() === row.theirs.trim())
  const wrong = rows.some(row => row.theirs.trim() === '' || row.ours.trim() === '' || twice(row))
  const conflict = (isProblem(save.error) && save.error.code === 'connection_changed') || stored.version > base.version
  return (
    <Stack>
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('connections.tableEmpty')}
        </Text>
      ) : (
        <Table maw={680} verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('connections.theirCode')}</Table.Th>
              <Table.Th>{t('connections.ourCode')}</Table.Th>
              <Table.Th aria-label={t('act.remove')} w={60} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(row => (
              <Table.Tr key={row.id}>
                <Table.Td>
                  <TextInput
                    aria-label={t('connections.theirCode')}
                    readOnly={!mayEdit}
                    maxLength={120}
                    error={twice(row) ? t('connections.twice') : null}
                    value={row.theirs}
                    onChange={event => put(rows.map(one => (one.id === row.id ? { ...row, theirs: event.currentTarget.value } : one)))}
                  />
                </Table.Td>
                <Table.Td>
                  <TextInput
                    ref={row.theirs === asked ? target : undefined}
                    aria-label={t('connections.ourCodeFor', { code: row.theirs })}
                    readOnly={!mayEdit}
                    maxLength={120}
                    value={row.ours}
                    onChange={event => put(rows.map(one => (one.id === row.id ? { ...row, ours: event.currentTarget.value } : one)))}
                  />
                </Table.Td>
                <Table.Td>
                  {mayEdit ? (
                    <ActionIcon
                      size={44}
                      variant="subtle"
                      color="gray"
                      aria-label={t('connections.removeCode', { code: row.theirs })}
                      onClick={() => put(rows.filter(one => one.id !== row.id))}
                    >
                      <IconTrash size={18} />
                    </ActionIcon>
                  ) : null}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {conflict ? (
        <Alert color="orange" role="alert" title={t('connections.newerMapping', { version: stored.version })}>
          <Text size="sm">{t('connections.newerMappingText')}</Text>
          <Button mt="sm" size="sm" variant="default" onClick={newest}>
            {t('connections.takeNewest')}
          </Button>
        </Alert>
      ) : (
        <MappingProblem error={save.error} />
      )}
      {mayEdit ? (
        <Group>
          <Button
            variant="default"
            leftSection={<IconPlus size={18} />}
            onClick={() => put([...rows, { id: crypto.randomUUID(), theirs: '', ours: '' }])}
          >
            {t('connections.addCode')}
          </Button>
          <Button
            disabled={!draft || wrong}
            loading={save.isPending}
            onClick={() =>
              save.mutate({
                params: { path: { id: connection.id } },
                headers: key,
                body: {
                  version: base.version,
                  mapping: base.mapping,
                  codeTables: { ...base.codeTables, [table]: Object.fromEntries(rows.map(row => [row.theirs.trim(), row.ours.trim()])) }
                }
              })
            }
          >
            {t('connections.saveTable')}
          </Button>
          {draft ? (
            <Button variant="default" onClick={newest}>
              {t('connections.discard')}
            </Button>
          ) : null}
          {save.isSuccess && !draft && connection.openRejects > 0 ? (
            <Button component={Link} to={`/errors?connection=${connection.id}`} variant="light">
              {t('connections.toErrors', { count: connection.openRejects })}
            </Button>
          ) : null}
        </Group>
      ) : null}
    </Stack>
  )
}
