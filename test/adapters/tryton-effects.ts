import type { Json } from '../../adapters/contract/index.ts'
import type { Books } from '../../adapters/kit/books.ts'
import type { TrytonServer } from './tryton-erp.ts'
import type { Tables, Values } from './tryton-tables.ts'

type Refuse = (reason: string) => never

/** What has an effect in this Tryton, and which message it belongs to by its mark. The books never merge: what is done twice stands twice. */
export class Effects {
  readonly #tables: Tables
  readonly #books: Books
  readonly #user: number
  readonly #unit: string
  #due: { readonly key: string; readonly document: string; readonly person?: string }[] = []

  constructor(tables: Tables, books: Books, user: number, unit: string) {
    this.#tables = tables
    this.#books = books
    this.#user = user
    this.#unit = unit
  }

  /** Books what became effective by this call; one message that is refused undoes all of it. */
  settle(refuse: Refuse): void {
    const reached = this.#tables.all('ir.note').filter(note => note.settled !== true && this.#reached(note))
    const due = [...this.#due, ...reached.map(note => ({ key: keyOf(note), document: String(note.resource), person: undefined }))]
    this.#due = []
    const refused = due.find(({ key }) => this.#books.refusals.has(key))
    if (refused) refuse(`${this.#books.refusals.get(refused.key)}${refused.person === undefined ? '' : ` (${refused.person})`}`)
    for (const { key, document } of due) this.#books.post(key, null, document)
    for (const note of reached) this.#tables.update('ir.note', Number(note.id), { settled: true })
  }

  /** Everything that counts, and what was left lying about, without the numbers of records. */
  facts(): Json {
    const t = this.#tables
    const code = (model: string, id: Json | undefined): Json => t.get(model, Number(id))?.code ?? null
    const number = (id: Json | undefined): Json => t.get('production', Number(id))?.number ?? null
    const lines = [
      ...t
        .all('stock.move')
        .map(move => [
          'move',
          move.state,
          code('product.product', move.product),
          move.quantity,
          code('stock.location', move.from_location),
          code('stock.location', move.to_location),
          number(move.production_input),
          number(move.production_output)
        ]),
      ...t.all('production').map(({ number: own, state }) => ['order', own, state]),
      ...t.all('production.work').map(({ production, state }) => ['operation', number(production), state]),
      ...t.all('production.work.cycle').map(({ state, duration }) => ['cycle', state, duration]),
      ...t.all('timesheet.line').map(({ duration, description }) => ['hours', duration, description]),
      ...t
        .all('ir.note')
        .map(({ message }) => ['mark', String(message).replace(/, at (\d+)/, (_, id) => `, at ${code('stock.location', id)}`)]),
      // Two orders may make one lot at the same moment when Tryton is slow; the second stays empty.
      ...new Set(t.all('stock.lot').map(({ number: own }) => `lot ${own}`))
    ]
    return lines.map(line => JSON.stringify(line)).sort()
  }

  /** What a call that was refused would have done is forgotten. */
  forget(): void {
    this.#due = []
  }

  #reached(note: Values): boolean {
    const [model = '', id = ''] = String(note.resource).split(',')
    const [, line = ''] = String(note.message).split('\n')
    const record = this.#tables.get(model, Number(id))
    if (model === 'stock.move') return record?.state === 'done'
    if (model === 'production') {
      if (line.startsWith('article ') || line.startsWith('paused')) return true
      return record?.state === 'done' || (line.startsWith('started') && record?.state === 'running')
    }
    const cycles = this.#cycles(Number(id))
    if (line.startsWith('started')) return cycles.some(({ state }) => state === 'running')
    return line.startsWith('paused') ? cycles.every(({ state }) => state !== 'running') : record?.state === 'finished'
  }

  #cycles(work: number): Values[] {
    return this.#tables.all('production.work.cycle').filter(cycle => cycle.work === work)
  }

