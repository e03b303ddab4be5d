import type { Told } from './feeds.ts'
import { codeOf } from './orders.ts'
import type { Domain, Tryton } from './tryton.ts'
import { at, dayOf, isRow, type Row, textAt, toDay } from './wire.ts'

/** Records that are out of use are asked for too: they come as blocked. */
const all = { active_test: false } as const

export async function articleRows(erp: Tryton, ids: readonly number[], told: Told): Promise<Row[]> {
  if (ids.length === 0) return []
  const products = await erp.search(
    'product.product',
    [['id', 'in', [...ids]]],
    [
      'id',
      'code',
      'name',
      'active',
      'template.active',
      'template.write_date',
      'template.create_date',
      'default_uom.symbol',
      'identifiers.type',
      'identifiers.code'
    ],
    { context: all }
  )
  told.note('product.template', nestedOf(products, 'template.'))
  return products.map(product => ({
    id: product.id ?? null,
    code: codeOf(product, '') ?? null,
    name: textAt(product, 'name') ?? null,
    unit: textAt(product, 'default_uom.symbol') ?? null,
    barcode: barcodeOf(product) ?? null,
    active: product.active !== false && at(product, 'template.active') !== false
  }))
}

const nestedOf = (rows: readonly Row[], name: string): Row[] => rows.map(row => row[name]).filter(isRow)

/** The first EAN, else the first identifier of any kind. */
function barcodeOf(product: Row): string | undefined {
  const given = product['identifiers.']
  const identifiers = Array.isArray(given)
    ? given.filter((one): one is Row => typeof one === 'object' && one !== null && !Array.isArray(one))
    : []
  const ean = identifiers.find(one => textAt(one, 'type') === 'ean') ?? identifiers[0]
  return textAt(ean, 'code')
}

export async function locationRows(erp: Tryton, ids: readonly number[]): Promise<Row[]> {
  if (ids.length === 0) return []
  const fields = ['id', 'code', 'name', 'active', 'warehouse.code', 'warehouse.name']
  const places = await erp.search('stock.location', [['id', 'in', [...ids]]], fields, { context: all })
  return places.map(place => ({
    id: place.id ?? null,
    code: codeOf(place, '') ?? null,
    name: textAt(place, 'name') ?? null,
    warehouse: codeOf(place, 'warehouse') ?? '-',
    active: place.active !== false
  }))
}

/** Number and name of employees; Tryton keeps both with the party, and nothing else of it is asked for. */
export async function employeeRows(erp: Tryton, which: Domain, told?: Told): Promise<Row[]> {
  const people = await erp.search(
    'company.employee',
    [['company', '=', erp.session.company], ...which],
    ['id', 'party.code', 'party.name', 'party.write_date', 'party.create_date', 'start_date', 'end_date'],
    { context: all }
  )
  told?.note('party.party', nestedOf(people, 'party.'))
  const today = erp.today()
  return people.map(person => {
    const [begins, ends] = [dayOf(person.start_date), dayOf(person.end_date)]
    return {
      id: person.id ?? null,
      number: textAt(person, 'party.code') ?? null,
      name: textAt(person, 'party.name') ?? null,
      active: (begins === undefined || begins <= today) && (ends === undefined || ends >= today)
    }
  })
}

/** Whose employment began or ended with a day that has passed since. */
export const employeesOfDays = (erp: Tryton, since: string, today: string): Promise<Row[]> =>
  employeeRows(erp, [
    [
      'OR',
      [
        ['end_date', '>=', toDay(since)],
        ['end_date', '<', toDay(today)]
      ],
      [
        ['start_date', '>', toDay(since)],
        ['start_date', '<=', toDay(today)]
      ]
    ]
  ])
