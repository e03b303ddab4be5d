import t from 'tap'
import type { Stored } from '../../core/exchange/outbox-store.ts'
import { headGroups } from '../../core/exchange/seal.ts'

/** "A1", "A2@b" (sealed in batch b): ordering key, place in it, batch. */
const row = (text: string): Stored & { place: number } => {
  const [, key = '', place = '', batch] = /^([A-Z]+)(\d+)(?:@(\w+))?$/.exec(text) ?? []
  return { seq: text, ordering_key: key, place: Number(place), batch_id: batch ?? null } as unknown as Stored & { place: number }
}
const groups = (...texts: string[]): string[] => headGroups(texts.map(row)).map(group => group.map(one => one.seq).join(' '))

t.test('heads: unsealed messages of a key go together, each key by itself', async t => {
  t.strictSame(groups('A1', 'A2', 'B1', 'A3', 'B2'), ['A1 A2 A3', 'B1 B2'])
})

t.test('heads: a message that is sealed anew goes alone before the batch behind it, and that batch before what is unsealed', async t => {
  t.strictSame(groups('A1', 'A2@x', 'A3@x', 'A4'), ['A1'])
  t.strictSame(groups('A1@x', 'A2@x', 'A3'), ['A1@x A2@x'])
  t.strictSame(groups('A1@x', 'A2', 'A3@x'), ['A1@x'], 'one that left its batch splits it')
  t.strictSame(groups('A1@x', 'A2@y'), ['A1@x'])
})

t.test('heads: without the first of its key none goes, and none behind a gap', async t => {
  t.strictSame(groups('A2', 'A3', 'B1'), ['B1'])
  t.strictSame(groups('A1', 'A3'), ['A1'])
})

t.test('heads: the order in which rows come plays no part', async t => {
  t.strictSame(groups('A3', 'A1', 'A2@x').sort(), ['A1'])
  t.strictSame(groups('A2', 'B2', 'B1', 'A1').sort(), ['A1 A2', 'B1 B2'])
})
