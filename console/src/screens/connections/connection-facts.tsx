import { Badge, Group, SimpleGrid, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useFormat } from '../../format'
import type { Connection } from './use-connections'

const stateColors = { draft: 'gray', active: 'teal', paused: 'orange' } as const

export function ConnectionState({ state }: { state: Connection['state'] }) {
  const { t } = useTranslation()
  return (
    <Badge variant="light" color={stateColors[state]} tt="none">
      {t(`connections.state.${state}`)}
    </Badge>
  )
}

function Fact({ label, children, alarm = false }: { label: string; children: ReactNode; alarm?: boolean }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text component="div" size="sm" fw={600} className="figures" c={alarm ? 'var(--mantine-color-error)' : undefined}>
        {children}
      </Text>
    </div>
  )
}

/** Last contact both ways, what waits, and how old the oldest of it is. */
export function ConnectionFacts({ connection, cols = 3 }: { connection: Connection; cols?: number }) {
  const { t } = useTranslation()
  const format = useFormat()
  const { lastInAt, lastOutAt, openRejects, deliveriesForSomebody, waitingDeliveries, waitingOut, outForSomebody, oldestOpenAt } =
    connection
  const contact = (at: string | null) => (at ? <span title={format.dateTime(at)}>{format.ago(at)}</span> : t('connections.never'))
  return (
    <SimpleGrid cols={{ base: 2, sm: cols }} spacing="md" verticalSpacing="sm">
      <Fact label={t('connections.lastIn')}>{contact(lastInAt)}</Fact>
      <Fact label={t('connections.lastOut')}>{contact(lastOutAt)}</Fact>
      <Fact label={t('connections.oldest')}>{oldestOpenAt ? contact(oldestOpenAt) : t('connections.nothingOpen')}</Fact>
      <Fact label={t('connections.problems')} alarm={openRejects > 0}>
        {openRejects > 0 ? (
          <Text component={Link} inherit c="inherit" td="underline" to={`/errors?connection=${connection.id}`}>
            {format.count(openRejects)}
          </Text>
        ) : (
          format.count(0)
        )}
      </Fact>
      <Fact label={t('connections.waitingIn')} alarm={deliveriesForSomebody > 0}>
        {format.count(waitingDeliveries)}
        {deliveriesForSomebody > 0 ? ` · ${t('connections.forSomebody', { count: deliveriesForSomebody })}` : ''}
      </Fact>
      <Fact label={t('connections.waitingOut')} alarm={outForSomebody > 0}>
        {format.count(waitingOut)}
        {outForSomebody > 0 ? ` · ${t('connections.forSomebody', { count: outForSomebody })}` : ''}
      </Fact>
    </SimpleGrid>
  )
}

/** Why it stands still; the product's own reasons have words in both languages. */
export function PausedNote({ connection }: { connection: Connection }) {
  const { t } = useTranslation()
  if (!connection.paused) return null
  return (
    <Group gap={6}>
      <Text size="sm" c="dimmed">
        {connection.paused.code ? t('connections.pausedByItself') : t('connections.pausedBecause')}
      </Text>
      <Text size="sm">{connection.paused.reason}</Text>
    </Group>
  )
}
