import { createHash } from 'node:crypto'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type RawBuilder,
  sql
} from 'kysely'
import type { Pool, PoolClient } from 'pg'
import type { BareCtx, BareTxCtx } from '../context.ts'
import { notReached, translate } from './sqlstate.ts'

/** A pool of one database, opaque to modules: a module reads through its `view`. */
export interface Db {
  readonly pool: Pool
  readonly kysely: Kysely<unknown>
}

/** An open transaction on one client, opaque to modules: a module reads and writes through its `view`. */
export interface Tx {
  readonly client: PoolClient
  readonly kysely: Kysely<unknown>
  /** Kinds of tenant work that this transaction makes due; marked in control before the commit, announced after it. */
  readonly due: Set<DueKind>
  /** Run after the commit, never after a rollback; must not throw. */
  readonly afterCommit: (() => void)[]
  /** Sends a statement whose answer nobody needs before the commit. It runs before all that is sent after it; its failure is the transaction's. */
  later(query: CompiledQuery): void
  /** Waits for the answers to what was sent so. @throws the first failure */
  answered(): Promise<void>
}

export type DueKind = 'import' | 'export' | 'seal'

/** What withTx needs from the house around one tenant's database. */
export interface DueBoard {
  mark(tenantId: string, kinds: ReadonlySet<DueKind>): Promise<void>
  announce(tenantId: string, kinds: ReadonlySet<DueKind>): void
  /** Told after each commit that wrote something: in which schemas. A hint for screens; losing one loses nothing. */
  changed(tenantId: string, schemas: ReadonlySet<string>): void
}

const boards = new WeakMap<Db, { readonly tenantId: string; readonly board: DueBoard }>()
/** Work that transactions of this database make due is marked there. Control's own database has none. */
export const attachDueBoard = (db: Db, tenantId: string, board: DueBoard): void => {
  boards.set(db, { tenantId, board })
}

/**
 * The Kysely of one module: `export const own = view<WorkordersTables>()`, then `own(ctx).selectFrom('workorders.job')`.
 * Naming a neighbour's table does not compile. Inside withTx it works on the transaction's client, outside on the pool.
 */
export const view =
  <T>() =>
  (c: BareCtx | BareTxCtx): Kysely<T> =>
    ('tx' in c ? c.tx.kysely : c.db.kysely) as unknown as Kysely<T>

/** `= any($1)` with an empty list gives no rows, where `in ()` is a syntax error. */
export const any = <T>(values: readonly T[]): RawBuilder<T> => sql<T>`any(${values})`

/** 0A000 from a changed plan and 26000 from a lost statement: the connection is unusable for that text, the work is not. */
export const isStalePlan = (error: unknown): boolean => {
  const e = error as { code?: string; routine?: string }
  return e?.code === '26000' || (e?.code === '0A000' && e.routine === 'RevalidateCachedQuery')
}

const isRepeatable = (error: unknown): boolean => {
  const code = (error as { code?: string })?.code
  return isStalePlan(error) || code === '40001' || code === '40P01'
}

/** A context of the same kind with the open transaction in place of the pool: `TxCtx` of a `Ctx`. */
export type InTx<C extends BareCtx> = Omit<C, 'db'> & { readonly tx: Tx }

/**
 * The only way to open a transaction. `fn` must be repeatable: a stale plan, a deadlock or a serialisation failure runs it once
 * more on a fresh connection. No network, file or adapter call belongs inside it. Database refusals come out as `Refusal`.
 */
export async function withTx<C extends BareCtx, R>(ctx: C, fn: (tx: InTx<C>) => Promise<R>): Promise<R> {
  try {
    return await once(ctx, fn)
  } catch (error) {
    if (!isRepeatable(error)) throw translate(error)
  }
  try {
    return await once(ctx, fn)
  } catch (error) {
    throw translate(error)
  }
}

async function once<C extends BareCtx, R>(ctx: C, fn: (tx: InTx<C>) => Promise<R>): Promise<R> {
  const client = await ctx.db.pool.connect().catch((error: unknown) => {
    throw notReached(error)
  })
  const tx = openTx(client)
  const { db, ...rest } = ctx
  const due = boards.get(db)
  const changed = new Set<string>()
  writes.set(client, changed)
  let broken: Error | undefined
  try {
    // Waited for, unlike what `later` sends: behind a begin that failed each statement would count by itself.
    await client.query('begin')
    const result = await fn({ ...rest, tx })
    if (tx.due.size > 0 && due) await due.board.mark(due.tenantId, tx.due)
    const committed = await client.query('commit')
    await tx.answered()
    // A commit of an aborted transaction answers ROLLBACK instead of an error.
    if (committed.command === 'ROLLBACK') throw new Error('the transaction was aborted by an error that was swallowed inside it')
    if (tx.due.size > 0 && due) due.board.announce(due.tenantId, tx.due)
    if (changed.size > 0 && due) due.board.changed(due.tenantId, changed)
    for (const after of tx.afterCommit) after()
    return result
  } catch (error) {
    await client.query('rollback').catch((e: Error) => {
      broken = e
    })
    throw await causeOf(tx, error)
  } finally {
    writes.delete(client)
    client.release(broken)
  }
}

