import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ImportItem, ImportKind } from '../contract/index.ts'
import { Broken, type Check, deliver, deliveredKinds, expect, expectSame, withoutDeliveries } from './check.ts'
import type { Delivery, JsonObject, Subject } from './erp.ts'
import { type Host, openHost } from './harness.ts'
import { leavesOf, sampleImport, sampleImports, valueAt, withValue } from './samples.ts'

const forEachKind =
  (act: (subject: Subject, kind: ImportKind) => Promise<void>) =>
  async (subject: Subject): Promise<void> => {
    for (const kind of deliveredKinds(subject)) await act(subject, kind)
  }

const recordsOf = (host: Host, kind: ImportKind): number =>
  [...(host.records.get(kind)?.values() ?? [])].filter(({ present }) => present).length
const revised = (record: JsonObject, kind: ImportKind): JsonObject => {
  const path = {
    workOrder: 'quantity.value',
    article: 'description',
    stock: 'quantity.value',
    pickList: 'lines.0.quantity.value',
    location: 'description',
    employee: 'name'
  }[kind]
  return withValue(record, path, kind === 'article' || kind === 'location' || kind === 'employee' ? 'Changed' : '99')
}

/** Fields that are translated, their table and what the samples hold of it. */
const coded = [
  ['unit', 'units', { PCE: 'PCE', MTR: 'MTR' }],
  ['department', 'departments', { SAWING: 'SAWING', WELDING: 'WELDING' }]
] as const

