import { type Floor, openFloor } from './floor.ts'
import { order } from './orders.ts'

/** A floor with two employees and scrap reasons, and what the tests of the acts on jobs ask of it. */
export async function openActs(t: Parameters<typeof openFloor>[0]) {
  const floor: Floor = await openFloor(t)
  const ann = await floor.employee()
  const bob = await floor.employee()
  await floor.rows(`insert into workorders.scrap_reason (code, name) values ('CRACK', 'Cracked'), ('OLD', 'Not used any more')`)
  await floor.rows(`update workorders.scrap_reason set active = false where code = 'OLD'`)

  return {
    floor,
    acts: floor.acts,
    write: floor.write,
    sent: floor.sent,
    ann,
    bob,
    /** An order of its own for a test, with the ids of its two jobs. */
    async newOrder(number: string, parts: Parameters<typeof order>[1] = {}) {
      await floor.receive('workOrder', [order(number, parts)])
      return { weld: await floor.job(number, '10'), paint: await floor.job(number, '20') }
    },
    job: async (id: string) =>
      (
        await floor.rows(
          'select status, trim_scale(good)::text as good, trim_scale(scrap)::text as scrap from workorders.job where id = $1',
          [id]
        )
      )[0],
    status: async (number: string) =>
      (await floor.rows<{ status: string }>('select status from workorders.work_order where number = $1', [number]))[0]?.status,
    told: async (number: string) =>
      (await floor.sent(number)).filter(m => m.kind !== 'labour').map(m => `${m.kind} ${m.record.status ?? ''}`.trim())
  }
}
