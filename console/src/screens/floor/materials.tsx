import { Badge, Button, Card, Group, Stack, Text, Title } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { isWaiting, type Job } from '../../parts/acts'
import { useActs } from '../../parts/acts-provider'
import { isZero } from '../../parts/quantity'
import { QuantityBar } from '../../parts/quantity-bar'
import { useMay } from '../../session'
import { TakeMaterial } from './take-material'

export type Material = components['schemas']['Material']

/** What the job needs, how much of it is used, and how far its picking is. */
export function Materials({ job }: { job: Job }) {
  const { t } = useTranslation()
  const may = useMay()
  const { acts } = useActs()
  const [taking, setTaking] = useState<{ line: Material; back: boolean }>()
  const order = api.useQuery(
    'get',
    '/api/v1/work-orders/{orderId}',
    { params: { path: { orderId: job.orderId } } },
    { enabled: may('orders.read') }
  )
  const picks = api.useQuery(
    'get',
    '/api/v1/pick-lists',
    { params: { query: { order: job.orderNumber, limit: 20 } } },
    { enabled: may('picks.read') }
  )
  const lines = order.data?.materials.filter(line => line.operation === null || line.operation === job.number) ?? []
  const moving = acts.some(
    act => act.request.jobId === job.id && isWaiting(act) && (act.request.kind === 'consume' || act.request.kind === 'return')
  )
  const lists = picks.data?.items ?? []
  if (lines.length === 0 && lists.length === 0) return null
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        {t('orders.materials')}
      </Title>
      {lists.map(list => (
        <Group key={list.id} gap="xs">
          <Text component={Link} to={`/stock/picks/${list.id}`} c="blue" fw={600} py={10}>
            {t('floor.pickList', { number: list.number })}
          </Text>
          <Badge variant="light" tt="none" color={list.status === 'picked' ? 'teal' : list.status === 'short' ? 'orange' : 'gray'}>
            {t(`pick.${list.status}`)}
          </Badge>
        </Group>
      ))}
      {lines.map(line => (
        <Card key={line.line} withBorder padding="sm">
          <Group justify="space-between" wrap="nowrap" align="flex-start" mb={8}>
            <div>
              <Text fw={600}>{line.article}</Text>
              <Text size="sm" c="dimmed">
                {[line.articleDescription, line.location ? t('pick.at', { location: line.location }) : null].filter(Boolean).join(' · ')}
              </Text>
            </div>
            {may('stock.consume') ? (
              <Group gap={8} wrap="nowrap">
                {isZero(line.consumed) ? null : (
                  <Button size="md" px="sm" variant="subtle" disabled={moving} onClick={() => setTaking({ line, back: true })}>
                    {t('floor.giveBack')}
                  </Button>
                )}
                <Button size="md" px="sm" variant="default" loading={moving} onClick={() => setTaking({ line, back: false })}>
                  {t('floor.take')}
                </Button>
              </Group>
            ) : null}
          </Group>
          <QuantityBar planned={line.quantity} good={line.consumed} scrap="0" unit={line.unit} size="sm" />
        </Card>
      ))}
      {taking ? <TakeMaterial job={job} {...taking} close={() => setTaking(undefined)} /> : null}
    </Stack>
  )
}
