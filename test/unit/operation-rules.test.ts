import fc from 'fast-check'
import t from 'tap'
import { quantity, Refusal } from '../../core/index.ts'
import { backflushQuantity } from '../../modules/workorders/material-rules.ts'
import {
  checkAct,
  checkOverReport,
  completionOf,
  incomingOf,
  type JobAct,
  type JobState,
  type JobStatus,
  jobStatuses,
  missingQuantity,
  orderStatusOf,
  proposedQuantity
} from '../../modules/workorders/operation-rules.ts'

const job = (status: JobStatus, orderStatus: JobStatus = 'started'): JobState => ({
  number: '10',
  orderNumber: 'WO-1',
  status,
  orderStatus
})

/** The code of the refusal that `fn` ends with, or `ok`. */
const answer = (fn: () => unknown): string => {
  try {
    fn()
    return 'ok'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

t.test('operation rules: every act in every state gives one answer, and it is the one in this table', async t => {
  const table: Record<JobAct, Record<JobStatus, string>> = {
    start: {
      planned: 'order_not_released',
      released: 'ok',
      started: 'ok',
      paused: 'ok',
      completed: 'job_completed',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    },
    resume: {
      planned: 'order_not_released',
      released: 'job_not_paused',
      started: 'job_not_paused',
      paused: 'ok',
      completed: 'job_completed',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    },
    pause: {
      planned: 'order_not_released',
      released: 'job_not_running',
      started: 'ok',
      paused: 'job_not_running',
      completed: 'job_completed',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    },
    report: {
      planned: 'order_not_released',
      released: 'ok',
      started: 'ok',
      paused: 'ok',
      completed: 'job_completed',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    },
    complete: {
      planned: 'order_not_released',
      released: 'ok',
      started: 'ok',
      paused: 'ok',
      completed: 'job_completed',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    },
    reopen: {
      planned: 'order_not_released',
      released: 'job_not_completed',
      started: 'job_not_completed',
      paused: 'job_not_completed',
      completed: 'ok',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    },
    correct: {
      planned: 'order_not_released',
      released: 'ok',
      started: 'ok',
      paused: 'ok',
      completed: 'ok',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    },
    consume: {
      planned: 'order_not_released',
      released: 'ok',
      started: 'ok',
      paused: 'ok',
      completed: 'ok',
      closed: 'order_closed',
      cancelled: 'order_cancelled'
    }
  }
  for (const act of Object.keys(table) as JobAct[]) {
    for (const status of jobStatuses)
      t.equal(
        answer(() => checkAct(act, job(status))),
        table[act][status],
        `${act} on ${status}`
      )
  }
})

t.test('operation rules: a closed or cancelled order refuses whatever its job says', async t => {
  t.equal(
    answer(() => checkAct('start', job('released', 'closed'))),
    'order_closed'
  )
  t.equal(
    answer(() => checkAct('report', job('started', 'cancelled'))),
    'order_cancelled'
  )
})

t.test('operation rules: an order follows its jobs', async t => {
  t.equal(orderStatusOf('released', { started: 1, released: 2 }), 'started')
  t.equal(orderStatusOf('started', { paused: 1, released: 2 }), 'paused')
  t.equal(orderStatusOf('started', { completed: 3 }), 'completed')
  t.equal(orderStatusOf('started', { completed: 2, cancelled: 1 }), 'completed', 'an operation that was taken away does not keep it open')
  t.equal(orderStatusOf('started', { completed: 1, released: 1 }), 'started', 'between two operations it goes on')
  t.equal(orderStatusOf('completed', { completed: 1, paused: 1 }), 'paused', 'a reopened operation reopens it')
  t.equal(orderStatusOf('released', { released: 2 }), 'released')
  t.equal(orderStatusOf('cancelled', { started: 1 }), 'cancelled', 'only the ERP brings it back')
})

t.test('operation rules: the proposal is what came out of the operation before, not the quantity of the order', async t => {
  const before = incomingOf([{ good: '90', status: 'completed' }])
  t.equal(proposedQuantity({ planned: '100', good: '20', scrap: '5', ...before }), '65')
  t.equal(proposedQuantity({ planned: '100', good: '20', scrap: '5', ...incomingOf([]) }), '75', 'the first one takes the plan')
  t.equal(
    proposedQuantity({ planned: '100', good: '0', scrap: '0', ...incomingOf([{ good: '0', status: 'released' }]) }),
    '100',
    'nobody reports on the one before'
  )
  t.equal(proposedQuantity({ planned: '100', good: '95', scrap: '0', ...before }), '0', 'never below zero')
  t.same(
    incomingOf([
      { good: '9', status: 'completed' },
      { good: '7', status: 'started' }
    ]),
    { incoming: '7', incomingFinal: false },
    'side by side: the smaller one'
  )
})

t.test('operation rules: missing pieces must be decided, and what was lost before is not missed again', async t => {
  t.equal(missingQuantity({ planned: '100', good: '80', scrap: '5', incoming: '90', incomingFinal: false }), '15', 'more may still come')
  t.equal(missingQuantity({ planned: '100', good: '80', scrap: '5', incoming: '90', incomingFinal: true }), '5')
  t.same(completionOf(job('started'), '0', 'pcs', undefined), { status: 'completed', shortfall: 'none' })
  t.same(completionOf(job('started'), '5', 'pcs', 'lost'), { status: 'completed', shortfall: 'lost' })
  t.same(completionOf(job('started'), '5', 'pcs', 'not_yet'), { status: 'paused', shortfall: 'not_yet' })
  t.throws(() => completionOf(job('started'), '5', 'pcs', undefined), {
    code: 'shortfall_undecided',
    detail: /Operation 10 of work order WO-1 misses 5 pcs/
  })
})

t.test('operation rules: reporting more than planned follows the setting', async t => {
  const over = (overReport: 'block' | 'warn' | 'allow', overPercent: string, goodAfter: string, reason?: string) =>
    answer(() =>
      checkOverReport(job('started'), { overReport, overPercent }, { planned: '100', goodBefore: '0', goodAfter, unit: 'pcs', reason })
    )
  t.equal(over('block', '0', '100'), 'ok')
  t.equal(over('block', '0', '100.000001'), 'report_exceeds_plan')
  t.equal(over('warn', '0', '101'), 'over_report_reason_missing')
  t.equal(over('warn', '0', '101', 'counted twice'), 'ok')
  t.equal(over('allow', '2.50', '102.5'), 'ok')
  t.equal(over('allow', '2.50', '102.500001', 'any'), 'report_exceeds_plan')
  t.equal(over('allow', '0', '101'), 'report_exceeds_plan')
})

t.test('operation rules: backflush in any number of steps consumes what one step would have', async t => {
  const amount = fc.integer({ min: 0, max: 10_000_000 }).map(n => quantity.fromScaled(BigInt(n) * 1000n))
  fc.assert(
    fc.property(amount, fc.array(fc.tuple(amount, amount), { minLength: 1, maxLength: 8 }), (line, steps) => {
      const planned = '5000'
      let consumed: string = quantity.zero
      let good: string = quantity.zero
      let scrap: string = quantity.zero
      for (const [g, s] of steps) {
        good = quantity.add(good, g)
        scrap = quantity.add(scrap, s)
        consumed = quantity.add(consumed, backflushQuantity({ quantity: line, consumed, automatic: consumed }, { planned, good, scrap }))
      }
      return consumed === backflushQuantity({ quantity: line, consumed: '0', automatic: '0' }, { planned, good, scrap })
    })
  )
  t.equal(
    backflushQuantity({ quantity: '10', consumed: '9', automatic: '0' }, { planned: '100', good: '50', scrap: '0' }),
    '0',
    'more was taken by hand: nothing comes back by itself'
  )
  t.equal(
    backflushQuantity({ quantity: '10', consumed: '0', automatic: '0' }, { planned: '0', good: '5', scrap: '0' }),
    '0',
    'no plan, no share'
  )
})
