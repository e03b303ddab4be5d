import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openOutside } from '../test/helpers/outside.ts'
import { type Bench, type Figure, lines, shortTolerance, tolerance, verdictOf } from './figures.ts'
import { Absent } from './programs.ts'

/**
 * node bench/run.ts [short] [names]
 *
 * Runs every bench in this folder (a file that exports `bench`), or those whose name begins with one of the arguments or that measure the
 * goal it names (`G5`), one after another on a PostgreSQL of its own that writes to disk as at a customer's. Ends with
 * `bench: N of M goals reached`; the exit code is 1 when a figure is worse than its pass mark by more than the tolerance, or a bench died.
 * `short` measures once and little: it shows that every bench still runs and that nothing became twice as slow. See README.md beside it.
 */
const say = (line: string) => void process.stdout.write(`${line}\n`)
const short = process.argv[2] === 'short'
const wanted = process.argv.slice(short ? 3 : 2)
const allowed = short ? shortTolerance : tolerance

async function benches(): Promise<Bench[]> {
  const files = globSync('*.ts', { cwd: import.meta.dirname }).filter(file =>
    /^export const bench\b/m.test(readFileSync(join(import.meta.dirname, file), 'utf8'))
  )
  const loaded = await Promise.all(files.sort().map(async file => (await import(join(import.meta.dirname, file))) as { bench: Bench }))
  const all = loaded.map(({ bench }) => bench)
  const asked = ({ name, goals = [] }: Bench, word: string): boolean => name.startsWith(word) || goals.includes(word.toUpperCase())
  const chosen = all.filter(bench => (wanted.length === 0 ? !(short && bench.longOnly) : wanted.some(word => asked(bench, word))))
  if (chosen.length === 0) throw new Error(`no bench is called ${wanted.join(', ')}; there are: ${all.map(({ name }) => name).join(', ')}`)
  return chosen
}

async function one(bench: Bench): Promise<readonly Figure[]> {
  const closers: (() => Promise<void>)[] = []
  try {
    return await bench.run({ teardown: fn => void closers.push(fn) }, line => say(`  ${line}`), { short })
  } finally {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
}

async function main(): Promise<number> {
  const chosen = await benches()
  const outside = await openOutside({ durable: true })
  const figures: Figure[] = []
  let died = 0
  try {
    for (const bench of chosen) {
      say(bench.name)
      try {
        const found = await one(bench)
        for (const line of lines(found, allowed)) say(`  ${line}`)
        figures.push(...found)
      } catch (error) {
        if (error instanceof Absent) {
          say(`  SKIPPED: ${error.message}`)
          continue
        }
        died++
        say(`  DIED: ${(error as Error).stack}`)
      }
    }
  } finally {
    await outside.end()
  }
  const verdicts = figures.map(figure => verdictOf(figure, allowed))
  const moonshots = verdicts.flatMap(({ moonshotReached }) => (moonshotReached === undefined ? [] : [moonshotReached]))
  if (moonshots.length > 0) say(`moonshots: ${moonshots.filter(reached => reached).length} of ${moonshots.length} reached`)
  say(`bench: ${verdicts.filter(({ reached }) => reached).length} of ${verdicts.length} goals reached`)
  return died > 0 || verdicts.length === 0 || verdicts.some(({ failed }) => failed) ? 1 : 0
}

process.exitCode = await main()
