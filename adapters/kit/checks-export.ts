import type { LookupAnswer } from '../contract/index.ts'
import { type Check, expect, expectSame, exportedKinds, withoutExports, withoutLookup } from './check.ts'
import { firstKind } from './faults.ts'
import { openHost } from './harness.ts'
import { sampleExport } from './samples.ts'
import { writeFaults } from './simulator.ts'

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
      for (const key of keys) {
        const times = host.simulator.books.booked.filter(entry => entry.key === key).length
        expect(times === 1, `after the repetition ${key} stands ${times} times in the ERP`)
        expect(host.stateOf(key).state === 'accepted', `after the repetition ${key} ends as ${host.stateOf(key).state}`)
      }
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
      const writes = (): number => host.simulator.calls.filter(call => !host.simulator.isRead(call)).length
      const before = { booked: host.simulator.books.booked.length, files: host.simulator.files.size, writes: writes() }
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
      const after = { booked: host.simulator.books.booked.length, files: host.simulator.files.size, writes: writes() }
      expectSame(after, before, 'a lookup wrote something')
    }
  }
]
