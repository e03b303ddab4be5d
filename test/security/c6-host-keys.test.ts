import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import t from 'tap'
import { prepareControl } from '../../core/db/control.ts'
import { newSftpHostKey, sftpHostKey } from '../../core/exchange/host-key.ts'
import { openTestHouse, type TestHouse } from '../helpers/house.ts'
import { mutantOf } from '../helpers/mutant.ts'
import { run } from '../helpers/process.ts'
import { portOf } from '../helpers/processes.ts'
import { root } from '../helpers/sources.ts'

const node = join(root, 'node_modules/.bin/node')

/** The key that a server shows, as OpenSSH prints its fingerprint. */
function shownBy(port: number): Promise<string> {
  const client = new ssh2.Client()
  return new Promise((resolve, reject) => {
    client.on('error', reject)
    client.connect({
      host: '127.0.0.1',
      port,
      username: 'nobody',
      hostVerifier: (key: Buffer) => {
        resolve(`SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`)
        return false
      }
    })
    client.removeAllListeners('error').on('error', () => {})
  })
}

interface Door {
  readonly hostKey: string | null
  readonly fingerprint: string | null
}
const doorOf = async (house: TestHouse, token: string): Promise<Door> =>
  (await house.call<Door & Record<string, unknown>>('GET', '/api/v1/sftp-door', { token })).body

/** Puts another key into the control database, as somebody would who got there. */
const replace = async (house: TestHouse, change: { privatePem?: string; publicLine?: string }): Promise<() => Promise<void>> => {
  const { pool } = house.house.control.db
  const { rows } = await pool.query('select public_line, private_wrapped from control.sftp_host_key')
  const set = (line: string, wrapped: Buffer) =>
    pool.query('update control.sftp_host_key set public_line = $1, private_wrapped = $2', [line, wrapped])
  await set(
    change.publicLine ?? rows[0].public_line,
    change.privatePem ? house.root.wrap(Buffer.from(change.privatePem), 'sftp_host_key/ssh-ed25519') : rows[0].private_wrapped
  )
  return async () => void (await set(rows[0].public_line, rows[0].private_wrapped))
}

