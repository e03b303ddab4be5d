import { setTimeout as sleep } from 'node:timers/promises'
import { everything, type Hand } from './floor.ts'

export interface Message {
  readonly number: string
  readonly key: string
  readonly kind: string
  readonly orderingKey: string
  readonly state: string
  readonly attempts: number
  readonly reject: { readonly code: string; readonly message: string } | null
  readonly alarm: string | null
}

/** Nothing more happens to these by itself. */
const stuck = new Set(['rejected', 'parked', 'held', 'dropped'])

/**
 * Waits until every message has an end.
 * @param hurry send again what the ERP was seen not to have, as a person may decide; else the product looks twice, ten minutes apart
 * @returns those that will never have a good end, or had none in time
 */
export async function drain(
  office: Hand,
  wait: { readonly seconds: number; readonly hurry: boolean },
  say: (line: string) => void
): Promise<readonly Message[]> {
  const until = Date.now() + wait.seconds * 1000
  for (let told = Date.now(); ; ) {
    const open = await everything<Message>(office, '/api/v1/outbox?state=open')
    const moving = open.filter(({ state }) => !stuck.has(state))
    if (moving.length === 0 || Date.now() > until) return open
    if (wait.hurry) for (const message of moving.filter(({ state }) => state === 'unknown')) await sendIfMissing(office, message)
    if (Date.now() - told > 30_000) {
      told = Date.now()
      say(`  ${open.length} messages on their way`)
    }
    await sleep(500)
  }
}

interface Happened {
  readonly events: readonly { readonly event: string; readonly detail: string | null }[]
}

async function sendIfMissing(office: Hand, { number }: Message): Promise<void> {
  const { events } = await office.get<Happened>(`/api/v1/outbox/${number}`)
  const last = events.at(-1)
  if (last?.event === 'lookup' && last.detail === 'not found')
    await office.tryAct(`/api/v1/outbox/${number}/decide`, 'message_state', {
      decision: 'send',
      reason: 'not there'
    })
}
