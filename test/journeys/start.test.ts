import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { signIn } from '../../demo/api.ts'
import { alive, family, type Run, run } from '../helpers/process.ts'

const asRoot = process.getuid?.() === 0

/** Open to pass: as root the embedded server runs as another user. */
function folder(t: { teardown(fn: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'wv-start-'))
  chmodSync(path, 0o711)
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** `npm start` on free ports. The stamp of the installation is there, so it installs nothing. */
const npmStart = (t: Parameters<typeof run>[0], settings: Record<string, string>, args: readonly string[] = []): Run =>
  run(t, 'npm', ['start', ...(args.length === 0 ? [] : ['--', ...args])], {
    WERKVLOER_HTTP_PORT: '0',
    WERKVLOER_SFTP_PORT: '0',
    npm_config_update_notifier: 'false',
    ...settings
  })

/** What was printed, without the lines in which npm says which script it runs. */
const linesOf = (text: string): string[] => text.split('\n').filter(line => line !== '' && !line.startsWith('> '))

/** A port of this machine that somebody else listens on. */
async function taken(t: { teardown(fn: () => void): void }): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the port is not known')
  return address.port
}

/** Ctrl-C as a terminal and npm deliver it: to everybody in the group, and once more. */
async function ctrlC(started: Run): Promise<{ processes: number; left: readonly number[]; code: number | null }> {
  const pids = family(started.pid)
  started.signal('SIGINT')
  started.signal('SIGINT')
  const { code } = await started.ended
  return { processes: pids.length, left: pids.filter(alive), code }
}

t.test('npm start', async t => {
  const place = folder(t)
  const data = join(place, 'data')
  const settings = { WERKVLOER_DATA: data }

  await t.test('npm start: says where to go and who may sign in, and Ctrl-C ends all of it in order', async t => {
    const started = npmStart(t, settings)
    const [, baseUrl = ''] = await started.says(/ web +(http:\/\/localhost:\d+)\n/)
    await started.says(/ sftp +127\.0\.0\.1 port \d+\n/)
    t.equal((await fetch(`${baseUrl}/health/live`)).status, 200)
    t.equal((await fetch(`${baseUrl}/health/ready`)).status, 200)
    const [, customer = '', password = ''] = await started.says(/Sign in with customer "(.+)" and password "(.+)" as\n/)
    const [, username = ''] = await started.says(/as\n +(\w+) +everything/)
    const person = await signIn(baseUrl, customer, username, password)
    const { items } = await person.get<{ items: readonly unknown[] }>('/api/v1/work-orders?limit=50')
    t.equal(items.length, 22, 'the orders that the printed lines speak of')
    await started.says(/Ctrl-C stops/)
    const { processes, left, code } = await ctrlC(started)
    t.ok(processes >= 3, 'npm, the product and PostgreSQL ran')
    t.equal(code, 0)
    t.strictSame(left, [], 'nothing is left running')
  })

  await t.test('npm start: a second start keeps the data', async t => {
    const started = npmStart(t, settings)
    const [, baseUrl = ''] = await started.says(/ web +(http:\/\/localhost:\d+)\n/)
    const [, customer = '', password = ''] = await started.says(/Sign in with customer "(.+)" and password "(.+)" as\n/)
    const person = await signIn(baseUrl, customer, 'admin', password)
    const { items } = await person.get<{ items: readonly unknown[] }>('/api/v1/work-orders?limit=50')
    t.equal(items.length, 22)
    t.notMatch(started.text(), /making the demo factory/)
    await started.says(/Ctrl-C stops/)
    const { left, code } = await ctrlC(started)
    t.equal(code, 0)
    t.strictSame(left, [])
  })

  for (const setting of ['WERKVLOER_HTTP_PORT', 'WERKVLOER_SFTP_PORT']) {
    await t.test(`npm start: the port of ${setting} is in use, which one line says`, async t => {
      const port = await taken(t)
      const started = npmStart(t, { ...settings, WERKVLOER_DEMO: 'off', WERKVLOER_LOG_LEVEL: 'error', [setting]: String(port) })
      t.equal((await started.ended).code, 78)
      t.strictSame(linesOf(started.text()), [
        `Port ${port} is in use by another program: end that one, or choose another port with ${setting}.`
      ])
      t.notOk(existsSync(join(data, 'postgres/postmaster.pid')), 'and the database that it had started is stopped')
    })
  }

  await t.test('npm start: Ctrl-C before it is ready ends it in order too', async t => {
    const started = npmStart(t, { WERKVLOER_DATA: join(place, 'broken-off') })
    await started.says(/making the demo factory/)
    const { left, code } = await ctrlC(started)
    t.equal(code, 0)
    t.strictSame(left, [], 'nothing is left running')
    t.notMatch(started.text(), /\n +at /, 'no stack is shown for what a person asked for')
  })
})

t.test('npm start: a data folder that cannot be written is told in one line', async t => {
  const place = folder(t)
  chmodSync(place, 0o500)
  const data = asRoot ? '/proc/werkvloer/data' : join(place, 'data')
  const started = npmStart(t, { WERKVLOER_DATA: data })
  t.equal((await started.ended).code, 78)
  t.match(linesOf(started.text()), [
    /^The data folder .* cannot be written \((EACCES|ENOENT|EPERM|EROFS)\); set WERKVLOER_DATA to a folder this user may write\.$/
  ])
  t.equal(linesOf(started.text()).length, 1)
})

t.test('npm start: each wrong setting is one line that names it', async t => {
  const started = npmStart(t, { WERKVLOER_DAT: '/nowhere', WERKVLOER_HTTP_PORT: '99999' })
  t.equal((await started.ended).code, 78)
  t.strictSame(linesOf(started.text()), [
    'WERKVLOER_DAT: there is no such setting; did you mean WERKVLOER_DATA?',
    'WERKVLOER_HTTP_PORT: "99999" does not fit; write a port number from 1 to 65535 (0 takes any free port).'
  ])
})

t.test('npm start: words behind it that are not known are one line, and --help explains them', async t => {
  const wrong = npmStart(t, {}, ['--only', 'wob'])
  const help = npmStart(t, {}, ['--help'])
  t.equal((await wrong.ended).code, 78)
  t.strictSame(linesOf(wrong.text()), ['serve --only: "wob" is no part; write web, sftp or worker.'])
  t.equal((await help.ended).code, 0)
  for (const words of [/npm start/, /--only web\|sftp\|worker/, /WERKVLOER_DATA/, /docs\/reference\/config\.md/])
    t.match(help.text(), words)
})
