import t from 'tap'
import { loadConfig } from '../../core/config.ts'
import { mostWaitingBytes } from '../../core/exchange/inbox-room.ts'

t.test('the largest file that a setting allows has room in an inbox where another one waits', async t => {
  const gib = 2 ** 30
  for (const bytes of [1_024, 209_715_200, 5 * gib, 10 * gib]) {
    const { maxFileBytes } = loadConfig({ WERKVLOER_MAX_FILE_BYTES: String(bytes) }).sftp
    t.ok(mostWaitingBytes(maxFileBytes) >= 2 * maxFileBytes, `${bytes} bytes`)
  }
  t.equal(mostWaitingBytes(209_715_200), 4 * gib, 'what is usual stays as it is')
})
