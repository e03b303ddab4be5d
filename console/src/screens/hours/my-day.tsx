import { Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconClock, IconUserQuestion } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { api, isProblem } from '../../api/client'
import { useFormat } from '../../format'
import { Empty } from '../../parts/page'
import { ProblemNote, problemText } from '../../parts/problem'
import { Bookings } from './bookings'

/** What runs now and what is booked today; with several clocks at once the share of each. */
export function MyDay() {
  const { t } = useTranslation()
  const format = useFormat()
  const today = api.useQuery('get', '/api/v1/hours/today', {}, { refetchInterval: 30_000 })
  if (isProblem(today.error) && today.error.code === 'employee_missing') {
    return (
      <Empty icon={IconUserQuestion} title={t('hours.noEmployee')}>
        {problemText(today.error)}
      </Empty>
    )
  }
  if (today.error) return <ProblemNote error={today.error} retry={today.refetch} />
  if (!today.data) return <Skeleton height={300} />
  const { running, bookings, seconds, day } = today.data
  const shared = running.reduce((sum, one) => sum + one.seconds, 0)
  return (
    <Stack>
      <Group gap="xl">
        <div>
          <Text size="sm" c="dimmed">
            {format.day(`${day}T12:00:00Z`)}
          </Text>
          <Text fw={700} size="xl" className="figures">
            {format.duration(seconds + shared)}
          </Text>
        </div>
      </Group>
      {running.length > 0 ? (
        <Card withBorder>
          <Title order={2} size="h4" mb="xs">
            {t('hours.running')}
          </Title>
          {running.length > 1 ? (
            <Text size="sm" c="dimmed" mb="xs">
              {t('hours.sharedNow', { count: running.length })}
            </Text>
          ) : null}
          <Stack gap="xs">
            {running.map(one => (
              <Group key={one.intervalId} justify="space-between">
                <Text>
                  {one.orderNumber ? `${one.orderNumber} / ${one.operationNumber}` : one.activityCode} ·{' '}
                  {t('hours.since', { time: format.time(one.startedAt) })}
                </Text>
                <Text fw={700} className="figures">
                  {format.duration(one.seconds)}
                </Text>
              </Group>
            ))}
          </Stack>
        </Card>
      ) : null}
      {bookings.length === 0 ? (
        <Empty icon={IconClock} title={t('hours.empty')}>
          {t('hours.emptyText')}
        </Empty>
      ) : (
        <Bookings bookings={bookings} />
      )}
    </Stack>
  )
}