  create(model: string, values: Values, refuse: Refuse): number {
    if (model === 'timesheet.line') {
      if (this.#tables.all(model).some(({ uuid }) => uuid === values.uuid)) refuse('The UUID of timesheet line must be unique.')
      const id = this.#tables.insert(model, values)
      const person = this.#tables.get('party.party', Number(this.#tables.get('company.employee', Number(values.employee))?.party))
      this.#due.push({ key: String(values.description).split(' ')[1] ?? '', document: `${model},${id}`, person: String(person?.name) })
      return id
    }
    if (model === 'stock.move' && !(Number(values.quantity) >= 0 && values.from_location !== values.to_location))
      refuse('This move is none.')
    const state = model === 'stock.move' || model === 'production.work.cycle' ? { state: 'draft' } : {}
    const id = this.#tables.insert(model, { create_uid: this.#user, ...values, ...state })
    if (model === 'stock.move') this.#tables.update(model, id, { internal_quantity: values.quantity ?? 0, write_date: null })
    if (model === 'production.work.cycle') this.#setWork(Number(values.work))
    return id
  }

  write(model: string, id: number, values: Values, refuse: Refuse): void {
    const record = this.#tables.get(model, id) ?? refuse(`You are not allowed to read records "${id}" of "${model}".`)
    const fixed = ['product', 'quantity', 'from_location', 'to_location', this.#unit]
    if (model === 'stock.move' && record.state !== 'draft' && fixed.some(field => field in values))
      refuse('You cannot modify this stock move.')
    this.#tables.update(model, id, values)
    if (model !== 'timesheet.line') return
    const [, key] = / - (\S+)$/.exec(String(values.description)) ?? []
    if (key !== undefined) this.#due.push({ key, document: `${model},${id}` })
  }

  remove(model: string, id: number, refuse: Refuse): void {
    if (model === 'stock.move' && this.#tables.get(model, id)?.state === 'done') refuse('You must cancel it or reset it to draft.')
    this.#tables.remove(model, id)
  }

  /** A transition that does not apply is ignored in silence. */
  transition(model: string, verb: string, ids: readonly number[], refuse: Refuse): Json {
    for (const id of ids) {
      const { state } = this.#tables.get(model, id) ?? refuse(`You are not allowed to read records "${id}" of "${model}".`)
      const to = (from: readonly string[], next: string): boolean => {
        if (!from.includes(String(state))) return false
        this.#tables.update(model, id, { state: next })
        return true
      }
      if (model === 'stock.move') {
        if (verb === 'do' && to(['draft', 'assigned'], 'done')) this.#moved(id)
      } else if (model === 'production.work.cycle') {
        if (verb === 'run') to(['draft'], 'running')
        else if (verb === 'do') to(['running'], 'done')
        else to(['draft', 'running'], 'cancelled')
        this.#setWork(Number(this.#tables.get(model, id)?.work))
      } else if (verb === 'wait') to(['draft'], 'waiting')
      else if (verb === 'assign_try') return to(['waiting'], 'assigned')
      else if (verb === 'run' && to(['assigned'], 'running')) this.#doMoves('production_input', id)
      else if (verb === 'finish' && state === 'running') this.#finish(id, refuse)
    }
    return null
  }

  #finish(id: number, refuse: Refuse): void {
    // Tryton wants every operation finished; here one that nobody touched does not count, so that orders can be told of alone.
    const open = this.#tables
      .all('production.work')
      .filter(work => work.production === id && !['finished', 'draft'].includes(String(work.state)))
    if (open.length > 0) refuse('To complete production, work must be finished.')
    this.#doMoves('production_output', id)
    this.#tables.update('production', id, { state: 'done' })
  }

  #doMoves(field: string, production: number): void {
    for (const move of this.#tables.all('stock.move')) {
      if (move[field] !== production || move.state === 'done' || move.state === 'cancelled') continue
      this.#tables.update('stock.move', Number(move.id), { state: 'done' })
      if (move.create_uid === this.#user) this.#moved(Number(move.id))
    }
  }

  /** A move of ours is done: by its mark it belongs to a message. */
  #moved(id: number): void {
    const marked = this.#tables.all('ir.note').some(({ resource }) => resource === `stock.move,${id}`)
    if (!marked) this.#due.push({ key: 'a move that nobody marked', document: `stock.move,${id}` })
  }

  #setWork(work: number): void {
    const cycles = this.#cycles(work)
    const states = new Set(cycles.map(({ state }) => state))
    if (cycles.filter(({ state }) => state === 'running').length > 1)
      this.#due.push({ key: 'two cycles that run', document: `production.work,${work}` })
    const closed = [...states].every(state => state === 'done' || state === 'cancelled')
    const state = !states.has('done') && closed ? 'draft' : closed ? 'finished' : states.has('running') ? 'running' : 'waiting'
    this.#tables.update('production.work', work, { state })
  }

