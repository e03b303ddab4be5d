import fc from 'fast-check'
import t from 'tap'
import {
  backoffSeconds,
  blocksOrder,
  type ExportOutcomeBody,
  freshMessage,
  lookupGapSeconds,
  type MessageEvent,
  type MessageRules,
  type MessageState,
  next,
  settled
} from '../../adapters/contract/index.ts'

const looked: MessageRules = { idempotency: 'lookup', hasLookup: true }
const start = Date.parse('2026-03-02T07:00:00Z')
const ref = { document: 'D1' }
const reject = { code: 'erp_rejected', message: 'no' }
const accepted: ExportOutcomeBody = { status: 'accepted', ref }
const rejected: ExportOutcomeBody = { status: 'rejected', reject }
const unknown: ExportOutcomeBody = { status: 'unknown', reason: 'lost' }
const sent: MessageEvent[] = [{ type: 'sealed' }, { type: 'attempt' }]
const outcome = (body: ExportOutcomeBody): MessageEvent => ({ type: 'outcome', outcome: body })
const ack = (body: ExportOutcomeBody): MessageEvent => ({ type: 'ack', outcome: body })
const notFound: MessageEvent = { type: 'lookup', answer: { found: false } }

/** The state after events, each `seconds` after the one before; events that do not apply are left out. */
function play(events: readonly MessageEvent[], rules = looked, seconds = 0, from = freshMessage): MessageState {
  return events.reduce((state, event, index) => next(state, event, start + index * seconds * 1000, rules) ?? state, from)
}

t.test('outcomes: each outcome of an attempt leads to its state and says whether the order goes on', async t => {
  const table: [ExportOutcomeBody, MessageRules, MessageState['state'], boolean][] = [
    [accepted, looked, 'accepted', false],
    [{ status: 'duplicate', ref }, looked, 'accepted', false],
    [{ status: 'delivered', ref, confirmWithinSeconds: 60 }, looked, 'delivered', false],
    [rejected, looked, 'rejected', true],
    [{ status: 'not-sent', reason: 'busy' }, looked, 'sealed', true],
    [unknown, looked, 'unknown', true],
    [unknown, { idempotency: 'lookup', hasLookup: false }, 'parked', true],
    [unknown, { idempotency: 'none', hasLookup: true }, 'parked', true],
    [unknown, { idempotency: 'native', hasLookup: false }, 'sealed', true],
    [unknown, { idempotency: 'deterministic-file', hasLookup: false }, 'sealed', true]
  ]
  for (const [body, rules, state, blocks] of table) {
    const after = play([...sent, outcome(body)], rules)
    t.equal(after.state, state, `${body.status} with ${rules.idempotency}`)
    t.equal(blocksOrder(after.state), blocks, `${body.status} with ${rules.idempotency}`)
  }
  t.equal(play([...sent, { type: 'no-outcome', reason: 'died' }]).state, 'unknown', 'no outcome is unknown')
  t.ok(settled('accepted') && settled('dropped') && !settled('delivered') && !blocksOrder('held'))
})

t.test(
  'outcomes: what was not sent waits 5 seconds to 15 minutes, longer when the ERP says so, and alarms after about an hour',
  async t => {
    t.same([1, 2, 3, 8, 9, 50].map(backoffSeconds), [5, 10, 20, 640, 900, 900])
    const after = play([...sent, outcome({ status: 'not-sent', reason: 'busy', retryAfterSeconds: 120 })])
    t.equal(after.nextAttemptAt, start + 120_000)
    t.equal(after.previous, 'not-sent')
    let state = play([{ type: 'sealed' }])
    let waited = 0
    while (state.alarm === null) {
      state = play([{ type: 'attempt' }, outcome({ status: 'not-sent', reason: 'busy' })], looked, 0, state)
      waited = state.alarm === null ? waited + backoffSeconds(state.attempts) : waited
    }
    t.ok(waited > 2_700 && waited <= 3_600, `${waited} seconds before the alarm`)
    t.match(state.alarm, /busy/)
    t.equal(play([{ type: 'attempt' }, outcome(accepted)], looked, 0, state).alarm, null)
  }
)

