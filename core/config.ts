import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import type { Static } from 'typebox'
import { SettingsShape, settingDocs } from '../config/settings.ts'
import { nearest } from './nearest.ts'
import { StartRefusal } from './start-refusal.ts'

export { describeConfig } from './config-doc.ts'

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** The settings as the code uses them; made once at the start, never changed. */
export interface Config {
  /** Absolute path. */
  readonly dataDir: string
  readonly logLevel: LogLevel
  /** Whether the demo factory may exist here; already decided from `auto`. */
  readonly demo: boolean
  readonly http: {
    readonly host: string
    /** 0 takes any free port. */
    readonly port: number
    /** Origin as people type it, without a slash at the end. */
    readonly publicUrl: string
    /** Served under https: HSTS and `__Host-` cookies. */
    readonly secure: boolean
    readonly bodyLimitBytes: number
    /** Per second, of this process. */
    readonly requestsPerCaller: number
    readonly requestsPerCustomer: number
    /** Exact IP addresses whose X-Forwarded-* headers are believed. */
    readonly trustProxy: readonly string[]
  }
  /** Private listener; undefined when off. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined
  readonly sftp: {
    readonly host: string
    readonly port: number
    readonly maxConnections: number
    readonly maxUnauthenticated: number
    readonly loginGraceSeconds: number
    readonly idleSeconds: number
    readonly maxFileBytes: number
  }
  readonly database: {
    /** Provisioner's URL to the control database; undefined means the embedded server. */
    readonly url: string | undefined
    readonly poolPerTenant: number
    readonly poolTotal: number
    readonly poolIdleSeconds: number
  }
  /** 32 bytes; undefined only with the embedded database, where one is kept in the data folder. */
  readonly rootKey: Buffer | undefined
  /** `host:port`, lower case. */
  readonly allowPrivateEgress: readonly string[]
  /** Program and arguments of the virus scanner; undefined without one. */
  readonly scanCommand: readonly string[] | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

type Settings = Static<typeof SettingsShape> & { WERKVLOER_LOG_LEVEL: LogLevel; WERKVLOER_DEMO: 'auto' | 'on' | 'off' }

const prefix = 'WERKVLOER_'
/** Names the test runner reads; the server ignores them, so that a test may start it with its own environment. */
const testPrefix = 'WERKVLOER_TEST_'

/**
 * Reads and checks all settings. Throws `StartRefusal` with one line per problem: variable, what is wrong, what to write instead.
 * An empty value counts as absent. Values of secrets are never repeated.
 */
export function loadConfig(env: Environment = process.env): Config {
  const problems: string[] = []
  const given = gather(env, problems)
  const settings = check(given, problems)
  const config = build(settings, problems)
  if (problems.length > 0) throw new StartRefusal(problems)
  return config
}

function gather(env: Environment, problems: string[]): Record<string, string> {
  const docs = settingDocs()
  const known = new Set(docs.map(doc => doc.name))
  const files = new Map(docs.filter(doc => doc.secret).map(doc => [`${doc.name}_FILE`, doc.name]))
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || name.startsWith(testPrefix) || value === undefined || value === '') continue
    if (known.has(name)) given[name] = value
    else if (!files.has(name)) {
      const near = nearest(name, [...known, ...files.keys()])
      problems.push(
        `${name}: there is no such setting; ${near ? `did you mean ${near}?` : 'see docs/reference/config.md for all of them.'}`
      )
    }
  }
  for (const [fileName, name] of files) {
    const path = env[fileName]
    if (path === undefined || path === '') continue
    if (given[name] !== undefined) {
      problems.push(`${name}: given twice, here and by ${fileName}; keep one of them.`)
      continue
    }
    const value = secretFromFile(fileName, path, problems)
    if (value !== undefined) given[name] = value
  }
  return given
}

/** Under /run/secrets only this container's processes can look, so the mode there is the orchestrator's business. */
const mounted = (path: string) => path.startsWith('/run/secrets/')

