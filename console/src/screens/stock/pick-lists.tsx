import { Badge, Group, Select, Skeleton, Table, Text } from '@mantine/core'
import { IconListCheck } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFilter } from '../../parts/filter'
import { More } from '../../parts/more'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'

type Status = components['schemas']['PickListSummary']['status']
const statuses: readonly Status[] = ['open', 'picking', 'picked', 'short', 'closed']
const colors: Readonly<Record<Status, string>> = { open: 'blue', picking: 'green', picked: 'teal', short: 'orange', closed: 'gray' }

export function PickState({ status }: { status: Status }) {
  const { t } = useTranslation()
  return (
    <Badge variant="light" color={colors[status]} tt="none">
      {t(`pick.${status}`)}
    </Badge>
  )
}

export function PickLists() {
  const { t } = useTranslation()
  const [filter, setFilter] = useFilter(['status'])
  const lists = api.useInfiniteQuery(
    'get',
    '/api/v1/pick-lists',
    { params: { query: { limit: 50, ...(filter.status ? { status: filter.status as Status } : {}) } } },
    { pageParamName: 'after', initialPageParam: null, getNextPageParam: page => page.next ?? undefined, placeholderData: before => before }
  )
  const rows = lists.data?.pages.flatMap(page => page.items) ?? []
  return (
    <>
      <Group mb="md">
        <Select
          w={200}
          aria-label={t('orders.state')}
          placeholder={t('orders.state')}
          clearable
          data={statuses.map(status => ({ value: status, label: t(`pick.${status}`) }))}
          value={filter.status || null}
          onChange={value => setFilter('status', value)}
        />
      </Group>
      <ProblemNote error={lists.error} retry={lists.refetch} />
      <Table highlightOnHover verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('pick.list')}</Table.Th>
            <Table.Th>{t('orders.number')}</Table.Th>
            <Table.Th>{t('orders.state')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(list => (
            <Table.Tr key={list.id}>
              <Table.Td>
                <Text component={Link} to={`/stock/picks/${list.id}`} fw={600} c="blue" size="sm">
                  {list.number}
                </Text>
              </Table.Td>
              <Table.Td>{list.orderNumber}</Table.Td>
              <Table.Td>
                <PickState status={list.status} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {lists.isPending ? <Skeleton height={200} /> : null}
      {lists.isSuccess && rows.length === 0 ? (
        <Empty icon={IconListCheck} title={t('pick.empty')}>
          {t('pick.emptyText')}
        </Empty>
      ) : null}
      <More query={lists} />
    </>
  )
}
