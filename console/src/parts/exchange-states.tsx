import { Badge } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { components } from '../api/schema'

export const feedbackStates = [
  'waiting',
  'held',
  'sealed',
  'sending',
  'accepted',
  'delivered',
  'rejected',
  'unknown',
  'parked',
  'dropped'
] as const
export type FeedbackState = (typeof feedbackStates)[number]

const feedbackColors: Readonly<Record<FeedbackState, string>> = {
  waiting: 'gray',
  held: 'gray',
  sealed: 'blue',
  sending: 'blue',
  delivered: 'blue',
  accepted: 'teal',
  rejected: 'red',
  unknown: 'orange',
  parked: 'orange',
  dropped: 'gray'
}

export const isFeedbackState = (state: string): state is FeedbackState => feedbackStates.some(known => known === state)

/** Where a message stands on its way to the ERP: colour and word. */
export function FeedbackBadge({ state }: { state: string }) {
  const { t } = useTranslation()
  if (!isFeedbackState(state)) return <Badge color="gray">{state}</Badge>
  return (
    <Badge variant="light" color={feedbackColors[state]} tt="none">
      {t(`feedback.${state}`)}
    </Badge>
  )
}

export type DeliveryState = components['schemas']['Delivery']['state']

export const deliveryStates: readonly DeliveryState[] = [
  'arriving',
  'incomplete',
  'stored',
  'processing',
  'done',
  'done_with_rejects',
  'rejected',
  'parked',
  'held',
  'duplicate'
]

const deliveryColors: Readonly<Record<DeliveryState, string>> = {
  arriving: 'blue',
  incomplete: 'orange',
  stored: 'blue',
  processing: 'blue',
  done: 'teal',
  done_with_rejects: 'orange',
  rejected: 'red',
  parked: 'red',
  held: 'orange',
  duplicate: 'gray'
}

/** What became of a file, a call or a fetch that came in: colour and word. */
export function DeliveryBadge({ state }: { state: DeliveryState }) {
  const { t } = useTranslation()
  return (
    <Badge variant="light" color={deliveryColors[state]} tt="none">
      {t(`delivery.${state}`)}
    </Badge>
  )
}