function secretFromFile(fileName: string, path: string, problems: string[]): string | undefined {
  try {
    const file = statSync(path)
    if ((file.mode & 0o007) !== 0 && !mounted(resolve(path))) {
      problems.push(`${fileName}: every user of this machine can use ${path}; write chmod o-rwx ${path}.`)
      return undefined
    }
    const value = readFileSync(path, 'utf8').trim()
    if (value !== '') return value
    problems.push(`${fileName}: ${path} is empty; put the secret into it.`)
  } catch (error) {
    problems.push(`${fileName}: ${path} cannot be read (${codeOf(error)}); write the path of a file this user may read.`)
  }
  return undefined
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

function check(given: Record<string, string>, problems: string[]): Settings {
  const ajv = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true, strict: true })
  ajv.addVocabulary(['remedy', 'secret', 'example', 'defaultText', 'group'])
  const validate = ajv.compile(SettingsShape)
  const first: Record<string, unknown> = { ...given }
  const bad = new Set(validate(first) ? [] : (validate.errors ?? []).map(error => error.instancePath.split('/')[1] ?? ''))
  // Coercion also takes 1e3, 0x10 and " 5 " for numbers; a person who writes these made a slip.
  for (const [name, value] of Object.entries(given)) {
    if (typeof first[name] === 'number' && !/^\d{1,15}$/.test(value)) bad.add(name)
  }
  for (const name of bad) problems.push(wrong(name, given[name]))
  // The rest is checked with the defaults in their place, so that one start shows all problems.
  const settings: Record<string, unknown> = Object.fromEntries(Object.entries(given).filter(([name]) => !bad.has(name)))
  validate(settings)
  return settings as unknown as Settings
}

/** One line for one wrong value. The value of a secret is left out. */
function wrong(name: string, value: string | undefined, why?: string): string {
  const doc = settingDocs().find(each => each.name === name)
  const shown = doc?.secret || value === undefined ? 'its value' : JSON.stringify(value.slice(0, 200))
  return `${name}: ${shown} ${why ?? 'does not fit'}; write ${doc?.remedy ?? 'something else'}.`
}

