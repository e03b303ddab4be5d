import { Type } from 'typebox'
import { Id, Instant, LocalDate, named, Page, Text } from '../../core/index.ts'

const closed = { additionalProperties: false }
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

export const EmployeeShape = named(
  'Employee',
  Type.Object({ id: Id, number: orNull(Type.String()), name: orNull(Type.String()), active: Type.Boolean() }, closed)
)
export const EmployeePage = Page(EmployeeShape)

export const BookingShape = named(
  'HoursBooking',
  Type.Object(
    {
      id: Id,
      employeeId: Id,
      orderNumber: orNull(Type.String()),
      operationNumber: orNull(Type.String()),
      activity: Type.Union([Type.Literal('setup'), Type.Literal('run'), Type.Literal('indirect')]),
      activityCode: orNull(Type.String()),
      startedAt: Instant,
      endedAt: orNull(Instant),
      seconds: Type.Integer({ description: 'Share of the time from startedAt to endedAt, whole seconds; negative on a reversal' }),
      day: LocalDate,
      reverses: orNull(Id),
      reason: orNull(Type.String()),
      feedback: orNull(
        Type.Object(
          { state: Type.String(), document: orNull(Type.String()), message: orNull(Type.String()), settledAt: orNull(Instant) },
          { ...closed, description: 'How far the booking is on its way to the ERP' }
        )
      )
    },
    closed
  )
)
export const BookingPage = Page(BookingShape)

export const RunningShape = named(
  'RunningTime',
  Type.Object(
    {
      intervalId: Id,
      jobId: orNull(Id),
      orderNumber: orNull(Type.String()),
      operationNumber: orNull(Type.String()),
      activity: Type.String(),
      activityCode: orNull(Type.String()),
      startedAt: Instant,
      seconds: Type.Integer({ description: 'As they would be booked this moment, after sharing' })
    },
    closed
  )
)

export const TodayShape = named(
  'Today',
  Type.Object(
    { employeeId: Id, day: LocalDate, running: Type.Array(RunningShape), bookings: Type.Array(BookingShape), seconds: Type.Integer() },
    closed
  )
)

export const ActivityShape = named(
  'ActivityCode',
  Type.Object(
    { code: Text(20), name: Text(80), kind: Type.Union([Type.Literal('indirect'), Type.Literal('absence')]), active: Type.Boolean() },
    closed
  )
)

export const StartIndirectBody = Type.Object({ activityCode: Text(20), employeeId: Type.Optional(Id) }, closed)
export const StopIndirectBody = Type.Object({ employeeId: Type.Optional(Id) }, closed)
export const CorrectBody = Type.Object(
  { seconds: Type.Integer({ minimum: 0, maximum: 604_800, description: 'What should have been booked' }), reason: Text(200) },
  closed
)
export const NewActivityBody = Type.Object(
  { code: Text(20), name: Text(80), kind: Type.Optional(Type.Union([Type.Literal('indirect'), Type.Literal('absence')])) },
  closed
)
