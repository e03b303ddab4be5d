import type { ErpRef, ExportCapability, ExportOutcomeBody, Reject } from './types.ts'

/**
 * The outcome machine: what becomes of one feedback message. Pure, and the same for the host and the conformance kit.
 *
 * waiting → sealed → sending → accepted | delivered | rejected | unknown | (not-sent) sealed again
 * unknown → lookup → accepted, or sealed again after two looks that found nothing, or parked for a person
 */
export type MessagePhase =
  | 'waiting'
  | 'held'
  | 'sealed'
  | 'sending'
  | 'accepted'
  | 'delivered'
  | 'rejected'
  | 'unknown'
  | 'parked'
  | 'dropped'

export interface MessageState {
  readonly state: MessagePhase
  readonly attempts: number
  readonly lookups: number
  /** Instants (milliseconds) at which a lookup did not find it. */
  readonly notFoundAt: readonly number[]
  readonly previous: 'none' | 'not-sent' | 'unknown'
  readonly nextAttemptAt: number | null
  readonly confirmBy: number | null
  readonly ref: ErpRef | null
  readonly reject: Reject | null
  readonly alarm: string | null
}

export const freshMessage: MessageState = {
  state: 'waiting',
  attempts: 0,
  lookups: 0,
  notFoundAt: [],
  previous: 'none',
  nextAttemptAt: null,
  confirmBy: null,
  ref: null,
  reject: null,
  alarm: null
}

/** A lookup's answer without its key. */
export type LookupAnswerBody =
  | { readonly found: true; readonly ref: ErpRef }
  | { readonly found: false }
  | { readonly found: 'cannot-tell'; readonly reason: string }

export type MessageEvent =
  | { readonly type: 'sealed' }
  /** An attempt begins. Whoever finds a message in `sending` after a crash treats it as `no-outcome`. */
  | { readonly type: 'attempt' }
  | { readonly type: 'outcome'; readonly outcome: ExportOutcomeBody }
  | { readonly type: 'no-outcome'; readonly reason: string }
  | { readonly type: 'lookup'; readonly answer: LookupAnswerBody }
  /** The search itself did not get through (no network): asked again later, it proves nothing. */
  | { readonly type: 'lookup-failed' }
  | { readonly type: 'ack'; readonly outcome: ExportOutcomeBody }
  | { readonly type: 'deadline' }
  | { readonly type: 'decide'; readonly decision: 'there'; readonly ref: ErpRef }
  | { readonly type: 'decide'; readonly decision: 'send' | 'drop' }
  /** A person fixed what the ERP refused. */
  | { readonly type: 'retry' }

export interface MessageRules {
  readonly idempotency: ExportCapability['idempotency']
  readonly hasLookup: boolean
}

/** Seconds until the next attempt after the nth not-sent: 5 s doubling up to 15 minutes. */
export const backoffSeconds = (attempts: number): number => Math.min(900, 5 * 2 ** Math.min(Math.max(attempts - 1, 0), 10))
/** Seconds until the nth lookup of an unknown one; the ERP may be slow to show it. */
const lookupSeconds = [30, 120, 600] as const
/** Two looks that found nothing count only when they are this far apart. */
export const lookupGapSeconds = 600
/** Alarm when something was not sent for about this long: the waits before the twelfth attempt add up to 66 minutes. */
export const notSentAlarmSeconds = 3_600
const notSentAlarmAttempts = 11
const contradiction = {
  refusedAfterwards: 'The ERP first accepted this and then refused it. Compare it with the ERP.',
  acceptedAfterwards: 'The ERP first refused this and then accepted it. Compare it with the ERP.',
  acceptedAnyway: 'This was given up here, and the ERP accepted it all the same. Compare it with the ERP.',
  otherDocument: 'The ERP accepted this twice, under two documents. Compare it with the ERP.'
} as const

/** Whether nothing more will happen to it. */
export const settled = (state: MessagePhase): boolean => state === 'accepted' || state === 'dropped'
/** Whether later messages of the same ordering key must wait for it. */
export const blocksOrder = (state: MessagePhase): boolean =>
  !(state === 'accepted' || state === 'delivered' || state === 'dropped' || state === 'held')

/** The state after an event; `undefined` where the event does not apply and nothing may change. */
export function next(message: MessageState, event: MessageEvent, now: number, rules: MessageRules): MessageState | undefined {
  switch (event.type) {
    case 'sealed':
      return message.state === 'waiting' ? { ...message, state: 'sealed' } : undefined
    case 'attempt':
      return message.state === 'sealed' ? { ...message, state: 'sending', attempts: message.attempts + 1 } : undefined
    case 'outcome':
      return message.state === 'sending' ? afterOutcome(message, event.outcome, now, rules) : undefined
    case 'no-outcome':
      return message.state === 'sending' ? afterUnknown(message, event.reason, now, rules) : undefined
    case 'lookup':
      return message.state === 'unknown' ? afterLookup(message, event.answer, now) : undefined
    case 'lookup-failed':
      return message.state === 'unknown' ? { ...message, nextAttemptAt: now + lookupWait(message.lookups) } : undefined
    case 'ack':
      return afterAck(message, event.outcome)
    case 'deadline':
      return message.state === 'delivered' && message.alarm === null && message.confirmBy !== null && now >= message.confirmBy
        ? { ...message, alarm: 'The ERP has not acknowledged this within the time agreed.' }
        : undefined
    case 'decide':
      return decide(message, event)
    case 'retry':
      return message.state === 'rejected' ? { ...message, state: 'sealed', reject: null, nextAttemptAt: null, alarm: null } : undefined
  }
}

