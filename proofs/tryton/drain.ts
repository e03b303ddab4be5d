import { setTimeout as sleep } from 'node:timers/promises'
import { everything, type Reader } from './floor.ts'

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

/** Waits until every message has an end. @returns those that will never have a good one, or had none in time */
export async function drain(office: Reader, seconds: number, say: (line: string) => void): Promise<readonly Message[]> {
  const until = Date.now() + seconds * 1000
  for (let told = 0; ; ) {
    const open = await everything<Message>(office, '/api/v1/outbox?state=open')
    const moving = open.filter(({ state }) => !stuck.has(state))
    if (moving.length === 0 || Date.now() > until) return open
    if (Date.now() - told > 30_000) {
      told = Date.now()
      say(`  ${open.length} messages on their way`)
    }
    await sleep(500)
  }
}
