import { randomBytes } from 'node:crypto'
import pg from 'pg'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** The superuser's URL of the server that the test runner started. */
export function serverUrl(): string {
  const url = process.env.TEST_PG_URL
  if (!url) throw new Error('TEST_PG_URL is missing; run tests with: node_modules/.bin/node test/run.ts <files>')
  return url
}

/** The provisioner's URL (role werkvloer) to the database werkvloer_control, shared by all test files of a run. */
export function provisionerUrl(): string {
  const url = process.env.TEST_CONTROL_URL
  if (!url) throw new Error('TEST_CONTROL_URL is missing; run tests with: node_modules/.bin/node test/run.ts <files>')
  return url
}

/** The same server and user, another database. */
export function urlFor(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.toString()
}

/** Runs one piece of work on a connection of its own. */
export async function withConnection<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

export interface FreshDatabase {
  readonly name: string
  /** Superuser's URL. */
  readonly url: string
}

/** An empty database, dropped when the test ends, however many connections are still open. */
export async function freshDatabase(t: Teardown, options: { owner?: string } = {}): Promise<FreshDatabase> {
  const name = `t_${randomBytes(8).toString('hex')}`
  const owner = options.owner ? ` owner ${pg.escapeIdentifier(options.owner)}` : ''
  await withConnection(serverUrl(), client => client.query(`create database ${name}${owner}`))
  t.teardown(async () => {
    await withConnection(serverUrl(), client => client.query(`drop database if exists ${name} with (force)`))
  })
  return { name, url: urlFor(serverUrl(), name) }
}
