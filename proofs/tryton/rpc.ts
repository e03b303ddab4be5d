import type { Lab } from './lab.ts'

export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value }
export type Row = Readonly<Record<string, Value>>
export type Domain = readonly Value[]

/** A refusal of Tryton, in its own words. */
export class ErpRefusal extends Error {}

/**
 * JSON-RPC with a Tryton server as somebody who signs in there: nothing of our adapter, so that it can be asked what the adapter did.
 */
export interface Rpc {
  call<T = Value>(method: string, ...params: readonly Value[]): Promise<T>
  /** All rows of a model, by id. A dotted field comes back under its own dotted name. */
  rows(model: string, domain: Domain, fields: readonly string[], context?: Row): Promise<Row[]>
}

export async function connect(lab: Lab, login: string): Promise<Rpc> {
  const url = new URL(`${lab.database}/`, lab.url)
  let number = 0
  async function post<T>(method: string, params: readonly Value[], authorization?: string): Promise<T> {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body: JSON.stringify({ id: ++number, method, params }),
      signal: AbortSignal.timeout(60_000)
    })
    if (!answer.ok) throw new ErpRefusal(`${method}: ${answer.status} ${(await answer.text()).slice(0, 200)}`)
    const body = (await answer.json()) as { result?: T; error?: unknown }
    if (body.error !== undefined) throw new ErpRefusal(`${method}: ${JSON.stringify(body.error).slice(0, 400)}`)
    return body.result as T
  }
  const password = lab.users[login]
  if (password === undefined) throw new Error(`the lab has no account ${login}`)
  const [userId, session] = await post<[number, string]>('common.db.login', [login, { password }, 'en'])
  const authorization = `Session ${Buffer.from(`${login}:${userId}:${session}`).toString('base64')}`
  const context = { company: lab.companyId, language: 'en' }
  const call = <T>(method: string, ...params: readonly Value[]): Promise<T> => post<T>(method, [...params, context], authorization)
  return {
    call,
    async rows(model, domain, fields, more = {}) {
      const found = await post<Row[]>(
        `model.${model}.search_read`,
        [domain, 0, null, [['id', 'ASC']], fields, { ...context, ...more }],
        authorization
      )
      return found.map(row =>
        Object.fromEntries(['id', ...fields].map(field => [field, field === 'id' ? (row.id ?? null) : at(row, field)]))
      )
    }
  }
}

/** The value of `a.b.c` in `{ 'a.': { 'b.': { c } } }`. */
function at(row: Row, field: string): Value {
  const [first = '', ...rest] = field.split('.')
  if (rest.length === 0) return row[first] ?? null
  const inner = row[`${first}.`]
  return inner === null || inner === undefined ? null : at(inner as Row, rest.join('.'))
}

/** The seconds of a duration. */
export const secondsOf = (value: Value | undefined): number =>
  value === null || value === undefined ? 0 : (value as { seconds: number }).seconds

/** A calendar day as we write it. */
export function dayOf(value: Value | undefined): string | null {
  if (value === null || value === undefined) return null
  const { year, month, day } = value as { year: number; month: number; day: number }
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** A quantity of theirs, a binary fraction such as 2459.8900000000003, as decimal text with our six places. */
export const decimalOf = (value: Value | undefined): string => {
  const text = (value as number).toFixed(6).replace(/\.?0+$/, '')
  return text === '-0' ? '0' : text
}
