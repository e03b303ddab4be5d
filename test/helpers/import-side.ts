import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import {
  type Adapter,
  type AdapterCtx,
  AdapterError,
  defineAdapter,
  type ImportItem,
  type ImportKind,
  type Json
} from '../../adapters/contract/index.ts'
import { type Clock, fixedClock } from '../../core/clock.ts'
import type { Ctx, TxCtx } from '../../core/context.ts'
import { directoryOf } from '../../core/db/control.ts'
import { view, withTx } from '../../core/db/tx.ts'
import { Refusal } from '../../core/errors.ts'
import { recordDelivery, writeRaw } from '../../core/exchange/bodies.ts'
import { type ConnectionDesk, connectionDesk } from '../../core/exchange/connections.ts'
import { type ImportDeps, importDelivery, importDue } from '../../core/exchange/import.ts'
import type { Batch, ReceiveOutcome, Receivers } from '../../core/exchange/receivers.ts'
import { adapterRegistry } from '../../core/exchange/registry.ts'
import { journal } from '../../core/journal/append.ts'
import { localBlobs } from '../../core/storage/blobs.ts'
import { withLeases } from '../../core/tasks/leases.ts'
import { serverUrl, urlFor, withConnection } from './database.ts'
import { type Ground, ground } from './tenant.ts'

interface Teardown {
  teardown(fn: () => Promise<void> | void): void
}

/** One line of a test file: an instruction to the test adapter. */
export type Line =
  | { kind: ImportKind; row: Record<string, unknown>; rev?: number }
  | { record: ImportKind; key: string; value: Record<string, unknown>; rev?: number }
  | { delete: ImportKind; key: string; rev?: number }
  | { snapshot: ImportKind; phase: 'begin' | 'end'; scope?: string }
  | { ack: string; ok: boolean }
  | { reject: ImportKind; code: string; message: string; key?: string }
  | { fail: 'config' | 'auth' | 'transient' | 'payload' | 'remote' | 'bug' | 'crash' }

async function* read(lines: AsyncIterable<string>, ctx: AdapterCtx): AsyncIterable<ImportItem> {
  let number = 0
  for await (const text of lines) {
    number++
    if (text.trim() === '') continue
    let line: Line
    try {
      line = JSON.parse(text) as Line
    } catch {
      throw new AdapterError('payload', `Line ${number} is no JSON: the file is cut off or of another kind.`)
    }
    yield* itemsOf(line, number, ctx)
  }
}

function* itemsOf(line: Line, number: number, ctx: AdapterCtx): Iterable<ImportItem> {
  const at = { line: number }
  if ('row' in line) {
    const made = ctx.map.row(line.kind, line.row, at)
    yield (line.rev === undefined || made.type === 'reject' ? made : { ...made, revision: { seq: line.rev } }) as ImportItem
  } else if ('record' in line) {
    yield {
      type: 'record',
      kind: line.record,
      key: line.key,
      record: line.value,
      at,
      ...(line.rev === undefined ? {} : { revision: { seq: line.rev } })
    } as unknown as ImportItem
  } else if ('delete' in line) {
    yield { type: 'delete', kind: line.delete, key: line.key, at, ...(line.rev === undefined ? {} : { revision: { seq: line.rev } }) }
  } else if ('snapshot' in line) {
    yield { type: 'snapshot', kind: line.snapshot, phase: line.phase, ...(line.scope === undefined ? {} : { scope: line.scope }) }
  } else if ('ack' in line) {
    yield {
      type: 'ack',
      exportKey: line.ack,
      at,
      outcome: line.ok ? { status: 'accepted', ref: { document: 'D1' } } : { status: 'rejected', reject: { code: 'no', message: 'No.' } }
    }
  } else if ('reject' in line) {
    yield {
      type: 'reject',
      kind: line.reject,
      at,
      reject: { code: line.code, message: line.message },
      ...(line.key === undefined ? {} : { key: line.key })
    }
  } else if (line.fail === 'crash') throw new TypeError('the adapter has a bug')
  else throw new AdapterError(line.fail, `The far side says ${line.fail}.`)
}

/** What the far side of a pull answers, page by page; the checkpoint is the number of pages taken. */
export interface FarSide {
  pages: Line[][]
  /** Thrown instead of the page of this number. */
  failAt?: { page: number; error: Error }
  empty?: boolean
  /** What the adapter was asked to go on from. */
  asked: Json[]
}

