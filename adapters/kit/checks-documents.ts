import { type ExportKind, formatInZone, type MappingSet, type OutRule, shortKey } from '../contract/index.ts'
import { type Check, deliver, deliveredKinds, expect, expectSame, exportedKinds, withoutExports } from './check.ts'
import { type Host, openHost } from './harness.ts'
import { recordsOf } from './harness-imports.ts'
import { sampleExport, sampleImport } from './samples.ts'

const decoder = new TextDecoder()

/** Everything that went out: documents with their names, and calls. */
export const sentTexts = ({ simulator }: Host): string[] => [
  ...[...simulator.files].map(([name, body]) => `${name}\n${decoder.decode(body)}`),
  ...simulator.calls
    .filter(call => !simulator.isRead(call))
    .map(({ url, json, body }) => [url, JSON.stringify(json ?? null), typeof body === 'string' ? body : ''].join('\n'))
]

const unique = new Map<string, boolean>()

/** Whether that many keys stay apart when squeezed into that many characters; found out once for all adapters. */
function staysUnique(length: number, keys: number): boolean {
  const name = `${length} ${keys}`
  const known = unique.get(name)
  if (known !== undefined) return known
  const seen = new Set<string>()
  for (let n = 0; n < keys; n++) seen.add(shortKey(`kit-${n}`, length))
  unique.set(name, seen.size === keys)
  return seen.size === keys
}

/** Sixty bits: two of a million keys meet with a chance of one in two million. */
const fewest = 12
const legal = /^[A-Za-z0-9._-]{1,100}$/

export const documentChecks: readonly Check[] = [
  {
    id: 'K43',
    title: 'what stands for the key in the ERP stays unique over a million messages and legal in its field',
    skip: withoutExports,
    async run(subject) {
      for (const kind of exportedKinds(subject)) {
        const host = openHost(subject)
        const keys = [1, 2, 3].map(n => host.enqueue(kind, sampleExport(kind, n, `WO${n}`), `WO${n}`))
        const asked = new Map<string, string[]>()
        const batch = host.batchOf(keys, 1)
        const items = batch.items.map(item => ({
          ...item,
          shortKey(length: number) {
            const short = item.shortKey(length)
            asked.set(item.key, [...(asked.get(item.key) ?? []), short])
            return short
          }
        }))
        for await (const _ of subject.adapter.export?.({ ...batch, items }, host.ctx) ?? []);
        const texts = sentTexts(host)
        for (const key of keys) {
          const shorts = asked.get(key) ?? []
          const whole = texts.some(text => [key, ...shorts].some(one => text.includes(one)))
          expect(whole, `${kind}: neither the key nor the short key as it was asked for stands in what was sent`)
          const many = subject.options.effort?.keys ?? 50_000
          for (const { length } of shorts)
            expect(length >= fewest && staysUnique(length, many), `${kind}: ${length} characters do not keep a million keys apart`)
        }
        // A name is all that a file is known by.
        for (const name of host.simulator.files.keys()) {
          expect(legal.test(name), `${kind}: the name "${name}" is not legal everywhere`)
          const named = keys.some(key => [key, ...(asked.get(key) ?? [])].some(one => name.includes(one)))
          expect(named, `${kind}: the name "${name}" holds neither the key nor the whole short key: two messages may share it`)
        }
      }
    }
  },
  {
    id: 'K44',
    title: 'the same batch again gives the same names and bytes, and nothing else stays behind',
    skip: subject =>
      exportedKinds(subject).some(kind => subject.adapter.manifest.exports[kind]?.idempotency === 'deterministic-file')
        ? undefined
        : 'no kind of this adapter relies on deterministic files',
    async run(subject) {
      for (const kind of exportedKinds(subject)) {
        if (subject.adapter.manifest.exports[kind]?.idempotency !== 'deterministic-file') continue
        const written = async (attempt: number, laterSeconds: number): Promise<[string, string][]> => {
          const host = openHost(subject)
          const keys = [1, 2, 3].map(n => host.enqueue(kind, sampleExport(kind, n, 'WO0001'), 'WO0001'))
          await host.clock.sleep(laterSeconds * 1000)
          for await (const _ of subject.adapter.export?.(host.batchOf(keys, attempt), host.ctx) ?? []);
          return [...host.simulator.files].map(([name, body]): [string, string] => [name, Buffer.from(body).toString('base64')])
        }
        const first = await written(1, 0)
        expect(first.length > 0, `${kind}: nothing was written`)
        expectSame(await written(2, 7_200), first, `${kind}: the second attempt writes something else`)
        for (const [name] of first) expect(!/^\.|\.(tmp|part|partial)$|~$/i.test(name), `${name} looks unfinished`)
      }
    }
  },
  {
    id: 'K46',
    title: 'units, codes and times go out as the ERP writes them, and come back as they went',
    skip: subject =>
      withoutExports(subject) ??
      (subject.adapter.manifest.codeTables?.includes('units') ? undefined : 'this adapter translates no codes on the way out'),
    async run(subject) {
      for (const kind of exportedKinds(subject)) {
        const codeTables = { units: { KITSTK: 'PCE' }, scrapReasons: { KITRISS: 'CRACK' } }
        const timeZone = 'America/New_York'
        const mapping = withWallTimes(subject.options.mapping ?? subject.adapter.manifest.mapping ?? {}, kind)
        const host = openHost({ ...subject, options: { ...subject.options, mapping, timeZone } }, codeTables)
        const record = sampleExport(kind, 1, 'WO0001')
        const at = 'at' in record ? record.at : record.startedAt
        host.enqueue(kind, record, 'WO0001')
        await host.run()
        // An ERP that knows units by numbers of its own is asked for the number of the unit as it is called there.
        const asked = host.simulator.calls.filter(call => host.simulator.isRead(call)).map(({ json }) => JSON.stringify(json ?? null))
        const text = [...sentTexts(host), ...asked].join('\n')
        const says = (part: string): boolean => text.includes(part)
        expect(text !== '', `${kind}: nothing was sent`)
        if (JSON.stringify(record).includes('"PCE"'))
          expect(says('KITSTK') && !/\bPCE\b/.test(text), `${kind}: the unit does not go out as the ERP calls it`)
        if (JSON.stringify(record).includes('"CRACK"'))
          expect(says('KITRISS') && !/\bCRACK\b/.test(text), `${kind}: the reason does not go out as the ERP calls it`)
        const wall = formatInZone(at, timeZone, wallPattern)
        expect(says(wall), `${kind}: ${at} does not go out as ${wall} of ${timeZone}`)
      }
      if (!deliveredKinds(subject).includes('article')) return
      const host = openHost(subject, { units: { KITSTK: 'PCE' } })
      await host.receive(deliver(subject, 'article', [{ ...sampleImport('article', 1), unit: 'KITSTK' }]))
      expectSame(recordsOf(host, 'article')[0]?.unit, 'PCE', 'what goes out as KITSTK does not come back as PCE')
    }
  }
]

const wallPattern = 'dd.MM.yyyy HH:mm:ss'

/** The mapping of a customer whose ERP writes wall times. */
function withWallTimes(mapping: MappingSet, kind: ExportKind): MappingSet {
  const rules: Record<string, string | OutRule> = {}
  for (const [column, rule] of Object.entries(mapping.exports?.[kind] ?? {})) {
    const from = typeof rule === 'string' ? rule : rule.from
    rules[column] = from === 'at' || from === 'startedAt' ? { from, instant: wallPattern } : rule
  }
  return { ...mapping, exports: { ...mapping.exports, [kind]: rules } }
}