t.test('C6 host keys', async t => {
  const house = await openTestHouse(t, { sftp: true })
  const token = await house.admin()
  const own = house.sftp?.port ?? 0
  const fingerprint = await shownBy(own)
  /** The end of a command, with all that it said. */
  const command = async (args: string[], settings = house.settings): Promise<{ code: number | null; text: string }> => {
    const one = run(t, node, ['main.ts', ...args], settings)
    const { code } = await one.ended
    return { code, text: one.text() }
  }

  await t.test('C6: every process shows the same key, and people are told its fingerprint', async t => {
    const second = run(t, node, ['main.ts', 'serve', '--only', 'sftp'], house.settings)
    t.equal(await shownBy(await portOf(second, 'sftp')), fingerprint)
    second.signal('SIGTERM')
    await second.ended
    t.equal((await doorOf(house, token)).fingerprint, fingerprint, 'in the console and the API')
    t.ok((await command(['doctor'])).text.includes(fingerprint), 'by the doctor')
    const { house: web } = await house.again()
    const { port } = await web.listenHttp()
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/sftp-door`, { headers: { authorization: `Bearer ${token}` } })
    t.match(await answer.json(), { fingerprint }, 'by a process that serves no SFTP itself, too')
  })

  await t.test('C6: a key that is replaced while the server runs changes nothing there and is noticed', async t => {
    const other = newSftpHostKey()
    for (const [what, change, words] of [
      ['another key', other, /another one than the journal knows/],
      ['another private half', { privatePem: other.privatePem }, /two halves .* do not belong together/],
      ['another line for people', { publicLine: other.publicLine }, /another one than the journal knows/]
    ] as const) {
      const back = await replace(house, change)
      t.equal(await shownBy(own), fingerprint, `${what}: who runs goes on with the old one`)
      t.strictSame((await doorOf(house, token)).fingerprint, null, `${what}: nobody is told a fingerprint that is not agreed`)
      await t.rejects(sftpHostKey(house.house.control), words, what)
      await back()
    }
    const back = await replace(house, other)
    const started = await command(['serve', '--only', 'sftp'])
    t.not(started.code, 0)
    t.match(started.text, /somebody replaced it/)
    t.match(await command(['doctor']), { code: 1, text: /WRONG SFTP host key +the SFTP host key is another one/ })
    await back()
    t.equal((await doorOf(house, token)).fingerprint, fingerprint)
  })

  await t.test('C6: a server that takes whatever key it finds turns this check red', async t => {
    const back = await replace(house, newSftpHostKey())
    const trusting = await mutantOf<typeof import('../../core/db/control.ts')>(
      'core/db/control.ts',
      'if (line !== undefined && line !== row.public_line)',
      'if (line === null)'
    )
    const taken = await trusting.sftpHostKeyOf(house.house.control)
    t.type(taken.publicLine, 'string')
    await back()
  })

  await t.test('C6: a key that is gone is never made anew', async t => {
    const { pool } = house.house.control.db
    const { rows } = await pool.query('select algorithm, public_line, private_wrapped from control.sftp_host_key')
    await pool.query('delete from control.sftp_host_key')
    let made = 0
    await prepareControl(house.controlUrl, house.root, { now: () => new Date(), iso: () => new Date().toISOString() } as never, () => {
      made++
      return newSftpHostKey()
    })
    t.equal(made, 0, 'preparing again makes none')
    t.match(await command(['migrate']), { code: 0 })
    const started = await command(['serve', '--only', 'sftp'])
    t.not(started.code, 0)
    t.match(started.text, /host key is missing .* restore it from the backup, it is never made anew/)
    t.match(await command(['doctor']), { code: 1, text: /WRONG SFTP host key/ })
    t.equal((await pool.query('select count(*)::int as n from control.sftp_host_key')).rows[0].n, 0)
    t.equal((await doorOf(house, token)).hostKey, null)
    await pool.query('insert into control.sftp_host_key (algorithm, public_line, private_wrapped) values ($1, $2, $3)', [
      rows[0].algorithm,
      rows[0].public_line,
      rows[0].private_wrapped
    ])
  })

  await t.test('C6: in the database the key is sealed, and the key that opens it is taken from its owner only', async t => {
    const { rows } = await house.house.control.db.pool.query('select private_wrapped from control.sftp_host_key')
    t.notOk(rows[0].private_wrapped.includes('PRIVATE KEY'))
    const dir = mkdtempSync(join(tmpdir(), 'wv-keys-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    const file = join(dir, 'root-key')
    const { WERKVLOER_ROOT_KEY = '', ...rest } = house.settings
    writeFileSync(file, WERKVLOER_ROOT_KEY)
    const settings = { ...rest, WERKVLOER_ROOT_KEY_FILE: file }
    for (const mode of [0o644, 0o604, 0o606]) {
      chmodSync(file, mode)
      const started = await command(['serve', '--only', 'sftp'], settings)
      t.not(started.code, 0, mode.toString(8))
      t.match(started.text, /WERKVLOER_ROOT_KEY_FILE: every user of this machine can use/)
    }
    writeFileSync(file, randomBytes(32).toString('base64'))
    chmodSync(file, 0o600)
    const wrong = await command(['serve', '--only', 'sftp'], settings)
    t.not(wrong.code, 0)
    t.match(wrong.text, /root key does not/, 'another root key opens nothing and makes nothing')
    writeFileSync(file, WERKVLOER_ROOT_KEY)
    const served = run(t, node, ['main.ts', 'serve', '--only', 'sftp'], settings)
    t.equal(await shownBy(await portOf(served, 'sftp')), fingerprint)
  })
})
