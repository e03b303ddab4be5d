import { refuse as refuseCore, type TxCtx } from '../../core/index.ts'
import { type GuardedField, withFields } from './change-rules.ts'
import { refuse } from './errors.ts'
import { findOrder } from './list-store.ts'
import type { Needs } from './neighbours.ts'
import { factsOfStored, planOrder } from './order-rules.ts'
import { lockStored, savePlans } from './receivers.ts'
import { decideChange, getSetting, lockChange, type ScrapReason, type Setting, saveScrapReason, saveSetting } from './store.ts'

/** Accepts or refuses one change that the ERP wanted on a started order and that waits for a person. */
export async function decide(tx: TxCtx, needs: Needs, orderId: string, changeId: string, decision: 'accepted' | 'refused'): Promise<void> {
  const found = await findOrder(tx, orderId, needs.authz.visible(tx, 'j.id'))
  if (!found) throw refuseCore('not_found', 'There is no such work order within your groups.')
  const stored = await lockStored(tx, [found.number])
  const order = stored.orders.get(found.number)
  const change = await lockChange(tx, orderId, changeId)
  if (!order || !change) throw refuseCore('not_found', 'There is no such change on this work order.')
  if (change.state !== 'held') throw refuse('change_decided', `This change of ${change.field} is ${change.state} already.`)
  await decideChange(tx, change.id, decision, `${tx.principal.kind}:${tx.principal.id}`)
  if (decision === 'accepted') {
    const jobs = stored.jobs.get(order.id) ?? []
    const floor = factsOfStored(order, jobs, stored.materials.get(order.id) ?? [])
    // What was stored by the receiver for this field, in the shape of the field.
    const wanted = { ...floor, [change.field]: change.after } as typeof floor
    const facts = withFields(floor, wanted, new Set([change.field as GuardedField]))
    const erp = order.status === 'closed' || order.status === 'cancelled' ? order.status : 'released'
    await savePlans(tx, needs, [
      planOrder({ number: order.number, connectionId: order.connection_id, facts, erp, erpStatus: order.erp_status }, order, jobs)
    ])
  }
  await needs.journal.append(tx, {
    act: `order.change.${decision}`,
    subject: 'workorders.work_order',
    subjectId: order.id,
    data: { changeId: change.id, field: change.field, floorVersion: order.version }
  })
}

/** Changes how this customer works; the version says that nobody else did meanwhile. */
export async function changeSetting(tx: TxCtx, { journal }: Needs, version: number, next: Omit<Setting, 'version'>): Promise<void> {
  const before = await getSetting(tx)
  if (!(await saveSetting(tx, version, next))) {
    throw refuse('setting_changed', `The setting has version ${before.version} now, not ${version}.`)
  }
  await journal.append(tx, {
    act: 'setting.workorders',
    subject: 'workorders.setting',
    subjectId: String(version + 1),
    data: { ...next, change_guard: { ...next.change_guard } }
  })
}

export async function setScrapReason(tx: TxCtx, { journal }: Needs, reason: ScrapReason): Promise<void> {
  await saveScrapReason(tx, reason)
  await journal.append(tx, {
    act: 'scrap_reason.set',
    subject: 'workorders.scrap_reason',
    subjectId: reason.code,
    data: { active: reason.active }
  })
}