t.test(
  'outcomes: an unknown one is looked up after 30 seconds, 2 and 10 minutes; found it is accepted, twice absent it may go again',
  async t => {
    let state = play([...sent, outcome(unknown)])
    t.equal(state.nextAttemptAt, start + 30_000)
    t.match(play([{ type: 'lookup', answer: { found: true, ref } }], looked, 0, state), { state: 'accepted', ref })
    const gaps = [120_000, 600_000]
    let now = start + 30_000
    for (const gap of gaps) {
      state = next(state, notFound, now, looked) ?? state
      t.match(state, { state: 'unknown', nextAttemptAt: now + gap })
      now += gap
    }
    state = next(state, notFound, now, looked) ?? state
    t.match(state, { state: 'sealed', previous: 'unknown', nextAttemptAt: null, notFoundAt: [] })
  }
)

t.test('outcomes: two looks close together do not count, a search that fails proves nothing, "cannot tell" parks', async t => {
  const state = play([...sent, outcome(unknown)])
  const soon = play([notFound, notFound, notFound], looked, (lookupGapSeconds - 1) / 2, state)
  t.equal(soon.state, 'unknown')
  const failed = play([{ type: 'lookup-failed' }], looked, 0, state)
  t.match(failed, { state: 'unknown', notFoundAt: [], lookups: 0 })
  t.match(play([{ type: 'lookup', answer: { found: 'cannot-tell', reason: 'no search' } }], looked, 0, state), {
    state: 'parked',
    alarm: 'no search'
  })
})

t.test('outcomes: a delivered one without acknowledgement alarms at its deadline and is not sent again', async t => {
  const state = play([...sent, outcome({ status: 'delivered', ref, confirmWithinSeconds: 60 })])
  t.equal(next(state, { type: 'deadline' }, start + 59_000, looked), undefined)
  const late = next(state, { type: 'deadline' }, start + 60_000, looked)
  t.match(late, { state: 'delivered', alarm: /acknowledged/ })
  t.equal(late && next(late, { type: 'deadline' }, start + 61_000, looked), undefined, 'one alarm is enough')
  t.equal(late && next(late, { type: 'attempt' }, start + 61_000, looked), undefined)
  t.match(
    late && next(late, { type: 'decide', decision: 'send' }, start, looked),
    { state: 'sealed', alarm: null },
    'a person may send it again'
  )
  t.equal(next(state, { type: 'decide', decision: 'send' }, start, looked), undefined, 'but not before it is late')
})

t.test('outcomes: acknowledgements close, repeat without effect, and alarm when they contradict', async t => {
  const delivered = play([...sent, outcome({ status: 'delivered', ref: { document: 'file' }, confirmWithinSeconds: 60 })])
  const yes = play([ack(accepted)], looked, 0, delivered)
  t.match(yes, { state: 'accepted', ref, confirmBy: null, alarm: null })
  t.equal(next(yes, ack(accepted), start, looked), undefined)
  const twice = play([ack({ status: 'accepted', ref: { document: 'D2' } })], looked, 0, yes)
  t.match(twice, { state: 'accepted', ref, alarm: /twice/ })
  t.equal(next(twice, ack({ status: 'accepted', ref: { document: 'D2' } }), start, looked), undefined)
  t.match(play([ack(rejected)], looked, 0, yes), { state: 'accepted', alarm: /then refused/ })
  const no = play([ack(rejected)], looked, 0, delivered)
  t.match(no, { state: 'rejected', reject })
  t.equal(next(no, ack(rejected), start, looked), undefined)
  t.match(play([ack(accepted)], looked, 0, no), { state: 'accepted', alarm: /first refused/ })
  t.equal(next(freshMessage, ack(accepted), start, looked), undefined, 'what was never sent cannot be acknowledged')
  t.equal(next(play([{ type: 'sealed' }]), ack(accepted), start, looked), undefined)
})

