import { Alert, Button, Drawer, Group, SimpleGrid, Skeleton, Stack, Table, Text } from '@mantine/core'
import { IconDownload, IconRefresh } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, client } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { Confirm } from '../../parts/confirm'
import { saveAs } from '../../parts/download'
import { DeliveryBadge } from '../../parts/exchange-states'
import { notifyDone, notifyProblem, ProblemNote } from '../../parts/problem'
import { useKindName } from '../../parts/record-kind'
import { RejectText } from '../../parts/reject-text'
import { useMay } from '../../session'
import { useConnectionChanged } from './use-connections'

type Result = components['schemas']['DeliveryResult']
const shownRejects = 20

export function DeliveryDetail({ id, close }: { id: string; close: () => void }) {
  const { t } = useTranslation()
  const result = api.useQuery('get', '/api/v1/deliveries/{id}', { params: { path: { id } } })
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size="lg"
      title={result.data ? t('connections.deliveryTitle', { number: result.data.delivery.number }) : t('connections.delivery')}
      closeButtonProps={{ 'aria-label': t('act.close') }}
    >
      <ProblemNote error={result.error} retry={result.refetch} />
      {result.data ? <Body result={result.data} /> : result.isPending ? <Skeleton height={400} /> : null}
    </Drawer>
  )
}

const parts = ['read', 'new', 'changed', 'unchanged', 'rejected', 'held', 'stale', 'closed', 'duplicate', 'acks'] as const

function Body({ result: { delivery, rejects, moreRejects } }: { result: Result }) {
  const { t } = useTranslation()
  const format = useFormat()
  const kindName = useKindName()
  const open = rejects.filter(({ state }) => state === 'open' || state === 'replaying')
  return (
    <Stack>
      <div>
        <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
          {delivery.name}
        </Text>
        <Group gap="xs" mt={4}>
          <DeliveryBadge state={delivery.state} />
          <Text size="sm" c="dimmed">
            {t(`connections.way.${delivery.way}`)} · {format.dateTime(delivery.receivedAt)} ·{' '}
            {t('connections.bytes', { size: format.count(delivery.size) })}
          </Text>
        </Group>
      </div>
      {delivery.reason ? (
        <Alert color="orange" title={t('connections.why')}>
          <Text size="sm" lang="en">
            {delivery.reason.detail}
          </Text>
        </Alert>
      ) : null}
      <SimpleGrid cols={4}>
        {parts
          .filter(part => delivery.counts[part] > 0 || part === 'read' || part === 'rejected')
          .map(part => (
            <div key={part}>
              <Text fw={700} className="figures">
                {format.count(delivery.counts[part])}
              </Text>
              <Text size="xs" c="dimmed">
                {part === 'read' ? t('connections.count.read') : t(`connections.count.${part}`)}
              </Text>
            </div>
          ))}
      </SimpleGrid>
      <Acts delivery={delivery} />
      {rejects.length > 0 ? (
        <>
          <Group justify="space-between">
            <Text fw={600}>{t('connections.refusedRows')}</Text>
            {open.length > 0 ? (
              <Button component={Link} to={`/errors?delivery=${delivery.id}`} variant="light">
                {t('connections.toErrors', { count: open.length })}
              </Button>
            ) : null}
          </Group>
          <Table verticalSpacing="xs">
            <Table.Tbody>
              {rejects.slice(0, shownRejects).map((reject, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a row may be refused without line and key
                <Table.Tr key={index} c={reject.state === 'open' ? undefined : 'dimmed'}>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>
                    {reject.line !== null ? t('connections.atLine', { line: reject.line }) : reject.pointer}
                    <Text size="xs" c="dimmed">
                      {kindName(reject.kind)} {reject.key}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <RejectText code={reject.code} message={reject.message} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {moreRejects || rejects.length > shownRejects ? (
            <Text size="sm" c="dimmed">
              {t('connections.moreInBin')}
            </Text>
          ) : null}
        </>
      ) : null}
    </Stack>
  )
}

function Acts({ delivery }: { delivery: Result['delivery'] }) {
  const { t } = useTranslation()
  const may = useMay()
  const changed = useConnectionChanged()
  const [busy, setBusy] = useState(false)
  const replay = api.useMutation('post', '/api/v1/deliveries/{id}/replays', {
    onSuccess: made => {
      changed()
      notifyDone(t('connections.replayed', { number: made.number }))
    },
    onError: notifyProblem
  })
  const closing = api.useMutation('post', '/api/v1/deliveries/{id}/closing', { onSuccess: changed, onError: notifyProblem })
  const params = { path: { id: delivery.id } }
  const settled = ['done', 'done_with_rejects', 'rejected', 'parked'].includes(delivery.state)
  const download = async () => {
    setBusy(true)
    try {
      const { data, error } = await client.GET('/api/v1/deliveries/{id}/raw', { params, parseAs: 'blob' })
      if (data === undefined) notifyProblem(error)
      else saveAs(delivery.name.replace(/[^\w.\- ]+/g, '_'), data as unknown as Blob)
    } catch (error) {
      notifyProblem(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      {delivery.state === 'held' && may('exchange.operate') ? (
        <Alert color="orange" title={t('connections.heldTitle')}>
          <Text size="sm" mb="sm">
            {t('connections.heldText')}
          </Text>
          <Group>
            <Button
              variant="default"
              loading={closing.isPending}
              onClick={() => closing.mutate({ params, headers: newKey(), body: { decision: 'keep' } })}
            >
              {t('connections.keep')}
            </Button>
            <Confirm
              title={t('connections.closeTitle')}
              action={t('connections.closeAct')}
              busy={closing.isPending}
              onConfirm={() => closing.mutate({ params, headers: newKey(), body: { decision: 'close' } })}
              target={ask => (
                <Button color="red" variant="light" onClick={ask}>
                  {t('connections.closeAct')}
                </Button>
              )}
            >
              {t('connections.closeText')}
            </Confirm>
          </Group>
        </Alert>
      ) : null}
      <Group>
        {may('exchange.operate') && settled && delivery.rawKept ? (
          <Button
            variant="default"
            leftSection={<IconRefresh size={18} />}
            loading={replay.isPending}
            onClick={() => replay.mutate({ params, headers: newKey(), body: { only: 'all' } })}
          >
            {t('connections.replay')}
          </Button>
        ) : null}
        {may('exchange.read_raw') && delivery.rawKept ? (
          <Button variant="default" leftSection={<IconDownload size={18} />} loading={busy} onClick={() => void download()}>
            {t('connections.raw')}
          </Button>
        ) : null}
      </Group>
    </>
  )
}
