import { setTimeout as sleep } from 'node:timers/promises'
import { isGood, median, p99, within } from './figures.ts'
import { checks, type Scene, type Survival } from './scene.ts'

/** What a person must have by then is an answer, whichever. */
const answerMs = 2_000
const recoverySeconds = 120

/** The database is away for everybody: frozen, or killed and not to be had for a while. */
export async function databaseGone(scene: Scene, how: 'frozen' | 'killed', seconds: number): Promise<Survival> {
  const { house, load } = scene
  const { broken, holds } = checks()
  // What an answer takes when nothing is wrong belongs to the machine.
  const usualMs = p99(within(load, { from: performance.now() - 3_000, to: performance.now() }, () => true)) || 0
  const from = performance.now()
  const back = how === 'frozen' ? house.freezeDatabase() : house.killDatabase()
  try {
    await sleep(seconds * 1_000)
  } finally {
    back()
  }
  const to = performance.now()
  const recovered = await recoveredAfter(scene)
  // Those that were sent last have had their answer.
  await sleep(500)
  const asked = within(load, { from, to }, () => true)
  const times = asked.map(({ ms }) => ms).sort((a, b) => a - b)
  const refused = asked.filter(({ status }) => status === 503)
  const slowest = Math.round(times.at(-1) ?? 0)
  holds(refused.length > 0, 'nobody was refused: the database was not away')
  holds(
    refused.every(({ clear }) => clear),
    'a 503 without problem+json or Retry-After'
  )
  const other = asked.filter(({ status }) => status !== 503 && !isGood(status))
  holds(
    other.length === 0,
    `${other.length} requests without a clear answer (${[...new Set(other.map(({ status }) => status))].join(', ')})`
  )
  holds(slowest <= answerMs + usualMs, `an answer after ${slowest} ms, where ${Math.round(usualMs)} ms are usual`)
  holds(recovered !== undefined, `not back within ${recoverySeconds} s`)
  scene.say(
    `  database ${how} for ${seconds} s: ${refused.length} of ${asked.length} refused, half of them within ${Math.round(median(refused.map(({ ms }) => ms)))} ms, ` +
      `slowest answer ${slowest} ms; all served again after ${recovered?.toFixed(1) ?? '?'} s`
  )
  return { fault: `database ${how}`, broken }
}

/** Seconds until all customers were served again, each three times in a row. */
export async function recoveredAfter({ load, filing, calling }: Scene): Promise<number | undefined> {
  const began = performance.now()
  while (performance.now() - began < recoverySeconds * 1_000) {
    await sleep(200)
    const since = load.samples.filter(({ at }) => at >= began)
    const served = [...filing, ...calling].every(({ code }) => {
      const last = since.filter(({ customer }) => customer === code).slice(-3)
      return last.length === 3 && last.every(({ status }) => isGood(status))
    })
    if (served) return (performance.now() - began) / 1_000
  }
  return undefined
}
