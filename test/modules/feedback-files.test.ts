import t from 'tap'
import csv from '../../adapters/csv/index.ts'
import { fixedClock } from '../../core/clock.ts'
import { directoryOf } from '../../core/db/control.ts'
import { withTx } from '../../core/db/tx.ts'
import { applyAck } from '../../core/exchange/acks.ts'
import { connectionDesk } from '../../core/exchange/connections.ts'
import { exportDue } from '../../core/exchange/deliver.ts'
import { messageDesk } from '../../core/exchange/message-desk.ts'
import { createOutbox } from '../../core/exchange/outbox.ts'
import { listOutboxFiles, noteFetched, readOutboxFile, removeOutboxFile } from '../../core/exchange/outbox-files-store.ts'
import { messageBySeq } from '../../core/exchange/outbox-store.ts'
import { adapterRegistry } from '../../core/exchange/registry.ts'
import { adapterCtx } from '../../core/exchange/transport.ts'
import { journal } from '../../core/journal/append.ts'
import { withLeases } from '../../core/tasks/leases.ts'
import { ground } from '../helpers/tenant.ts'

t.test('feedback as files', async t => {
  const clock = fixedClock('2026-03-02T08:00:00.000Z')
  const at = await ground(t, { clock })
  const ctx = await at.tenant('files')
  const adapters = adapterRegistry([csv])
  const connections = connectionDesk({ adapters, directory: directoryOf(at.control), journal })
  const connectionId = await withTx(ctx, async tx => {
    const id = await connections.create(tx, { name: 'CSV', adapter: 'werkvloer.csv', config: {} })
    await connections.activate(tx, id)
    return id
  })
  const outbox = createOutbox(adapters)
  const desk = messageDesk({ journal })
  const names = new Map<string, string>()
  const run = () =>
    exportDue(
      {
        adapters,
        journal,
        withLease: withLeases({ add: () => {} }),
        employeeRefs: async (_ctx, ids) => new Map(ids.map(id => [id, names.get(id) ?? 'nr 1'])),
        adapterCtx: (c, runtime, signal) => adapterCtx(c, runtime, signal, { allowPrivateEgress: [] } as never)
      },
      ctx,
      new AbortController().signal
    )
  const labour = (employee: string) =>
    withTx(ctx, tx =>
      outbox.enqueue(tx, {
        kind: 'labour',
        record: { workOrder: '1', operation: '10', employee, startedAt: '2026-03-02T07:00:00Z', seconds: 60, activity: 'run' },
        orderingKey: '1'
      })
    )
  const files = async () => {
    const list = await listOutboxFiles(ctx, connectionId, '0', 100)
    return Promise.all(list.map(async file => (await readOutboxFile(ctx, connectionId, file.name)).toString()))
  }
  /** The ERP fetches what is there and moves it away. */
  const fetchAll = async () => {
    const list = await listOutboxFiles(ctx, connectionId, '0', 100)
    for (const { name } of list) {
      await noteFetched(ctx, connectionId, name)
      await removeOutboxFile(ctx, connectionId, name)
    }
    return list.length
  }
  const refused = { status: 'rejected', reject: { code: 'no', message: 'Unknown operation.' } } as const

  await t.test('retry: a message whose file the ERP fetched and refused is there for it again', async t => {
    const key = await labour('0198c5a0-0000-7000-8000-000000000001')
    await run()
    t.equal(await fetchAll(), 1)
    t.equal(await withTx(ctx, tx => applyAck(tx, connectionId, key, refused)), 'applied')
    clock.advance(60)
    await withTx(ctx, tx => desk.retry(tx, '1'))
    await run()
    t.match(await messageBySeq(ctx, '1'), { state: 'delivered' })
    const again = await files()
    t.equal(again.length, 1, 'the ERP finds a file')
    t.match(again[0], key)
  })

  await t.test('retry: after a change of what the ERP calls the person, the new file replaces the one that nobody fetched', async t => {
    const person = '0198c5a0-0000-7000-8000-000000000002'
    const key = await labour(person)
    await run()
    t.equal(await withTx(ctx, tx => applyAck(tx, connectionId, key, refused)), 'applied')
    names.set(person, 'nr 2')
    await withTx(ctx, tx => desk.retry(tx, '2'))
    await run()
    t.match(await messageBySeq(ctx, '2'), { state: 'delivered', alarm: null })
    const now = (await files()).filter(text => text.includes(key))
    t.equal(now.length, 1)
    t.match(now[0], /nr 2/)
  })

  await t.test('decide: a file that the ERP lost is written again', async t => {
    const key = await labour('0198c5a0-0000-7000-8000-000000000003')
    await run()
    await fetchAll()
    clock.advance(3_601)
    await run()
    t.match(await messageBySeq(ctx, '3'), { state: 'delivered', alarm: /acknowledged/ })
    await withTx(ctx, tx => desk.decide(tx, '3', { decision: 'send', reason: 'lost' }))
    await run()
    t.match(await messageBySeq(ctx, '3'), { state: 'delivered', alarm: null })
    t.match(await files(), [new RegExp(key)])
  })

  await t.test('drop: what a person gave up is not written with the rest of its batch, and does not keep the rest from going', async t => {
    await withTx(ctx, tx =>
      connections.setMapping(tx, connectionId, 1, {
        mapping: { exports: { operationStatus: { Op: 'operation', Reason: { from: 'scrapReason', code: 'scrapReasons' } } } },
        codeTables: { scrapReasons: { X: 'crack' } }
      })
    )
    const status = (operation: string, scrapReason: string) =>
      withTx(ctx, tx =>
        outbox.enqueue(tx, {
          kind: 'operationStatus',
          record: { workOrder: '4', operation, status: 'finished', scrapReason, at: '2026-03-02T07:00:00Z' },
          orderingKey: '4'
        })
      )
    await fetchAll()
    const keys = [await status('10', 'bend'), await status('20', 'twist'), await status('30', 'crack')]
    await run()
    t.match(await messageBySeq(ctx, '4'), { state: 'rejected', key: keys[0] })
    t.match(await messageBySeq(ctx, '6'), { state: 'sealed', key: keys[2] })
    await withTx(ctx, tx => desk.decide(tx, '4', { decision: 'drop', reason: 'not wanted' }))
    clock.advance(60)
    await run()
    t.match(await messageBySeq(ctx, '5'), { state: 'rejected' })
    await withTx(ctx, tx => desk.decide(tx, '5', { decision: 'there', document: 'B1', reason: 'booked by hand' }))
    clock.advance(60)
    await run()
    t.match(await messageBySeq(ctx, '6'), { state: 'delivered' })
    t.match(await files(), [new RegExp(keys[2] ?? '')])
  })
})
