import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../demo/api.ts'
import { processed } from '../../demo/setup.ts'
import { oldestWaiting } from './customers.ts'
import { compare, type Turns } from './figures.ts'
import { checks, type Scene, type Survival } from './scene.ts'

/** A message of somebody else may wait so long for its turn, or three times as long as without the fault where the machine is busy. */
const turnSeconds = 10
/** So many a worker sends to at once; there must be as many that hang. */
const slots = 4

/** The ERPs of several customers take requests and do not answer, or answer a byte at a time; others and their feedback go on. */
export async function erpHangs(scene: Scene, mood: 'silent' | 'trickles', turns: Turns): Promise<Survival> {
  const { erp, load, filing, calling, say } = scene
  const { broken, holds } = checks()
  const others = new Set(filing.map(({ code }) => code))
  let held = 0
  // What waits after the first turn may still wait for what hung in it.
  let begun = false
  const waits = { without: 0, filing: 0, calling: 0 }
  const watching = new AbortController()
  const watch = (async () => {
    while (!watching.signal.aborted) {
      for (const [whose, customers] of [
        ['filing', filing],
        // The same customers' other ERP, which is well.
        ['calling', calling]
      ] as const)
        for (const one of customers) {
          const seconds = await oldestWaiting(one, one.filesId)
          const place = begun ? whose : 'without'
          waits[place] = Math.max(waits[place], seconds)
          held = Math.max(held, erp.held)
        }
      await sleep(300)
    }
  })()
  let delivered = 0
  const compared = await compare(load, customer => others.has(customer), {
    ...turns,
    async on() {
      begun = true
      erp.mood = mood
      // A new order comes in by file while orders are fetched from an ERP that does not answer.
      const [of] = calling
      const name = `WO_${mood}_${++delivered}.csv`
      if (!of) return
      await of.deliver(name, mood === 'silent' ? 1_000 + delivered : 2_000 + delivered)
      void processed(of.admin, name, 60).then(
        ({ state }) => holds(state === 'done', `${name} ended as ${state}`),
        () => holds(false, `${name} was not imported while an ERP did not answer`)
      )
    },
    async off() {
      erp.mood = 'answers'
    }
  })
  watching.abort()
  await watch
  const longest = Math.max(turnSeconds, 3 * waits.without)
  holds(held >= slots, `only ${held} requests were held: the fault was not there`)
  holds(compared.failed === 0, `${compared.failed} requests of others failed`)
  holds(waits.filing <= longest, `feedback of another customer waited ${waits.filing.toFixed(1)} s`)
  holds(waits.calling <= longest, `feedback of the same customer's other ERP waited ${waits.calling.toFixed(1)} s`)
  say(
    `  ${calling.length} ERPs ${mood === 'silent' ? 'never answer' : 'trickle'} (${held} requests held): others ${compared.pairs}; ` +
      `their feedback waits at most ${waits.filing.toFixed(1)} s, that of the same customers' other ERP ${waits.calling.toFixed(1)} s (${waits.without.toFixed(1)} s without)`
  )
  return { fault: mood === 'silent' ? 'ERPs that never answer' : 'ERPs that trickle', broken, ratio: compared.ratio }
}

interface Message {
  readonly state: string
}

/**
 * After all faults: what was told to the ERPs that hung is booked there once. What nobody knows of is looked up twice, ten minutes apart,
 * before it is sent again, so only the long form waits until everything has arrived.
 */
export async function bookedOnce(scene: Scene): Promise<Survival> {
  const { erp, calling, short, say } = scene
  const { broken, holds } = checks()
  erp.mood = 'answers'
  const messages = async (): Promise<Message[]> => {
    const all: Message[] = []
    for (const { admin, calls } of calling)
      for (let after: string | null = ''; after !== null; ) {
        const page: { items: readonly Message[]; next: string | null } = await admin.get(
          `/api/v1/outbox?connectionId=${calls?.id}&limit=500${after && `&after=${encodeURIComponent(after)}`}`
        )
        all.push(...page.items)
        after = page.next
      }
    return all
  }
  const left = async () => (await messages()).filter(({ state }) => state !== 'accepted')
  if (!short) await until('every message has arrived', 1_500, async () => (await left()).length === 0 || undefined).catch(() => undefined)
  const all = await messages()
  const count = (state: string): number => all.filter(one => one.state === state).length
  const underWay = ['unknown', 'waiting', 'sealed', 'sending'].reduce((n, state) => n + count(state), 0)
  const doubled = [...erp.booked.values()].filter(times => times > 1).length
  holds(all.length > 0 && erp.booked.size > 0, 'nothing was sent to the ERPs that hung')
  holds(doubled === 0, `${doubled} messages booked more than once`)
  holds(count('accepted') <= erp.booked.size, `${count('accepted')} messages count as accepted, ${erp.booked.size} are booked`)
  holds(count('accepted') + underWay === all.length, `messages in other states: ${[...new Set(all.map(({ state }) => state))].join(', ')}`)
  holds(short || underWay === 0, `${underWay} messages did not arrive`)
  say(
    `  the ERPs that hung have booked ${erp.booked.size} of ${all.length} messages, ${doubled} more than once; ` +
      `${count('accepted')} known as booked, ${count('unknown')} to be looked up, ${underWay - count('unknown')} wait for their turn`
  )
  return { fault: 'bookings', broken }
}
