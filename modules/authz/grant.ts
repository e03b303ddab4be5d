import { timingSafeEqual } from 'node:crypto'
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { type Ctx, type Db, type Identity, refuse, type Scope, type TxCtx } from '../../core/index.ts'

/**
 * The group part of every question about jobs, as SQL: true for jobs that the caller's operational groups select. `all` is said
 * outright; no groups means no jobs. The column is named with its table. The one place where another module's query reads authz's rows.
 */
export function visible(c: Ctx | TxCtx, jobIdColumn: string): RawBuilder<SqlBool> {
  // Without its table the column would be the one of the scope row itself: everybody would see everything.
  if (!jobIdColumn.includes('.')) throw new Error(`visible needs a column with its table, not "${jobIdColumn}"`)
  const { scope } = c.grant
  // A name that no caller's query uses: the inner one would hide it, and every row would be its own scope.
  return sql<SqlBool>`(${scope.all}::boolean or exists (
    select 1 from authz.job_scope authz_scope where authz_scope.job_id = ${sql.ref(jobIdColumn)} and (
      authz_scope.department_code = any(${scope.departments}::text[]) or authz_scope.work_centre = any(${scope.workCentres}::text[])
      or authz_scope.order_number = any(${scope.orders}::text[]) or authz_scope.order_number like any(${scope.orderPatterns}::text[]))))`
}

export function require(c: Ctx | TxCtx, permission: string): void {
  if (!c.grant.permissions.has(permission))
    throw refuse('forbidden', `This needs the permission "${permission}", which none of your roles gives.`)
}

interface GrantRow {
  readonly session_id?: string
  readonly id: string
  readonly digest?: Buffer
  readonly addresses?: string[]
  readonly permissions: string[] | null
  readonly must_change?: boolean
  readonly all: boolean | null
  readonly departments: string[] | null
  readonly work_centres: string[] | null
  readonly orders: string[] | null
  readonly patterns: string[] | null
}

const scopeOf = (row: GrantRow): Scope => ({
  all: row.all ?? false,
  departments: row.departments ?? [],
  workCentres: row.work_centres ?? [],
  orders: row.orders ?? [],
  orderPatterns: row.patterns ?? []
})

const rules = sql`
  bool_or(kind = 'all') as "all",
  array_agg(value) filter (where kind = 'department') as departments,
  array_agg(value) filter (where kind = 'work_centre') as work_centres,
  array_agg(value) filter (where kind = 'order') as orders,
  array_agg(value) filter (where kind = 'order_pattern') as patterns`

interface Asked {
  readonly userId: string
  readonly sessionId: string
  readonly answer: (row: GrantRow | undefined) => void
  readonly fail: (error: unknown) => void
}
const asked = new WeakMap<Db, Asked[]>()

/** One query for the sessions of all requests that came in the same moment, sent after the last of them came. */
async function answerAll(db: Db, requests: readonly Asked[], at: Date): Promise<void> {
  try {
    const { rows } = await sql<GrantRow>`
      select s.id as session_id, u.id, u.must_change, p.permissions, g.*
      from authz.session s join authz."user" u on u.id = s.user_id
        left join lateral (select array_agg(distinct permission) as permissions
          from authz.user_role ur join authz.role r on r.id = ur.role_id, unnest(r.permissions) as permission where ur.user_id = u.id) p on true
        left join lateral (select ${rules}
          from authz.group_member m join authz.group_rule using (group_id) where m.user_id = u.id) g on true
      where s.id = any(${[...new Set(requests.map(({ sessionId }) => sessionId))]}::uuid[]) and u.active and s.ended_at is null
        and s.expires_at > ${at.toISOString()}::timestamptz`.execute(db.kysely)
    const bySession = new Map(rows.map(row => [row.session_id, row]))
    for (const { userId, sessionId, answer } of requests) {
      const row = bySession.get(sessionId)
      answer(row?.id === userId ? row : undefined)
    }
  } catch (error) {
    for (const { fail } of requests) fail(error)
  }
}

/** What the session gives now: read after the request came, together with those of others that came in the same moment. */
const grantOf = (db: Db, claims: { userId: string; sessionId: string }, at: Date): Promise<GrantRow | undefined> =>
  new Promise((answer, fail) => {
    const mine = { ...claims, answer, fail }
    const others = asked.get(db)
    if (others) return void others.push(mine)
    const requests = [mine]
    asked.set(db, requests)
    // When everything that has come from the network by now has been looked at.
    setImmediate(() => {
      asked.delete(db)
      void answerAll(db, requests, at)
    })
  })

/**
 * Session, roles and group rules in one query per request: nothing is cached, so nothing has to be invalidated. A role or group
 * that changes counts on the next request; an ended session or a disabled user is out at once.
 */
export const identity: Identity = {
  async ofSession(db, _tenant, claims, at) {
    const row = await grantOf(db, claims, at)
    return (
      row && {
        principal: { kind: 'user', id: row.id, sessionId: claims.sessionId },
        // Whose password somebody else chose may choose another one, and nothing else.
        grant: { permissions: new Set([...(row.must_change ? [] : (row.permissions ?? [])), 'session.own']), scope: scopeOf(row) }
      }
    )
  },
  async ofApiKey(db, _tenant, { lookup, digest, ip }, at) {
    const { rows } = await sql<GrantRow>`
      select k.id, k.digest, k.addresses, k.permissions, g.*
      from authz.api_key k left join lateral (select ${rules} from authz.group_rule where group_id = any(k.group_ids)) g on true
      where k.lookup = ${lookup} and k.revoked_at is null and k.expires_at > ${at.toISOString()}::timestamptz`.execute(db.kysely)
    const row = rows[0]
    if (!row?.digest || !timingSafeEqual(row.digest, Buffer.from(digest))) return undefined
    const from = ip.replace(/^::ffff:(?=\d+\.)/i, '')
    if (row.addresses && row.addresses.length > 0 && !row.addresses.includes(from)) return undefined
    return { principal: { kind: 'api_key', id: row.id }, grant: { permissions: new Set(row.permissions ?? []), scope: scopeOf(row) } }
  }
}
