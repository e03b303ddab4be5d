import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { settingDocs } from '../../config/settings.ts'
import { describeConfig, type Environment, loadConfig } from '../../core/config.ts'
import { exampleEnvironment } from '../../core/config-doc.ts'
import { StartRefusal } from '../../core/start-refusal.ts'
import { root } from '../helpers/sources.ts'

const key = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + 5) % 256)).toString('base64')
const external = { WERKVLOER_DATABASE_URL: 'postgresql://werkvloer:pw@localhost/werkvloer_control', WERKVLOER_ROOT_KEY: key }

function refusal(env: Environment): readonly string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof StartRefusal) return error.lines
    throw error
  }
  return []
}

t.test('settings: without any the server is the demo on loopback with its own database', async t => {
  const config = loadConfig({})
  t.match(config, {
    logLevel: 'info',
    demo: true,
    http: { host: '127.0.0.1', port: 8080, publicUrl: 'http://localhost:8080', secure: false, trustProxy: [] },
    metrics: undefined,
    sftp: { host: '127.0.0.1', port: 2222, maxConnections: 200, maxFileBytes: 209_715_200 },
    database: { url: undefined, poolPerTenant: 4, poolTotal: 60, poolIdleSeconds: 30 },
    rootKey: undefined,
    allowPrivateEgress: []
  })
  t.equal(config.dataDir, join(process.cwd(), 'data'))
})

t.test('settings: all problems are told at once, one line each, with what to write instead', async t => {
  const lines = refusal({
    WERKVLOER_HTTP_PORT: '70000',
    WERKVLOER_LOG_LEVEL: 'loud',
    WERKVLOER_POOL_TOTAL: '0x10',
    WERKVLOER_PUBLIC_URL: 'http://werkvloer.example.com',
    WERKVLOER_SFTP_PROT: '22'
  })
  t.equal(lines.length, 5)
  const told = lines.join('\n')
  t.match(told, /^WERKVLOER_HTTP_PORT: "70000" does not fit; write a port number/m)
  t.match(told, /^WERKVLOER_LOG_LEVEL: "loud" .*one of fatal, error/m)
  t.match(told, /^WERKVLOER_POOL_TOTAL: "0x10" .*a whole number from 1 to 5000/m)
  t.match(told, /^WERKVLOER_PUBLIC_URL: .* is http, which is only for loopback; write an origin/m)
  t.match(told, /^WERKVLOER_SFTP_PROT: there is no such setting; did you mean WERKVLOER_SFTP_PORT\?/m)
})

t.test('settings: an empty value counts as absent, other programs are left alone', async t => {
  t.same(refusal({ WERKVLOER_HTTP_PORT: '', PATH: '/bin', WERKVLOER_TEST_DATABASE_URL: 'x', WERKVLOERX: 'y' }), [])
})

t.test('settings: numbers that only look like numbers are refused', async t => {
  for (const value of ['1e3', ' 80', '80.5', '-1', 'true', '٨٠']) t.equal(refusal({ WERKVLOER_HTTP_PORT: value }).length, 1, value)
})

t.test('settings: the public address is an origin under https, or loopback', async t => {
  const host = { WERKVLOER_HTTP_HOST: '0.0.0.0' }
  t.match(refusal(host), [/^WERKVLOER_PUBLIC_URL: missing/])
  for (const bad of [
    'werkvloer.example.com',
    'https://a.example/path',
    'https://u:p@a.example',
    'ftp://a.example',
    'https://a.example/?x=1'
  ]) {
    t.match(refusal({ ...host, WERKVLOER_PUBLIC_URL: bad }), [/^WERKVLOER_PUBLIC_URL/], bad)
  }
  const config = loadConfig({ ...host, WERKVLOER_PUBLIC_URL: 'https://Werk.example.com:443/' })
  t.match(config.http, { publicUrl: 'https://werk.example.com', secure: true })
  t.equal(config.demo, false, 'nobody gets the demo and its passwords over the network')
})

t.test('settings: a database elsewhere is spoken to under verified TLS, or not by outright word', async t => {
  const at = (query: string) => ({ ...external, WERKVLOER_DATABASE_URL: `postgresql://werkvloer:hidden@db.example.com/c${query}` })
  t.match(refusal(at('')), [/sslmode is not said; add sslmode=verify-full/])
  t.match(refusal(at('?sslmode=prefer')), [/sslmode is prefer/])
  t.notMatch(refusal(at('')).join(), /hidden/, 'the password is not repeated')
  t.same(refusal(at('?sslmode=verify-full')), [])
  t.same(refusal(at('?sslmode=disable')), [])
  t.same(refusal({ ...external, WERKVLOER_DATABASE_URL: 'postgresql://u:p@localhost/c?host=/run/postgresql' }), [])
  t.match(refusal({ ...external, WERKVLOER_DATABASE_URL: 'mysql://u:p@localhost/c' }), [/is not a PostgreSQL address/])
})

t.test('settings: the root key is required with an own database, and random', async t => {
  t.match(refusal({ WERKVLOER_DATABASE_URL: external.WERKVLOER_DATABASE_URL }), [/^WERKVLOER_ROOT_KEY: missing/])
  const bad = {
    short: 'abc',
    zeros: Buffer.alloc(32).toString('base64'),
    typed: Buffer.from('this is my very secret root key!').toString('base64'),
    hex: 'ab'.repeat(32)
  }
  for (const [why, value] of Object.entries(bad)) {
    const lines = refusal({ ...external, WERKVLOER_ROOT_KEY: value })
    t.match(lines, [/^WERKVLOER_ROOT_KEY: its value is .*openssl rand -base64 32/], why)
    t.notMatch(lines.join(), value, 'the key is not repeated')
  }
  t.equal(loadConfig(external).rootKey?.length, 32)
  t.equal(loadConfig(external).demo, false, 'no demo beside real data')
})

