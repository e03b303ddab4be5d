import type { TxCtx } from '../../core/index.ts'
import type { Authz } from '../authz/index.ts'
import { refuse } from './errors.ts'
import { book, type Services } from './intervals.ts'
import { wholeSeconds } from './sharing-rules.ts'
import { type Booking, insertBookings, intervalById, lockBooking, lockEmployees, reversalOf } from './store.ts'

/**
 * Corrects a booking: the old one is reversed and, unless the new figure is zero, a new one stands in its place. Nothing is
 * overwritten; both reach the ERP, in order.
 * @returns the ids of the reversal and of the new booking
 */
export async function correctBooking(
  tx: TxCtx,
  services: Services & { readonly authz: Authz },
  wanted: { id: string; seconds: number; reason: string }
): Promise<{ reversal: string; booking: string | null }> {
  const first = await lockBooking(tx, wanted.id, services.authz.visible(tx, 'booking.job_id'))
  if (!first) throw refuse('booking_unknown', 'There is no such booking within your groups.')
  await lockEmployees(tx, [first.employee_id])
  if (first.reverses !== null || (await reversalOf(tx, first.id))) {
    throw refuse('booking_corrected', 'This booking was corrected before. Correct the newest one instead.')
  }
  const interval = await intervalById(tx, first.interval_id)
  if (!interval) throw refuse('booking_unknown', 'The time behind this booking is gone.')
  const lasted = interval.ended_at === null ? 0 : wholeSeconds(interval.ended_at) - wholeSeconds(interval.started_at)
  if (wanted.seconds > lasted) {
    throw refuse('booking_too_long', `Between start and stop lie ${lasted} seconds; ${wanted.seconds} cannot be booked.`)
  }
  const reversal = await book(tx, services.outbox, interval, -first.seconds, { id: first.id, outboxKey: first.outbox_key }, wanted.reason)
  const next = wanted.seconds === 0 ? null : await book(tx, services.outbox, interval, wanted.seconds, null, wanted.reason)
  const rows: Omit<Booking, 'seq' | 'day'>[] = next ? [reversal, next] : [reversal]
  await insertBookings(tx, rows)
  await services.journal.append(tx, {
    act: 'hours.correct',
    subject: 'timekeeping.booking',
    subjectId: first.id,
    data: { reversal: reversal.id, booking: next?.id ?? null, seconds: [first.seconds, wanted.seconds] }
  })
  return { reversal: reversal.id, booking: next?.id ?? null }
}
