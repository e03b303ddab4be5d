import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { IconHelpCircle } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { FeedbackBadge } from '../../parts/exchange-states'
import { useKindName } from '../../parts/record-kind'
import { FeedbackDetail } from '../connections/feedback-detail'

const shown = 5

/** What only a person can decide: messages of which nobody knows whether they arrived, and deliveries that were held. */
export function Undecided({ connectionId }: { connectionId: string }) {
  const { t } = useTranslation()
  const [number, setNumber] = useState<string>()
  const connections = api.useQuery('get', '/api/v1/connections')
  const concerned = (connections.data?.items ?? []).filter(({ id }) => connectionId === '' || id === connectionId)
  return (
    <Stack mb="md" gap="sm">
      {concerned
        .filter(({ deliveriesForSomebody }) => deliveriesForSomebody > 0)
        .map(({ id, name, deliveriesForSomebody: count }) => (
          <Alert key={id} color="orange" icon={<IconHelpCircle />} title={name}>
            <Group justify="space-between">
              <Text size="sm">{t('errors.heldDeliveries', { count })}</Text>
              <Button component={Link} to={`/connections/${id}/deliveries`} variant="default">
                {t('errors.look')}
              </Button>
            </Group>
          </Alert>
        ))}
      {concerned
        .filter(({ outUndecided }) => outUndecided > 0)
        .map(({ id, name, outUndecided }) => (
          <Messages key={id} connectionId={id} name={name} count={outUndecided} open={setNumber} />
        ))}
      {number ? <FeedbackDetail number={number} close={() => setNumber(undefined)} /> : null}
    </Stack>
  )
}

function Messages({
  connectionId,
  name,
  count,
  open
}: {
  connectionId: string
  name: string
  count: number
  open: (number: string) => void
}) {
  const { t } = useTranslation()
  const format = useFormat()
  const kindName = useKindName()
  const of = (state: string) => ({ params: { query: { connectionId, state, limit: shown } } })
  const unknown = api.useQuery('get', '/api/v1/outbox', of('unknown'))
  const parked = api.useQuery('get', '/api/v1/outbox', of('parked'))
  const messages = [...(unknown.data?.items ?? []), ...(parked.data?.items ?? [])].slice(0, shown)
  return (
    <Alert color="orange" icon={<IconHelpCircle />} title={t('errors.undecided', { count, name })}>
      <Text size="sm" mb="xs">
        {t('errors.undecidedText')}
      </Text>
      <Stack gap="xs">
        {messages.map(message => (
          <Group key={message.number} justify="space-between">
            <Group gap="xs">
              <Text size="sm" fw={600}>
                {kindName(message.kind)} · {message.orderingKey}
              </Text>
              <FeedbackBadge state={message.state} />
              <Text size="xs" c="dimmed">
                {format.dateTime(message.createdAt)}
              </Text>
            </Group>
            <Button
              variant="default"
              aria-label={t('errors.decideOf', { what: `${kindName(message.kind)} ${message.orderingKey}` })}
              onClick={() => open(message.number)}
            >
              {t('errors.decide')}
            </Button>
          </Group>
        ))}
        {count > messages.length ? (
          <Text size="sm">
            <Link to={`/connections/${connectionId}/feedback?state=open`}>{t('errors.allUndecided', { count })}</Link>
          </Text>
        ) : null}
      </Stack>
    </Alert>
  )
}
