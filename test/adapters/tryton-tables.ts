import type { Json } from '../../adapters/contract/index.ts'

export type Values = { readonly [field: string]: Json }
type Row = { readonly [field: string]: Json }
interface Stored {
  readonly id: number
  values: Values
  /** What a search shows from a time on: a change of which the server says nothing yet is not seen. */
  readonly shown: { readonly from: number; readonly values: Values }[]
}

/** Many-to-one fields of the models that the adapter reads. */
const relations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  production: {
    product: 'product.product',
    uom: 'product.uom',
    unit: 'product.uom',
    warehouse: 'stock.location',
    location: 'stock.location',
    work_center: 'production.work.center'
  },
  'production.work': {
    production: 'production',
    operation: 'production.routing.operation',
    work_center: 'production.work.center',
    work_center_category: 'production.work.center.category'
  },
  'production.work.center': { parent: 'production.work.center' },
  'production.work.cycle': { work: 'production.work' },
  'stock.move': {
    product: 'product.product',
    uom: 'product.uom',
    unit: 'product.uom',
    from_location: 'stock.location',
    to_location: 'stock.location',
    lot: 'stock.lot',
    production_input: 'production',
    production_output: 'production'
  },
  'stock.location': { warehouse: 'stock.location' },
  'stock.lot': { product: 'product.product' },
  'product.product': { template: 'product.template', default_uom: 'product.uom' },
  'company.employee': { party: 'party.party' },
  'company.company': { party: 'party.party' }
}

/** Moments and days as text that sorts; the rest as it is. */
function plain(value: Json | undefined): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value ?? null
  const part = (name: string, length = 2): string => String(value[name]).padStart(length, '0')
  const day = `${part('year', 4)}-${part('month')}-${part('day')}`
  if (value.__class__ === 'date') return day
  if (value.__class__ === 'datetime') return `${day}T${part('hour')}:${part('minute')}:${part('second')}.${part('microsecond', 6)}`
  return JSON.stringify(value)
}

const compared: Readonly<Record<string, (a: Json, b: Json) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a !== null && b !== null && a > b,
  '>=': (a, b) => a !== null && b !== null && a >= b,
  '<': (a, b) => a !== null && b !== null && a < b,
  '<=': (a, b) => a !== null && b !== null && a <= b,
  in: (a, b) => Array.isArray(b) && b.includes(a),
  'not in': (a, b) => Array.isArray(b) && !b.includes(a),
  like: (a, b) => typeof a === 'string' && likeForm(String(b)).test(a)
}

