import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import pg from 'pg'
import { sha256 } from '../ids.ts'

/** One file of a series: `NNNN_words.sql`, forward only, never edited once released. */
export interface Migration {
  readonly number: number
  readonly name: string
  readonly text: string
  readonly hash: string
  /** First line `-- no transaction`: statements such as CREATE INDEX CONCURRENTLY. */
  readonly alone: boolean
}

const pattern = /^(\d{4})_[a-z0-9_]+\.sql$/

/** Reads a series from its folder; the numbers must run from 1 without gap. */
export function readSeries(dir: string): readonly Migration[] {
  const files = readdirSync(dir)
    .filter(name => pattern.test(name))
    .sort()
  return files.map((name, index) => {
    const number = Number(pattern.exec(name)?.[1])
    if (number !== index + 1) throw new Error(`migrations in ${basename(dir)}: expected number ${index + 1}, found ${name}`)
    const text = readFileSync(join(dir, name), 'utf8')
    return { number, name, text, hash: sha256(text).toString('hex'), alone: text.startsWith('-- no transaction') }
  })
}

export interface MigrationReport {
  readonly applied: readonly { readonly name: string; readonly ms: number }[]
  readonly version: number
}

/**
 * Brings one database up to date: session lock, ledger `core.migration` (name, SHA-256, milliseconds), one transaction per file.
 * A ledger entry whose hash differs from the file, or a newer number than we know, stops it: then the code is not the database's.
 */
export async function migrate(client: pg.ClientBase, series: readonly Migration[]): Promise<MigrationReport> {
  await client.query('select pg_advisory_lock(7341001)')
  try {
    await client.query(`create schema if not exists core;
      create table if not exists core.migration (
        number integer primary key, name text not null, hash text not null, ms integer not null, created_at timestamptz not null default now())`)
    const { rows } = await client.query<{ number: number; name: string; hash: string }>(
      'select number, name, hash from core.migration order by number'
    )
    for (const row of rows) {
      const file = series[row.number - 1]
      if (!file)
        throw new Error(`the database has migration ${row.name}, which this version of the software does not know: run the newer version`)
      if (file.hash !== row.hash) throw new Error(`migration ${file.name} was changed after it ran: restore the released file`)
    }
    const applied: { name: string; ms: number }[] = []
    for (const file of series.slice(rows.length)) applied.push({ name: file.name, ms: await apply(client, file) })
    return { applied, version: series.length }
  } finally {
    // Where the connection is gone the lock is too, and what broke it is being thrown.
    await client.query('select pg_advisory_unlock(7341001)').catch(() => undefined)
  }
}

async function apply(client: pg.ClientBase, file: Migration): Promise<number> {
  const start = process.hrtime.bigint()
  const ms = (): number => Number((process.hrtime.bigint() - start) / 1_000_000n)
  const record = (): Promise<unknown> =>
    client.query('insert into core.migration (number, name, hash, ms) values ($1, $2, $3, $4)', [file.number, file.name, file.hash, ms()])
  try {
    if (file.alone) {
      await client.query(file.text)
      await record()
    } else {
      await client.query('begin')
      await client.query(file.text)
      await record()
      await client.query('commit')
    }
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw new Error(`migration ${file.name}`, { cause: error })
  }
  return ms()
}

/** Newest applied number, without running anything; 0 for an empty database. */
export async function schemaVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ there: boolean }>(`select to_regclass('core.migration') is not null as there`)
  if (!rows[0]?.there) return 0
  const version = await client.query<{ number: number | null }>('select max(number)::int as number from core.migration')
  return version.rows[0]?.number ?? 0
}

/** Runs grants.sql for one app role; `:"app"` and `:'app'` are replaced as psql would. */
export async function grantApp(client: pg.ClientBase, text: string, appRole: string): Promise<void> {
  await client.query(text.replaceAll(`:"app"`, pg.escapeIdentifier(appRole)).replaceAll(`:'app'`, pg.escapeLiteral(appRole)))
}
