import type { ImportItem, Json } from '../contract/index.ts'
import { type Check, deliver, deliveredKinds, expect, expectSame, exportedKinds, pulledKinds, withoutDeliveries } from './check.ts'
import { sentTexts } from './checks-documents.ts'
import type { JsonObject, Subject } from './erp.ts'
import { type Host, openHost } from './harness.ts'
import { sampleExport, sampleImport, sampleImports, withValue } from './samples.ts'
import { writeFaults } from './simulator.ts'

const secretsOf = ({ adapter }: Subject): string[] =>
  Object.entries(adapter.manifest.config.properties).flatMap(([name, field]) => (field.type === 'string' && field.secret ? [name] : []))

/** A text as it may turn up: plain, in base64 at any of its three offsets, in an address, backwards, split over lines. */
function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map(offset => {
    const text = Buffer.from(`${'x'.repeat(offset)}${secret}`)
      .toString('base64')
      .replaceAll('=', '')
    return text.slice(offset === 0 ? 0 : 4, -2)
  })
  const half = Math.floor(secret.length / 2)
  return [
    secret,
    ...base64,
    Buffer.from(secret).toString('hex'),
    encodeURIComponent(secret),
    [...secret].reverse().join(''),
    `${secret.slice(0, half)}\\n${secret.slice(half)}`,
    `${secret.slice(0, half)}\n${secret.slice(half)}`
  ]
}

/** Everything that happens in the life of a connection, good and bad. @returns what was said and shown on the way */
async function life(subject: Subject, host: Host, person: string): Promise<string[]> {
  const said: unknown[] = []
  const note = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      said.push(await act())
    } catch (error) {
      said.push(error instanceof Error ? [error.message, error.stack] : String(error))
    }
  }
  const bad = (record: JsonObject): JsonObject => withValue(record, Object.keys(record)[0] ?? '', 'x'.repeat(300))
  for (const kind of deliveredKinds(subject)) {
    const named = (record: JsonObject): JsonObject => (kind === 'employee' ? { ...record, name: person } : record)
    const records = [named(sampleImport(kind, 1)), bad(named(sampleImport(kind, 2)))]
    const delivery = deliver(subject, kind, records)
    await note(async () => (await host.receive(delivery)).error?.message)
    await note(async () => (await host.receive(delivery, { breaksOff: { reading: 1, afterBytes: 60 } })).error?.message)
    // A name that no record may have: the sentence about it may not repeat it.
    const unfit = kind === 'employee' ? [{ ...sampleImport(kind, 3), name: person.repeat(20) }] : []
    if (unfit.length > 0) await note(async () => (await host.receive(deliver(subject, kind, unfit))).error?.message)
  }
  for (const kind of pulledKinds(subject)) {
    const offered = sampleImports(kind, 6).map((fields, n) => ({ id: `${n}`, changedAt: `2026-03-02T06:00:0${n}Z`, fields }))
    host.simulator.books.offered.set(kind, offered)
    for (const fault of ['503', 'drop', 'ok'] as const) {
      host.simulator.readFaults.push(fault)
      await note(async () => [(await host.pull(kind)).error?.message, host.checkpointOf(kind)])
    }
  }
  for (const kind of exportedKinds(subject)) {
    const record = (n: number) => {
      const sample = sampleExport(kind, n, `WO-${kind}`)
      return 'employee' in sample ? { ...sample, employee: person } : sample
    }
    const keys = Array.from({ length: writeFaults.length + 2 }, (_, n) => host.enqueue(kind, record(n + 1), `WO-${kind}`))
    host.simulator.faults.push(...writeFaults, 'drop-before-commit')
    host.simulator.books.refusals.set(keys.at(-1) ?? '', 'The period is closed.')
    await note(() => host.run())
    said.push(keys.map(key => [host.stateOf(key).alarm, host.stateOf(key).reject?.message]))
    host.simulator.behaviour.searchFails = true
    await note(() => Array.fromAsync(subject.adapter.lookup?.(host.batchOf(keys.slice(0, 1), 2).items, host.ctx) ?? []))
    host.simulator.behaviour.searchFails = false
  }
  await note(() => Array.fromAsync(subject.adapter.check?.(host.ctx) ?? []))
  return [JSON.stringify(said), ...host.logged]
}