export function linesAdapter(far: FarSide): Adapter {
  const both = (kind: ImportKind) => ({ via: ['file'], mode: ['delta', 'snapshot'], files: { pattern: `${kind}*.jsonl` } }) as const
  return defineAdapter({
    manifest: {
      api: 1,
      id: 'test.lines',
      version: '1.0.0',
      displayName: 'Lines of JSON',
      vendor: { name: 'Test', support: 'support@example.test' },
      erp: { product: 'Test', versions: '*' },
      configVersion: 1,
      egress: [],
      codeTables: ['units', 'departments'],
      config: {
        type: 'object',
        additionalProperties: false,
        required: ['delimiter'],
        properties: {
          delimiter: { type: 'string', title: 'Separator', enum: [';', ','], default: ';' },
          password: { type: 'string', title: 'Password', secret: true, minLength: 8 },
          wait: { type: 'integer', title: 'Wait', minimum: 1, maximum: 10 }
        }
      },
      imports: {
        location: both('location'),
        article: both('article'),
        employee: both('employee'),
        workOrder: { ...both('workOrder'), via: ['file', 'http'], routes: ['orders'] },
        pickList: both('pickList'),
        stock: {
          via: ['pull', 'file'],
          mode: ['delta', 'snapshot'],
          files: { pattern: 'stock*.jsonl' },
          schedule: { defaultSeconds: 60, minSeconds: 30 }
        }
      },
      exports: {},
      mapping: { imports: { article: { number: 'Article', description: 'Text', unit: { from: 'Unit', code: 'units' } } } }
    },
    async *check(ctx) {
      yield { step: 'separator', ok: true, detail: ctx.config.delimiter }
    },
    import: {
      file: (file, ctx) => read(file.lines(), ctx as unknown as AdapterCtx),
      async *http(request, ctx) {
        for (const [i, line] of ((await request.json()) as Line[]).entries()) yield* itemsOf(line, i + 1, ctx as unknown as AdapterCtx)
      },
      async *pull(request, ctx) {
        far.asked.push(request.checkpoint)
        const from = (request.checkpoint as { page: number } | null)?.page ?? 0
        for (let page = from; page < far.pages.length; page++) {
          if (far.failAt?.page === page) throw far.failAt.error
          for (const line of far.pages[page] ?? []) yield* itemsOf(line, 1, ctx as unknown as AdapterCtx)
          yield { type: 'checkpoint', state: far.empty ? {} : { page: page + 1 } }
        }
      }
    }
  })
}

const own = view<Record<string, never>>()

/**
 * The module side of these tests: one table of what was handed over. Texts of a record are orders to it: BOOM throws, NUL asks the
 * database for the impossible, REFUSE is rejected, UNKNOWN misses a code table, HOLD is held, DENY is a refusal.
 */
function receivers(watch: { calls: number; onCall?: (calls: number) => void }): Receivers {
  const kinds: readonly ImportKind[] = ['location', 'article', 'employee', 'workOrder', 'pickList', 'stock']
  const receive =
    (kind: ImportKind) =>
    async (tx: TxCtx, batch: Batch<ImportKind>): Promise<readonly ReceiveOutcome[]> => {
      watch.calls++
      watch.onCall?.(watch.calls)
      const outcomes: ReceiveOutcome[] = []
      const good: { key: string; record: unknown }[] = []
      for (const { key, record } of batch.records) {
        const text = JSON.stringify(record)
        if (text.includes('BOOM')) throw new Error('a bug that one record wakes')
        if (text.includes('DENY')) throw new Refusal('conflict', 'denied', 'This one is not wanted.')
        if (text.includes('NUL')) await sql`select ${'x'}::int`.execute(own(tx))
        if (text.includes('REFUSE'))
          outcomes.push({ key, status: 'rejected', code: 'refused', message: `"${key}" is refused.`, field: 'description', value: key })
        else if (text.includes('UNKNOWN'))
          outcomes.push({
            key,
            status: 'rejected',
            code: 'department_unknown',
            message: 'There is no such department.',
            table: { name: 'departments', value: 'UNKNOWN' }
          })
        else if (text.includes('HOLD'))
          outcomes.push({ key, status: 'held', code: 'order_started', message: 'The floor has started this.' })
        else good.push({ key, record })
      }
      await sql`insert into far.record (kind, key, record, open)
        select ${kind}, key, record, true from unnest(${good.map(g => g.key)}::text[], ${good.map(g => JSON.stringify(g.record))}::jsonb[]) as r(key, record)
        on conflict (kind, key) do update set record = excluded.record, open = true, times = far.record.times + 1`.execute(own(tx))
      await sql`update far.record set open = false, times = times + 1 where kind = ${kind} and key = any(${[...batch.closed]}::text[])`.execute(
        own(tx)
      )
      return [
        ...outcomes,
        ...good.map(({ key }) => ({ key, status: 'applied' as const })),
        ...batch.closed.map(key => ({ key, status: 'applied' as const }))
      ]
    }
  return Object.fromEntries(kinds.map(kind => [kind, receive(kind)])) as Receivers
}

