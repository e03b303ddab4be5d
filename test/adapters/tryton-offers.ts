import type { ImportKind, Json } from '../../adapters/contract/index.ts'
import type { Offered } from '../../adapters/kit/books.ts'
import type { TrytonServer } from './tryton-erp.ts'
import type { Values } from './tryton-tables.ts'

type Fields = { readonly [key: string]: Json }
const text = (fields: Fields, name: string): string => String(fields[name] ?? '')
const inner = (fields: Fields, name: string): Fields => (fields[name] ?? {}) as Fields
const list = (fields: Fields, name: string): Fields[] => (Array.isArray(fields[name]) ? fields[name] : []) as Fields[]

/** What the tests offer to those who fetch, as records of Tryton; once each. */
export function offerRows(server: TrytonServer, offered: ReadonlyMap<ImportKind, readonly Offered[]>, known: Set<string>): void {
  for (const [kind, rows] of offered) {
    for (const [place, row] of rows.entries()) {
      const name = `${kind} ${row.id} ${row.changedAt}`
      if (known.has(name)) continue
      known.add(name)
      const stamp = server.tables.stamp(new Date(row.changedAt))
      // Every second one was never changed: then Tryton has no time of change.
      const dates = place % 2 === 0 ? { create_date: stamp, write_date: null } : { create_date: stamp, write_date: stamp }
      makers[kind]?.(server, row.fields, dates)
    }
  }
}

const dated = (server: TrytonServer, model: string, id: number, dates: Values): void => {
  server.tables.update(model, id, dates)
}

const makers: { readonly [K in ImportKind]?: (server: TrytonServer, fields: Fields, dates: Values) => void } = {
  article(server, fields, dates) {
    const unit = unitOf(server, text(fields, 'unit'))
    const id = server.effects.product(text(fields, 'number'), unit, text(fields, 'description'))
    dated(server, 'product.product', id, dates)
  },
  location(server, fields, dates) {
    const { tables } = server
    const warehouse = tables.insert('stock.location', {
      code: text(fields, 'warehouse'),
      name: text(fields, 'warehouse'),
      type: 'warehouse'
    })
    tables.insert('stock.location', {
      code: text(fields, 'code'),
      name: text(fields, 'description'),
      type: 'storage',
      active: true,
      warehouse,
      ...dates
    })
  },
  employee({ tables }, fields, dates) {
    const party = tables.insert('party.party', { code: text(fields, 'number'), name: text(fields, 'name') })
    tables.insert('company.employee', { party, ...(fields.active === false ? { end_date: day('2020-01-31') } : {}), ...dates })
  },
  stock(server, fields, dates) {
    const { tables } = server
    const quantity = inner(fields, 'quantity')
    const product = server.effects.product(text(fields, 'article'), unitOf(server, text(quantity, 'unit')))
    const place =
      tables.all('stock.location').find(({ code }) => code === text(fields, 'location'))?.id ??
      tables.insert('stock.location', { code: text(fields, 'location'), name: 'Rack', type: 'storage', active: true })
    const lot = text(fields, 'lot') === '' ? null : tables.insert('stock.lot', { number: text(fields, 'lot'), product })
    const move = { product, lot, quantity: Number(quantity.value), from_location: 0, to_location: place, state: 'done' }
    tables.insert('stock.move', { ...move, ...dates })
  },
  workOrder(server, fields, dates) {
    const { tables } = server
    const quantity = inner(fields, 'quantity')
    const unit = unitOf(server, text(quantity, 'unit'))
    const order = tables.insert('production', {
      number: text(fields, 'number'),
      state: 'assigned',
      product: server.effects.product(text(fields, 'article'), unit, text(fields, 'description')),
      quantity: Number(quantity.value),
      uom: unit,
      unit,
      planned_date: day(text(fields, 'due')),
      warehouse: server.house,
      location: server.floor,
      ...dates
    })
    for (const operation of list(fields, 'operations')) {
      const parent = tables.insert('production.work.center', { name: text(operation, 'department') })
      tables.insert('production.work', {
        production: order,
        sequence: Number(operation.number),
        operation: tables.insert('production.routing.operation', { name: text(operation, 'description') }),
        work_center: tables.insert('production.work.center', { name: text(operation, 'workCentre') || 'any', parent }),
        ...dates
      })
    }
    for (const material of list(fields, 'materials')) {
      const amount = inner(material, 'quantity')
      const own = unitOf(server, text(amount, 'unit'))
      tables.insert('stock.move', {
        product: server.effects.product(text(material, 'article'), own),
        quantity: Number(amount.value),
        uom: own,
        unit: own,
        state: 'assigned',
        production_input: order,
        ...dates
      })
    }
  }
}

const day = (value: string): Json => {
  const [year = 0, month = 0, date = 0] = value.split('-').map(Number)
  return { __class__: 'date', year, month, day: date }
}

function unitOf({ tables }: TrytonServer, symbol: string): number {
  const known = tables.all('product.uom').find(unit => unit.symbol === symbol)
  return known ? Number(known.id) : tables.insert('product.uom', { symbol, digits: 6, category: 1 })
}
