import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * node proofs/run.ts [short] [names]
 *
 * Runs every proof of this folder, or those named, one after another. A proof is a file `<name>.ts` that ends with a line `<name>: …`
 * and exit code 0 when its promise holds. One that cannot run on this machine ends with `<name>: not run: …` and is counted apart.
 * Ends with `proofs: N of N hold`; exit code 1 when one does not.
 */
const say = (line: string) => void process.stdout.write(`${line}\n`)
const here = import.meta.dirname
const names = globSync('*.ts', { cwd: here })
  .map(file => basename(file, '.ts'))
  .filter(name => name !== 'run')
  .sort()
const words = process.argv.slice(2)
const short = words.includes('short')
const wanted = words.filter(word => word !== 'short')
const unknown = wanted.filter(word => !names.includes(word))
if (unknown.length > 0) throw new Error(`no proof is called ${unknown.join(', ')}; there are: ${names.join(', ')}`)

type Outcome = 'holds' | 'does not hold' | 'not run'

async function prove(name: string): Promise<Outcome> {
  const began = performance.now()
  const child = spawn(process.execPath, [join(here, `${name}.ts`), ...(short ? ['short'] : [])], {
    cwd: join(here, '..'),
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = new Promise<number>(done => child.on('close', code => done(code ?? 1)))
  let last = ''
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.trim() !== '') last = line
    say(`  ${line}`)
  }
  const code = await ended
  const outcome =
    code !== 0 || !last.startsWith(`${name}: `) ? 'does not hold' : last.startsWith(`${name}: not run: `) ? 'not run' : 'holds'
  say(`  ${outcome} (${Math.round((performance.now() - began) / 1000)} s)`)
  return outcome
}

const outcomes: Outcome[] = []
for (const name of wanted.length > 0 ? wanted : names) {
  say(name)
  outcomes.push(await prove(name))
}
const number = (outcome: Outcome) => outcomes.filter(one => one === outcome).length
const notRun = number('not run') > 0 ? `, ${number('not run')} not run` : ''
say(`proofs: ${number('holds')} of ${outcomes.length - number('not run')} hold${notRun}`)
process.exitCode = number('does not hold') === 0 && number('holds') > 0 ? 0 : 1
