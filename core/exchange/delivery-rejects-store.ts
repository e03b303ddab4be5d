import type { Ctx } from '../context.ts'
import { view } from '../db/tx.ts'

interface RejectRow {
  id: string
  value_sealed: Buffer | null
  seq: string
  delivery_id: string | null
  item: string | null
  kind: string
  record_key: string | null
  line: number | null
  pointer: string | null
  code: string
  message: string
  field: string | null
  state: 'open' | 'replaying' | 'resolved' | 'skipped'
}
const own = view<{ 'exchange.reject': RejectRow }>()

const columns = [
  'seq',
  'item',
  'kind',
  'record_key',
  'line',
  'pointer',
  'code',
  'message',
  'field',
  'state'
] as const satisfies readonly (keyof RejectRow)[]
/** A row of the error bin of one delivery; its value is sealed apart from its sentence. */
export type DeliveryRejectRow = Pick<RejectRow, (typeof columns)[number] | 'id' | 'value_sealed'>

/** Records of a delivery that did not get through, in the order of the delivery. */
export const deliveryRejects = (c: Ctx, deliveryId: string, limit: number, afterSeq: string): Promise<readonly DeliveryRejectRow[]> =>
  own(c)
    .selectFrom('exchange.reject')
    .select([...columns, 'id', 'value_sealed'])
    .where('delivery_id', '=', deliveryId)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .limit(limit)
    .execute()

export async function openRejectCount(c: Ctx, deliveryId: string): Promise<number> {
  const row = await own(c)
    .selectFrom('exchange.reject')
    .select(eb => eb.fn.countAll<string>().as('n'))
    .where('delivery_id', '=', deliveryId)
    .where('state', '=', 'open')
    .executeTakeFirstOrThrow()
  return Number(row.n)
}
