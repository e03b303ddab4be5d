import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startPulse } from '../../core/db/pulse.ts'
import { silentLog } from '../../core/log.ts'
import { until } from '../../demo/api.ts'
import { serverUrl } from '../helpers/database.ts'
import { gateTo } from '../helpers/gate.ts'

t.test('a server that is slow to make a connection is not silent; one that does not answer on it is', async t => {
  const gate = await gateTo(t, serverUrl())
  gate.shut()
  const pulse = startPulse({ url: gate.url, log: silentLog })
  t.teardown(async () => {
    gate.open()
    await pulse.stop()
  })
  let silences = 0
  pulse.onSilent(() => silences++)

  // Longer than an answer may take, shorter than a connection.
  await sleep(1_700)
  gate.open()
  await sleep(1_500)
  t.equal(silences, 0)

  gate.shut()
  await until('it is noticed', 20, async () => pulse.silent || undefined)
  t.equal(silences, 1)
  gate.open()
  await until('and that it speaks again', 20, async () => !pulse.silent || undefined)
  t.equal(silences, 1)
})
