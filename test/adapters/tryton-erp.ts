import type { Json } from '../../adapters/contract/index.ts'
import type { Books } from '../../adapters/kit/books.ts'
import type { Answer, Arrived, Erp } from '../../adapters/kit/erp.ts'
import { Effects } from './tryton-effects.ts'
import { offerRows } from './tryton-offers.ts'
import { Tables, type Values } from './tryton-tables.ts'

export const trytonConfig = { url: 'https://tryton.kit.example:8000', database: 'kit', user: 'mes', password: 'kit-canary-password' }
export const sessionToken = 'kit0session0token0of0the0simulator0'
const userId = 8

export interface SimulatorOptions {
  /** The series decides what is called how, and under which address. */
  readonly version: string
  readonly path: '/kit/' | '/kit/rpc/'
  /** Modules that are not installed. */
  readonly without: readonly string[]
}
const standard: SimulatorOptions = { version: '6.0.29', path: '/kit/', without: [] }

/** What Tryton refuses by a rule: HTTP 200 and nothing done. */
class UserError extends Error {}

/** One Tryton: its records, its sessions, and the books of what had an effect. */
export class TrytonServer {
  readonly tables: Tables
  readonly effects: Effects
  readonly #books: Books
  readonly #options: SimulatorOptions
  readonly #offered = new Set<string>()
  /** Sessions that were ended: the next call with one is answered 401. */
  readonly ended = new Set<string>()
  logins = 0

  constructor(books: Books, options: SimulatorOptions) {
    this.#books = books
    this.#options = options
    this.tables = new Tables(books.now, books.visibleAt, (model, id, field, context) => this.#computed(model, id, field, context))
    this.effects = new Effects(this.tables, books, userId, this.#unit())
    const { tables } = this
    tables.insert('company.company', { currency: 1, party: tables.insert('party.party', { name: 'Kit', code: 'KIT' }) })
    const lost = tables.insert('stock.location', { code: null, name: 'Lost', type: 'lost_found' })
    const storage = tables.insert('stock.location', { code: 'STORE', name: 'Storage', type: 'storage', active: true })
    const floor = tables.insert('stock.location', { code: 'FLOOR', name: 'Floor', type: 'production' })
    this.house = tables.insert('stock.location', {
      code: 'MAIN',
      name: 'Main',
      type: 'warehouse',
      lost_found_location: lost,
      storage_location: storage,
      production_location: floor
    })
    this.floor = floor
    this.pieces = tables.insert('product.uom', { symbol: 'PCE', digits: 6, category: 1 })
    // Its own place of storage is none that the tests offer.
    tables.update('stock.location', storage, { hidden: true })
  }
  readonly house: number
  readonly floor: number
  readonly pieces: number

  #unit(): 'uom' | 'unit' {
    return this.#options.version.startsWith('7') ? 'unit' : 'uom'
  }

  get company(): number {
    return Number(this.tables.all('company.company')[0]?.id)
  }

  #computed(model: string, id: number, field: string, context: Values): Json | undefined {
    if (field === 'company' && model !== 'company.company') return this.company
    if (field !== 'quantity' || (model !== 'product.product' && model !== 'stock.lot')) return undefined
    const places = Array.isArray(context.locations) ? context.locations : []
    const moves = this.tables
      .all('stock.move')
      .filter(move => move.state === 'done' && move[model === 'stock.lot' ? 'lot' : 'product'] === id)
    return moves.reduce(
      (sum, { quantity, from_location, to_location }) =>
        sum +
        (places.includes(to_location ?? null) ? Number(quantity) : 0) -
        (places.includes(from_location ?? null) ? Number(quantity) : 0),
      0
    )
  }

