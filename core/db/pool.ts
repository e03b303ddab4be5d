import type { Socket } from 'node:net'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Log } from '../log.ts'
import { cut, type Pulse } from './pulse.ts'
import { notReached } from './sqlstate.ts'
import { type Db, isStalePlan, named } from './tx.ts'

// int8, date, time, timestamp, timestamptz, interval, numeric come as text: no float, no local zone, no lost microseconds.
const asText = new Set([20, 1082, 1083, 1114, 1186, 1700])
const iso = (value: string): string => value.replace(' ', 'T').replace(/\+00(:00)?$/, 'Z')
const textArray = pg.types.getTypeParser(1009 as never, 'text') as (value: string) => string[]
const types = {
  getTypeParser: (oid: number, format?: string) =>
    oid === 1184
      ? iso
      : oid === 1185
        ? (value: string) => textArray(value).map(iso)
        : [1182, 1231].includes(oid)
          ? textArray
          : asText.has(oid)
            ? (value: string) => value
            : pg.types.getTypeParser(oid as never, format as never)
} as pg.CustomTypesConfig

export interface PoolOptions {
  readonly connectionString: string
  readonly max: number
  readonly idleSeconds: number
  readonly name: string
  readonly log: Log
  /** Asked before a further connection is opened; throws where there may be none. */
  readonly room?: () => void
  /** Where the server falls silent, whoever waits for it is told so. */
  readonly pulse?: Pulse | undefined
}

/** A pool that can be emptied while others hold it: `db.pool` is always the living one. */
export interface OwnedDb extends Db {
  /** Open connections, and who waits for one. */
  readonly connections: number
  readonly waiting: number
  /** Closes all connections if none is in use; the next use opens new ones. @returns whether it did */
  recycle(): boolean
  end(): Promise<void>
}

/**
 * A pool whose statements are named (see `named`) and whose values of exact types are text. A connection on which a plan went stale
 * after a migration is dropped at release, since the error would stick to it for ever. With its last connection the pool itself is let
 * go, so that a customer who is away costs next to nothing.
 */
export function openPool(options: PoolOptions): OwnedDb {
  // In use or not: nobody knows which of them are still good after a silence, and new ones cost little.
  const connected = new Set<pg.PoolClient>()
  const off = options.pulse?.onSilent(() => {
    for (const client of connected) cut(client)
  })
  let pool: pg.Pool | undefined
  let kysely: Kysely<unknown> | undefined
  let ended = false
  const living = (): pg.Pool => {
    if (pool) return pool
    const made = makePool(options, connected)
    made.on('remove', () => {
      if (ended || pool !== made || made.totalCount > 0 || made.waitingCount > 0) return
      pool = undefined
      kysely = undefined
    })
    pool = made
    return made
  }
  return {
    get pool() {
      return living()
    },
    get kysely() {
      kysely ??= new Kysely<unknown>({
        dialect: new PostgresDialect({ pool: { connect: () => living().connect(), end: async () => {} } as unknown as pg.Pool })
      })
      return kysely
    },
    get connections() {
      return pool?.totalCount ?? 0
    },
    get waiting() {
      return pool?.waitingCount ?? 0
    },
    recycle() {
      if (!pool || pool.totalCount === 0 || pool.idleCount < pool.totalCount || pool.waitingCount > 0) return false
      const old = pool
      pool = undefined
      old.end().catch((error: Error) => options.log.warn({ err: error }, 'closing idle database connections'))
      return true
    },
    end() {
      off?.()
      ended = true
      return living().end()
    }
  }
}

function makePool(options: PoolOptions, connected: Set<pg.PoolClient>): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    types,
    max: options.max,
    idleTimeoutMillis: options.idleSeconds * 1000,
    connectionTimeoutMillis: 5_000,
    application_name: options.name,
    options: '-c timezone=UTC -c datestyle=ISO',
    allowExitOnIdle: false,
    // Statements of one connection follow each other without waiting for answers in between; they are still run one after another.
    pipeline: true
  } as pg.PoolConfig)
  // Connections that are being closed may see the server go first: nobody needs to hear of it.
  const lost = (error: Error, message: string) =>
    void (pool.ended || pool.ending || options.log.warn({ err: error, pool: options.name }, message))
  pool.on('error', error => lost(error, 'idle database connection lost'))
  pool.on('remove', client => void connected.delete(client))
  pool.on('connect', client => {
    connected.add(client)
    // A connection that breaks while checked out reports through its query; without a listener Node would stop the process.
    client.on('error', error => lost(error, 'database connection lost'))
  })
  nameStatements(pool, options)
  return pool
}

const wrapped = new WeakSet<pg.PoolClient>()
const stale = new WeakSet<pg.PoolClient>()

/** A connection, unless the server falls silent before there is one; one that comes all the same goes back. */
function unlessSilent(connecting: Promise<pg.PoolClient>, pulse: Pulse): Promise<pg.PoolClient> {
  return new Promise((resolve, reject) => {
    let refused = false
    const off = pulse.onSilent(() => {
      refused = true
      reject(silence())
    })
    connecting.then(
      client => {
        off()
        if (refused) client.release()
        else resolve(client)
      },
      error => {
        off()
        reject(error)
      }
    )
  })
}

const silence = () => notReached(new Error('the database server does not answer'))

function nameStatements(pool: pg.Pool, { max, room, pulse }: PoolOptions): void {
  const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>
  const prepared = async (): Promise<pg.PoolClient> => {
    if (pulse?.silent) throw silence()
    if (pool.idleCount === 0 && pool.totalCount < max) room?.()
    const client = await (pulse ? unlessSilent(connect(), pulse) : connect())
    wrap(client)
    const release = client.release.bind(client)
    client.release = (error?: Error | boolean) => release(error || stale.has(client))
    return client
  }
  pool.connect = ((callback?: (error: Error | undefined, client?: pg.PoolClient, done?: (release?: unknown) => void) => void) => {
    if (!callback) return prepared()
    prepared().then(
      client => callback(undefined, client, client.release as never),
      error => callback(error as Error)
    )
    return undefined
  }) as typeof pool.connect
}

function wrap(client: pg.PoolClient): void {
  if (wrapped.has(client)) return
  wrapped.add(client)
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
  const together = writtenTogether((client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream)
  client.query = ((...args: unknown[]) => {
    const [first, second, third] = args
    together()
    // Only promise calls of text with values are ours (Kysely on the pool); streams, configs and callbacks pass through.
    const ours = typeof first === 'string' && Array.isArray(second) && second.length > 0 && third === undefined
    const result = ours ? query(named(first, second)) : query(...args)
    if (result instanceof Promise) {
      return result.catch((error: unknown) => {
        if (isStalePlan(error)) stale.add(client)
        throw error
      })
    }
    return result
  }) as typeof client.query
}

/** What is asked in one go leaves in one write: each costs the system more than all that it carries. */
function writtenTogether(stream: Socket): () => void {
  let held = false
  return () => {
    if (held) return
    held = true
    stream.cork()
    process.nextTick(() => {
      held = false
      stream.uncork()
    })
  }
}
