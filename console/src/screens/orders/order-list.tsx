import { Badge, Checkbox, Group, Select, Skeleton, Table, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconClipboardList, IconSearch } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { useFilter } from '../../parts/filter'
import { More } from '../../parts/more'
import { Empty, PageHead } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { type OrderStatus, orderStatuses, StateBadge } from '../../parts/state-badge'
import { useMay } from '../../session'

const sorts = ['urgent', 'due', 'number', 'newest'] as const
type Sort = (typeof sorts)[number]

export function OrderList() {
  const may = useMay()
  const departments = api.useQuery('get', '/api/v1/departments', {}, { enabled: may('groups.read'), staleTime: 60_000 })
  const { t } = useTranslation()
  const format = useFormat()
  const [filter, setFilter] = useFilter(['search', 'status', 'department', 'sort', 'held', 'late'])
  const [search] = useDebouncedValue(filter.search, 200)
  const query = {
    limit: 50,
    ...(search ? { search } : {}),
    ...(filter.status ? { status: filter.status as OrderStatus } : {}),
    ...(filter.department ? { department: filter.department } : {}),
    ...(filter.held ? { held: true } : {}),
    ...(filter.late ? { late: true } : {}),
    ...(filter.sort ? { sort: filter.sort as Sort } : {})
  }
  const orders = api.useInfiniteQuery(
    'get',
    '/api/v1/work-orders',
    { params: { query } },
    {
      pageParamName: 'after',
      initialPageParam: null,
      getNextPageParam: page => page.next ?? undefined,
      placeholderData: before => before
    }
  )
  const rows = orders.data?.pages.flatMap(page => page.items) ?? []
  const filtered = search !== '' || filter.status !== '' || filter.department !== '' || filter.held !== '' || filter.late !== ''
  return (
    <>
      <PageHead title={t('orders.title')} />
      <Group mb="md">
        <TextInput
          w={320}
          aria-label={t('orders.search')}
          placeholder={t('orders.search')}
          leftSection={<IconSearch size={18} />}
          value={filter.search}
          onChange={event => setFilter('search', event.currentTarget.value)}
        />
        <Select
          w={180}
          aria-label={t('orders.state')}
          placeholder={t('orders.state')}
          clearable
          data={orderStatuses.map(status => ({ value: status, label: t(`status.${status}`) }))}
          value={filter.status || null}
          onChange={value => setFilter('status', value)}
        />
        {may('groups.read') || filter.department ? (
          <Select
            w={180}
            aria-label={t('orders.department')}
            placeholder={t('orders.department')}
            clearable
            searchable
            // Who may not read the list of departments still sees, and clears, the one that a link chose.
            data={(departments.data?.items ?? (filter.department ? [{ code: filter.department, name: null }] : [])).map(
              ({ code, name }) => ({
                value: code,
                label: name && name !== code ? `${code} · ${name}` : code
              })
            )}
            value={filter.department || null}
            onChange={value => setFilter('department', value)}
          />
        ) : null}
        <Select
          w={200}
          aria-label={t('orders.sort')}
          allowDeselect={false}
          data={sorts.map(sort => ({ value: sort, label: t(`sort.${sort}`) }))}
          value={filter.sort || 'urgent'}
          onChange={value => setFilter('sort', value === 'urgent' ? null : value)}
        />
        <Checkbox
          label={t('orders.onlyLate')}
          checked={filter.late !== ''}
          onChange={event => setFilter('late', event.currentTarget.checked ? '1' : null)}
        />
        <Checkbox
          label={t('orders.onlyHeld')}
          checked={filter.held !== ''}
          onChange={event => setFilter('held', event.currentTarget.checked ? '1' : null)}
        />
      </Group>
      <ProblemNote error={orders.error} retry={orders.refetch} />
      <Table.ScrollContainer minWidth={720}>
        <Table highlightOnHover verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('orders.number')}</Table.Th>
              <Table.Th>{t('orders.article')}</Table.Th>
              <Table.Th>{t('orders.department')}</Table.Th>
              <Table.Th ta="right">{t('orders.quantity')}</Table.Th>
              <Table.Th>{t('orders.due')}</Table.Th>
              <Table.Th>{t('orders.state')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(order => (
              <Table.Tr key={order.id}>
                <Table.Td>
                  <Text component={Link} to={`/orders/${order.id}`} fw={600} c="blue">
                    {order.number}
                  </Text>
                </Table.Td>
                <Table.Td>
                  {order.article}
                  <Text size="xs" c="dimmed">
                    {order.description}
                  </Text>
                </Table.Td>
                <Table.Td>{order.department}</Table.Td>
                <Table.Td ta="right">
                  {format.quantity(order.quantity)} {order.unit}
                </Table.Td>
                <Table.Td>{format.date(order.due)}</Table.Td>
                <Table.Td>
                  <Group gap={6} wrap="nowrap">
                    <StateBadge status={order.status} />
                    {order.heldChanges > 0 ? (
                      <Badge color="orange" variant="light" tt="none">
                        {t('orders.held', { count: order.heldChanges })}
                      </Badge>
                    ) : null}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {orders.isPending ? <Skeleton height={300} /> : null}
      {orders.isSuccess && rows.length === 0 ? (
        filtered ? (
          <Empty icon={IconSearch} title={t('orders.none')}>
            {t('orders.noneText')}
          </Empty>
        ) : (
          <Empty icon={IconClipboardList} title={t('orders.empty')}>
            {t('orders.emptyText')}
          </Empty>
        )
      ) : null}
      <More query={orders} />
    </>
  )
}
