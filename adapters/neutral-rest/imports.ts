import {
  type AdapterCtx,
  AdapterError,
  type ConfigOf,
  type ImportItem,
  type ImportKind,
  type InboundRequest,
  type Json,
  parseInstant,
  type Revision
} from '../contract/index.ts'
import { ackRoute, type config, routes } from './manifest.ts'

export type RestCtx = AdapterCtx<ConfigOf<typeof config>>

type JsonObject = { readonly [key: string]: Json }
const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const refuse = (message: string): AdapterError => new AdapterError('payload', message)

/** Everything that a call brings. The shape of the whole body is checked before its first record counts. */
export async function* importCall(request: InboundRequest, ctx: RestCtx): AsyncIterable<ImportItem> {
  const body = await request.json()
  if (!isObject(body)) throw refuse('The body must be a JSON object.')
  if (request.route === ackRoute) {
    yield* acknowledgements(body)
    return
  }
  const kind = Object.hasOwn(routes, request.route) ? routes[request.route as keyof typeof routes] : undefined
  if (kind === undefined) throw refuse(`There is no route "${request.route}"; there are ${[...Object.keys(routes), ackRoute].join(', ')}.`)
  const records = listOf(body, 'records')
  requirePlant(records, ctx)
  const deletions = deletionsOf(body, kind)
  const snapshot = snapshotOf(body)
  if (snapshot) yield { type: 'snapshot', kind, phase: 'begin', ...snapshot }
  for (const [index, row] of records.entries()) {
    const at = { pointer: `/records/${index}` }
    if (isObject(row)) yield ctx.map.row(kind, row, at)
    else yield { type: 'reject', kind, reject: { code: 'row_expected', message: `Entry ${index + 1} of "records" must be an object.` }, at }
  }
  yield* deletions
  if (snapshot) yield { type: 'snapshot', kind, phase: 'end', ...snapshot }
}

/** One record of another plant refuses the body. What is no object is refused for itself. */
function requirePlant(records: readonly Json[], { config: { plantField, plant } }: RestCtx): void {
  if (plantField === '' || plant === '') return
  for (const [index, row] of records.entries()) {
    if (!isObject(row) || (Object.hasOwn(row, plantField) && row[plantField] === plant)) continue
    throw refuse(`Entry ${index + 1} of "records" does not say "${plant}" in "${plantField}": this connection takes that plant only.`)
  }
}

function listOf(body: JsonObject, name: string, otherwise?: Json[]): readonly Json[] {
  const list = body[name] ?? otherwise
  if (!Array.isArray(list)) throw refuse(`The body needs a list called "${name}".`)
  return list
}

function deletionsOf(body: JsonObject, kind: ImportKind): ImportItem[] {
  return listOf(body, 'deleted', []).map((entry, index): ImportItem => {
    const { key, revision } = isObject(entry) ? entry : { key: entry, revision: undefined }
    if (typeof key !== 'string' || key === '') throw refuse(`Entry ${index + 1} of "deleted" needs a text called "key".`)
    const known = revisionOf(revision ?? undefined, index)
    return { type: 'delete', kind, key, ...(known ? { revision: known } : {}), at: { pointer: `/deleted/${index}` } }
  })
}

function revisionOf(value: Json | undefined, index: number): Revision | undefined {
  if (value === undefined) return undefined
  const { seq, changedAt } = isObject(value) ? value : {}
  if (Number.isSafeInteger(seq)) return { seq: Number(seq) }
  if (typeof changedAt === 'string' && changedAt.endsWith('Z') && !Number.isNaN(parseInstant(changedAt))) return { changedAt }
  throw refuse(`Entry ${index + 1} of "deleted" has a revision that is neither {"seq": number} nor {"changedAt": time in UTC}.`)
}

/** `"snapshot": true`, or of a part: `"snapshot": {"scope": "warehouse 1"}`. */
function snapshotOf({ snapshot }: JsonObject): { scope?: string } | undefined {
  if (snapshot === undefined || snapshot === null || snapshot === false) return undefined
  if (snapshot === true) return {}
  const scope = isObject(snapshot) ? snapshot.scope : undefined
  if (typeof scope !== 'string' || scope === '') throw refuse('"snapshot" must be true, or an object with a text called "scope".')
  return { scope }
}

function acknowledgements(body: JsonObject): ImportItem[] {
  return listOf(body, 'acks').map((entry, index): ImportItem => {
    const { key, result, document, message, code } = isObject(entry) ? entry : {}
    const where = `Entry ${index + 1} of "acks"`
    if (typeof key !== 'string' || key === '') throw refuse(`${where} needs a text called "key".`)
    const at = { pointer: `/acks/${index}` }
    const text = (value: Json | undefined, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise)
    if (result === 'accepted')
      return { type: 'ack', exportKey: key, outcome: { status: 'accepted', ref: { document: text(document, key) } }, at }
    if (result !== 'rejected') throw refuse(`${where} must say "accepted" or "rejected" as its "result".`)
    const reject = { code: text(code, 'erp_rejected'), message: text(message, 'The ERP gave no reason.') }
    return { type: 'ack', exportKey: key, outcome: { status: 'rejected', reject }, at }
  })
}
