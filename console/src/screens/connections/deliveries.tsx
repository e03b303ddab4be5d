import { Group, Select, Skeleton, Table, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconInbox, IconSearch } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { DeliveryBadge, type DeliveryState, deliveryStates } from '../../parts/exchange-states'
import { useFilter } from '../../parts/filter'
import { More } from '../../parts/more'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { DeliveryDetail } from './delivery-detail'

/** What came in over one connection, newest first, and what became of it. */
export function Deliveries({ connectionId }: { connectionId: string }) {
  const { t } = useTranslation()
  const format = useFormat()
  const [filter, setFilter] = useFilter(['state', 'name', 'delivery'])
  const [name] = useDebouncedValue(filter.name, 200)
  const deliveries = api.useInfiniteQuery(
    'get',
    '/api/v1/deliveries',
    {
      params: {
        query: {
          connection: connectionId,
          limit: 50,
          ...(filter.state ? { state: filter.state as DeliveryState } : {}),
          ...(name ? { name } : {})
        }
      }
    },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined, placeholderData: before => before }
  )
  const rows = deliveries.data?.pages.flatMap(page => page.items) ?? []
  const filtered = filter.state !== '' || name !== ''
  return (
    <>
      <Group mb="md">
        <TextInput
          w={280}
          aria-label={t('connections.searchName')}
          placeholder={t('connections.searchName')}
          leftSection={<IconSearch size={18} />}
          value={filter.name}
          onChange={event => setFilter('name', event.currentTarget.value)}
        />
        <Select
          w={220}
          aria-label={t('connections.state')}
          placeholder={t('connections.state')}
          clearable
          data={deliveryStates.map(state => ({ value: state, label: t(`delivery.${state}`) }))}
          value={filter.state || null}
          onChange={value => setFilter('state', value)}
        />
      </Group>
      <ProblemNote error={deliveries.error} retry={deliveries.refetch} />
      {rows.length > 0 ? (
        <Table.ScrollContainer minWidth={720}>
          <Table highlightOnHover verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('connections.name')}</Table.Th>
                <Table.Th>{t('connections.state')}</Table.Th>
                <Table.Th ta="right">{t('connections.read')}</Table.Th>
                <Table.Th ta="right">{t('connections.taken')}</Table.Th>
                <Table.Th ta="right">{t('connections.refused')}</Table.Th>
                <Table.Th>{t('connections.received')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(delivery => (
                <Table.Tr key={delivery.id}>
                  <Table.Td>
                    <Text
                      component="button"
                      type="button"
                      fw={600}
                      c="blue"
                      bg="none"
                      bd={0}
                      p={0}
                      mih={24}
                      ta="left"
                      style={{ cursor: 'pointer', overflowWrap: 'anywhere' }}
                      onClick={() => setFilter('delivery', delivery.id)}
                    >
                      {delivery.name}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {t('connections.number', { number: delivery.number })} · {t(`connections.way.${delivery.way}`)}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <DeliveryBadge state={delivery.state} />
                  </Table.Td>
                  <Table.Td ta="right">{format.count(delivery.counts.read)}</Table.Td>
                  <Table.Td ta="right">{format.count(delivery.counts.new + delivery.counts.changed)}</Table.Td>
                  <Table.Td ta="right" c={delivery.counts.rejected > 0 ? 'var(--mantine-color-error)' : undefined}>
                    {format.count(delivery.counts.rejected)}
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{format.dateTime(delivery.receivedAt)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : null}
      {deliveries.isPending ? <Skeleton height={300} /> : null}
      {deliveries.isSuccess && rows.length === 0 ? (
        <Empty icon={IconInbox} title={filtered ? t('connections.noneFound') : t('connections.noDeliveries')}>
          {filtered ? t('connections.noneFoundText') : t('connections.noDeliveriesText')}
        </Empty>
      ) : null}
      <More query={deliveries} />
      {filter.delivery ? <DeliveryDetail id={filter.delivery} close={() => setFilter('delivery', null)} /> : null}
    </>
  )
}
