import { Button, Checkbox, Group, NumberInput, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { notifyDone, notifyProblem, ProblemNote } from '../../parts/problem'
import { useKindName } from '../../parts/record-kind'
import { useMay } from '../../session'
import { type Adapter, type Connection, useConnectionChanged } from './use-connections'

/** Which kinds of record this connection brings and takes; each kind has one owner in each direction. */
export function Kinds({ connection, adapter }: { connection: Connection; adapter: Adapter }) {
  const { t } = useTranslation()
  const mayEdit = useMay()('exchange.configure')
  const kindName = useKindName()
  const changed = useConnectionChanged()
  const [own, setOwn] = useState(connection.kinds)
  const [key, setKey] = useState(newKey)
  const others = api.useQuery('get', '/api/v1/connections')
  const save = api.useMutation('put', '/api/v1/connections/{id}/kinds', {
    onSuccess: made => {
      setOwn(made.kinds)
      changed()
      notifyDone(t('connections.kindsSaved'))
    },
    onSettled: () => setKey(newKey())
  })
  const touched = (['in', 'out'] as const).some(way => [...own[way]].sort().join() !== [...connection.kinds[way]].sort().join())
  const elsewhere = (way: 'in' | 'out', kind: string) =>
    others.data?.items.find(other => other.id !== connection.id && other.kinds[way].includes(kind))?.name
  const column = (way: 'in' | 'out', kinds: readonly string[]) => (
    <Checkbox.Group label={t(`connections.kinds.${way}`)} value={own[way]} onChange={value => setOwn({ ...own, [way]: value })}>
      <Stack gap="xs" mt="xs">
        {kinds.map(kind => {
          const owner = elsewhere(way, kind)
          return (
            <Checkbox
              key={kind}
              value={kind}
              label={kindName(kind)}
              disabled={!mayEdit || (owner !== undefined && !own[way].includes(kind))}
              description={owner === undefined ? null : t('connections.ownedBy', { name: owner })}
            />
          )
        })}
      </Stack>
    </Checkbox.Group>
  )
  return (
    <Stack>
      <Text size="sm" c="dimmed" maw={680}>
        {t('connections.kindsText')}
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} maw={680}>
        {column('in', Object.keys(adapter.imports))}
        {column('out', Object.keys(adapter.exports))}
      </SimpleGrid>
      <ProblemNote error={save.error} />
      {mayEdit ? (
        <div>
          <Button
            disabled={!touched}
            loading={save.isPending}
            onClick={() => save.mutate({ params: { path: { id: connection.id } }, headers: key, body: own })}
          >
            {t('connections.saveKinds')}
          </Button>
        </div>
      ) : null}
      <Pulls connection={connection} adapter={adapter} mayEdit={mayEdit} />
    </Stack>
  )
}

/** How often the adapter fetches, for the kinds that it fetches. */
function Pulls({ connection, adapter, mayEdit }: { connection: Connection; adapter: Adapter; mayEdit: boolean }) {
  const { t } = useTranslation()
  const kinds = Object.entries(adapter.imports).flatMap(([kind, { via }]) => (via.includes('pull') ? [kind] : []))
  if (kinds.length === 0) return null
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table maw={860} captionSide="top" verticalSpacing="xs">
        <Table.Caption ta="left" fw={600}>
          {t('connections.pulls')}
        </Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('connections.kind')}</Table.Th>
            <Table.Th>{t('connections.everyMinutes')}</Table.Th>
            <Table.Th>{t('connections.lastFetched')}</Table.Th>
            <Table.Th>{t('connections.nextFetch')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {kinds.map(kind => (
            <PullRow key={kind} connection={connection} kind={kind} mayEdit={mayEdit} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function PullRow({ connection, kind, mayEdit }: { connection: Connection; kind: string; mayEdit: boolean }) {
  const { t } = useTranslation()
  const format = useFormat()
  const kindName = useKindName()
  const changed = useConnectionChanged()
  const plan = connection.pulls.find(one => one.kind === kind)
  const [minutes, setMinutes] = useState<string | number>(plan?.everySeconds ? plan.everySeconds / 60 : '')
  const save = api.useMutation('put', '/api/v1/connections/{id}/pulls/{kind}', { onSuccess: changed, onError: notifyProblem })
  return (
    <Table.Tr>
      <Table.Td>{kindName(kind)}</Table.Td>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <NumberInput
            aria-label={t('connections.everyMinutesOf', { kind: kindName(kind) })}
            placeholder={t('connections.notFetched')}
            w={140}
            min={1}
            max={10_080}
            readOnly={!mayEdit}
            value={minutes}
            onChange={setMinutes}
          />
          {mayEdit ? (
            <Button
              variant="default"
              loading={save.isPending}
              onClick={() =>
                save.mutate({
                  params: { path: { id: connection.id, kind } },
                  headers: newKey(),
                  body: { everySeconds: typeof minutes === 'number' ? Math.round(minutes * 60) : null }
                })
              }
            >
              {t('act.save')}
            </Button>
          ) : null}
        </Group>
      </Table.Td>
      <Table.Td>
        {format.ago(plan?.lastFinishedAt)}
        {plan?.reason ? (
          <Text size="xs" c="var(--mantine-color-error)" lang="en">
            {plan.reason}
          </Text>
        ) : null}
      </Table.Td>
      <Table.Td>{format.dateTime(plan?.nextAt)}</Table.Td>
    </Table.Tr>
  )
}