t.test('settings: a secret may come from a file that not everybody can read', async t => {
  const folder = t.testdir({ key: `${key}\n`, empty: '\n' })
  const file = join(folder, 'key')
  const withFile = (path: string) => ({ WERKVLOER_DATABASE_URL: external.WERKVLOER_DATABASE_URL, WERKVLOER_ROOT_KEY_FILE: path })
  chmodSync(file, 0o644)
  t.match(refusal(withFile(file)).join('\n'), /^WERKVLOER_ROOT_KEY_FILE: every user of this machine can use .*chmod o-rwx/m)
  chmodSync(file, 0o640)
  t.equal(loadConfig(withFile(file)).rootKey?.toString('base64'), key)
  chmodSync(join(folder, 'empty'), 0o600)
  t.match(refusal(withFile(join(folder, 'empty'))).join('\n'), /is empty/)
  t.match(refusal(withFile(join(folder, 'absent'))).join('\n'), /cannot be read \(ENOENT\)/)
  t.match(refusal({ ...external, WERKVLOER_ROOT_KEY_FILE: file }), [/given twice/])
})

t.test('settings: proxies are exact addresses, private targets are host and port', async t => {
  t.same(loadConfig({ WERKVLOER_TRUST_PROXY: '10.0.0.5, ::1' }).http.trustProxy, ['10.0.0.5', '::1'])
  for (const bad of ['10.0.0.0/8', 'proxy.example.com', '*', 'true', '1'])
    t.match(refusal({ WERKVLOER_TRUST_PROXY: bad }), [/^WERKVLOER_TRUST_PROXY/], bad)
  t.same(loadConfig({ WERKVLOER_ALLOW_PRIVATE_EGRESS: 'ERP.internal:8443,[::1]:80' }).allowPrivateEgress, ['erp.internal:8443', '[::1]:80'])
  for (const bad of ['erp.internal', '*:80', 'erp:0', 'erp:99999', 'http://erp:80']) {
    t.match(refusal({ WERKVLOER_ALLOW_PRIVATE_EGRESS: bad }), [/^WERKVLOER_ALLOW_PRIVATE_EGRESS/], bad)
  }
})

t.test('settings: the demo with its published passwords stays on loopback', async t => {
  const outside = { WERKVLOER_HTTP_HOST: '0.0.0.0', WERKVLOER_PUBLIC_URL: 'https://werk.example.com' }
  t.match(refusal({ ...outside, WERKVLOER_DEMO: 'on' }), [/published passwords/])
  t.equal(loadConfig({ WERKVLOER_HTTP_HOST: '0.0.0.0', WERKVLOER_PUBLIC_URL: 'http://localhost:8080', WERKVLOER_DEMO: 'on' }).demo, true)
  t.equal(loadConfig({ WERKVLOER_HTTP_HOST: '0.0.0.0', WERKVLOER_PUBLIC_URL: 'http://localhost:8080' }).demo, false)
  t.equal(loadConfig({ WERKVLOER_DEMO: 'off' }).demo, false)
})

t.test('settings: fewer connections in all than for one tenant are refused', async t => {
  t.match(refusal({ WERKVLOER_POOL_PER_TENANT: '10', WERKVLOER_POOL_TOTAL: '5' }), [/^WERKVLOER_POOL_TOTAL: 5 is less than/])
})

t.test('settings: the reference and the example file tell all of them', async t => {
  const page = describeConfig()
  const docs = settingDocs()
  t.ok(docs.length >= 20)
  for (const { name } of docs) t.match(page, `| \`${name}\` |`)
  const file = join(root, 'config/example.env')
  if (process.env.WERKVLOER_TEST_WRITE === '1') writeFileSync(file, exampleEnvironment())
  t.equal(readFileSync(file, 'utf8'), exampleEnvironment(), 'config/example.env is as printed (WERKVLOER_TEST_WRITE=1 rewrites it)')
})

t.test('settings: what the example file shows is accepted', async t => {
  const shown = exampleEnvironment()
    .split('\n')
    .flatMap(line => {
      const match = /^#(WERKVLOER_\w+)=(.*)$/.exec(line)
      return match ? [[match[1] ?? '', match[2] ?? ''] as const] : []
    })
  t.ok(shown.length >= 20)
  // The scanner of the example need not be installed here.
  const here = { WERKVLOER_ROOT_KEY: key, WERKVLOER_SCAN_COMMAND: '/bin/sh -s' }
  t.same(refusal({ ...Object.fromEntries(shown), ...here }), [])
})

t.test('settings: a virus scanner is a program that can be started, named by its whole path', async t => {
  t.equal(loadConfig({}).scanCommand, undefined)
  t.strictSame(loadConfig({ WERKVLOER_SCAN_COMMAND: '/bin/sh  -c x' }).scanCommand, ['/bin/sh', '-c', 'x'])
  for (const bad of ['clamdscan -', './scan', '/bin/sh\n-c', '/ ü'])
    t.match(refusal({ WERKVLOER_SCAN_COMMAND: bad }), [/^WERKVLOER_SCAN_COMMAND: .* does not fit; write the absolute path/], bad)
  t.match(refusal({ WERKVLOER_SCAN_COMMAND: '/nowhere/scan -' }), [/cannot be started \(ENOENT\)/])
  t.match(refusal({ WERKVLOER_SCAN_COMMAND: '/etc/passwd' }), [/cannot be started \(EACCES\)/])
})
