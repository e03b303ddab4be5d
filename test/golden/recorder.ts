import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult
} from 'kysely'
import { fixedClock } from '../../core/clock.ts'
import { type Ctx, noScope, type TxCtx, wholeScope } from '../../core/context.ts'
import { tenantKeys } from '../../core/keys/tenant-keys.ts'
import { silentLog } from '../../core/log.ts'

/** What the statements of a case get back: rows per statement in order (none where not said), and how many rows a write met. */
export interface Answers {
  readonly rows?: readonly (readonly object[])[]
  readonly affected?: number
  /** Somebody whose groups select every job; else somebody of the floor with two departments. */
  readonly everything?: boolean
}

const tenantId = '01900000-0000-7000-8000-0000000000aa'
export const keys = tenantKeys(tenantId, new Map([[1, Buffer.alloc(32, 7)]]), 1)

/** The floor's person, as most cases have it. */
export const floor = { ...noScope, departments: ['TUR', 'MIL'], orderPatterns: ['SO-%'] }

/**
 * A context that is both: read and write. Its Kysely compiles as the product's does and hands every statement to `said` instead of a
 * database, so that what is recorded is the text that PostgreSQL would get.
 */
export function recorder(answers: Answers = {}): { readonly c: Ctx & TxCtx; readonly said: readonly string[] } {
  const said: string[] = []
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const rows = (answers.rows?.[said.length] ?? []) as R[]
      said.push(query.sql)
      return { rows, numAffectedRows: BigInt(answers.affected ?? 1) }
    },
    // biome-ignore lint/correctness/useYield: the interface asks for it; nothing streams
    async *streamQuery(): AsyncIterableIterator<QueryResult<never>> {
      throw new Error('nothing streams')
    }
  }
  const none = async (): Promise<never> => {
    throw new Error('a store opens no transaction')
  }
  const kysely = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: (): Driver => ({
        init: async () => {},
        acquireConnection: async () => connection,
        beginTransaction: none,
        commitTransaction: none,
        rollbackTransaction: none,
        releaseConnection: async () => {},
        destroy: async () => {}
      }),
      createIntrospector: db => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler()
    }
  })
  const c = {
    tenant: { id: tenantId, code: 'golden', zone: 'Europe/Amsterdam', keys },
    principal: { kind: 'user', id: '01900000-0000-7000-8000-0000000000bb' },
    grant: { permissions: new Set<string>(), scope: answers.everything ? wholeScope : floor },
    log: silentLog,
    clock: fixedClock('2027-03-01T08:00:00.000Z'),
    requestId: 'golden',
    db: { kysely, pool: none },
    tx: {
      kysely,
      client: none,
      due: new Set(),
      afterCommit: [],
      later: (query: CompiledQuery) => void connection.executeQuery(query),
      answered: async () => {}
    }
  } as unknown as Ctx & TxCtx
  return { c, said }
}