function afterOutcome(message: MessageState, outcome: ExportOutcomeBody, now: number, rules: MessageRules): MessageState {
  const clear = { nextAttemptAt: null, reject: null, alarm: null }
  switch (outcome.status) {
    case 'accepted':
    case 'duplicate':
      return { ...message, ...clear, state: 'accepted', ref: outcome.ref, confirmBy: null }
    case 'delivered':
      return { ...message, ...clear, state: 'delivered', ref: outcome.ref, confirmBy: now + outcome.confirmWithinSeconds * 1000 }
    case 'rejected':
      return { ...message, ...clear, state: 'rejected', reject: outcome.reject }
    case 'not-sent': {
      const wait = Math.max(outcome.retryAfterSeconds ?? 0, backoffSeconds(message.attempts))
      const alarm = alarmOf(message, 'Not sent', outcome.reason)
      return { ...message, state: 'sealed', previous: 'not-sent', nextAttemptAt: now + wait * 1000, alarm }
    }
    case 'unknown':
      return afterUnknown(message, outcome.reason, now, rules)
  }
}

/** What is tried again by itself has no end, so that people hear of it when it takes too long. */
const alarmOf = (message: MessageState, what: string, reason: string): string | null =>
  message.attempts >= notSentAlarmAttempts ? `${what} for an hour or more: ${reason}` : message.alarm

/**
 * The message may have arrived. Where a repeat is harmless by itself (the ERP refuses a second one, or the same file is written again)
 * it is repeated; otherwise it is looked up; where that is impossible a person decides.
 */
function afterUnknown(message: MessageState, reason: string, now: number, rules: MessageRules): MessageState {
  if (rules.idempotency === 'native' || rules.idempotency === 'deterministic-file') {
    const alarm = alarmOf(message, 'Nobody knows whether it arrived', reason)
    return { ...message, state: 'sealed', previous: 'unknown', nextAttemptAt: now + backoffSeconds(message.attempts) * 1000, alarm }
  }
  if (!rules.hasLookup || rules.idempotency === 'none')
    return { ...message, state: 'parked', previous: 'unknown', nextAttemptAt: null, alarm: reason }
  return { ...message, state: 'unknown', previous: 'unknown', lookups: 0, notFoundAt: [], nextAttemptAt: now + lookupSeconds[0] * 1000 }
}

function afterLookup(message: MessageState, answer: LookupAnswerBody, now: number): MessageState {
  const lookups = message.lookups + 1
  if (answer.found === true) return { ...message, state: 'accepted', lookups, ref: answer.ref, nextAttemptAt: null, alarm: null }
  if (answer.found === 'cannot-tell') return { ...message, state: 'parked', lookups, nextAttemptAt: null, alarm: answer.reason }
  const notFoundAt = [...message.notFoundAt, now]
  const first = notFoundAt[0] ?? now
  if (notFoundAt.length >= 2 && now - first >= lookupGapSeconds * 1000) {
    return { ...message, state: 'sealed', lookups, notFoundAt: [], previous: 'unknown', nextAttemptAt: null }
  }
  return { ...message, lookups, notFoundAt, nextAttemptAt: now + lookupWait(lookups) }
}

const lookupWait = (lookups: number): number => (lookupSeconds[Math.min(lookups, lookupSeconds.length - 1)] ?? lookupGapSeconds) * 1000

/** The ERP's late answer. Repeated ones change nothing; one that contradicts what is known raises an alarm and changes nothing else. */
function afterAck(message: MessageState, outcome: ExportOutcomeBody): MessageState | undefined {
  const yes = outcome.status === 'accepted' || outcome.status === 'duplicate'
  const no = outcome.status === 'rejected'
  if (!yes && !no) return undefined
  if (message.state === 'accepted') {
    if (no) return alarmed(message, contradiction.refusedAfterwards)
    const other = message.ref !== null && outcome.ref.document !== message.ref.document
    return other ? alarmed(message, contradiction.otherDocument) : undefined
  }
  if (message.state === 'rejected') {
    return no ? undefined : { ...message, state: 'accepted', ref: outcome.ref, reject: null, alarm: contradiction.acceptedAfterwards }
  }
  // What was never sent cannot be acknowledged.
  if (message.attempts === 0) return undefined
  if (message.state === 'dropped') return yes ? alarmed(message, contradiction.acceptedAnyway) : undefined
  const clear = { confirmBy: null, nextAttemptAt: null, alarm: null }
  return yes
    ? { ...message, ...clear, state: 'accepted', ref: outcome.ref }
    : { ...message, ...clear, state: 'rejected', reject: outcome.reject }
}

const alarmed = (message: MessageState, alarm: string): MessageState | undefined =>
  message.alarm === alarm ? undefined : { ...message, alarm }

function decide(message: MessageState, event: Extract<MessageEvent, { type: 'decide' }>): MessageState | undefined {
  const open = message.state === 'parked' || message.state === 'unknown' || message.state === 'rejected'
  if (event.decision === 'there') {
    return open || message.state === 'delivered'
      ? { ...message, state: 'accepted', ref: event.ref, nextAttemptAt: null, confirmBy: null, alarm: null }
      : undefined
  }
  if (event.decision === 'send') {
    // A delivered one whose acknowledgement is overdue may have been lost by the ERP; only a person can know.
    const lost = message.state === 'delivered' && message.alarm !== null
    return message.state === 'parked' || message.state === 'unknown' || lost
      ? { ...message, state: 'sealed', nextAttemptAt: null, confirmBy: null, notFoundAt: [], alarm: null }
      : undefined
  }
  return open || message.state === 'waiting' || message.state === 'held'
    ? { ...message, state: 'dropped', nextAttemptAt: null, alarm: null }
    : undefined
}
