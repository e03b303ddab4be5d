import { Type } from 'typebox'
import {
  type App,
  act,
  type Ctx,
  cursorOf,
  errorResponses,
  Id,
  LocalDate,
  type MessageState,
  pageQuery,
  readCursor,
  Text
} from '../../core/index.ts'
import type { Authz } from '../authz/index.ts'
import { correctBooking } from './bookings.ts'
import { findEmployees } from './employees.ts'
import { refuse } from './errors.ts'
import { runningShares, type Services, startIndirect, stopIndirect } from './intervals.ts'
import {
  ActivityShape,
  BookingPage,
  BookingShape,
  CorrectBody,
  EmployeePage,
  NewActivityBody,
  StartIndirectBody,
  StopIndirectBody,
  TodayShape
} from './schemas.ts'
import { type Booking, bookingsById, insertActivity, intervalEnds, listActivities, listBookings, ofAnyJob } from './store.ts'

const tags = ['timekeeping']
const closed = { additionalProperties: false }

export function timekeepingRoutes(services: Services & { authz: Authz }) {
  const { authz, journal, outbox } = services

  /** For whom: oneself, or somebody else with the right to book for others. */
  async function subject(ctx: Ctx, named: string | undefined): Promise<string> {
    const self = await authz.employeeOfUser(ctx)
    const wanted = named ?? self
    if (wanted === null) throw refuse('employee_missing', 'Say for which employee: your user is not linked to an employee number.')
    if (wanted !== self) authz.require(ctx, 'hours.book')
    return wanted
  }

  async function shown(ctx: Ctx, bookings: readonly Booking[]) {
    const keys = bookings.flatMap(booking => (booking.outbox_key === null ? [] : [booking.outbox_key]))
    const states = new Map((await outbox.states(ctx, keys)).map(state => [state.key, state]))
    const ends = await intervalEnds(ctx, [...new Set(bookings.map(booking => booking.interval_id))])
    return bookings.map(booking => bookingView(booking, ends.get(booking.interval_id) ?? null, states.get(booking.outbox_key ?? '')))
  }

  return (app: App): void => {
    app.get(
      '/api/v1/employees',
      {
        config: { permission: 'employees.read' },
        schema: {
          operationId: 'listEmployees',
          tags,
          summary: 'Employees by number or name',
          querystring: Type.Object({ search: Type.Optional(Text(80)), active: Type.Optional(Type.Boolean()), ...pageQuery }, closed),
          response: { 200: EmployeePage, ...errorResponses }
        }
      },
      async request => {
        const { search, active, limit = 100, after } = request.query
        const from = readCursor(after, ['string'])
        const rest = await findEmployees(request.ctx, { search, active, after: from?.[0] })
        const items = rest.slice(0, limit)
        const last = items.at(-1)
        return { items, next: last && rest.length > limit ? cursorOf([last.id]) : null }
      }
    )

    app.get(
      '/api/v1/activity-codes',
      {
        config: { permission: 'session.own' },
        schema: {
          operationId: 'listActivityCodes',
          tags,
          summary: 'Codes of indirect activities',
          response: { 200: Type.Object({ items: Type.Array(ActivityShape) }, closed), ...errorResponses }
        }
      },
      async request => ({ items: await listActivities(request.ctx) })
    )

    app.post(
      '/api/v1/activity-codes',
      {
        config: { permission: 'hours.settings', refuses: ['activity_exists'] },
        schema: {
          operationId: 'addActivityCode',
          tags,
          summary: 'Add an indirect activity',
          body: NewActivityBody,
          response: { 201: ActivityShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { code, name, kind = 'indirect' } = request.body
        return act(request, reply, {
          status: 201,
          run: async tx => {
            if (!(await insertActivity(tx, { code, name, kind })))
              throw refuse('activity_exists', `There is an activity code "${code}" already.`)
            await journal.append(tx, { act: 'hours.activity.add', subject: 'timekeeping.activity_code', subjectId: code, data: { kind } })
            return { code }
          },
          show: () => ({ code, name, kind, active: true })
        })
      }
    )

    app.post(
      '/api/v1/hours/indirect/start',
      {
        config: {
          permission: 'jobs.work',
          refuses: ['indirect_running', 'activity_unknown', 'employee_missing', 'employee_unknown', 'employee_inactive']
        },
        schema: {
          operationId: 'startIndirect',
          tags,
          summary: 'Start an indirect activity',
          body: StartIndirectBody,
          response: { 201: Type.Object({ intervalId: Id }, closed), ...errorResponses }
        }
      },
      async (request, reply) => {
        const employeeId = await subject(request.ctx, request.body.employeeId)
        const code = (await listActivities(request.ctx)).find(a => a.code === request.body.activityCode && a.active)
        if (!code) throw refuse('activity_unknown', `There is no active activity code "${request.body.activityCode}".`)
        return act(request, reply, {
          status: 201,
          run: async tx => ({ intervalId: await startIndirect(tx, services, { employeeId, activityCode: code.code }) }),
          show: (_ctx, made) => made
        })
      }
    )

    app.post(
      '/api/v1/hours/indirect/stop',
      {
        config: { permission: 'jobs.work', refuses: ['indirect_not_running', 'employee_missing'] },
        schema: {
          operationId: 'stopIndirect',
          tags,
          summary: 'Stop the indirect activity and book it',
          body: StopIndirectBody,
          response: { 200: Type.Object({ items: Type.Array(BookingShape) }, closed), ...errorResponses }
        }
      },
      async (request, reply) => {
        const employeeId = await subject(request.ctx, request.body.employeeId)
        return act(request, reply, {
          run: async tx => ({ bookings: await stopIndirect(tx, services, employeeId) }),
          show: async (ctx, made) => ({ items: await shown(ctx, await bookingsById(ctx, made.bookings)) })
        })
      }
    )

    app.get(
      '/api/v1/hours/today',
      {
        config: { permission: 'session.own', refuses: ['employee_missing'] },
        schema: {
          operationId: 'today',
          tags,
          summary: 'My day: what runs, what is booked and how far each booking is on its way to the ERP',
          response: { 200: TodayShape, ...errorResponses }
        }
      },
      async request => {
        const { ctx } = request
        const employeeId = await authz.employeeOfUser(ctx)
        if (employeeId === null) throw refuse('employee_missing', 'Your user is not linked to an employee number, so it has no hours.')
        const day = dayIn(ctx.tenant.zone, ctx.clock.now())
        const bookings = await listBookings(ctx, { day, employeeId, after: '0', limit: 500 }, ofAnyJob)
        const running = (await runningShares(ctx, employeeId)).map(({ interval, seconds }) => ({
          intervalId: interval.id,
          jobId: interval.job_id,
          orderNumber: interval.order_number,
          operationNumber: interval.operation_number,
          activity: interval.activity,
          activityCode: interval.activity_code,
          startedAt: interval.started_at,
          seconds
        }))
        return { employeeId, day, running, bookings: await shown(ctx, bookings), seconds: bookings.reduce((n, b) => n + b.seconds, 0) }
      }
    )

    app.get(
      '/api/v1/hours',
      {
        config: { permission: 'hours.read' },
        schema: {
          operationId: 'listHours',
          tags,
          summary: 'Bookings of one day on the jobs of my groups and on no job, of everybody or of one employee',
          querystring: Type.Object({ day: LocalDate, employeeId: Type.Optional(Id), ...pageQuery }, closed),
          response: { 200: BookingPage, ...errorResponses }
        }
      },
      async request => {
        const { day, employeeId = null, limit = 100 } = request.query
        const [after] = readCursor(request.query.after, ['string']) ?? ['0']
        const rows = await listBookings(
          request.ctx,
          { day, employeeId, after, limit: limit + 1 },
          authz.visible(request.ctx, 'booking.job_id')
        )
        const items = rows.slice(0, limit)
        const last = items.at(-1)
        return { items: await shown(request.ctx, items), next: last && rows.length > limit ? cursorOf([last.seq]) : null }
      }
    )

    app.post(
      '/api/v1/hours/bookings/:id/correct',
      {
        config: { permission: 'hours.correct', refuses: ['booking_unknown', 'booking_corrected', 'booking_too_long'] },
        schema: {
          operationId: 'correctHours',
          tags,
          summary: 'Correct a booking: reversal and a new one, both told to the ERP',
          params: Type.Object({ id: Id }, closed),
          body: CorrectBody,
          response: { 201: Type.Object({ items: Type.Array(BookingShape) }, closed), ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 201,
          run: tx => correctBooking(tx, services, { id: request.params.id, ...request.body }),
          show: async (ctx, made) => ({
            items: await shown(ctx, await bookingsById(ctx, made.booking === null ? [made.reversal] : [made.reversal, made.booking]))
          })
        })
    )
  }
}

function bookingView(booking: Booking, endedAt: string | null, state: MessageState | undefined) {
  return {
    id: booking.id,
    employeeId: booking.employee_id,
    orderNumber: booking.order_number,
    operationNumber: booking.operation_number,
    activity: booking.activity,
    activityCode: booking.activity_code,
    startedAt: booking.started_at,
    endedAt,
    seconds: booking.seconds,
    day: booking.day,
    reverses: booking.reverses,
    reason: booking.reason,
    feedback: state ? { state: state.state, document: state.document, message: state.rejectMessage, settledAt: state.settledAt } : null
  }
}

const dayIn = (zone: string, at: Date): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
