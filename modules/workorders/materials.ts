import { quantity, type TxCtx } from '../../core/index.ts'
import type { ConsumeItem, Inventory } from '../inventory/index.ts'
import { refuse } from './errors.ts'
import { backflushQuantity, consumedPerLine } from './material-rules.ts'
import type { Backflush } from './operation-rules.ts'
import { type LockedJob, type Material, materialsOf } from './store.ts'

/** What somebody takes for a job: a material line of the order, or any article. */
export interface MaterialItem {
  readonly line?: string | undefined
  readonly article?: string | undefined
  readonly quantity: string
  readonly location?: string | undefined
  readonly lot?: string | undefined
}

/** Fills in what a material line says. A line that the order does not have is refused; other articles are free. */
export async function materialItems(tx: TxCtx, job: LockedJob, items: readonly MaterialItem[]): Promise<readonly ConsumeItem[]> {
  const lines = items.some(item => item.line !== undefined) ? await materialsOf(tx, [job.order_id]) : []
  return items.map((item, index) => {
    const line = item.line === undefined ? undefined : lines.find(one => one.line === item.line)
    if (item.line !== undefined && !line) {
      throw refuse('material_line_unknown', `Work order ${job.order_number} has no material line ${item.line}.`, {
        errors: [{ pointer: `/items/${index}/line`, detail: 'is no line of this work order' }]
      })
    }
    const article = item.article ?? line?.article
    if (article === undefined) {
      throw refuse('material_line_unknown', 'Name the material line or the article.', {
        errors: [{ pointer: `/items/${index}`, detail: 'needs `line` or `article`' }]
      })
    }
    return {
      line: line?.line ?? null,
      article,
      // Only what the ERP planned may be unknown to us; a mistyped number is refused.
      unit: line && line.article === article ? line.unit : null,
      quantity: item.quantity,
      location: item.location ?? line?.location ?? null,
      lot: item.lot ?? null
    }
  })
}

export interface Backflushing {
  readonly job: LockedJob
  /** lines of the order as a whole are used by its last operation */
  readonly last: boolean
  readonly setting: { readonly backflush: Backflush }
  /** all lines of the order */
  readonly materials: readonly Material[]
  readonly completed: boolean
  /** whether the act is a correction, after which less may be due than was taken */
  readonly corrects: boolean
  /** sums of the job after this act */
  readonly good: string
  readonly scrap: string
}

/**
 * Consumes by itself what the job's output should have taken, less what was consumed already, so that a repeat, a pick or an explicit
 * consumption is never doubled; after a correction it brings back what it had taken too much. An article's own rule goes before the
 * setting.
 */
export async function backflush(tx: TxCtx, inventory: Inventory, what: Backflushing): Promise<void> {
  const { job, materials: all } = what
  const lines = all.filter(line => line.operation_number === job.number || (line.operation_number === null && what.last))
  if (lines.length === 0) return
  const articles = await inventory.articlesByNumber(tx, [...new Set(lines.map(line => line.article))])
  const wanted = lines.filter(line => isDue(articles.get(line.article)?.backflush ?? what.setting.backflush, what.completed))
  if (wanted.length === 0) return
  const used = await inventory.consumedOfOrder(tx, job.order_number)
  const consumed = consumedPerLine(all, used)
  const made = { planned: job.planned_quantity, good: what.good, scrap: what.scrap }
  const items = wanted.map(line => {
    const own = used.find(one => one.line === line.line && one.article === line.article)
    const so = { quantity: line.quantity, consumed: consumed.get(line.line) ?? quantity.zero, automatic: own?.automatic ?? quantity.zero }
    return { ...lineItem(line), quantity: backflushQuantity(so, made), from: own?.automaticFrom ?? null }
  })
  const use = { orderNumber: job.order_number, operationNumber: job.number, connectionId: job.connection_id, automatic: true }
  const more = items.filter(item => !quantity.isNegative(item.quantity) && !quantity.isZero(item.quantity))
  if (more.length > 0) await inventory.consume(tx, { ...use, items: more })
  const back = items
    .filter(item => what.corrects && quantity.isNegative(item.quantity))
    .map(item => ({ ...item, quantity: quantity.negate(item.quantity), location: item.from ?? item.location }))
  if (back.length > 0) await inventory.giveBack(tx, { ...use, items: back })
}

const isDue = (rule: Backflush, completed: boolean): boolean => rule === 'on_report' || (rule === 'on_completion' && completed)

const lineItem = (line: Material): Omit<ConsumeItem, 'quantity'> => ({
  line: line.line,
  article: line.article,
  unit: line.unit,
  location: line.location,
  lot: null
})
