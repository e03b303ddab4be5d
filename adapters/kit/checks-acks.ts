import { type Check, expect, expectSame, exportedKinds } from './check.ts'
import type { Delivery, Subject } from './erp.ts'
import { type Host, openHost } from './harness.ts'
import { sampleExport } from './samples.ts'
import type { Ack } from './simulator.ts'

function ack({ options }: Subject, answers: readonly Ack[]): Delivery {
  if (!options.erp.ack) throw new Error('options.erp.ack is missing: the kit cannot acknowledge as this ERP does')
  return options.erp.ack(answers)
}

/** Two messages that were delivered and not yet acknowledged. */
async function delivered(subject: Subject): Promise<{ host: Host; one: string; two: string }> {
  const host = openHost({ ...subject, options: { ...subject.options, erp: without(subject.options.erp) } })
  const [kind = 'orderStatus'] = exportedKinds(subject)
  const one = host.enqueue(kind, sampleExport(kind, 1, 'WO0001'), 'WO0001')
  const two = host.enqueue(kind, sampleExport(kind, 1, 'WO0002'), 'WO0002')
  await host.run()
  expectSame([host.stateOf(one).state, host.stateOf(two).state], ['delivered', 'delivered'], 'messages that await an acknowledgement')
  return { host, one, two }
}

/** An ERP that acknowledges nothing by itself. */
const without = ({ ack: _, ...erp }: Subject['options']['erp']): Subject['options']['erp'] => erp

export const ackChecks: readonly Check[] = [
  {
    id: 'K45',
    title: 'an acknowledgement closes its message, an unknown one is told, a contradiction alarms, a repetition changes nothing',
    skip: ({ adapter }) => (adapter.manifest.acks ? undefined : 'this adapter gets no acknowledgements'),
    async run(subject) {
      const { host, one, two } = await delivered(subject)
      const yes = ack(subject, [{ key: one, result: 'accepted', document: 'D000001' }])
      const no = ack(subject, [{ key: two, result: 'rejected', message: 'This order is closed.' }])
      await host.receive(yes)
      expect(host.stateOf(one).state === 'accepted', `an acknowledged message ends as ${host.stateOf(one).state}`)
      expect(host.stateOf(one).ref?.document === 'D000001', "the ERP's document number is lost")
      await host.receive(no)
      expect(host.stateOf(two).state === 'rejected', `a refused message ends as ${host.stateOf(two).state}`)
      expect(host.stateOf(two).reject?.message.includes('This order is closed.') === true, "the ERP's reason is lost")
      const before = [host.stateOf(one), host.stateOf(two)]
      await host.receive(yes)
      await host.receive(no)
      expectSame([host.stateOf(one), host.stateOf(two)], before, 'a repeated acknowledgement changes something')
      const { unknownAcks } = await host.receive(ack(subject, [{ key: 'kit-no-such-key', result: 'accepted', document: 'D9' }]))
      expect(unknownAcks === 1, 'an acknowledgement of something that was never sent goes by in silence')
      await host.receive(ack(subject, [{ key: one, result: 'rejected', message: 'Sorry.' }]))
      expect(host.stateOf(one).state === 'accepted' && host.stateOf(one).alarm !== null, 'a contradicting acknowledgement raises no alarm')
    }
  }
]