const likeForm = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replace(/\\(.)|%|_|[.*+?^${}()|[\]]/g, (sign, escaped?: string) =>
      escaped !== undefined
        ? `\\${escaped}`.replace(/^\\([A-Za-z0-9])$/, '$1')
        : sign === '%'
          ? '[\\s\\S]*'
          : sign === '_'
            ? '.'
            : `\\${sign}`
    )}$`
  )

/** Records of all models, with what each transaction changed, so that it can be undone. */
export class Tables {
  readonly #models = new Map<string, Map<number, Stored>>()
  #undo: (() => void)[] = []
  readonly #now: () => number
  readonly #visibleAt: () => number
  readonly #computed: (model: string, id: number, field: string, context: Values) => Json | undefined
  #last = 0

  constructor(
    now: () => number,
    visibleAt: () => number,
    computed: (model: string, id: number, field: string, context: Values) => Json | undefined
  ) {
    this.#now = now
    this.#visibleAt = visibleAt
    this.#computed = computed
  }

  #table(model: string): Map<number, Stored> {
    const table = this.#models.get(model) ?? new Map<number, Stored>()
    this.#models.set(model, table)
    return table
  }

  begin(): void {
    this.#undo = []
  }

  rollback(): void {
    for (const undo of this.#undo.reverse()) undo()
    this.#undo = []
  }

  insert(model: string, values: Values): number {
    const id = ++this.#last
    const whole = { create_date: this.stamp(), write_date: null, ...values, id }
    const table = this.#table(model)
    table.set(id, { id, values: whole, shown: [{ from: this.#visibleAt(), values: whole }] })
    this.#undo.push(() => table.delete(id))
    return id
  }

  update(model: string, id: number, values: Values): void {
    const stored = this.#table(model).get(id)
    if (!stored) throw new Error(`You are not allowed to read records ${id} of ${model}`)
    const before = stored.values
    stored.values = { ...before, write_date: this.stamp(), ...values }
    stored.shown.push({ from: this.#visibleAt(), values: stored.values })
    this.#undo.push(() => {
      stored.values = before
      stored.shown.pop()
    })
  }

  remove(model: string, id: number): void {
    const table = this.#table(model)
    const stored = table.get(id)
    if (!stored) return
    table.delete(id)
    this.#undo.push(() => table.set(id, stored))
  }

  stamp(at = new Date(this.#now())): Json {
    return {
      __class__: 'datetime',
      year: at.getUTCFullYear(),
      month: at.getUTCMonth() + 1,
      day: at.getUTCDate(),
      hour: at.getUTCHours(),
      minute: at.getUTCMinutes(),
      second: at.getUTCSeconds(),
      microsecond: at.getUTCMilliseconds() * 1000
    }
  }

  get(model: string, id: number): Values | undefined {
    return this.#table(model).get(id)?.values
  }

  /** As the server itself sees them, shown or not. */
  all(model: string): Values[] {
    return [...this.#table(model).values()].map(({ values }) => values)
  }

  #seen(model: string, id: number): Values | undefined {
    return this.#table(model)
      .get(id)
      ?.shown.findLast(({ from }) => from <= this.#now())?.values
  }

  #value(model: string, values: Values, path: string, context: Values): Json {
    const [first = '', ...rest] = path.split('.')
    const own = this.#computed(model, Number(values.id), first, context) ?? values[first] ?? null
    if (rest.length === 0) return plain(own)
    const target = relations[model]?.[first]
    const related = target === undefined || typeof own !== 'number' ? undefined : this.get(target, own)
    return target !== undefined && related ? this.#value(target, related, rest.join('.'), context) : null
  }

  #matches(model: string, values: Values, domain: Json, context: Values): boolean {
    if (!Array.isArray(domain)) throw new Error('a domain must be a list')
    const [first, operator, value] = domain
    if (first === 'OR') return domain.slice(1).some(inner => this.#matches(model, values, inner, context))
    if (typeof first !== 'string') return domain.every(inner => this.#matches(model, values, inner, context))
    const compare = compared[String(operator)]
    if (!compare) throw new Error(`there is no operator ${String(operator)}`)
    return compare(this.#value(model, values, first, context), Array.isArray(value) ? value.map(plain) : plain(value))
  }

  search(model: string, domain: Json, limit: Json, order: Json, fields: readonly string[], context: Values): Row[] {
    const found = [...this.#table(model).keys()]
      .map(id => this.#seen(model, id))
      .filter(values => values !== undefined)
      .filter(values => this.#matches(model, values, domain, context))
    const by = Array.isArray(order) ? (order as [string, string][]) : [['id', 'ASC'] as [string, string]]
    found.sort((a, b) => {
      for (const [field, way] of by) {
        const [one, two] = [this.#value(model, a, field, context), this.#value(model, b, field, context)]
        // Nothing comes last, as PostgreSQL has it.
        if (one !== two) return (one === null ? 1 : two === null ? -1 : one < two ? -1 : 1) * (way === 'DESC' ? -1 : 1)
      }
      return 0
    })
    return found.slice(0, typeof limit === 'number' ? limit : undefined).map(values => this.#read(model, values, fields, context))
  }

  #read(model: string, values: Values, fields: readonly string[], context: Values): Row {
    const out: Record<string, Json> = { id: values.id ?? null }
    const nested = new Map<string, string[]>()
    for (const field of fields) {
      const [first = '', ...rest] = field.split('.')
      if (rest.length > 0) nested.set(first, [...(nested.get(first) ?? []), rest.join('.')])
      else out[first] = this.#computed(model, Number(values.id), first, context) ?? values[first] ?? null
    }
    for (const [first, inner] of nested) {
      const [target, id] = [relations[model]?.[first], values[first]]
      const related = target !== undefined && typeof id === 'number' ? this.get(target, id) : undefined
      out[`${first}.`] = target === undefined ? [] : related ? this.#read(target, related, inner, context) : null
    }
    return out
  }
}