export const secrecyChecks: readonly Check[] = [
  {
    id: 'K49',
    title: 'a secret setting stands in no log, error, outcome, reject, checkpoint, file, name or address',
    skip: subject => (secretsOf(subject).length > 0 ? undefined : 'this adapter has no secret settings'),
    async run(subject) {
      const canaries = new Map(secretsOf(subject).map((name, n) => [name, `kit+canary/${n}Zq7-${name}`]))
      const config = { ...subject.options.config, ...Object.fromEntries(canaries) }
      const host = openHost({ ...subject, options: { ...subject.options, config } })
      const said = await life(subject, host, 'Canary Person')
      const shown = [
        ...said,
        ...sentTexts(host),
        ...host.simulator.calls.map(({ url, json, body }) => [url, JSON.stringify(json ?? null), String(body ?? '')].join('\n')),
        JSON.stringify([host.outcomes, host.rejects, host.imported(), [...host.simulator.files.keys()], host.blocked])
      ]
      for (const token of subject.options.erp.secrets ?? []) canaries.set('handed out by the ERP', token)
      for (const [name, canary] of canaries) {
        for (const form of formsOf(canary)) {
          const found = shown.find(text => text.includes(form))
          expect(found === undefined, `the secret "${name}" is shown in: ${found?.replaceAll(form, '<here>').slice(0, 200)}`)
        }
      }
    }
  },
  {
    id: 'K50',
    title: 'the name of a person stands in no log line and no error',
    skip: subject =>
      deliveredKinds(subject).includes('employee') || exportedKinds(subject).includes('labour')
        ? undefined
        : 'this adapter carries nobody’s name',
    async run(subject) {
      const person = 'Kitcanary Zwaluwstaart'
      const host = openHost(subject)
      const said = await life(subject, host, person)
      // The value of a reject is data: it is kept sealed and shown to few. Its sentence is read by everybody.
      const sentences = [...said, ...host.rejects.map(({ reject }) => `${reject.code} ${reject.message}`)]
      for (const form of formsOf(person)) {
        const found = sentences.find(text => text.includes(form))
        expect(found === undefined, `a name is shown in: ${found?.replaceAll(form, '<here>').slice(0, 200)}`)
      }
    }
  },
  {
    id: 'K51',
    title: 'two connections at the same time see nothing of each other',
    skip: subject => (withoutDeliveries(subject) && exportedKinds(subject).length === 0 ? 'this adapter carries nothing' : undefined),
    async run(subject) {
      await readTogether(subject)
      await sendTogether(subject)
    }
  }
]

const marks = ['KITONE', 'KITTWO'] as const

/** Two deliveries read in turns, item by item, give what each gives alone. */
async function readTogether(subject: Subject): Promise<void> {
  for (const kind of deliveredKinds(subject)) {
    const deliveries = marks.map(mark => {
      const [first, path] = [sampleImports(kind, 4), kind === 'location' ? 'code' : kind === 'stock' ? 'lot' : 'number']
      return deliver(
        subject,
        kind,
        first.map((record, n) => withValue(record, path, `${mark}${n}`))
      )
    })
    const alone = await Promise.all(deliveries.map(async delivery => plain(await openHost(subject).itemsOf(delivery))))
    const readers = deliveries.map(delivery => openHost(subject).reading(delivery)[Symbol.asyncIterator]())
    const together = await inTurns(readers)
    expectSame(together.map(plain), alone, `${kind}: two connections that read in turns get other records than alone`)
  }
}

/** Two batches sent in turns reach each its own ERP and no other. */
async function sendTogether(subject: Subject): Promise<void> {
  for (const kind of exportedKinds(subject)) {
    const hosts = marks.map(() => openHost(subject))
    const batches = hosts.map((host, index) => {
      const keys = [1, 2, 3].map(n => host.enqueue(kind, sampleExport(kind, n, `${marks[index]}${n}`), `${marks[index]}${n}`))
      return { host, keys, batch: host.batchOf(keys, 1) }
    })
    const readers = batches.flatMap(({ host, batch }) => {
      const answers = subject.adapter.export?.(batch, host.ctx)
      return answers ? [answers[Symbol.asyncIterator]()] : []
    })
    const outcomes = await inTurns(readers)
    for (const [index, { host, keys }] of batches.entries()) {
      const other = marks[1 - index] ?? ''
      const texts = [...sentTexts(host), ...host.logged, JSON.stringify(outcomes[index] ?? [])]
      expect(!texts.some(text => text.includes(other)), `${kind}: what one connection sent shows up in the other`)
      const sent = keys.filter((_, n) => texts.some(text => text.includes(`${marks[index]}${n + 1}`)))
      expectSame(sent, keys, `${kind}: messages of one connection went to the other, or nowhere`)
    }
  }
}

async function inTurns<T>(readers: readonly AsyncIterator<T>[]): Promise<T[][]> {
  const out: T[][] = readers.map(() => [])
  let open = readers.map((reader, index) => ({ reader, index }))
  while (open.length > 0) {
    // All at once, so that one is at work while the other waits.
    const steps = await Promise.all(open.map(async ({ reader, index }) => ({ reader, index, step: await reader.next() })))
    open = steps.filter(({ step }) => !step.done)
    for (const { index, step } of steps) if (!step.done) out[index]?.push(step.value)
  }
  return out
}

const plain = (items: readonly ImportItem[]): Json => JSON.parse(JSON.stringify(items)) as Json
