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

/** Rows that share their time of change, which cursors made of a time alone lose. */
function offer(host: Host, kind: ImportKind, count: number): void {
  const rows = Array.from({ length: count }, (_, n) => ({
    id: String(n + 1).padStart(4, '0'),
    changedAt: `2026-03-02T06:00:0${Math.floor(n / 9)}Z`,
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
      offer(host, kind, 25)
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
  }
]
