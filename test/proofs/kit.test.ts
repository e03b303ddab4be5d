import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../helpers/sources.ts'

t.test('proof of the kit: the short form holds', async t => {
  const run = spawnSync(process.execPath, [join(root, 'proofs/kit.ts'), 'short'], { cwd: root, encoding: 'utf8', timeout: 380_000 })
  const last = run.stdout.trim().split('\n').at(-1) ?? ''
  const [, held, checks, caught, mutants] = /^kit: (\d+) of (\d+) checks, (\d+) of (\d+) mutants caught$/.exec(last) ?? []
  t.equal(run.status, 0, `${run.stdout}${run.stderr}`)
  t.ok(Number(checks) >= 44, last)
  t.same([held, caught], [checks, mutants], last)
})
