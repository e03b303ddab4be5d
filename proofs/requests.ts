import { parts } from '../parts.ts'
import { restAdapter } from '../test/adapters/rest-adapter.ts'
import { descriptionOf, type Operation } from '../test/helpers/api.ts'
import { openTestHouse } from '../test/helpers/house.ts'
import { openOutside } from '../test/helpers/outside.ts'
import { newClient } from './requests/client.ts'
import { fitsOf } from './requests/fits.ts'
import { lacking, saidOf, unreachable, wayTo } from './requests/goals.ts'
import { furnish } from './requests/ground.ts'
import { planted, plantedAt } from './requests/planted.ts'
import { newProber } from './requests/prober.ts'
import { newRandom } from './requests/random.ts'
import { newTally, told } from './requests/tally.ts'

/**
 * node proofs/requests.ts [short] [seed=N]
 *
 * Requests to every route of the description of the API: some meant to be taken, some drawn by chance, some with one thing wrong. No
 * answer may be a fault of ours, and each must be what the description says of it. See docs/operations/proofs.md.
 */
const short = process.argv.includes('short')
// What CI runs is the same every time; what is run by hand looks elsewhere each time.
const seed = Number(process.argv.find(word => word.startsWith('seed='))?.slice(5) ?? (short ? 1 : Date.now() % 1_000_000_000))
const say = (line: string) => void process.stdout.write(`${line}\n`)
const size = short
  ? { rounds: 2, meant: 1, drawn: 1, wrong: 5, parts: 1, lanes: 4 }
  : { rounds: 6, meant: 6, drawn: 10, wrong: Number.POSITIVE_INFINITY, parts: 6, lanes: 4 }
/** How often what was not reached by chance is gone for outright. */
const mostTries = 30

say(`  seed ${seed}`)
const random = newRandom(seed)
const outside = await openOutside({ durable: false })
let last = ''
try {
  const at = await openTestHouse(outside, {
    worker: true,
    settings: { WERKVLOER_TRUST_PROXY: '127.0.0.1' },
    // An adapter that fetches; that of the house would want an ERP.
    parts: { modules: [...parts.modules, planted], adapters: [...parts.adapters, restAdapter] }
  })
  const description = await descriptionOf(at.house)
  const isPlanted = ({ path }: Operation): boolean => path.startsWith(plantedAt)
  const operations = description.operations.filter(operation => !isPlanted(operation))
  const client = newClient(at.baseUrl)
  outside.teardown(async () => client.close())
  const tally = newTally(operations, say)
  const ground = await furnish(at, random)
  const fits = fitsOf(description)
  const prober = newProber({ client, description: { ...description, operations }, fits, tally, ground, random })

  /** Each operation once, some at the same time. */
  async function beside(work: (operation: Operation) => Promise<void>): Promise<void> {
    const left = random.shuffled(operations)
    const lane = async (): Promise<void> => {
      for (let operation = left.pop(); operation; operation = left.pop()) await work(operation)
    }
    await Promise.all(Array.from({ length: size.lanes }, lane))
  }

  for (let round = 0; round < size.rounds; round++) {
    await ground.bring(round)
    await prober.learn()
    for (let n = 0; n < size.meant; n++) await beside(operation => prober.meant(operation))
    await beside(operation => prober.drawn(operation, size.drawn))
    await beside(operation => prober.wrong(operation, { nth: round, of: size.parts, most: size.wrong }))
    say(`  round ${round + 1}: ${tally.requests} requests, ${tally.faults} 5xx, ${tally.misfits} answers that do not fit`)
  }
  for (let n = 0; n < mostTries && lacking(tally).length > 0; n++) {
    if (n % 3 === 0) await ground.bring(size.rounds + n)
    await prober.learn()
    for (const lack of lacking(tally)) {
      const way = wayTo(lack)
      const acts = (way?.by ?? []).flatMap(name => operations.filter(({ operationId }) => operationId === name))
      await prober.follow([...acts, lack.operation], way?.from ?? lack.state)
    }
  }
  for (const route of tally.routes.values()) say(`  ${told(route)}`)
  for (const [name, why] of Object.entries(unreachable)) say(`  ${name} is not reached: ${why}`)
  const missed = lacking(tally).map(saidOf)
  for (const line of missed) say(`  NOT REACHED: ${line}`)
  // The short form asks too little to be sure of every state; what it must reach is nearly all.
  const mayMiss = short ? 5 : 0

  // Routes that do not keep to their description must be found by the same requests; else those would prove nothing.
  const plants = description.operations.filter(isPlanted)
  const seen = newTally(plants, () => {})
  const finder = newProber({ client, description: { ...description, operations: plants }, fits, tally: seen, ground, random })
  for (const operation of plants) {
    await finder.meant(operation)
    await finder.wrong(operation, { nth: 0, of: 1, most: Number.POSITIVE_INFINITY })
  }
  const found = [...seen.routes.values()].filter(({ bad }) => bad > 0).length
  say(`  routes planted with a fault: ${found} of ${plants.length} found`)
  last = `requests: ${tally.requests} requests to ${operations.length} routes, ${tally.faults} 5xx, ${tally.misfits} answers that do not fit`
  process.exitCode = tally.faults + tally.misfits === 0 && missed.length <= mayMiss && plants.length > 0 && found === plants.length ? 0 : 1
} finally {
  await outside.end()
}
say(last)