  /** Orders, articles, places and people that a test names are there as soon as somebody asks for them by their number. */
  know(model: string, domain: Json, server: TrytonServer): void {
    const text = JSON.stringify(domain)
    const [, field = '', value = ''] = /\["(number|code|symbol|party\.code)","=","([^"]+)"\]/.exec(text) ?? []
    if (field === '' || value.startsWith('NONE')) return
    const t = this.#tables
    const has = (of: string, name: string, wanted: string): boolean => t.all(of).some(row => row[name] === wanted)
    if (model === 'production' && field === 'number' && !has(model, 'number', value)) this.#order(value, server)
    if (model === 'product.product' && field === 'code' && !has(model, 'code', value)) this.product(value, server.pieces)
    if (model === 'stock.location' && field === 'code' && !has(model, 'code', value)) {
      t.insert(model, { code: value, name: value, type: 'storage', warehouse: server.house, hidden: true })
    }
    // Whatever the units are called there: these articles have one.
    if (model === 'product.uom' && !has(model, 'symbol', value)) t.update(model, server.pieces, { symbol: value })
    if (model === 'company.employee' && !t.all('party.party').some(({ code }) => code === value)) {
      t.insert(model, { party: t.insert('party.party', { code: value, name: value }) })
    }
  }

  product(code: string, unit: number, name = code): number {
    const template = this.#tables.insert('product.template', { active: true })
    const id = this.#tables.insert('product.product', { code, name, active: true, template, default_uom: unit })
    this.#tables.update('product.template', template, { products: [id], write_date: null })
    return id
  }

  #order(number: string, server: TrytonServer): void {
    const t = this.#tables
    const product = t.all('product.product').find(({ code }) => code === 'A0001')?.id ?? this.product('A0001', server.pieces)
    const material = t.all('product.product').find(({ code }) => code === 'M0001')?.id ?? this.product('M0001', server.pieces)
    const order = t.insert('production', {
      number,
      state: 'assigned',
      product,
      quantity: 9,
      [this.#unit]: server.pieces,
      warehouse: server.house,
      location: server.floor
    })
    const operation = t.insert('production.routing.operation', { name: 'Saw' })
    t.insert('production.work', { production: order, sequence: 10, state: 'draft', timesheet_work: 1, operation })
    const move = { state: 'assigned', [this.#unit]: server.pieces, shipment: null }
    const storage = t.all('stock.location').find(({ code }) => code === 'STORE')?.id ?? 0
    // Less than two reports of the kit take: one stays within the plan, one goes beyond.
    t.insert('stock.move', {
      ...move,
      product: material,
      quantity: 2,
      internal_quantity: 2,
      from_location: storage,
      to_location: server.floor,
      production_input: order
    })
    t.insert('stock.move', {
      ...move,
      state: 'draft',
      product,
      quantity: 9,
      from_location: server.floor,
      to_location: storage,
      production_output: order
    })
  }
}

const keyOf = (note: Values): string => String(note.message).split('\n')[0]?.replace('Werkvloer ', '') ?? ''