export const importChecks: readonly Check[] = [
  {
    id: 'K12',
    title: 'records keep their schema and their keys are stable and unique',
    skip: withoutDeliveries,
    run: forEachKind(async (subject, kind) => {
      const delivery = deliver(subject, kind, sampleImports(kind, 5))
      const keys = async (): Promise<string[]> =>
        (await openHost(subject).itemsOf(delivery)).flatMap(item => (item.type === 'record' ? [item.key] : []))
      const host = openHost(subject)
      const report = await host.receive(delivery)
      expect(report.error === undefined, `${kind}: ${report.error?.message}`)
      expectSame(
        host.rejects.map(({ reject }) => reject),
        [],
        `good records of ${kind} are refused`
      )
      expectSame(host.invalid, [], `records of ${kind} break the contract`)
      const first = await keys()
      expect(first.length === 5, `5 records of ${kind} were sent, ${first.length} came`)
      expect(
        first.every(key => key !== ''),
        `${kind} has an empty key`
      )
      expect(new Set(first).size === first.length, `two records of ${kind} share a key`)
      expectSame(await keys(), first, `keys of ${kind} differ between two runs`)
    })
  },
  {
    id: 'K13',
    title: 'recorded deliveries give the recorded items',
    skip: ({ options }) => (options.fixtures ? undefined : 'no fixtures are given'),
    async run(subject) {
      const folder = subject.options.fixtures
      if (!folder) return
      const names = (await readdir(folder)).filter(name => !name.endsWith('.expected.json'))
      expect(names.length > 0, 'the folder of fixtures is empty')
      for (const name of names) {
        const expected = JSON.parse(await readFile(new URL(`${name}.expected.json`, folder), 'utf8')) as unknown
        expectSame(await goldenOf(subject, new URL(name, folder)), expected, `${name} gives other items than recorded`)
      }
    }
  },
  {
    id: 'K16',
    title: 'one bad record is one reject with its place; the others arrive',
    skip: withoutDeliveries,
    run: forEachKind(async (subject, kind) => {
      const good = sampleImports(kind, 4)
      const third = sampleImport(kind, 3)
      const leaves = leavesOf(third).filter(path => typeof valueAt(third, path) !== 'boolean')
      for (const path of leaves) {
        const bad = withValue(third, path, 'x'.repeat(300))
        const host = openHost(subject)
        const report = await host.receive(deliver(subject, kind, good.with(2, bad)))
        expect(report.error === undefined, `${kind} with a wrong ${path}: the whole delivery fails: ${report.error?.message}`)
        expect(host.rejects.length === 1, `${kind} with a wrong ${path}: ${host.rejects.length} rejects instead of one`)
        const [reject] = host.rejects
        expect(reject?.reject.code !== '' && reject?.reject.message !== '', `${kind} with a wrong ${path}: the reject says nothing`)
        expect(reject?.at?.line !== undefined || reject?.at?.pointer !== undefined, `${kind} with a wrong ${path}: the reject has no place`)
        expect(recordsOf(host, kind) === 3, `${kind} with a wrong ${path}: ${recordsOf(host, kind)} of 3 good records arrived`)
      }
    })
  },
  {
    id: 'K17',
    title: 'an unknown code is a reject that names its table; adding it and replaying clears it',
    skip: subject =>
      withoutDeliveries(subject) ??
      (subject.adapter.manifest.codeTables?.includes('units') ? undefined : 'this adapter has no table of units'),
    run: forEachKind(async (subject, kind) => {
      const sample = sampleImport(kind, 1)
      for (const [field, table, known] of coded) {
        const path = leavesOf(sample).find(leaf => leaf === field || leaf.endsWith(`.${field}`))
        if (path === undefined || !subject.adapter.manifest.codeTables?.includes(table)) continue
        const delivery = deliver(subject, kind, [withValue(sample, path, 'KITBOX'), sampleImport(kind, 2)])
        const host = openHost(subject, { [table]: known })
        await host.receive(delivery)
        expectSame(
          host.rejects.map(({ reject }) => reject.table),
          [{ name: table, value: 'KITBOX' }],
          `an unknown ${field} of ${kind} is not named`
        )
        expect(recordsOf(host, kind) === 1, `the good record of ${kind} did not arrive`)
        const later = openHost(subject, { [table]: { ...known, KITBOX: 'BX' } })
        await later.receive(delivery)
        expectSame(
          later.rejects.map(({ reject }) => reject),
          [],
          `the replay of ${kind} after adding the ${field} is still refused`
        )
        expect(recordsOf(later, kind) === 2, `the replay of ${kind} brought ${recordsOf(later, kind)} of 2 records`)
      }
    })
  },
  {
    id: 'K18',
    title: 'an added column changes nothing, a removed one is never silent',
    skip: withoutDeliveries,
    run: forEachKind(async (subject, kind) => {
      const samples = sampleImports(kind, 3)
      const plain = openHost(subject)
      await plain.receive(deliver(subject, kind, samples))
      const extra = openHost(subject)
      await extra.receive(deliver(subject, kind, samples, { extra: true }))
      expectSame(extra.imported(), plain.imported(), `an added column changes ${kind}`)
      const needed = {
        workOrder: 'quantity.value',
        article: 'description',
        stock: 'asOf',
        pickList: 'workOrder',
        location: 'warehouse',
        employee: undefined
      }[kind]
      if (needed === undefined) return
      const host = openHost(subject)
      const report = await host.receive(deliver(subject, kind, samples, { omit: needed }))
      expect(report.error?.cls === 'payload' || host.rejects.length === 3, `${kind} without ${needed}: nobody is told`)
    })
  },
  {
    id: 'K24',
    title: 'a second identical delivery changes nothing',
    skip: withoutDeliveries,
    run: forEachKind(async (subject, kind) => {
      const host = openHost(subject)
      const delivery = deliver(subject, kind, sampleImports(kind, 5))
      await host.receive(delivery)
      await host.clock.sleep(3_600_000)
      const { new: added, changed, closed } = await host.receive(delivery)
      expectSame({ added, changed, closed }, { added: 0, changed: 0, closed: 0 }, `the second delivery of ${kind} changes something`)
    })
  },
  {
    id: 'K25',
    title: 'the newer revision wins, else the later arrival; A, B, A ends as A and a replay of the first A does not undo B',
    skip: withoutDeliveries,
    run: forEachKind(async (subject, kind) => {
      const a = [sampleImport(kind, 1)]
      const b = a.map(record => revised(record, kind))
      const stateAfter = async (...deliveries: readonly (readonly [delivery: Delivery, arrival?: number])[]): Promise<string> => {
        const host = openHost(subject)
        for (const [delivery, arrival] of deliveries) {
          const report = await host.receive(delivery, arrival === undefined ? {} : { arrival })
          if (report.error) throw new Broken(`${kind}: ${report.error.message}`)
        }
        return host.imported()
      }
      const [first, second] = [deliver(subject, kind, a, { name: '1' }), deliver(subject, kind, b, { name: '1' })]
      const [endsA, endsB] = [await stateAfter([first]), await stateAfter([second])]
      expect(endsA !== endsB, `a change of ${kind} is not seen`)
      expectSame(await stateAfter([first], [second]), endsB, `the later arrival of ${kind} does not win`)
      expectSame(await stateAfter([first], [second], [first]), endsA, `A, B, A of ${kind} does not end as A`)
      expectSame(await stateAfter([first, 1], [second, 2], [first, 1]), endsB, `a replay of the first ${kind} undoes the second`)
      if (!subject.options.erp.revisions?.includes(kind)) return
      const [old, young] = [deliver(subject, kind, a, { revision: 1 }), deliver(subject, kind, b, { revision: 2 })]
      expectSame(await stateAfter([young], [old]), endsB, `an older revision of ${kind} that comes late overwrites the newer one`)
      expectSame(await stateAfter([old], [young]), endsB, `the newer revision of ${kind} does not win`)
    })
  },
  {
    id: 'K26',
    title: 'after a crash behind any item the end is that of a clean run',
    skip: withoutDeliveries,
    run: forEachKind(async (subject, kind) => {
      const delivery = deliver(subject, kind, sampleImports(kind, 6))
      const clean = openHost(subject)
      await clean.receive(delivery)
      const { length } = await openHost(subject).itemsOf(delivery)
      for (let n = 1; n <= length; n++) {
        const host = openHost(subject)
        const report = await host.receive(delivery, { crashAfter: n })
        expect(report.error === undefined, `${kind}, crash at item ${n}: ${report.error?.message}`)
        expectSame(host.imported(), clean.imported(), `${kind}, crash at item ${n}: the end differs`)
        expect(report.rejected === 0, `${kind}, crash at item ${n}: ${report.rejected} rejects`)
      }
    })
  }
]

/** What a recorded delivery gives, without the raw rows. Write it to `<name>.expected.json` after reading it. */
export async function goldenOf(subject: Subject, file: URL): Promise<unknown> {
  const name = basename(file.pathname)
  const body = await readFile(file)
  const [route = ''] = name.split('--')
  const delivery: Delivery = name.includes('--') ? { way: 'http', route, body: body.toString('utf8') } : { way: 'file', name, body }
  const items = await openHost(subject).itemsOf(delivery)
  return JSON.parse(JSON.stringify(items.map(withoutRow)))
}

function withoutRow(item: ImportItem): ImportItem {
  if (item.type !== 'record' && item.type !== 'reject') return item
  const { row: _, ...rest } = item
  return rest
}
