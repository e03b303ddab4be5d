import type { ExportKind, LookupAnswer } from '../contract/index.ts'
import { type Check, expect, expectSame, exportedKinds, withoutExports, withoutLookup } from './check.ts'
import type { Subject } from './erp.ts'
import { type Host, openHost } from './harness.ts'
import { sampleExport } from './samples.ts'
import { type WriteFault, writeFaults } from './simulator.ts'

/** Every sequence of up to `length` faults. */
function sequences(length: number): WriteFault[][] {
  let longest: WriteFault[][] = [[]]
  const all: WriteFault[][] = []
  for (let n = 1; n <= length; n++) {
    longest = longest.flatMap(sequence => writeFaults.map(fault => [...sequence, fault]))
    all.push(...longest)
  }
  return all
}

const firstKind = (subject: Subject): ExportKind => exportedKinds(subject)[0] ?? 'orderStatus'

/** Two messages of one order and one of another. */
function threeMessages(host: Host, kind: ExportKind): [string, string, string] {
  return [
    host.enqueue(kind, sampleExport(kind, 1, 'WO0001'), 'WO0001'),
    host.enqueue(kind, sampleExport(kind, 2, 'WO0001'), 'WO0001'),
    host.enqueue(kind, sampleExport(kind, 1, 'WO0002'), 'WO0002')
  ]
}

function expectOnce(host: Host, keys: readonly string[], when: string): void {
  for (const key of keys) {
    const times = host.simulator.books.booked.filter(entry => entry.key === key).length
    expect(times === 1, `${when}: ${key} stands ${times} times in the ERP`)
    const { state } = host.stateOf(key)
    expect(state === 'accepted' || state === 'delivered', `${when}: ${key} ends as ${state}`)
  }
}

const orderOf = (host: Host, keys: readonly string[]): string[] =>
  host.simulator.books.booked.map(({ key }) => key).filter(key => keys.includes(key))

async function underFaults(
  subject: Subject,
  faults: readonly WriteFault[],
  crashAfter?: number
): Promise<{ host: Host; keys: [string, string, string] }> {
  const host = openHost(subject)
  const keys = threeMessages(host, firstKind(subject))
  host.simulator.faults.push(...faults)
  await host.run(crashAfter === undefined ? {} : { crashAfter })
  return { host, keys }
}

