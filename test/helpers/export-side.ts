import { sql } from 'kysely'
import { type Adapter, defineAdapter, type ExportCapability, type ExportOutcomeBody, eachInOrder } from '../../adapters/contract/index.ts'
import { fixedClock } from '../../core/clock.ts'
import { directoryOf } from '../../core/db/control.ts'
import { withTx } from '../../core/db/tx.ts'
import { connectionDesk } from '../../core/exchange/connections.ts'
import { type ExportDeps, exportDue } from '../../core/exchange/deliver.ts'
import { createOutbox } from '../../core/exchange/outbox.ts'
import { own } from '../../core/exchange/outbox-store.ts'
import { adapterRegistry } from '../../core/exchange/registry.ts'
import { journal } from '../../core/journal/append.ts'
import { withLeases } from '../../core/tasks/leases.ts'
import { type Ground, ground } from './tenant.ts'

export type Answer = ExportOutcomeBody | Error | 'crash'

/** The far side: an ERP that books what reaches it and answers as the test says. */
export function farSide() {
  const booked: string[] = []
  const records = new Map<string, unknown>()
  const answers = new Map<string, Answer[]>()
  const lookups: (boolean | 'cannot-tell')[] = []
  const side: { onSend(place: string): Promise<void> } = { onSend: async () => {} }
  return {
    booked,
    /** What happens while a message is under way, before the far side answers. */
    side,
    records,
    lookups,
    /** Answers to the next attempts of the nth message of an order; afterwards it accepts. */
    will: (order: string, seq: number, ...list: Answer[]) => answers.set(`${order}/${seq}`, list),
    next: (order: string, seq: number): Answer | undefined => answers.get(`${order}/${seq}`)?.shift()
  }
}
export type FarSide = ReturnType<typeof farSide>

export function adapterOn(far: FarSide, idempotency: ExportCapability['idempotency'], withLookup: boolean): Adapter {
  const kinds = { idempotency, confirms: 'sync', orderedBy: 'workOrder' } as const
  return defineAdapter({
    manifest: {
      api: 1,
      id: 'test.far',
      version: '1.0.0',
      displayName: 'Far side',
      vendor: { name: 'Test', support: 'test@werkvloer.example' },
      erp: { product: 'Test', versions: '*' },
      config: { type: 'object', properties: {}, additionalProperties: false },
      configVersion: 1,
      egress: [],
      imports: {},
      exports: { orderStatus: kinds, labour: kinds },
      limits: { maxBatch: 3, concurrency: 2 }
    },
    export: batch =>
      eachInOrder(batch, async item => {
        await far.side.onSend(`${item.orderingKey}/${item.seq}`)
        const answer = far.next(item.orderingKey, item.seq)
        if (answer === 'crash') throw new Error('the connection broke after the ERP had booked it')
        const book = (): void => {
          far.booked.push(`${item.orderingKey}/${item.seq}`)
          far.records.set(item.key, item.record)
        }
        if (answer instanceof Error) throw answer
        if (answer === undefined || answer.status === 'accepted') {
          book()
          return { status: 'accepted', ref: { document: `D${far.booked.length}` } }
        }
        if (answer.status === 'delivered' || answer.status === 'unknown') book()
        return answer
      }),
    ...(withLookup
      ? {
          async *lookup(items) {
            for (const item of items) {
              const answer = far.lookups.shift() ?? false
              if (answer === true) yield { key: item.key, found: true, ref: { document: 'FOUND' } }
              else if (answer === false) yield { key: item.key, found: false }
              else yield { key: item.key, found: 'cannot-tell', reason: 'The search is switched off.' }
            }
          }
        }
      : {})
  })
}

export async function scene(
  t: Parameters<typeof ground>[0],
  given: { idempotency?: ExportCapability['idempotency']; lookup?: boolean } = {}
) {
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const at: Ground = await ground(t, { clock })
  const ctx = await at.tenant('export')
  const far = farSide()
  const adapters = adapterRegistry([adapterOn(far, given.idempotency ?? 'lookup', given.lookup ?? true)])
  const desk = connectionDesk({ adapters, directory: directoryOf(at.control), journal })
  const connectionId = await withTx(ctx, async tx => {
    const id = await desk.create(tx, { name: 'Far', adapter: 'test.far', config: {} })
    await desk.activate(tx, id)
    return id
  })
  const outbox = createOutbox(adapters)
  /** A process of its own: leases of another holder. */
  const process_ = (): ExportDeps => ({
    adapters,
    journal,
    withLease: withLeases({ add: () => {} }),
    employeeRefs: async (_ctx, ids) => new Map(ids.map(id => [id, `nr ${id.slice(0, 4)}`])),
    adapterCtx: () => ({}) as never
  })
  const deps = process_()
  return {
    at,
    ctx,
    clock,
    far,
    deps,
    process_,
    connectionId,
    outbox,
    tell: (order: string, status: 'started' | 'paused' | 'finished' = 'started') =>
      withTx(ctx, tx =>
        outbox.enqueue(tx, { kind: 'orderStatus', record: { workOrder: order, status, at: tx.clock.iso() }, orderingKey: order })
      ),
    run: (with_: ExportDeps = deps) => exportDue(with_, ctx, new AbortController().signal),
    states: async () =>
      (
        await sql<{
          place: string
          state: string
        }>`select ordering_key || '/' || ordering_seq as place, state from exchange.outbox order by seq`.execute(own(ctx))
      ).rows
        .map(row => `${row.place} ${row.state}`)
        .join(', ')
  }
}

/** Time passes, then the export runs. */
export const later = async (s: { clock: { advance(seconds: number): void }; run(): Promise<unknown> }, seconds: number): Promise<void> => {
  s.clock.advance(seconds)
  await s.run()
}
