import { Badge, Button, Group, Popover, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { FeedbackBadge, isFeedbackState } from '../../parts/exchange-states'
import classes from './floor.module.css'
import { useAskAgain, useToday } from './use-floor'

interface Booking {
  readonly id: string
  readonly about: string
  readonly what: string
  readonly at: string
  readonly state: string
  readonly settledAt: string | null
  readonly reason: string | null
}

/** How far my newest booking is on its way to the ERP; a touch shows the ones before it. */
export function ErpLine() {
  const { t } = useTranslation()
  const format = useFormat()
  const bookings = useMyBookings()
  const [newest] = bookings
  const refused = bookings.filter(one => one.state === 'rejected').length
  if (!newest) {
    return (
      <Text size="sm" c="dimmed" ml="auto" truncate className={classes.erp ?? ''}>
        {t('floor.noBookings')}
      </Text>
    )
  }
  return (
    <Popover position="top-end" width={360} withArrow trapFocus returnFocus>
      <Popover.Target>
        <Button
          variant="subtle"
          color="gray"
          size="md"
          px="xs"
          ml="auto"
          miw={0}
          className={classes.erp ?? ''}
          c="var(--mantine-color-text)"
        >
          <Group gap={8} wrap="nowrap" miw={0}>
            <Text size="sm" truncate visibleFrom="lg">
              {newest.about}
            </Text>
            {refused > 0 ? (
              <Badge color="red" tt="none">
                {t('floor.erpRefused', { count: refused })}
              </Badge>
            ) : null}
            <Text size="sm" fw={600} truncate>
              {newest.state === 'accepted'
                ? t('floor.erpAccepted', { time: format.time(newest.settledAt ?? newest.at) })
                : isFeedbackState(newest.state)
                  ? t(`feedback.${newest.state}`)
                  : newest.state}
            </Text>
          </Group>
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Text fw={600} mb="xs">
          {t('floor.myBookings')}
        </Text>
        <Stack gap="xs">
          {bookings.slice(0, 8).map(one => (
            <div key={one.id}>
              <Group justify="space-between" wrap="nowrap" gap="xs">
                <Text size="sm" truncate>
                  {format.time(one.at)} · {one.about} · {one.what}
                </Text>
                <FeedbackBadge state={one.state} />
              </Group>
              {one.reason ? (
                <Text size="xs" c="var(--mantine-color-error)">
                  {one.reason}
                </Text>
              ) : null}
            </div>
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

/** My reports and hours of today that the ERP is told of, newest first. */
function useMyBookings(): readonly Booking[] {
  const { t } = useTranslation()
  const format = useFormat()
  const refetchInterval = useAskAgain()
  const reports = api.useQuery('get', '/api/v1/floor/feedback', {}, { refetchInterval })
  const today = useToday()
  const fromReports = (reports.data?.items ?? []).flatMap(({ feedback, ...one }) =>
    feedback
      ? [
          {
            id: one.reportId,
            about: `${one.orderNumber} / ${one.operationNumber}`,
            what: one.kind === 'reopening' ? t('report.reopening') : `${format.quantity(one.good)} ${one.unit}`,
            at: one.at,
            state: feedback.state,
            settledAt: feedback.settledAt,
            reason: feedback.reason
          }
        ]
      : []
  )
  const fromHours = (today.data?.bookings ?? []).flatMap(one =>
    one.feedback
      ? [
          {
            id: one.id,
            about: one.orderNumber ? `${one.orderNumber} / ${one.operationNumber}` : (one.activityCode ?? ''),
            what: format.duration(one.seconds),
            at: one.endedAt ?? one.startedAt,
            state: one.feedback.state,
            settledAt: one.feedback.settledAt,
            reason: one.feedback.message
          }
        ]
      : []
  )
  return [...fromReports, ...fromHours].sort((a, b) => (a.at < b.at ? 1 : -1))
}