export const exportChecks: readonly Check[] = [
  {
    id: 'K34',
    title: 'exactly one outcome per item, of known keys, after the fact',
    skip: withoutExports,
    async run(subject) {
      for (const fault of [...writeFaults, 'drop-before-commit'] as const) {
        const host = openHost(subject)
        const kind = firstKind(subject)
        const keys = [1, 2, 3, 4, 5].map(n => host.enqueue(kind, sampleExport(kind, n, 'WO0001'), 'WO0001'))
        host.simulator.faults.push('ok', fault)
        const got: string[] = []
        for await (const outcome of subject.adapter.export?.(host.batchOf(keys, 1), host.ctx) ?? []) {
          got.push(outcome.key)
          if (outcome.status !== 'accepted' && outcome.status !== 'duplicate' && outcome.status !== 'delivered') continue
          const there = host.simulator.books.has(outcome.key) || host.simulator.files.has(outcome.ref.document)
          expect(there, `${fault}: ${outcome.key} is called ${outcome.status} before anything was written`)
        }
        expectSame([...got].sort(), [...keys].sort(), `${fault}: the outcomes are not one per item`)
      }
    }
  },
  {
    id: 'K35',
    title: 'what is called accepted or delivered has a reference that exists',
    skip: withoutExports,
    async run(subject) {
      for (const kind of exportedKinds(subject)) {
        const host = openHost(subject)
        const key = host.enqueue(kind, sampleExport(kind, 1, 'WO0001'), 'WO0001')
        await host.run()
        const good = host.outcomes.filter(({ outcome }) => ['accepted', 'duplicate', 'delivered'].includes(outcome.status))
        expect(good.length > 0, `${kind}: ${key} did not get through without any fault`)
        for (const { outcome, atDocument } of good)
          expect(atDocument, `${kind}: the reference ${JSON.stringify(outcome)} is not known to the ERP`)
      }
    }
  },
  {
    id: 'K36',
    title: 'under every sequence of three faults each message stands once in the ERP',
    skip: withoutExports,
    async run(subject) {
      for (const faults of sequences(3)) {
        const { host, keys } = await underFaults(subject, faults)
        expectOnce(host, keys, faults.join(', '))
      }
    }
  },
  {
    id: 'K37',
    title: 'the same when the process dies between any two outcomes',
    skip: withoutExports,
    async run(subject) {
      for (const crashAfter of [1, 2]) {
        for (const faults of sequences(2)) {
          const { host, keys } = await underFaults(subject, faults, crashAfter)
          expectOnce(host, keys, `crash behind outcome ${crashAfter}, ${faults.join(', ')}`)
        }
      }
    }
  },
  {
    id: 'K38',
    title: 'messages of one order stay in order under every fault, other orders go on',
    skip: withoutExports,
    async run(subject) {
      for (const faults of sequences(2)) {
        const { host, keys } = await underFaults(subject, faults)
        const [first, second] = keys
        expectSame(orderOf(host, [first, second]), [first, second], `${faults.join(', ')}: the ERP got them in another order`)
      }
      const host = openHost(subject)
      const [first, second, other] = threeMessages(host, firstKind(subject))
      host.simulator.books.refusals.set(first, 'This order is closed.')
      await host.run()
      if (host.outcomes.some(({ key, outcome }) => key === first && outcome.status === 'rejected')) {
        expect(!host.simulator.books.has(second), `${second} was sent although ${first} of the same order is refused`)
      }
      expect(host.simulator.books.has(other), 'another order waits for one that is refused')
    }
  },
  {
    id: 'K39',
    title: '"not sent" is said only when the ERP saw nothing',
    skip: withoutExports,
    async run(subject) {
      for (const faults of [...sequences(2), ['drop-before-commit'] as const, ['late-visibility'] as const]) {
        const host = openHost(subject)
        const keys = threeMessages(host, firstKind(subject))
        host.simulator.faults.push(...faults)
        for (const key of keys) {
          for await (const outcome of subject.adapter.export?.(host.batchOf([key], 1), host.ctx) ?? []) {
            if (outcome.status !== 'not-sent') continue
            // What the ERP is still working on counts too.
            host.clock.advanceTo(host.clock.now().getTime() + 600_000)
            expect(!host.simulator.books.has(key), `${faults.join(', ')}: ${key} is called not sent and stands in the ERP`)
          }
        }
      }
    }
  },
  {
    id: 'K40',
    title: 'of ten messages the ERP refuses one: nine are accepted, one has the reason, and its repetition keeps the key',
    skip: withoutExports,
    async run(subject) {
      const host = openHost(subject)
      const kind = firstKind(subject)
      const keys = Array.from({ length: 10 }, (_, n) => host.enqueue(kind, sampleExport(kind, 1, `WO${n}`), `WO${n}`))
      const refused = keys[4] ?? ''
      const reason = 'The period is closed for bookings.'
      host.simulator.books.refusals.set(refused, reason)
      await host.run()
      for (const key of keys.filter(key => key !== refused))
        expect(host.stateOf(key).state === 'accepted', `${key} ends as ${host.stateOf(key).state}`)
      const { state, reject } = host.stateOf(refused)
      expect(state === 'rejected', `the refused message ends as ${state}`)
      expect(reject?.message.includes(reason) === true, `the ERP's reason is lost: "${reject?.message ?? ''}"`)
      host.simulator.books.refusals.clear()
      host.retry(refused)
      await host.run()
      expectOnce(host, keys, 'after the repetition')
    }
  },
  {
    id: 'K41',
    title: 'lookup finds what is there, not what is not, says when it cannot tell, and writes nothing',
    skip: withoutLookup,
    async run(subject) {
      const host = openHost(subject)
      const kind = firstKind(subject)
      const there = host.enqueue(kind, sampleExport(kind, 1, 'WO0001'), 'WO0001')
      await host.run()
      const absent = host.enqueue(kind, sampleExport(kind, 1, 'WO0002'), 'WO0002')
      const before = { booked: host.simulator.books.booked.length, files: host.simulator.files.size }
      const ask = async (): Promise<LookupAnswer[]> =>
        Array.fromAsync(subject.adapter.lookup?.(host.batchOf([there, absent], 2).items, host.ctx) ?? [])
      const answers = new Map((await ask()).map(answer => [answer.key, answer]))
      const found = answers.get(there)
      expect(found?.found === true, 'what stands in the ERP is not found')
      const known = found?.found === true && host.simulator.books.booked.some(({ document }) => document === found.ref.document)
      expect(known, 'the document that was found does not exist')
      expect(answers.get(absent)?.found === false, 'what does not stand in the ERP is not called absent')
      host.simulator.behaviour.searchFails = true
      const blind = await ask().catch(() => [])
      expect(
        blind.every(({ found: answer }) => answer === 'cannot-tell'),
        'a search that failed is taken for an answer'
      )
      const after = { booked: host.simulator.books.booked.length, files: host.simulator.files.size }
      expectSame(after, before, 'a lookup wrote something')
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
  }
]
