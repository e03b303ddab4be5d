import { globSync } from 'node:fs'
import { join } from 'node:path'
import { openOutside } from '../test/helpers/outside.ts'
import { type Bench, type Figure, lines, verdictOf } from './figures.ts'

/**
 * node bench/run.ts [names]
 *
 * Runs every bench in this folder (a file that exports `bench`), or those whose name begins with one of the arguments, one after another on
 * a PostgreSQL of its own that writes to disk as at a customer's. Ends with `bench: N of M goals reached`; the exit code is 1 when a
 * figure is worse than its pass mark by more than the tolerance, or a bench died. See README.md beside it.
 */
const say = (line: string) => void process.stdout.write(`${line}\n`)
const wanted = process.argv.slice(2)
const helpers = ['run.ts', 'figures.ts', 'memory.ts', 'openssh.ts', 'reader-child.ts']

async function benches(): Promise<Bench[]> {
  const files = globSync('*.ts', { cwd: import.meta.dirname }).filter(file => !helpers.includes(file))
  const loaded = await Promise.all(files.sort().map(async file => (await import(join(import.meta.dirname, file))) as { bench?: Bench }))
  const all = loaded.flatMap(({ bench }) => (bench ? [bench] : []))
  const chosen = all.filter(({ name }) => wanted.length === 0 || wanted.some(word => name.startsWith(word)))
  if (chosen.length === 0) throw new Error(`no bench is called ${wanted.join(', ')}; there are: ${all.map(({ name }) => name).join(', ')}`)
  return chosen
}

async function one(bench: Bench): Promise<readonly Figure[]> {
  const closers: (() => Promise<void>)[] = []
  try {
    return await bench.run({ teardown: fn => void closers.push(fn) }, line => say(`  ${line}`))
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
        for (const line of lines(found)) say(`  ${line}`)
        figures.push(...found)
      } catch (error) {
        died++
        say(`  DIED: ${(error as Error).stack}`)
      }
    }
  } finally {
    await outside.end()
  }
  const verdicts = figures.map(verdictOf)
  const moonshots = verdicts.flatMap(({ moonshotReached }) => (moonshotReached === undefined ? [] : [moonshotReached]))
  if (moonshots.length > 0) say(`moonshots: ${moonshots.filter(reached => reached).length} of ${moonshots.length} reached`)
  say(`bench: ${verdicts.filter(({ reached }) => reached).length} of ${verdicts.length} goals reached`)
  return died > 0 || verdicts.length === 0 || verdicts.some(({ failed }) => failed) ? 1 : 0
}

process.exitCode = await main()
