import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { checks, type Verdict } from '../adapters/kit/checks.ts'
import type { Effort } from '../adapters/kit/erp.ts'
import { loneMutants } from '../test/adapters/mutants/index.ts'
import { type Done, type GoodName, good, type Task } from './kit/worker.ts'

/**
 * node proofs/kit.ts [short]
 *
 * Proves the conformance kit: good adapters keep every check that applies to them, and each check notices the adapter that was broken
 * for it, which no other check notices. `short` tries less of what is drawn by chance. See docs/operations/proofs.md.
 */
const short = process.argv.includes('short')
const less: Effort = { randomSequences: 20, rows: 4_500, keys: 20_000 }
const full: Effort = { randomSequences: 10_000, otherKinds: 3, rows: 100_000, keys: 1_000_000 }
const goodEffort = short ? less : full

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const indent = (text: string): string => text.split('\n').slice(0, 12).join('\n      ')

function runAll(tasks: readonly Task[], workers: number): Promise<Done[]> {
  const left = [...tasks]
  const done: Done[] = []
  return new Promise((resolve, reject) => {
    for (let n = 0; n < workers; n++) {
      const worker = new Worker(new URL('./kit/worker.ts', import.meta.url))
      const next = (): void => {
        const task = left.shift()
        if (task) worker.postMessage(task)
        else void worker.terminate()
      }
      worker.on('error', reject)
      worker.on('message', (result: Done) => {
        done.push(result)
        if (done.length === tasks.length) resolve(done)
        next()
      })
      next()
    }
  })
}

const brokenOf = (verdicts: readonly Verdict[]) => verdicts.flatMap(one => (one.verdict === 'broken' ? [one] : []))

const begin = performance.now()
const goodNames = Object.keys(good) as GoodName[]
const tasks: Task[] = [
  ...goodNames.map(name => ({ good: name, effort: goodEffort })),
  ...loneMutants.map((_, mutant) => ({ mutant, effort: less }))
]
const results = await runAll(tasks, Math.min(2, availableParallelism()))

const kept = new Set<string>()
const broken = new Set<string>()
for (const name of goodNames) {
  const verdicts = results.find(({ task }) => 'good' in task && task.good === name)?.verdicts ?? []
  const does = verdicts.filter(({ verdict }) => verdict === 'kept')
  for (const { id } of does) kept.add(id)
  const not = verdicts.filter(({ verdict }) => verdict === 'skipped').map(({ id }) => id)
  const red = brokenOf(verdicts)
  say(`${name}: ${does.length} kept, ${red.length} broken, ${not.length} do not apply${not.length > 0 ? ` (${not.join(' ')})` : ''}`)
  for (const one of red) {
    broken.add(one.id)
    say(`  ${one.id} ${checks.find(({ id }) => id === one.id)?.title}\n      ${indent(one.why)}`)
  }
}
const held = checks.filter(({ id }) => kept.has(id) && !broken.has(id))
for (const { id, title } of checks) if (!kept.has(id) && !broken.has(id)) say(`${id} ${title}: applies to none of these adapters`)

let caught = 0
for (const [index, { check, fault }] of loneMutants.entries()) {
  const verdicts = results.find(({ task }) => 'mutant' in task && task.mutant === index)?.verdicts ?? []
  const red = brokenOf(verdicts)
  const own = red.find(({ id }) => id === check)
  const others = red.filter(({ id }) => id !== check)
  // A check that stumbles over the mutant has not understood it.
  const stumbled = own !== undefined && /is not a function|undefined \(reading/.test(own.why)
  if (own && others.length === 0 && !stumbled) {
    caught++
    continue
  }
  say(`${check}, ${fault}: ${own ? (stumbled ? 'stumbled over' : 'caught, but not alone') : 'NOT caught'}`)
  for (const one of stumbled ? red : others) say(`  ${one.id} is red too:\n      ${indent(one.why)}`)
}
const without = checks.filter(({ id }) => !loneMutants.some(({ check }) => check === id))
for (const { id } of without) say(`${id} has no broken adapter`)
const seconds = (performance.now() - begin) / 1000
say(
  `faults: every sequence of up to 3, and ${goodEffort.randomSequences?.toLocaleString('en')} random longer ones, on ${goodNames.join(', ')}`
)
const { user, system } = process.cpuUsage()
say(`${seconds.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of processor time`)
say(`kit: ${held.length} of ${checks.length} checks, ${caught} of ${loneMutants.length} mutants caught`)
const proven = held.length === checks.length && caught === loneMutants.length && without.length === 0
process.exitCode = proven ? 0 : 1
