import { Alert, Button, Code, Drawer, Group, SimpleGrid, Skeleton, Stack, Text, Timeline } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { FeedbackBadge, isFeedbackState } from '../../parts/exchange-states'
import { notifyDone, notifyProblem, ProblemNote } from '../../parts/problem'
import { useKindName } from '../../parts/record-kind'
import { RejectText } from '../../parts/reject-text'
import { useMay } from '../../session'
import { Decide, type Decision } from './decide'
import { useConnectionChanged } from './use-connections'

type Detail = components['schemas']['FeedbackDetail']

export function FeedbackDetail({ number, close }: { number: string; close: () => void }) {
  const { t } = useTranslation()
  const detail = api.useQuery('get', '/api/v1/outbox/{number}', { params: { path: { number } } })
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size="lg"
      title={t('connections.messageTitle', { number })}
      closeButtonProps={{ 'aria-label': t('act.close') }}
    >
      <ProblemNote error={detail.error} retry={detail.refetch} />
      {detail.data ? <Body detail={detail.data} /> : detail.isPending ? <Skeleton height={400} /> : null}
    </Drawer>
  )
}

function Body({ detail: { message, events } }: { detail: Detail }) {
  const { t } = useTranslation()
  const format = useFormat()
  const kindName = useKindName()
  const may = useMay()
  const changed = useConnectionChanged()
  const [deciding, setDeciding] = useState<Decision>()
  const retry = api.useMutation('post', '/api/v1/outbox/{number}/retry', {
    onSuccess: () => {
      changed()
      notifyDone(t('connections.retried'))
    },
    onError: notifyProblem
  })
  const undecided = ['unknown', 'parked'].includes(message.state)
  const facts: readonly (readonly [string, string])[] = [
    [t('connections.about'), message.orderingKey],
    [t('connections.document'), message.document ?? '–'],
    [t('connections.attempts'), format.count(message.attempts)],
    [t('connections.nextTry'), format.dateTime(message.nextAttemptAt) || '–'],
    [t('connections.confirmBy'), format.dateTime(message.confirmBy) || '–'],
    [t('connections.made'), format.dateTime(message.createdAt)]
  ]
  return (
    <Stack>
      <Group gap="xs">
        <Text fw={600}>{kindName(message.kind)}</Text>
        <FeedbackBadge state={message.state} />
      </Group>
      {message.reject || message.alarm ? (
        <Alert color={message.reject ? 'red' : 'orange'} title={message.reject ? t('connections.erpSays') : t('connections.alarm')}>
          <RejectText code={message.reject?.code} message={message.reject?.message ?? message.alarm ?? undefined} />
        </Alert>
      ) : null}
      <SimpleGrid cols={{ base: 2, xs: 3 }}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <Text size="xs" c="dimmed">
              {label}
            </Text>
            <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
              {value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        {t('connections.keyOf')} <Code>{message.key}</Code>
      </Text>
      <Group>
        {message.state === 'rejected' && may('exchange.operate') ? (
          <Button
            leftSection={<IconRefresh size={18} />}
            loading={retry.isPending}
            onClick={() => retry.mutate({ params: { path: { number: message.number } }, headers: newKey() })}
          >
            {t('connections.retry')}
          </Button>
        ) : null}
        {undecided && may('exchange.decide')
          ? (['there', 'send', 'drop'] as const).map(decision => (
              <Button
                key={decision}
                variant={decision === 'there' ? 'filled' : decision === 'drop' ? 'light' : 'default'}
                {...(decision === 'drop' ? { color: 'red' } : {})}
                onClick={() => setDeciding(decision)}
              >
                {t(`connections.decide.${decision}`)}
              </Button>
            ))
          : null}
      </Group>
      <Text fw={600}>{t('connections.history')}</Text>
      <Timeline bulletSize={14} lineWidth={2} active={events.length}>
        {events.map(({ at, event, state, detail, actor }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: events only grow at the end
          <Timeline.Item key={index} title={isFeedbackState(state) ? t(`feedback.${state}`) : state}>
            <Text size="xs" c="dimmed">
              {format.dateTime(at)} · {event} · {actor}
            </Text>
            {detail ? (
              <Text size="sm" lang="en">
                {detail}
              </Text>
            ) : null}
          </Timeline.Item>
        ))}
      </Timeline>
      {deciding ? <Decide number={message.number} decision={deciding} close={() => setDeciding(undefined)} /> : null}
    </Stack>
  )
}