function build(settings: Settings, problems: string[]): Config {
  const url = databaseUrl(settings.WERKVLOER_DATABASE_URL, problems)
  const http = web(settings, problems)
  const rootKey = parseRootKey(settings.WERKVLOER_ROOT_KEY, problems)
  if (settings.WERKVLOER_DATABASE_URL !== undefined && settings.WERKVLOER_ROOT_KEY === undefined) {
    problems.push(
      'WERKVLOER_ROOT_KEY: missing, and required with WERKVLOER_DATABASE_URL; write 32 random bytes in base64: openssl rand -base64 32.'
    )
  }
  if (settings.WERKVLOER_POOL_TOTAL < settings.WERKVLOER_POOL_PER_TENANT) {
    problems.push(
      `WERKVLOER_POOL_TOTAL: ${settings.WERKVLOER_POOL_TOTAL} is less than WERKVLOER_POOL_PER_TENANT (${settings.WERKVLOER_POOL_PER_TENANT}); write at least as many.`
    )
  }
  const local = isLoopback(http.host) && isLoopback(new URL(http.publicUrl).hostname)
  if (settings.WERKVLOER_DEMO === 'on' && !isLoopback(new URL(http.publicUrl).hostname)) {
    problems.push('WERKVLOER_DEMO: the demo has published passwords and WERKVLOER_PUBLIC_URL is not loopback; write off, or auto.')
  }
  return {
    dataDir: resolve(settings.WERKVLOER_DATA),
    logLevel: settings.WERKVLOER_LOG_LEVEL,
    demo: settings.WERKVLOER_DEMO === 'on' || (settings.WERKVLOER_DEMO === 'auto' && url === undefined && local),
    http,
    metrics:
      settings.WERKVLOER_METRICS_PORT === undefined
        ? undefined
        : { host: settings.WERKVLOER_METRICS_HOST, port: settings.WERKVLOER_METRICS_PORT },
    sftp: {
      host: settings.WERKVLOER_SFTP_HOST,
      port: settings.WERKVLOER_SFTP_PORT,
      maxConnections: settings.WERKVLOER_SFTP_MAX_CONNECTIONS,
      maxUnauthenticated: settings.WERKVLOER_SFTP_MAX_UNAUTHENTICATED,
      loginGraceSeconds: settings.WERKVLOER_SFTP_LOGIN_GRACE_SECONDS,
      idleSeconds: settings.WERKVLOER_SFTP_IDLE_SECONDS,
      maxFileBytes: settings.WERKVLOER_MAX_FILE_BYTES
    },
    database: {
      url,
      poolPerTenant: settings.WERKVLOER_POOL_PER_TENANT,
      poolTotal: settings.WERKVLOER_POOL_TOTAL,
      poolIdleSeconds: settings.WERKVLOER_POOL_IDLE_SECONDS
    },
    rootKey,
    allowPrivateEgress: egress(settings.WERKVLOER_ALLOW_PRIVATE_EGRESS, problems),
    scanCommand: scanCommand(settings.WERKVLOER_SCAN_COMMAND, problems)
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

function web(settings: Settings, problems: string[]): Config['http'] {
  const given = settings.WERKVLOER_PUBLIC_URL
  const byDefault = `http://localhost:${settings.WERKVLOER_HTTP_PORT}`
  if (given === undefined && !isLoopback(settings.WERKVLOER_HTTP_HOST)) {
    problems.push(
      `WERKVLOER_PUBLIC_URL: missing, and required because WERKVLOER_HTTP_HOST (${settings.WERKVLOER_HTTP_HOST}) is not loopback; write the origin people use, for example https://werkvloer.example.com.`
    )
  }
  let url = parseUrl(given ?? byDefault)
  const why = given === undefined ? undefined : originProblem(url)
  if (why !== undefined) problems.push(wrong('WERKVLOER_PUBLIC_URL', given, why))
  url = why === undefined ? url : parseUrl(byDefault)
  const trustProxy = list(settings.WERKVLOER_TRUST_PROXY)
  for (const entry of trustProxy) {
    if (isIP(entry) === 0) problems.push(wrong('WERKVLOER_TRUST_PROXY', entry, 'is not one IP address'))
  }
  return {
    host: settings.WERKVLOER_HTTP_HOST,
    port: settings.WERKVLOER_HTTP_PORT,
    publicUrl: url?.origin ?? byDefault,
    secure: url?.protocol === 'https:',
    bodyLimitBytes: settings.WERKVLOER_BODY_LIMIT_BYTES,
    requestsPerCaller: settings.WERKVLOER_REQUESTS_PER_CALLER,
    requestsPerCustomer: settings.WERKVLOER_REQUESTS_PER_CUSTOMER,
    trustProxy
  }
}

const parseUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

function originProblem(url: URL | undefined): string | undefined {
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'is not a web address'
  if (url.username !== '' || url.password !== '') return 'carries a user name or password'
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return 'has a path, query or fragment'
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'is http, which is only for loopback'
  return undefined
}

function databaseUrl(given: string | undefined, problems: string[]): string | undefined {
  if (given === undefined) return undefined
  const name = 'WERKVLOER_DATABASE_URL'
  const url = parseUrl(given)
  if (!url || (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:')) {
    problems.push(wrong(name, given, 'is not a PostgreSQL address'))
    return given
  }
  if (url.username === '' || url.pathname.length < 2) problems.push(wrong(name, given, 'lacks the user or the database'))
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname)
  const here = host === '' || host.startsWith('/') || isLoopback(host)
  const mode = url.searchParams.get('sslmode')
  if (!here && mode !== 'verify-full' && mode !== 'disable') {
    problems.push(
      `${name}: the server is on another machine and sslmode is ${mode ?? 'not said'}; add sslmode=verify-full, or say sslmode=disable outright.`
    )
  }
  return given
}

/** Refuses keys that a person typed or a template left behind: real ones have about thirty different bytes and no meaning. */
function parseRootKey(given: string | undefined, problems: string[]): Buffer | undefined {
  if (given === undefined) return undefined
  const key = /^[A-Za-z0-9+/]{43}=$/.test(given) ? Buffer.from(given, 'base64') : undefined
  if (key === undefined) {
    problems.push(wrong('WERKVLOER_ROOT_KEY', given, 'is not 32 bytes in base64'))
    return undefined
  }
  const typed = key.every(byte => byte >= 0x20 && byte < 0x7f)
  if (typed || new Set(key).size < 16) problems.push(wrong('WERKVLOER_ROOT_KEY', given, 'is guessable, not random'))
  return key
}

const list = (value: string): string[] =>
  value === 'none'
    ? []
    : value
        .split(',')
        .map(entry => entry.trim())
        .filter(entry => entry !== '')

function egress(value: string, problems: string[]): string[] {
  const entries = list(value).map(entry => entry.toLowerCase())
  for (const entry of entries) {
    const port = Number(/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):(\d{1,5})$/.exec(entry)?.[1] ?? 0)
    if (port < 1 || port > 65535) problems.push(wrong('WERKVLOER_ALLOW_PRIVATE_EGRESS', entry, 'is not host:port'))
  }
  return entries
}

function scanCommand(given: string | undefined, problems: string[]): string[] | undefined {
  if (given === undefined) return undefined
  const parts = given.split(' ').filter(part => part !== '')
  const [program = ''] = parts
  try {
    accessSync(program, constants.X_OK)
  } catch (error) {
    problems.push(wrong('WERKVLOER_SCAN_COMMAND', given, `names a program that cannot be started (${codeOf(error)})`))
  }
  return parts
}

/** What a program we start may know of our environment: where programs and folders are, no setting and no secret. */
export function plainEnvironment(env: Environment = process.env): Record<string, string> {
  return Object.fromEntries(['PATH', 'HOME', 'TMPDIR'].flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]])))
}
