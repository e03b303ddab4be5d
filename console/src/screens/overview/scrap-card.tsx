import { ActionIcon, Button, Card, Group, Select, Skeleton, Stack, Table, Text, Title } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconRecycle } from '@tabler/icons-react'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { useFilter } from '../../parts/filter'
import { Empty } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { useMe } from '../../session'
import { bars, linkColor, plotHeight } from './looks'
import { isDay, moveDays, todayIn, weekOf } from './week'

const Bars = lazy(bars)

type Line = components['schemas']['Scrap']['items'][number]

/** What was lost in a week, by reason; a plot for each unit, since pieces and kilos have no common length. */
export function ScrapCard() {
  const { t } = useTranslation()
  const { zone } = useMe()
  const [filter, setFilter] = useFilter(['week', 'department'])
  const now = weekOf(todayIn(zone))
  const week = isDay(filter.week) && filter.week < now.from ? weekOf(filter.week) : now
  const choose = (day: string) => setFilter('week', day >= now.from ? null : day)
  const { department } = filter
  const scrap = api.useQuery(
    'get',
    '/api/v1/scrap',
    { params: { query: { from: week.from, to: week.to, ...(department ? { department } : {}) } } },
    { placeholderData: before => before }
  )
  const items = scrap.data?.items ?? []
  const units = [...new Set(items.map(item => item.unit))]
  return (
    <Card withBorder p={{ base: 'sm', sm: 'lg' }} component="section" aria-labelledby="overview-scrap" mih={420}>
      <Group justify="space-between" mb="md" gap="xs">
        <Title order={2} size="h4" id="overview-scrap" lh="36px">
          {t('overview.scrap')}
        </Title>
        <Departments value={department} choose={value => setFilter('department', value)} />
      </Group>
      <WeekChooser week={week} latest={week.from === now.from} choose={choose} />
      <ProblemNote error={scrap.error} retry={scrap.refetch} />
      {scrap.isPending ? <Skeleton height={260} mt="sm" /> : null}
      {scrap.isSuccess && items.length === 0 ? (
        <Empty
          icon={IconRecycle}
          title={t('overview.noScrap', { week: week.number })}
          action={
            <Button variant="light" mt="xs" onClick={() => choose(moveDays(week.from, -7))}>
              {t('overview.weekBefore')}
            </Button>
          }
        >
          {t('overview.noScrapText')}
        </Empty>
      ) : null}
      <Stack gap="sm" mt="sm" opacity={scrap.isPlaceholderData ? 0.6 : 1}>
        {units.map(unit => (
          <UnitPlot key={unit} unit={unit} items={items.filter(item => item.unit === unit)} />
        ))}
        {items.length > 0 ? (
          <>
            <Lines items={items} />
            <Text
              component={Link}
              to={department ? `/orders?department=${encodeURIComponent(department)}&sort=newest` : '/orders?sort=newest'}
              size="sm"
              c={linkColor}
              lh="44px"
            >
              {department ? t('overview.ordersOf', { department }) : t('overview.toOrders')}
            </Text>
          </>
        ) : null}
      </Stack>
    </Card>
  )
}

function WeekChooser({ week, latest, choose }: { week: ReturnType<typeof weekOf>; latest: boolean; choose: (day: string) => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  return (
    <Group role="group" aria-label={t('overview.week')} gap="xs" wrap="nowrap">
      <ActionIcon variant="default" size={44} aria-label={t('overview.weekBefore')} onClick={() => choose(moveDays(week.from, -7))}>
        <IconChevronLeft size={20} />
      </ActionIcon>
      <Text miw={180} ta="center" size="sm" aria-live="polite" className="figures">
        {t('overview.weekNumber', { week: week.number, days: format.days(week.from, week.to) })}
      </Text>
      <ActionIcon
        variant="default"
        size={44}
        aria-label={t('overview.weekAfter')}
        disabled={latest}
        onClick={() => choose(moveDays(week.from, 7))}
      >
        <IconChevronRight size={20} />
      </ActionIcon>
    </Group>
  )
}

/** The departments with work in hand; they come with the progress, so nobody needs a right to read groups for it. */
function Departments({ value, choose }: { value: string; choose: (department: string | null) => void }) {
  const { t } = useTranslation()
  const { data } = api.useQuery('get', '/api/v1/orders/progress')
  const known = data?.items.map(({ department }) => department) ?? []
  return (
    <Select
      w={180}
      aria-label={t('orders.department')}
      placeholder={t('overview.everyDepartment')}
      clearable
      data={value && !known.includes(value) ? [value, ...known] : known}
      value={value || null}
      onChange={choose}
    />
  )
}

function UnitPlot({ unit, items }: { unit: string; items: readonly Line[] }) {
  return (
    <Suspense fallback={<Skeleton height={plotHeight(items.length)} />}>
      <Bars
        // Only the length of a bar is a number; the figure itself stands in the table.
        rows={items.map(item => ({ label: item.name, quantity: Number(item.quantity) }))}
        series={[{ name: 'quantity', label: unit, color: 'red.7' }]}
      />
    </Suspense>
  )
}

function Lines({ items }: { items: readonly Line[] }) {
  const { t } = useTranslation()
  const format = useFormat()
  return (
    <Table verticalSpacing={4} horizontalSpacing={6} aria-labelledby="overview-scrap">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('orders.scrapReason')}</Table.Th>
          <Table.Th ta="right">{t('overview.scrapQuantity')}</Table.Th>
          <Table.Th ta="right">{t('overview.scrapReports')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {items.map(item => (
          <Table.Tr key={`${item.reason} ${item.unit}`}>
            <Table.Th scope="row" fw={400} lh="36px">
              {item.name}
            </Table.Th>
            <Table.Td ta="right">
              {format.quantity(item.quantity)} {item.unit}
            </Table.Td>
            <Table.Td ta="right">{format.count(item.reports)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
