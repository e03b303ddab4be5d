export const orderSorts = ['urgent', 'due', 'number', 'newest'] as const
export type OrderSort = (typeof orderSorts)[number]

/** Where a page of orders ended: the sort columns of its last row. */
export type OrderPlace = readonly (string | number)[]

interface Sorted {
  readonly status: string
  readonly seq: string
  readonly number: string
  readonly priority: number
  readonly due: string | null
}

const places: Readonly<Record<OrderSort, (row: Sorted) => OrderPlace>> = {
  urgent: row => [['completed', 'closed', 'cancelled'].includes(row.status) ? 1 : 0, row.priority, row.due ?? 'infinity', row.seq],
  due: row => [row.due ?? 'infinity', row.seq],
  number: row => [row.number],
  newest: row => [row.seq]
}

/** Of what types the parts of a place are: a cursor that does not fit was not made here. */
export const orderPlaceKinds: Readonly<Record<OrderSort, readonly ('string' | 'number')[]>> = {
  urgent: ['number', 'number', 'string', 'string'],
  due: ['string', 'string'],
  number: ['string'],
  newest: ['string']
}

export const orderPlace = (sort: OrderSort, row: Sorted): OrderPlace => places[sort](row)
