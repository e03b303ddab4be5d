import type { ImportItem, ImportKind, Json } from '../contract/index.ts'
import { type Check, expect, expectSame, pulledKinds, withoutPulls } from './check.ts'
import type { Subject } from './erp.ts'
import { type Host, openHost } from './harness.ts'
import { sampleImport } from './samples.ts'

const forEachKind =
  (act: (subject: Subject, kind: ImportKind) => Promise<void>) =>
  async (subject: Subject): Promise<void> => {
    for (const kind of pulledKinds(subject)) await act(subject, kind)
  }

/** Rows of which `together` share each time of change: nine make a cursor of a time alone lose some. */
function offer(host: Host, kind: ImportKind, count: number, together = 1): void {
  const rows = Array.from({ length: count }, (_, n) => ({
    id: String(n + 1).padStart(4, '0'),
    changedAt: `2026-03-02T06:00:${String(Math.floor(n / together)).padStart(2, '0')}Z`,
    fields: sampleImport(kind, n + 1)
  }))
  host.simulator.books.offered.set(kind, rows)
}

const keysOf = (items: readonly ImportItem[]): string[] => items.flatMap(item => (item.type === 'record' ? [item.key] : []))

export const pullChecks: readonly Check[] = [
  {
    id: 'K14',
    title: 'rows that share their time of change all arrive, also over pages',
    skip: withoutPulls,
    run: forEachKind(async (subject, kind) => {
      const host = openHost(subject)
      offer(host, kind, 25, 9)
      const report = await host.pull(kind)
      expect(report.error === undefined, `${kind}: ${report.error?.message}`)
      expect(report.new === 25, `${report.new} of 25 rows of ${kind} arrived`)
      const again = await host.pull(kind)
      expectSame([again.new, again.changed], [0, 0], `a second fetch of ${kind} changes something`)
    })
  },
  {
    id: 'K15',
    title: 'a checkpoint never passes a row that was not brought yet',
    skip: withoutPulls,
    run: forEachKind(async (subject, kind) => {
      const host = openHost(subject)
      offer(host, kind, 25)
      const all = await Array.fromAsync(host.itemsOfPull(kind, null))
      const wanted = new Set(keysOf(all))
      let checkpoints = 0
      for (const [index, item] of all.entries()) {
        if (item.type !== 'checkpoint') continue
        checkpoints++
        const state = JSON.parse(JSON.stringify(item.state)) as Json
        const rest = await Array.fromAsync(host.itemsOfPull(kind, state))
        const got = new Set([...keysOf(all.slice(0, index)), ...keysOf(rest)])
        expectSame(
          [...wanted].filter(key => !got.has(key)),
          [],
          `whoever goes on from checkpoint ${checkpoints} of ${kind} never sees these`
        )
      }
      expect(checkpoints > 0, `${kind} has no checkpoint`)
    })
  },
  {
    id: 'K29',
    title: 'a connection lost at any page is told, and the next run goes on without a gap',
    skip: withoutPulls,
    run: forEachKind(async (subject, kind) => {
      const clean = openHost(subject)
      offer(clean, kind, 25)
      await clean.pull(kind)
      const pages = clean.simulator.calls.length
      for (const fault of ['drop', '503'] as const) {
        for (let page = 1; page <= pages; page++) {
          const when = `${kind}: call ${page} ends with ${fault}`
          const host = openHost(subject)
          offer(host, kind, 25)
          host.simulator.readFaults.push(...Array.from({ length: page - 1 }, () => 'ok' as const), fault)
          const { error } = await host.pull(kind)
          const told = error?.cls === 'transient' || error?.cls === 'rate-limit'
          expect(told, `${when}: ${error ? `told as ${error.cls}: ${error.message}` : 'nobody is told'}`)
          const next = await host.pull(kind)
          expect(next.error === undefined, `${when}: the next run fails: ${next.error?.message}`)
          expectSame(host.imported(), clean.imported(), `${when}: the end is not that of a clean run`)
        }
      }
    })
  },
  {
    id: 'K30',
    title: 'a run that brings nothing keeps the checkpoint, and a checkpoint is plain data',
    skip: withoutPulls,
    run: forEachKind(async (subject, kind) => {
      const host = openHost(subject)
      const untouched = await host.pull(kind)
      expect(untouched.error === undefined, `${kind}: a run without any row fails: ${untouched.error?.message}`)
      offer(host, kind, 10)
      await host.pull(kind)
      const before = host.checkpointOf(kind)
      expectSame(JSON.parse(JSON.stringify(before)), before, `the checkpoint of ${kind} is no plain data`)
      const idle = await host.pull(kind)
      expect(idle.error === undefined, `${kind}: a run without anything new fails: ${idle.error?.message}`)
      offer(host, kind, 15)
      const later = await host.pull(kind)
      const brought = [later.new, later.changed + later.unchanged + later.stale]
      expectSame(brought, [5, 0], `${kind}: behind a run that brought nothing, five new rows and no old one must come`)
    })
  }
]
