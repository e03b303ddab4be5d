import { sql } from 'kysely'
import type { TxCtx } from '../../core/index.ts'
import type { Past } from './brake-rules.ts'
import { own } from './tables.ts'

interface Pair {
  readonly account: Buffer
  readonly address: Buffer
}

/** One guess at an account at a time, until the end of the transaction. */
export async function lockAccount(tx: TxCtx, account: Buffer): Promise<void> {
  await sql`select pg_advisory_xact_lock(${account.readBigInt64BE(0).toString()}::bigint)`.execute(own(tx))
}

const ago = (tx: TxCtx, seconds: number): string => new Date(tx.clock.now().getTime() - seconds * 1000).toISOString()

/** What the brake looks at: wrong guesses of the account and of the address, and when the account last came in from there. */
export async function guessesOf(tx: TxCtx, { account, address }: Pair, seconds: number): Promise<Past> {
  const { rows } = await sql<{ at: string; account: boolean; address: boolean; known: boolean }>`
    select f.at, f.account_blind = ${account} as account, f.address_blind = ${address} as address,
      exists (select 1 from authz.sign_in_attempt o where o.outcome = 'ok' and o.account_blind = f.account_blind
        and o.address_blind = f.address_blind and o.at <= f.at) as known
    from authz.sign_in_attempt f
    where f.outcome = 'failed' and f.at > ${ago(tx, seconds)}::timestamptz and (f.account_blind = ${account} or f.address_blind = ${address})
    order by f.at desc, f.seq desc limit 500`.execute(own(tx))
  const last = await own(tx)
    .selectFrom('authz.sign_in_attempt')
    .select('at')
    .where('account_blind', '=', account)
    .where('address_blind', '=', address)
    .where('outcome', '=', 'ok')
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { guesses: rows.map(row => ({ ...row, at: Date.parse(row.at) })), lastIn: last ? Date.parse(last.at) : null }
}

export async function insertAttempt(tx: TxCtx, { account, address }: Pair, outcome: 'failed' | 'slowed'): Promise<string> {
  const row = await own(tx)
    .insertInto('authz.sign_in_attempt')
    .values({ account_blind: account, address_blind: address, at: tx.clock.iso(), outcome })
    .returning('seq')
    .executeTakeFirstOrThrow()
  return row.seq
}

/** The guess was right: it counts no more, and makes the address known. */
export async function settleAttempt(tx: TxCtx, seq: string): Promise<void> {
  await own(tx).updateTable('authz.sign_in_attempt').set({ outcome: 'ok' }).where('seq', '=', seq).execute()
}

export async function slowedBefore(tx: TxCtx, { account, address }: Pair, seconds: number): Promise<boolean> {
  const row = await own(tx)
    .selectFrom('authz.sign_in_attempt')
    .select('seq')
    .where('account_blind', '=', account)
    .where('address_blind', '=', address)
    .where('outcome', '=', 'slowed')
    .where('at', '>', ago(tx, seconds))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Wrong guesses are of no use after an hour and go after a day; known addresses after 30 days. */
export async function forgetAttempts(tx: TxCtx): Promise<void> {
  const day = 86_400
  await own(tx).deleteFrom('authz.sign_in_attempt').where('outcome', '<>', 'ok').where('at', '<', ago(tx, day)).execute()
  await own(tx)
    .deleteFrom('authz.sign_in_attempt')
    .where('at', '<', ago(tx, 30 * day))
    .execute()
}
