import { Anchor, Badge, Card, Group, SimpleGrid, Skeleton, Stack, Tabs, Text } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { useFilter } from '../../parts/filter'
import { PageHead } from '../../parts/page'
import { ProblemNote } from '../../parts/problem'
import { QuantityBar } from '../../parts/quantity-bar'
import { StateBadge } from '../../parts/state-badge'
import { Changes } from './changes'
import { Materials } from './materials'
import { Operations } from './operations'
import { Reports } from './reports'

export type WorkOrder = components['schemas']['WorkOrder']

export function OrderDetail() {
  const { t } = useTranslation()
  const { orderId = '' } = useParams()
  const [{ tab }, setFilter] = useFilter(['tab'])
  const order = api.useQuery('get', '/api/v1/work-orders/{orderId}', { params: { path: { orderId } } })
  const history = api.useQuery('get', '/api/v1/work-orders/{orderId}/history', { params: { path: { orderId } } })
  return (
    <>
      <Anchor component={Link} to="/orders" size="sm" mb="xs" display="inline-block">
        <Group gap={4}>
          <IconArrowLeft size={16} aria-hidden />
          {t('orders.title')}
        </Group>
      </Anchor>
      <ProblemNote error={order.error} retry={order.refetch} />
      {order.isPending ? <Skeleton height={180} /> : null}
      {order.data ? (
        <Stack>
          <Head order={order.data} />
          <Tabs value={tab || 'operations'} onChange={value => setFilter('tab', value)} keepMounted={false}>
            <Tabs.List mb="md">
              <Tabs.Tab value="operations">{t('orders.operations')}</Tabs.Tab>
              <Tabs.Tab value="materials">{t('orders.materials')}</Tabs.Tab>
              <Tabs.Tab value="reports">{t('orders.reports')}</Tabs.Tab>
              <Tabs.Tab
                value="changes"
                rightSection={
                  order.data.heldChanges > 0 ? (
                    <Badge size="sm" color="orange" circle>
                      {order.data.heldChanges}
                    </Badge>
                  ) : null
                }
              >
                {t('orders.changes')}
              </Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="operations">
              <Operations order={order.data} />
            </Tabs.Panel>
            <Tabs.Panel value="materials">
              <Materials order={order.data} />
            </Tabs.Panel>
            <Tabs.Panel value="reports">
              <ProblemNote error={history.error} retry={history.refetch} />
              {history.data ? <Reports order={order.data} reports={history.data.reports} /> : <Skeleton height={160} />}
            </Tabs.Panel>
            <Tabs.Panel value="changes">
              <ProblemNote error={history.error} retry={history.refetch} />
              {history.data ? <Changes orderId={orderId} changes={history.data.changes} /> : <Skeleton height={160} />}
            </Tabs.Panel>
          </Tabs>
        </Stack>
      ) : null}
    </>
  )
}

function Head({ order }: { order: WorkOrder }) {
  const { t } = useTranslation()
  const format = useFormat()
  const facts: readonly (readonly [string, string | null])[] = [
    [t('orders.article'), [order.article, order.articleDescription ?? order.description].filter(Boolean).join(' · ') || null],
    [t('orders.department'), order.department],
    [t('orders.due'), order.due ? format.date(order.due) : null],
    [t('orders.priority'), String(order.priority)],
    [t('orders.erpStatus'), order.erpStatus],
    [t('orders.startedAt'), order.startedAt ? format.dateTime(order.startedAt) : null],
    [t('orders.finishedAt'), order.finishedAt ? format.dateTime(order.finishedAt) : null]
  ]
  return (
    <>
      <PageHead title={`${t('orders.number')} ${order.number}`}>
        <StateBadge status={order.status} />
      </PageHead>
      <Card withBorder>
        <QuantityBar planned={order.quantity} good={order.progress.good} scrap={order.progress.scrap} unit={order.unit} />
        <Text size="sm" c="dimmed" mt={4}>
          {t('orders.operationsDone', { done: order.progress.completed, count: order.progress.operations })}
        </Text>
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} mt="md" spacing="sm">
          {facts
            .filter(([, value]) => value !== null)
            .map(([label, value]) => (
              <div key={label}>
                <Text size="xs" c="dimmed">
                  {label}
                </Text>
                <Text size="sm">{value}</Text>
              </div>
            ))}
        </SimpleGrid>
      </Card>
    </>
  )
}
