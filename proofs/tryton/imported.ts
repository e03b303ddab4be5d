import { compare } from './compare.ts'
import { everything, type Reader } from './floor.ts'
import { dayOf, decimalOf, type Row, type Rpc } from './rpc.ts'

interface Operation {
  readonly number: string
  readonly description: string
  readonly department: string
  readonly workCentre: string | null
  readonly status: string
}
export interface Order {
  readonly id: string
  readonly number: string
  readonly article: string
  readonly quantity: string
  readonly unit: string
  readonly due: string | null
  readonly status: string
  readonly heldChanges: number
  readonly operations: readonly Operation[]
  readonly materials: readonly { readonly line: string; readonly article: string; readonly quantity: string; readonly unit: string }[]
}

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))
const listed = (lines: readonly string[]): string => [...lines].sort().join(', ')

/** Our orders, whole. */
export async function ordersHere(admin: Reader): Promise<Order[]> {
  const orders: Order[] = []
  for (const { id } of await everything<{ id: string }>(admin, '/api/v1/work-orders?sort=number'))
    orders.push(await admin.get<Order>(`/api/v1/work-orders/${id}`))
  return orders
}

/**
 * Compares what the pulls brought with what the ERP holds: every article, place, person, stock figure and production, each way.
 * @param lastMove components behind this one are none that anybody planned: we booked them
 * @returns how much was compared, and how many things differ
 */
export async function compareImports(
  admin: Reader,
  erp: Rpc,
  lastMove: number,
  say: (line: string) => void
): Promise<{ readonly compared: number; readonly differ: number }> {
  let compared = 0
  let differ = 0
  const same = (what: string, ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): void => {
    compared += theirs.size
    if (theirs.size === 0) throw new Error(`the ERP holds no ${what}: nothing was compared`)
    differ += compare(what, ours, theirs, say)
  }

  const articles = await everything<{ number: string; description: string | null; unit: string }>(admin, '/api/v1/articles')
  const products = await erp.rows('product.product', [['code', '!=', null]], ['code', 'template.name', 'default_uom.symbol'])
  same(
    'articles',
    new Map(articles.map(one => [one.number, `${one.description} in ${one.unit}`])),
    new Map(products.map(row => [text(row.code), `${text(row['template.name'])} in ${text(row['default_uom.symbol'])}`]))
  )

  const employees = await everything<{ number: string | null; name: string | null; active: boolean }>(admin, '/api/v1/employees')
  const people = await erp.rows('company.employee', [], ['party.code', 'party.name', 'end_date'])
  const today = new Date().toISOString().slice(0, 10)
  same(
    'employees',
    new Map(employees.map(one => [text(one.number), `${one.name}, ${one.active ? 'works here' : 'has left'}`])),
    new Map(
      people.map(row => [
        text(row['party.code']),
        `${text(row['party.name'])}, ${(dayOf(row.end_date) ?? '9999') >= today ? 'works here' : 'has left'}`
      ])
    )
  )

  const places = await storagePlaces(erp)
  const locations = await everything<{ code: string; warehouse: string }>(admin, '/api/v1/locations')
  same(
    'locations',
    new Map(locations.flatMap(one => (one.code === unplaced ? [] : [[one.code, one.warehouse]]))),
    new Map(places.map(row => [placeName(row), text(row['warehouse.code'] ?? unplaced)]))
  )

  const levels = await everything<{ article: string; location: string; quantity: string }>(admin, '/api/v1/stock')
  same(
    'stock',
    new Map(levels.flatMap(one => (Number(one.quantity) === 0 ? [] : [[`${one.article} at ${one.location}`, one.quantity]]))),
    await stockThere(erp, places)
  )

  const orders = await ordersHere(admin)
  const open = orders.filter(order => order.status !== 'closed' && order.status !== 'cancelled')
  same('work orders', new Map(open.map(order => [order.number, told(order)])), await productionsThere(erp, lastMove))
  return { compared, differ }
}

const told = (order: Order): string =>
  `${order.quantity} ${order.unit} of ${order.article} by ${order.due}; ${listed(order.operations.map(one => `${one.description} in ${one.department} at ${one.workCentre}`))}; ${listed(order.materials.map(one => `${one.quantity} ${one.unit} of ${one.article}`))}`

/** The storage locations of the ERP. */
const storagePlaces = (erp: Rpc): Promise<Row[]> => erp.rows('stock.location', [['type', '=', 'storage']], ['code', 'warehouse.code'])
/** A place without a code is known here by the number of its record. */
const placeName = (place: Row): string => text(place.code ?? `#${text(place.id)}`)
/** Where nobody said a place, and none in the ERP. */
const unplaced = '-'

/** Quantity by article and place; what is nil is left out. */
async function stockThere(erp: Rpc, places: readonly Row[]): Promise<Map<string, string>> {
  const stock = new Map<string, string>()
  for (const place of places) {
    const rows = await erp.rows('stock.products_by_locations', [['quantity', '!=', 0]], ['product.code', 'quantity'], {
      locations: [place.id ?? null],
      with_childs: false
    })
    for (const row of rows) {
      const quantity = decimalOf(row.quantity)
      if (quantity !== '0') stock.set(`${text(row['product.code'])} at ${placeName(place)}`, quantity)
    }
  }
  return stock
}

async function productionsThere(erp: Rpc, lastMove: number): Promise<Map<string, string>> {
  const productions = await erp.rows(
    'production',
    [['state', 'in', ['draft', 'waiting', 'assigned', 'running']]],
    ['number', 'product.code', 'quantity', 'uom.symbol', 'planned_date']
  )
  const ids = productions.map(row => row.id ?? null)
  const works = await erp.rows(
    'production.work',
    [['production', 'in', ids]],
    ['production', 'operation.name', 'work_center.name', 'work_center.parent.name']
  )
  const inputs = await erp.rows(
    'stock.move',
    [
      ['production_input', 'in', ids],
      ['id', '<=', lastMove],
      ['state', '!=', 'cancelled']
    ],
    ['production_input', 'product.code', 'quantity', 'uom.symbol']
  )
  return new Map(
    productions.map(row => {
      const operations = works
        .filter(work => work.production === row.id)
        .map(work => `${text(work['operation.name'])} in ${text(work['work_center.parent.name'])} at ${text(work['work_center.name'])}`)
      const needed = new Map<string, number>()
      for (const move of inputs.filter(one => one.production_input === row.id)) {
        const name = `${text(move['uom.symbol'])} of ${text(move['product.code'])}`
        needed.set(name, (needed.get(name) ?? 0) + (move.quantity as number))
      }
      const materials = [...needed].map(([name, quantity]) => `${decimalOf(quantity)} ${name}`)
      const head = `${decimalOf(row.quantity)} ${text(row['uom.symbol'])} of ${text(row['product.code'])} by ${dayOf(row.planned_date)}`
      return [text(row.number), `${head}; ${listed(operations)}; ${listed(materials)}`]
    })
  )
}
