import type { ExportKind } from '../contract/index.ts'
import { type Check, expect, exportedKinds, withoutExports, withoutLookup } from './check.ts'
import type { Subject } from './erp.ts'
import { callsOf, firstKind, notInOrder, notOnce, sequences, threeMessages, underEveryFault, underFaults } from './faults.ts'
import { openHost } from './harness.ts'
import { sampleExport } from './samples.ts'

const nothingBroken = (problems: readonly (string | undefined)[]): void => {
  const [first, ...others] = problems.filter(problem => problem !== undefined)
  expect(first === undefined, `${first}${others.length > 0 ? ` (and ${others.length} more sequences)` : ''}`)
}

/** The same where a read fails that looks what became of a write. */
async function whileReading(subject: Subject, kind: ExportKind): Promise<void> {
  const reads = await callsOf(subject, kind)
  for (const fault of ['drop', '503'] as const) {
    for (let read = 0; read < reads; read++) {
      const host = openHost(subject)
      const [key] = threeMessages(host, kind)
      host.simulator.readFaults.push(...Array.from({ length: read }, () => 'ok' as const), fault)
      for await (const { status } of subject.adapter.export?.(host.batchOf([key], 1), host.ctx) ?? []) {
        if (status === 'not-sent')
          expect(
            !host.simulator.books.has(key),
            `${kind}: read ${read + 1} ends with ${fault}: ${key} is called not sent and stands in the ERP`
          )
      }
    }
  }
}

export const faultChecks: readonly Check[] = [
  {
    id: 'K36',
    title: 'under every sequence of three faults, and many longer ones, each message stands once in the ERP',
    skip: withoutExports,
    run: async subject => nothingBroken((await underEveryFault(subject)).map(notOnce))
  },
  {
    id: 'K37',
    title: 'the same when the process dies between any two outcomes, or at any call',
    skip: withoutExports,
    async run(subject) {
      for (const crashAfter of [0, 1, 2, 3]) {
        for (const faults of sequences(2)) nothingBroken([notOnce(await underFaults(subject, faults, { crashAfter }))])
      }
      for (const kind of exportedKinds(subject)) {
        const calls = await callsOf(subject, kind)
        for (let call = 1; call <= calls; call++) {
          for (const when of ['before', 'behind'] as const)
            nothingBroken([notOnce(await underFaults(subject, [], { kind, dies: { call, when } }))])
        }
      }
    }
  },
  {
    id: 'K38',
    title: 'messages of one order stay in order under every sequence of faults, other orders go on',
    skip: withoutExports,
    async run(subject) {
      nothingBroken((await underEveryFault(subject)).map(notInOrder))
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
      if (subject.options.erp.isRead) for (const kind of exportedKinds(subject)) await whileReading(subject, kind)
    }
  },
  {
    id: 'K42',
    title: 'a document that the ERP shows a minute late is not sent a second time',
    skip: withoutLookup,
    async run(subject) {
      const kind = firstKind(subject)
      for (const before of [[], ['ok'], ['429']] as const) {
        const host = openHost(subject)
        const keys = [1, 2].map(n => host.enqueue(kind, sampleExport(kind, n, 'WO0001'), 'WO0001'))
        host.simulator.faults.push(...before, 'late-visibility')
        await host.run()
        for (const key of keys) {
          const times = host.simulator.books.booked.filter(entry => entry.key === key).length
          expect(times === 1, `${key} stands ${times} times in the ERP, which showed its document 60 seconds late`)
          expect(host.stateOf(key).state === 'accepted', `${key} ends as ${host.stateOf(key).state}`)
        }
      }
    }
  }
]
