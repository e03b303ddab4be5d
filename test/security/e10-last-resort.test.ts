import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../../demo/api.ts'
import { installation, portOf } from '../helpers/processes.ts'

/** Loaded into the server before its own code: throws where nobody catches it, once per signal. */
const plant = `process.on('SIGUSR2', () => setImmediate(() => { throw new Error('planted in a callback') }))
process.on('SIGWINCH', () => { void Promise.reject(new Error('planted in a promise')) })
process.on('SIGCONT', () => setImmediate(() => { throw 'planted text' }))
`

t.test('E10: what nobody catches is told and the process goes on; too much of it ends in an ordered stop', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'wv-plant-'))
  t.teardown(async () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'plant.mjs')
  writeFileSync(file, plant)
  const at = await installation(t)
  const server = at.serve('web', 'web', ['--import', file])
  const baseUrl = `http://127.0.0.1:${await portOf(server, 'http')}`
  const faults = (): number => server.text().match(/"outcome":"error"/g)?.length ?? 0
  const planted = async (signal: NodeJS.Signals): Promise<void> => {
    const before = faults()
    process.kill(server.pid, signal)
    await until('the fault is told', 30, async () => faults() > before || undefined)
  }

  for (const [signal, message] of [
    ['SIGUSR2', 'planted in a callback'],
    ['SIGWINCH', 'planted in a promise'],
    ['SIGCONT', 'something that is no error was thrown (string)']
  ] as const) {
    await planted(signal)
    const line = server
      .text()
      .split('\n')
      .findLast(text => text.includes('"outcome":"error"'))
    t.match(JSON.parse(line ?? '{}'), { level: 'error', msg: 'a fault that nobody caught', err: { message } })
    t.equal((await fetch(`${baseUrl}/health/ready`)).status, 200, `after ${message} it serves on`)
  }
  t.notMatch(server.text(), /planted text/, 'what was thrown may hold anything and is not told')

  for (let n = 0; n < 18; n++) await planted('SIGUSR2')
  const { code } = await server.ended
  t.equal(code, 1, 'who supervises it sees that it failed')
  t.match(server.text(), /"msg":"too many faults; giving up"/)
  t.match(server.text(), /"reason":"too many faults","msg":"stopping"/, 'in order')
})