function openTx(client: PoolClient): Tx {
  const connection = connectionOf(client)
  let sent: Promise<unknown>[] = []
  return {
    client,
    kysely: kyselyOn(client),
    due: new Set(),
    afterCommit: [],
    later(query) {
      const answer = connection.executeQuery({ ...query, parameters: query.parameters.map(written) })
      // Said by `answered`.
      answer.catch(() => {})
      sent.push(answer)
    },
    async answered() {
      const open = sent
      sent = []
      for (const answer of open) await answer
    }
  }
}

/**
 * A value as the client would write it. One that cannot be written must be refused here: the client would leave out the whole statement,
 * and the commit behind it would be sent all the same.
 */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written)
  const asIs = typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)
  return asIs ? value : JSON.stringify(value)
}

/** Behind a statement that failed and was not waited for, others are refused with 25P02: what it was is in its own answer. */
export async function causeOf(tx: Pick<Tx, 'answered'>, error: unknown): Promise<unknown> {
  const first = await tx.answered().catch((failure: unknown) => failure)
  return first !== undefined && (error as { code?: string })?.code === '25P02' ? first : error
}

/** Schemas that the transaction open on a client has written to. */
const writes = new WeakMap<PoolClient, Set<string>>()
const writtenBy = new Map<string, readonly string[]>()

/** The journal and the request keys change with everything and are shown nowhere by themselves. */
const unseen: ReadonlySet<string> = new Set(['journal', 'core'])

/** In which schemas a statement writes, also in its CTEs; worked out once for each text. */
export function writtenSchemas(text: string): readonly string[] {
  const known = writtenBy.get(text)
  if (known) return known
  const found = [...text.matchAll(/\b(?:insert\s+into|update|delete\s+from|merge\s+into)\s+"?(\w+)"?\./gi)].map(match => match[1] ?? '')
  const schemas = [...new Set(found)].filter(schema => !unseen.has(schema))
  if (writtenBy.size < mostNames) writtenBy.set(text, schemas)
  return schemas
}

// ---- Kysely on one client ------------------------------------------------------------------------------------------------

const perClient = new WeakMap<PoolClient, Kysely<unknown>>()

function kyselyOn(client: PoolClient): Kysely<unknown> {
  const known = perClient.get(client)
  if (known) return known
  const connection = connectionOf(client)
  const made = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: (): Driver => ({
        init: async () => {},
        acquireConnection: async () => connection,
        beginTransaction: noNesting,
        commitTransaction: noNesting,
        rollbackTransaction: noNesting,
        releaseConnection: async () => {},
        destroy: async () => {}
      }),
      createIntrospector: db => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler()
    }
  })
  perClient.set(client, made)
  return made
}

const noNesting = async (): Promise<never> => {
  throw new Error('transactions are opened by withTx only')
}

function connectionOf(client: PoolClient): DatabaseConnection {
  return {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const result = await client.query(named(query.sql, query.parameters))
      if (result.rowCount !== 0) for (const schema of writtenSchemas(query.sql)) writes.get(client)?.add(schema)
      return result.command === 'SELECT'
        ? { rows: result.rows as R[] }
        : { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) }
    },
    // biome-ignore lint/correctness/useYield: the interface asks for it; rows are never streamed through Kysely here
    async *streamQuery(): AsyncIterableIterator<QueryResult<never>> {
      throw new Error('streaming through Kysely is not used; use a keyset or COPY')
    }
  }
}

const names = new Map<string, string>()
const mostNames = 2000

/**
 * Names every parameterised statement, so that PostgreSQL parses and plans it once per connection instead of each time
 * (measured: 2.4 times less server CPU). The number of names is bounded; what comes after stays unnamed.
 */
export function named(text: string, values: readonly unknown[]): { text: string; values: unknown[]; name?: string } {
  if (values.length === 0) return { text, values: [] }
  let name = names.get(text)
  if (name === undefined) {
    if (names.size >= mostNames) return { text, values: [...values] }
    name = `s${createHash('sha256').update(text).digest('base64url').slice(0, 20)}`
    names.set(text, name)
  }
  return { text, values: [...values], name }
}