t.test('outcomes: a person decides what nobody can know', async t => {
  const parked = play([...sent, outcome(unknown)], { idempotency: 'none', hasLookup: false })
  t.match(play([{ type: 'decide', decision: 'there', ref }], looked, 0, parked), { state: 'accepted', ref })
  t.match(play([{ type: 'decide', decision: 'send' }], looked, 0, parked), { state: 'sealed', previous: 'unknown', alarm: null })
  t.match(play([{ type: 'decide', decision: 'drop' }], looked, 0, parked), { state: 'dropped' })
  const refused = play([...sent, outcome(rejected)])
  t.match(play([{ type: 'retry' }], looked, 0, refused), { state: 'sealed', reject: null })
  t.equal(next(refused, { type: 'decide', decision: 'send' }, start, looked), undefined, 'a refused one is retried, not sent')
  const done = play([...sent, outcome(accepted)])
  for (const event of [
    ...sent,
    { type: 'retry' },
    { type: 'decide', decision: 'drop' },
    { type: 'decide', decision: 'send' },
    outcome(unknown)
  ] as MessageEvent[]) {
    t.equal(next(done, event, start, looked), undefined, `${event.type} changes nothing of an accepted one`)
  }
})

const outcomes: readonly ExportOutcomeBody[] = [
  accepted,
  { status: 'duplicate', ref },
  { status: 'delivered', ref, confirmWithinSeconds: 60 },
  rejected,
  { status: 'not-sent', reason: 'busy' },
  unknown
]
/** Everything that can happen without a person. Attempts, losses and empty looks stand several times: they are what this is about. */
const events: readonly MessageEvent[] = [
  { type: 'sealed' },
  ...Array.from({ length: 4 }, (): MessageEvent => ({ type: 'attempt' })),
  ...outcomes.map(outcome),
  ...Array.from({ length: 6 }, (): MessageEvent => ({ type: 'no-outcome', reason: 'died' })),
  ...Array.from({ length: 12 }, (): MessageEvent => notFound),
  { type: 'lookup-failed' },
  { type: 'lookup', answer: { found: 'cannot-tell', reason: 'no search' } },
  { type: 'lookup', answer: { found: true, ref } },
  ...outcomes.map(ack),
  { type: 'deadline' }
]
/** Picks among what applies at each step, and the seconds before it. */
const history = fc.array(fc.tuple(fc.nat({ max: 10_000 }), fc.integer({ min: 0, max: 700 })), { minLength: 20, maxLength: 60 })

interface Step {
  readonly before: MessageState
  readonly event: MessageEvent
  readonly after: MessageState
  readonly now: number
}
function walk(picks: readonly (readonly [number, number])[], rules: MessageRules): Step[] {
  let state = freshMessage
  let now = start
  return picks.flatMap(([pick, seconds]) => {
    now += seconds * 1000
    const possible = events.flatMap(event => {
      const after = next(state, event, now, rules)
      return after ? [{ before: state, event, after, now }] : []
    })
    const step = possible[pick % possible.length]
    if (!step) return []
    state = step.after
    return [step]
  })
}

t.test('outcomes: after an unknown attempt nothing is ever sent again unless two looks 10 minutes apart found nothing', async t => {
  let again = 0
  const anyRules = fc.constantFrom<MessageRules>(
    looked,
    { idempotency: 'none', hasLookup: true },
    { idempotency: 'lookup', hasLookup: false }
  )
  fc.assert(
    fc.property(history, anyRules, (picks, rules) => {
      let looks: number[] | undefined
      for (const { event, after, now } of walk(picks, rules)) {
        if (event.type === 'no-outcome' || (event.type === 'outcome' && event.outcome.status === 'unknown')) looks = []
        if (event.type === 'lookup' && event.answer.found === false) looks?.push(now)
        // What the ERP itself said settles the doubt.
        if (event.type === 'ack' && after.state !== 'unknown') looks = undefined
        if (event.type !== 'attempt' || looks === undefined) continue
        const [first = now] = looks
        if (rules.idempotency === 'none' || !rules.hasLookup || looks.length < 2 || (looks.at(-1) ?? 0) - first < 600_000) return false
        again++
        looks = undefined
      }
      return true
    }),
    { numRuns: 3_000 }
  )
  t.ok(again > 20, `${again} repetitions were seen: the property is not empty`)
})

t.test('outcomes: what is accepted stays accepted, and attempts never go down', async t => {
  let seen = 0
  fc.assert(
    fc.property(history, picks =>
      walk(picks, looked).every(({ before, after }) => {
        if (before.state === 'accepted') seen++
        return after.attempts >= before.attempts && (before.state !== 'accepted' || after.state === 'accepted')
      })
    ),
    { numRuns: 2_000 }
  )
  t.ok(seen > 20, 'the property is not empty')
})
