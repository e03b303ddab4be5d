import { Button, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { components } from '../../api/schema'
import { useFormat } from '../../format'
import { FeedbackBadge } from '../../parts/exchange-states'
import { useMay } from '../../session'
import { CorrectHours } from './correct-hours'

export type Booking = components['schemas']['HoursBooking']

/** Seconds between start and stop; more than were booked when the time was shared. */
export const clockSeconds = ({ startedAt, endedAt }: Booking): number =>
  endedAt ? Math.round((Date.parse(endedAt) - Date.parse(startedAt)) / 1000) : 0

/** Bookings with what was on the clock and what of it was booked. `nameOf` shows whose they are. */
export function Bookings({ bookings, nameOf }: { bookings: readonly Booking[]; nameOf?: (id: string) => string }) {
  const { t } = useTranslation()
  const format = useFormat()
  const may = useMay()
  const [correcting, setCorrecting] = useState<Booking>()
  const reversed = new Set(bookings.map(booking => booking.reverses))
  return (
    <>
      <Table.ScrollContainer minWidth={720}>
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              {nameOf ? <Table.Th>{t('hours.employee')}</Table.Th> : null}
              <Table.Th>{t('hours.what')}</Table.Th>
              <Table.Th>{t('hours.clock')}</Table.Th>
              <Table.Th ta="right">{t('hours.booked')}</Table.Th>
              <Table.Th>{t('orders.atErp')}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {bookings.map(booking => {
              const clock = clockSeconds(booking)
              const gone = reversed.has(booking.id)
              return (
                <Table.Tr key={booking.id} c={gone ? 'dimmed' : undefined} td={gone ? 'line-through' : undefined}>
                  {nameOf ? <Table.Td>{nameOf(booking.employeeId)}</Table.Td> : null}
                  <Table.Td>
                    <Text size="sm" fw={600}>
                      {booking.orderNumber ? `${booking.orderNumber} / ${booking.operationNumber}` : booking.activityCode}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {t(`activity.${booking.activity}`)}
                      {booking.reason ? ` · ${booking.reason}` : ''}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {format.time(booking.startedAt)}–{format.time(booking.endedAt)}
                    <Text size="xs" c="dimmed">
                      {format.duration(clock)}
                    </Text>
                  </Table.Td>
                  <Table.Td ta="right">
                    <Text fw={700} size="sm">
                      {booking.seconds < 0 ? '−' : ''}
                      {format.duration(Math.abs(booking.seconds))}
                    </Text>
                    {booking.seconds > 0 && clock - booking.seconds > 30 ? (
                      <Text size="xs" c="dimmed">
                        {t('hours.shared')}
                      </Text>
                    ) : null}
                  </Table.Td>
                  <Table.Td>{booking.feedback ? <FeedbackBadge state={booking.feedback.state} /> : null}</Table.Td>
                  <Table.Td ta="right">
                    {may('hours.correct') && !gone && booking.reverses === null ? (
                      <Button size="xs" variant="default" onClick={() => setCorrecting(booking)}>
                        {t('orders.correct')}
                      </Button>
                    ) : null}
                  </Table.Td>
                </Table.Tr>
              )
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {correcting ? <CorrectHours key={correcting.id} booking={correcting} close={() => setCorrecting(undefined)} /> : null}
    </>
  )
}