  answer({ url, json, headers = {} }: Arrived): Answer {
    const { pathname } = new URL(url)
    const { method, params } = json as { method: string; params: Json[] }
    if (method === 'common.server.version') return pathname === '/' ? result(this.#options.version) : { status: 404 }
    if (pathname !== this.#options.path) return { status: 404 }
    if (method === 'common.db.login') return this.#logIn(params)
    const session = Buffer.from((headers.authorization ?? '').replace(/^Session /, ''), 'base64').toString('utf8')
    if (session !== `mes:${userId}:${sessionToken}` || this.ended.delete(session)) return { status: 401 }
    offerRows(this, this.#books.offered, this.#offered)
    this.tables.begin()
    try {
      return result(this.#call(method.replace(/^model\./, ''), params))
    } catch (error) {
      this.tables.rollback()
      this.effects.forget()
      const reason = error instanceof Error ? error.message : String(error)
      return { status: 200, json: { id: 1, error: error instanceof UserError ? ['UserError', [reason, '', null]] : [reason, ''] } }
    }
  }

  endSessions(): void {
    this.ended.add(`mes:${userId}:${sessionToken}`)
  }

  #logIn([user, given]: Json[]): Answer {
    const { password } = given as { password?: string }
    this.logins++
    if (user !== 'mes' || !password?.startsWith('kit')) return { status: 401 }
    return result([userId, sessionToken])
  }

  #call(method: string, params: Json[]): Json {
    const context = params.at(-1) as Values
    const [model, verb] = [method.slice(0, method.lastIndexOf('.')), method.slice(method.lastIndexOf('.') + 1)]
    if (method === 'res.user.get_preferences') return { company: this.company, language: 'en', 'company.rec_name': 'Kit' }
    if (method === 'ir.model.access.get_access') {
      const rights = { read: 1, write: 1, create: 1, delete: 1 }
      return Object.fromEntries((params[0] as string[]).map(name => [name, rights]))
    }
    if (typeof context !== 'object' || Array.isArray(context)) throw new Error('Missing context argument')
    if (verb === 'search_read') return this.#search(model, params, context)
    return this.#write(model, verb, params)
  }

  #search(model: string, [domain = [], , limit = null, order = null, fields]: Json[], context: Values): Json {
    if (model === 'ir.model') {
      const all = ['production.work', 'production.work.cycle', 'stock.lot', 'timesheet.line', 'timesheet.work']
      return all.filter(name => !this.#options.without.includes(name)).map((name, id) => ({ id, model: name }))
    }
    this.effects.know(model, domain, this)
    const wanted = model === 'stock.location' ? [domain, ['hidden', '!=', true]] : domain
    return this.tables.search(
      model,
      JSON.stringify(domain).includes('"code"') ? domain : this.#ownToo(model, domain, wanted),
      limit,
      order,
      fields as string[],
      context
    )
  }

  /** Places of the simulator itself are found by their number, never listed. */
  #ownToo(model: string, domain: Json, listed: Json): Json {
    return model === 'stock.location' && JSON.stringify(domain).includes('["id","="') ? domain : listed
  }

  #write(model: string, verb: string, [first, second]: Json[]): Json {
    const ids = Array.isArray(first) ? first.map(Number) : []
    if (verb === 'create') {
      const made = (first as Values[]).map(values => this.effects.create(model, values, refuse))
      this.effects.settle(refuse)
      return made
    }
    if (verb === 'write') for (const id of ids) this.effects.write(model, id, second as Values, refuse)
    else if (verb === 'delete') for (const id of ids) this.effects.remove(model, id, refuse)
    else {
      const finish = this.#unit() === 'unit' ? 'do' : 'done'
      const known = model === 'production' ? ['wait', 'assign_try', 'run', finish] : ['run', 'do', 'cancel']
      if (!known.includes(verb)) throw new Error(`Calling method "${verb}" on "${model}" is not allowed.`)
      const answer = this.effects.transition(model, verb === finish && model === 'production' ? 'finish' : verb, ids, refuse)
      this.effects.settle(refuse)
      return answer
    }
    this.effects.settle(refuse)
    return null
  }
}

const refuse = (reason: string): never => {
  throw new UserError(reason)
}
const result = (value: Json): Answer => ({ status: 200, json: { id: 1, result: value } })

const servers = new WeakMap<Books, TrytonServer>()

/** The server that stands on these books. */
export function serverOf(books: Books, options: Partial<SimulatorOptions> = {}): TrytonServer {
  const known = servers.get(books)
  if (known) return known
  const made = new TrytonServer(books, { ...standard, ...options })
  servers.set(books, made)
  return made
}

/** A Tryton in memory that keeps the adapter's promises honest: it ignores transitions, tells nothing, and books what has an effect. */
export const trytonErp = (options: Partial<SimulatorOptions> = {}): Erp => ({
  serve: (request, books) => serverOf(books, options).answer(request),
  isRead: ({ json }) =>
    /^common\.|\.(search_read|get_preferences|get_access)$/.test(String((json as { method?: string } | undefined)?.method)),
  facts: books => serverOf(books, options).effects.facts(),
  secrets: [sessionToken]
})