export interface ImportSide {
  readonly at: Ground
  readonly ctx: Ctx
  readonly clock: ReturnType<typeof fixedClock>
  readonly deps: ImportDeps
  readonly desk: ConnectionDesk
  readonly far: FarSide
  readonly watch: { calls: number; onCall?: (calls: number) => void }
  readonly superUrl: string
  readonly connectionId: string
  /** Stores a file as if it had come, without working on it. */
  file(lines: readonly Line[] | Buffer, name?: string): Promise<string>
  /** Stores a file and does what is due. */
  bring(lines: readonly Line[] | Buffer, name?: string): Promise<Row>
  work(): Promise<boolean>
  row(deliveryId: string): Promise<Row>
  query<T = Record<string, unknown>>(text: string): Promise<T[]>
  /** What the modules hold, in one text: equal texts mean equal end states. */
  state(): Promise<string>
  withTx<R>(fn: (tx: TxCtx) => Promise<R>): Promise<R>
}

export interface Row {
  id: string
  seq: string
  state: string
  position: string
  read_count: string
  new_count: string
  changed_count: string
  unchanged_count: string
  stale_count: string
  closed_count: string
  rejected_count: string
  held_count: string
  duplicate_count: string
  ack_count: string
  reason: string | null
  reason_code: string | null
  attempts: number
  next_attempt_at: Date | null
  unknown_columns: Record<string, number> | null
}

/** A tenant with one active connection of the test adapter, real database, blobs and leases; the clock is the test's. */
export async function importSide(t: Teardown, code: string): Promise<ImportSide> {
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const at = await ground(t as never, { clock: clock as Clock })
  const ctx: Ctx = await at.tenant(code)
  const dir = mkdtempSync(join(tmpdir(), 'wv-import-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const far: FarSide = { pages: [], asked: [] }
  const watch: ImportSide['watch'] = { calls: 0 }
  const adapters = adapterRegistry([linesAdapter(far)])
  const blobs = localBlobs(dir)
  const acks = new Map<string, string>()
  const deps: ImportDeps = {
    adapters,
    receivers: receivers(watch),
    blobs,
    clock,
    withLease: withLeases({ add: () => {} }),
    applyAck: async (_tx, _connection, key, outcome) => {
      if (key.startsWith('unknown')) return 'unknown_key'
      const before = acks.get(key)
      acks.set(key, outcome.status)
      return before === undefined ? 'applied' : before === outcome.status ? 'unchanged' : 'contradiction'
    },
    adapterCtx: (_ctx, runtime) =>
      ({
        config: runtime.config,
        connection: { id: runtime.id, timeZone: runtime.timeZone, locale: runtime.locale },
        map: runtime.mapper,
        signal: new AbortController().signal
      }) as unknown as AdapterCtx,
    journal
  }
  const desk = connectionDesk({ adapters, directory: directoryOf(at.control), journal })
  const inTx = <R>(fn: (tx: TxCtx) => Promise<R>): Promise<R> => withTx(ctx, fn)
  const names = await sql<{ name: string }>`select current_database() as name`.execute(own(ctx))
  const superUrl = urlFor(serverUrl(), names.rows[0]?.name ?? '')
  await withConnection(superUrl, async client => {
    await client.query(`create schema far; create table far.record (kind text, key text, record jsonb, open boolean, times int default 1, primary key (kind, key));
      grant usage on schema far to public; grant all on far.record to public`)
  })
  const connectionId = await inTx(async tx => {
    const id = await desk.create(tx, { name: 'ERP', adapter: 'test.lines', config: {} })
    await desk.setPull(tx, id, 'stock', null)
    await desk.activate(tx, id)
    return id
  })
  const query = <T>(text: string): Promise<T[]> => withConnection(superUrl, async client => (await client.query(text)).rows as T[])
  const side: ImportSide = {
    at,
    ctx,
    clock,
    deps,
    desk,
    far,
    watch,
    superUrl,
    connectionId,
    withTx: inTx,
    query,
    async file(lines, name = 'FILE.jsonl') {
      const body = Buffer.isBuffer(lines) ? lines : Buffer.from(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
      const raw = await writeRaw(ctx, { blobs, maxFileBytes: 1e9 }, body)
      return (await inTx(tx => recordDelivery(tx, { ...raw, connectionId, way: 'sftp', name }))).delivery.id
    },
    async bring(lines, name) {
      const id = await side.file(lines, name)
      await side.work()
      return side.row(id)
    },
    work: async () => (await importDue(deps, ctx, new AbortController().signal)).more,
    async row(id) {
      const [row] = await query<Row>(`select * from exchange.delivery where id = '${id}'`)
      if (!row) throw new Error(`no delivery ${id}`)
      return row
    },
    state: async () => JSON.stringify(await query('select kind, key, record, open from far.record order by kind, key'))
  }
  return side
}

export { importDelivery, importDue }
