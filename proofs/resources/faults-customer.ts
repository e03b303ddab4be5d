import pg from 'pg'
import { compare, isGood, type Turns, within } from './figures.ts'
import { checks, type Scene, type Survival } from './scene.ts'

/** A request of the customer concerned waits for a connection and for a lock, each at most five seconds. */
const boundMs = 10_500

/** A client outside the product, in one customer's database. */
async function outside(scene: Scene, database: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: scene.house.outsideUrl(database) })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

export interface Database {
  readonly database: string
  readonly appRole: string
}

export async function databaseOf(scene: Scene, code: string): Promise<Database> {
  const client = await outside(scene, 'werkvloer_control')
  const { rows } = await client.query<Database>('select database, app_role as "appRole" from control.tenant where code = $1', [code])
  await client.end()
  if (!rows[0]) throw new Error(`there is no customer ${code}`)
  return rows[0]
}

/** All tables of one customer are locked by somebody else. */
export async function customerLocked(scene: Scene, of: Database, turns: Turns): Promise<Survival> {
  const client = await outside(scene, of.database)
  const { rows } = await client.query<{ table: string }>(
    `select format('%I.%I', schemaname, tablename) as table from pg_tables where schemaname in ('authz', 'workorders', 'inventory', 'timekeeping')`
  )
  const survival = await aloneHit(scene, 'a locked database', turns, {
    async on() {
      await client.query('begin')
      await client.query(`lock table ${rows.map(({ table }) => table).join(', ')} in access exclusive mode`)
    },
    off: async () => void (await client.query('rollback'))
  })
  await client.end()
  return survival
}

/** The customer's role may have no connection more, and has none. */
export async function connectionsUsed(scene: Scene, of: Database, turns: Turns): Promise<Survival> {
  const client = await outside(scene, of.database)
  const role = pg.escapeIdentifier(of.appRole)
  const survival = await aloneHit(scene, 'no connection left', turns, {
    async on() {
      await client.query(`alter role ${role} connection limit 0`)
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [of.appRole])
    },
    off: async () => void (await client.query(`alter role ${role} connection limit 40`))
  })
  await client.end()
  return survival
}

async function aloneHit(
  scene: Scene,
  fault: string,
  turns: Turns,
  change: { on(): Promise<void>; off(): Promise<void> }
): Promise<Survival> {
  const { load, filing, say } = scene
  const [{ code }] = filing
  const { broken, holds } = checks()
  const from = performance.now()
  const compared = await compare(load, customer => customer !== code, { ...turns, ...change })
  const served = await servedAgain(scene, code)
  const mine = within(load, { from, to: performance.now() }, customer => customer === code)
  const refused = mine.filter(({ status }) => status === 503)
  const slowest = Math.round(Math.max(...mine.map(({ ms }) => ms)))
  const other = mine.filter(({ status }) => status !== 503 && status !== 429 && !isGood(status))
  holds(refused.length > 0, 'the customer concerned was never refused: the fault was not there')
  holds(
    refused.every(({ clear }) => clear),
    'a 503 without problem+json or Retry-After'
  )
  holds(
    other.length === 0,
    `${other.length} requests without a clear answer (${[...new Set(other.map(({ status }) => status))].join(', ')})`
  )
  holds(slowest <= boundMs + compared.usualMs, `an answer after ${slowest} ms`)
  holds(compared.failed === 0, `${compared.failed} requests of others failed`)
  holds(served, 'the customer concerned is not served again')
  say(`  ${fault}: the customer concerned ${refused.length} times refused, slowest answer ${slowest} ms; others ${compared.pairs}`)
  return { fault, broken, ratio: compared.ratio }
}

async function servedAgain({ load }: Scene, code: string): Promise<boolean> {
  const began = performance.now()
  while (performance.now() - began < 60_000) {
    await new Promise(resolve => setTimeout(resolve, 200))
    const last = load.samples.filter(({ customer, at }) => customer === code && at >= began).slice(-5)
    if (last.length === 5 && last.every(({ status }) => isGood(status))) return true
  }
  return false
}
