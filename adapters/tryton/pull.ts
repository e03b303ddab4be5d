import { AdapterError, type ImportItem, type Json, type PullRequest } from '../contract/index.ts'
import { ErpRefusal } from './errors.ts'
import { beginning, type Feed, type PullState, pages, Told } from './feeds.ts'
import { articleRows, employeeRows, employeesOfDays, locationRows } from './masters.ts'
import { orderRows } from './orders.ts'
import type { TrytonCtx } from './session.ts'
import { allStock, movedStock, stockFeed, takenFeed, takenRows } from './stock.ts'
import { type Domain, openTryton, type Tryton } from './tryton.ts'
import { idAt, idsAt, type Row, toStamp } from './wire.ts'

/** What one kind is fetched by. */
interface Plan {
  readonly feeds: readonly Feed[]
  /** Rows for the mapping, of what a page of a feed tells. */
  rows(feed: string, found: readonly Row[], told: Told): Promise<readonly Row[]>
  /** What the first run brings before it follows the feeds. */
  first?(): AsyncIterable<readonly Row[]>
  /** What a new day changes though nobody changed it. */
  daily?(since: string, today: string): Promise<readonly Row[]>
}

/** Fetches one kind by what changed since the last run. */
export async function* pull({ kind, checkpoint }: PullRequest, ctx: TrytonCtx): AsyncIterable<ImportItem> {
  try {
    yield* fetched(kind, checkpoint, ctx)
  } catch (error) {
    // Nothing but a right or a module that lacks is refused to somebody who only reads.
    if (error instanceof ErpRefusal) throw new AdapterError('remote', `Tryton refuses to show this: ${error.words}`, { cause: error })
    throw error
  }
}

async function* fetched(kind: PullRequest['kind'], checkpoint: Json, ctx: TrytonCtx): AsyncIterable<ImportItem> {
  const erp = await openTryton(ctx)
  let plan = planOf(kind, erp, ctx, '')
  let state: PullState = await beginning(erp, ctx, plan.feeds, checkpoint)
  plan = planOf(kind, erp, ctx, state.began)
  const told = new Told()
  const keep = (): ImportItem => ({ type: 'checkpoint', state: JSON.parse(JSON.stringify(state)) as Json })
  const map = (row: Row): ImportItem => {
    const { id, ...columns } = row
    return ctx.map.row(kind, columns, { pointer: `/${kind}/${String(id)}` })
  }
  if (checkpoint === null && plan.first) {
    let brought = 0
    for await (const rows of plan.first()) {
      for (const row of rows) yield map(row)
      brought += rows.length
    }
    if (brought > 0) yield keep()
  }
  for await (const { feed, rows, state: next } of pages(erp, ctx, plan.feeds, state)) {
    const fresh = rows.filter(row => !told.has(feed, row))
    if (fresh.length > 0) for (const row of await plan.rows(feed, fresh, told)) yield map(row)
    state = next
    yield keep()
  }
  const today = erp.today()
  if (!plan.daily || state.day >= today) return
  const rows = await plan.daily(state.day, today)
  for (const row of rows) yield map(row)
  state = { ...state, day: today }
  if (rows.length > 0) yield keep()
}

const feed = (model: string, options: Partial<Feed> = {}): Feed => ({
  name: model,
  model,
  domain: [],
  fields: [],
  follows: false,
  ...options
})
/** The records that rows of a feed belong to, each once. */
const owners = (rows: readonly Row[], field: string): number[] => [
  ...new Set(rows.flatMap(row => [...idsAt(row, field), ...(idAt(row, field) === undefined ? [] : [idAt(row, field) ?? 0])]))
]

function planOf(kind: PullRequest['kind'], erp: Tryton, ctx: TrytonCtx, began: string): Plan {
  const ofCompany: Domain = ['company', '=', erp.session.company]
  switch (kind) {
    case 'workOrder': {
      // Orders of years ago were closed before anybody here asked; those that close from now on come to be closed.
      const open: Domain[] = began === '' ? [] : [['OR', ['state', 'not in', ['done', 'cancelled']], ['write_date', '>=', toStamp(began)]]]
      const feeds = [
        feed('production', { domain: [ofCompany, ...open] }),
        // Operations and inputs change without their order.
        ...(erp.has('production.work') ? [feed('production.work', { domain: [ofCompany], fields: ['production'], follows: true })] : []),
        feed('stock.move', { domain: [ofCompany, ['production_input', '!=', null]], fields: ['production_input'], follows: true })
      ]
      const owner: Readonly<Record<string, string>> = { 'production.work': 'production', 'stock.move': 'production_input' }
      return { feeds, rows: (name, found, told) => orderRows(erp, owners(found, owner[name] ?? 'id'), ctx.config.department, told) }
    }
    case 'article':
      return {
        feeds: [feed('product.product'), feed('product.template', { fields: ['products'], follows: true })],
        rows: (name, found, told) => articleRows(erp, owners(found, name === 'product.template' ? 'products' : 'id'), told)
      }
    case 'location':
      return {
        feeds: [feed('stock.location', { domain: [['type', '=', 'storage']] })],
        rows: (_name, found) => locationRows(erp, owners(found, 'id'))
      }
    case 'employee':
      return {
        feeds: [feed('company.employee', { domain: [ofCompany] }), feed('party.party', { follows: true })],
        rows: (name, found, told) => employeeRows(erp, [[name === 'party.party' ? 'party' : 'id', 'in', owners(found, 'id')]], told),
        daily: (since, today) => employeesOfDays(erp, since, today)
      }
    case 'stock':
      return {
        feeds: [stockFeed(erp), takenFeed()],
        rows: (name, found) => movedStock(erp, ctx, name === 'ir.note' ? takenRows(found) : found),
        first: () => allStock(erp, ctx)
      }
    default:
      throw new AdapterError('config', `Tryton brings no records of the kind ${kind}.`)
  }
}
