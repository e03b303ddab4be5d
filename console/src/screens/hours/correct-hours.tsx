import { NumberInput, Text, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../api/client'
import { useFormat } from '../../format'
import { newKey } from '../../parts/act'
import { ActForm } from '../../parts/act-form'
import { notifyDone } from '../../parts/problem'
import { type Booking, clockSeconds } from './bookings'

/** Whole minutes that should have been booked; the old booking is reversed, both go to the ERP. */
export function CorrectHours({ booking, close }: { booking: Booking; close: () => void }) {
  const { t } = useTranslation()
  const format = useFormat()
  const queries = useQueryClient()
  const [minutes, setMinutes] = useState<string | number>(Math.round(booking.seconds / 60))
  const [reason, setReason] = useState('')
  const [key] = useState(newKey)
  const correct = api.useMutation('post', '/api/v1/hours/bookings/{id}/correct', {
    onSuccess: () => {
      notifyDone(t('hours.corrected'))
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/hours'] })
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/hours/today'] })
      close()
    }
  })
  return (
    <ActForm
      title={t('hours.correctTitle')}
      action={t('orders.correct')}
      error={correct.error}
      busy={correct.isPending}
      close={close}
      send={() => {
        if (typeof minutes !== 'number') return
        // A clock of 59:40 rounds up to an hour, which is more than passed; anything longer is for the server to refuse.
        const clock = clockSeconds(booking)
        const seconds = minutes * 60 - clock < 60 ? Math.min(minutes * 60, clock) : minutes * 60
        correct.mutate({ params: { path: { id: booking.id } }, headers: key, body: { seconds, reason: reason.trim() } })
      }}
    >
      <Text size="sm">
        {t('hours.correctText', {
          from: format.time(booking.startedAt),
          to: format.time(booking.endedAt),
          clock: format.duration(clockSeconds(booking)),
          booked: format.duration(booking.seconds)
        })}
      </Text>
      <NumberInput
        label={t('hours.minutes')}
        required
        min={0}
        max={Math.ceil(clockSeconds(booking) / 60)}
        allowDecimal={false}
        value={minutes}
        onChange={setMinutes}
        data-autofocus
      />
      <TextInput
        label={t('orders.reason')}
        required
        maxLength={200}
        value={reason}
        onChange={event => setReason(event.currentTarget.value)}
      />
    </ActForm>
  )
}
