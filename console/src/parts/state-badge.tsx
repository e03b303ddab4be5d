import { Badge } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { components } from '../api/schema'

export type OrderStatus = components['schemas']['WorkOrderSummary']['status']

export const orderStatuses: readonly OrderStatus[] = ['planned', 'released', 'started', 'paused', 'completed', 'closed', 'cancelled']

const colors: Readonly<Record<OrderStatus, string>> = {
  planned: 'gray',
  released: 'blue',
  started: 'green',
  paused: 'yellow',
  completed: 'teal',
  closed: 'gray',
  cancelled: 'red'
}

/** State of a work order or a job: always colour and word. */
export function StateBadge({ status }: { status: OrderStatus }) {
  const { t } = useTranslation()
  return (
    <Badge variant="light" color={colors[status]} tt="none">
      {t(`status.${status}`)}
    </Badge>
  )
}
