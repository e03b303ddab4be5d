import { Session } from 'node:inspector/promises'
import type { ImportKind } from '../contract/index.ts'
import { type Check, deliver, deliveredKinds, expect, expectSame, pulledKinds, withoutDeliveries, withoutPulls } from './check.ts'
import type { Delivery, Subject } from './erp.ts'
import { openHost } from './harness.ts'
import { recordsOf } from './harness-imports.ts'
import { sampleImport, sampleImports } from './samples.ts'
import { partialFile } from './simulator.ts'

const sizeOf = ({ body }: Delivery): number => body.length
const snapshotKinds = (subject: Subject): ImportKind[] =>
  deliveredKinds(subject).filter(kind => subject.adapter.manifest.imports[kind]?.mode.includes('snapshot'))
const fileKinds = (subject: Subject): ImportKind[] =>
  deliveredKinds(subject).filter(kind => subject.adapter.manifest.imports[kind]?.via.includes('file'))

const megabyte = 1_048_576
const mostMegabytes = 64
const rowsOfGoal = 100_000

export const breakChecks: readonly Check[] = [
  {
    id: 'K27',
    title: 'a delivery cut at any byte is never taken for a whole one',
    skip: subject =>
      withoutDeliveries(subject) ??
      (subject.options.erp.complete
        ? undefined
        : 'nothing in its deliveries says that they are whole: one that is cut between two rows goes unseen; ask the ERP for a last line'),
    async run(subject) {
      const config = { ...subject.options.config, ...subject.options.erp.complete }
      const complete = { ...subject, options: { ...subject.options, config } }
      for (const [place, kind] of deliveredKinds(subject).entries()) {
        const delivery = deliver(subject, kind, sampleImports(kind, 2), { complete: true })
        const whole = openHost(complete)
        const report = await whole.receive(delivery)
        expect(
          report.error === undefined && report.new === 2,
          `${kind}: the whole delivery brings ${report.new} of 2: ${report.error?.message}`
        )
        const wanted = new Map(whole.records.get(kind))
        // Every byte of the first kind, every seventh of the others.
        for (let bytes = 0; bytes < sizeOf(delivery); bytes += place === 0 ? 1 : 7) {
          const host = openHost(complete)
          const { error } = await host.receive(cut(delivery, bytes))
          expect(
            error !== undefined || host.imported() === whole.imported(),
            `${kind}: cut behind byte ${bytes} of ${sizeOf(delivery)} it is taken for whole`
          )
          for (const [key, { hash }] of host.records.get(kind) ?? [])
            expect(hash === wanted.get(key)?.hash, `${kind}: cut behind byte ${bytes} it brings half of ${key}`)
        }
      }
    }
  },
  {
    id: 'K28',
    title: 'a delivery that breaks off while it is read is told as such, closes nothing, and arrives whole the next time',
    skip: withoutDeliveries,
    async run(subject) {
      for (const kind of deliveredKinds(subject)) {
        const delivery = deliver(subject, kind, sampleImports(kind, 12))
        const clean = openHost(subject)
        await clean.receive(delivery)
        // Whoever reads a call reads it once.
        const readings = Math.max(1, clean.handles.opened)
        for (let reading = 1; reading <= readings; reading++) {
          for (const share of [0, 0.5, 1]) {
            const when = `${kind}: reading ${reading} breaks off at ${share * 100}%`
            const host = openHost(subject)
            const afterBytes = Math.floor(sizeOf(delivery) * share)
            const broken = await host.receive(delivery, { breaksOff: { reading, afterBytes } })
            expect(broken.error?.cls === 'transient', `${when}: ${broken.error ? `told as ${broken.error.cls}` : 'nobody is told'}`)
            expect(broken.closed === 0, `${when}: ${broken.closed} records are closed`)
            await host.receive(delivery)
            expectSame(host.imported(), clean.imported(), `${when}: the next time the end differs`)
          }
        }
      }
    }
  },
  {
    id: 'K31',
    title: 'a snapshot closes exactly what it does not name; one that was cut short closes nothing, an empty one waits for a person',
    skip: subject =>
      withoutDeliveries(subject) ?? (snapshotKinds(subject).length > 0 ? undefined : 'no kind of this adapter comes as a snapshot'),
    async run(subject) {
      for (const kind of snapshotKinds(subject)) {
        const snapshot = (count: number): Delivery => deliver(subject, kind, sampleImports(kind, count), { snapshot: true })
        const host = openHost(subject)
        const first = await host.receive(snapshot(12))
        expectSame([first.new, first.closed], [12, 0], `${kind}: the first snapshot`)
        const shorter = snapshot(10)
        const items = await openHost(subject).itemsOf(shorter)
        for (const reading of [1, 2]) {
          const size = sizeOf(shorter)
          const short = await host.receive(shorter, { breaksOff: { reading, afterBytes: Math.floor(size / 2) } })
          // Whoever reads once meets no second break, and has its whole snapshot.
          if (short.error === undefined) continue
          expect(short.closed === 0, `${kind}: a snapshot that breaks off half way closes ${short.closed}`)
        }
        await host.receive(snapshot(12))
        const ends = items.findIndex(item => item.type === 'snapshot' && item.phase === 'end')
        const last = items.findLastIndex(item => item.type === 'record')
        expect(ends > last, `${kind}: ${ends < 0 ? 'the snapshot has no end' : 'the snapshot ends before its last record'}`)
        const second = await host.receive(shorter)
        expect(second.closed === 2, `${kind}: a snapshot without two of twelve closes ${second.closed}`)
        expect(recordsOf(host, kind).length === 10, `${kind}: ${recordsOf(host, kind).length} of 10 are left`)
        const empty = await host.receive(snapshot(0))
        expect(empty.closed === 0 && recordsOf(host, kind).length === 10, `${kind}: an empty snapshot closes ${empty.closed}`)
        expect(empty.error !== undefined || empty.held === 10, `${kind}: an empty snapshot goes by in silence`)
      }
    }
  },
  {
    id: 'K32',
    title: 'whoever is stopped leaves nothing open and calls nobody any more',
    skip: subject => withoutDeliveries(subject) && withoutPulls(subject),
    async run(subject) {
      for (const kind of deliveredKinds(subject)) {
        const delivery = deliver(subject, kind, sampleImports(kind, 5))
        for (let stop = 1; stop <= 5; stop++) {
          const host = openHost(subject)
          let taken = 0
          for await (const _ of host.reading(delivery)) if (++taken === stop) break
          const { opened, closed } = host.handles
          expect(opened === closed, `${kind}: stopped behind item ${stop}, ${opened - closed} of ${opened} readings stay open`)
        }
        const host = openHost(subject)
        await host.receive(delivery, { breaksOff: { reading: 1, afterBytes: 40 } })
        expect(host.handles.opened <= 3, `${kind}: a source that broke off is opened ${host.handles.opened} times`)
        expect(host.handles.opened === host.handles.closed, `${kind}: a source that broke off stays open`)
      }
      for (const kind of pulledKinds(subject)) {
        const host = openHost(subject)
        const offered = sampleImports(kind, 25).map((fields, n) => ({ id: `${100 + n}`, changedAt: `2026-03-02T06:00:${10 + n}Z`, fields }))
        host.simulator.books.offered.set(kind, offered)
        let before = 0
        await readOn(host.itemsOfPull(kind, null), () => {
          before = host.simulator.calls.length
          host.abort()
        })
        const calls = host.simulator.calls.length - before
        expect(calls <= 1, `${kind}: told that the run is over, it goes on calling (${calls} times)`)
      }
    }
  },
  {
    id: 'K33',
    title: 'a hundred thousand rows are not kept in memory',
    skip: subject => (fileKinds(subject).length > 0 ? undefined : 'this adapter reads no files; calls are bounded by the host'),
    async run(subject) {
      const rows = subject.options.effort?.rows ?? 20_000
      const [kind = 'workOrder'] = fileKinds(subject)
      const rowsPerRecord = kind === 'workOrder' ? 3 : kind === 'pickList' ? 2 : 1
      const count = Math.ceil(rows / rowsPerRecord)
      const delivery = deliver(
        subject,
        kind,
        Array.from({ length: count }, (_, n) => sampleImport(kind, n + 1))
      )
      const host = openHost(subject)
      const base = await heldBytes()
      // The goal is 64 MB for 100,000 rows; fewer rows may hold as much less, and some room for what the engine keeps anyway.
      const most = Math.max(4, (mostMegabytes * rows) / rowsOfGoal) * megabyte
      let records = 0
      for await (const item of host.reading(delivery)) {
        if (item.type === 'record' && (++records === 1 || records === count)) {
          const held = (await heldBytes()) - base
          expect(held < most, `${kind}: at record ${records} of ${count} the adapter holds ${Math.round(held / megabyte)} MB`)
        }
      }
      expect(records === count, `${kind}: ${records} of ${count} records came`)
    }
  }
]

/** Reads to its end, good or bad, and says behind the first item that the run is over. */
async function readOn(items: AsyncIterable<unknown>, stop: () => void): Promise<void> {
  let taken = 0
  try {
    for await (const _ of items) if (++taken === 1) stop()
  } catch {
    // That a call got no answer is what it should hear.
  }
}

const cut = (delivery: Delivery, bytes: number): Delivery => partialFile(delivery, (bytes + 0.5) / sizeOf(delivery))

/** What is really held: measured behind a collection, so that garbage does not count. */
async function heldBytes(): Promise<number> {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.collectGarbage')
  session.disconnect()
  return process.memoryUsage().heapUsed
}
