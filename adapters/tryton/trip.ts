import {
  AdapterError,
  type Concealed,
  type ErpRef,
  type ExportItem,
  type ExportOutcomeBody,
  type Json,
  type Reject,
  TransportError
} from '../contract/index.ts'
import { ErpRefusal, TooMany } from './errors.ts'
import type { TrytonCtx } from './session.ts'
import type { Tryton } from './tryton.ts'

/** We know by ourselves that Tryton cannot take this. */
export class Refused extends Error {
  readonly code: string

  constructor(code: string, sentence: string) {
    super(sentence)
    this.name = 'Refused'
    this.code = code
  }
}

/**
 * One message on its way. Writes that only prepare (a draft, a mark) change nothing that anybody counts with; the write that does goes
 * through `effect`, last, and may be repeated without doing more.
 */
export interface Trip<I extends ExportItem = ExportItem> {
  readonly erp: Tryton
  readonly ctx: TrytonCtx
  readonly item: I
  /** The record as the mapping of the connection writes it. */
  readonly row: Readonly<Record<string, string>>
  /** An earlier attempt may have left something. */
  readonly again: boolean
  prepare(method: string, params: readonly Concealed[]): Promise<Json>
  effect(method: string, params: readonly Concealed[]): Promise<Json>
  /** How far it came: whether something may have had an effect that we did not see. */
  unsure(): boolean
}

/** The call was answered, or never sent: it was certainly not carried out. */
const notCarriedOut = (error: unknown): boolean =>
  error instanceof ErpRefusal ||
  error instanceof TooMany ||
  (error instanceof TransportError && error.effect === 'none') ||
  (error instanceof AdapterError && (error.cls === 'auth' || error.cls === 'config'))

export function setOut<I extends ExportItem>(erp: Tryton, ctx: TrytonCtx, item: I, row: Readonly<Record<string, string>>): Trip<I> {
  let unsure = false
  async function write(method: string, params: readonly Concealed[], counts: boolean): Promise<Json> {
    try {
      const answer = await erp.call(method, params)
      if (counts) unsure = true
      return answer
    } catch (error) {
      if (!notCarriedOut(error)) unsure = true
      throw error
    }
  }
  return {
    erp,
    ctx,
    item,
    row,
    again: item.attempt > 1 || item.previous !== 'none',
    prepare: (method, params) => write(method, params, false),
    effect: (method, params) => write(method, params, true),
    unsure: () => unsure
  }
}

/** Where it stands in Tryton, and whether it stood there before. */
export interface Arrived {
  readonly ref: ErpRef
  readonly before?: boolean
}

export const refTo = ({ config }: TrytonCtx, model: string, id: number): ErpRef => ({
  document: `${model},${id}`,
  href: `${config.url.replace(/\/+$/, '')}/#${encodeURIComponent(config.database)}/model/${model}/${id}`
})

/** What became of a message. `fatal`: nothing goes through until a person did something. */
export async function outcomeOf(
  open: () => Promise<Trip>,
  send: (trip: Trip) => Promise<Arrived>,
  hide: (sentence: string) => string
): Promise<{ readonly body: ExportOutcomeBody; readonly fatal?: AdapterError }> {
  let trip: Trip | undefined
  try {
    trip = await open()
    const { ref, before } = await send(trip)
    return { body: { status: before ? 'duplicate' : 'accepted', ref } }
  } catch (error) {
    const unsure = trip?.unsure() ?? false
    const reject = rejectOf(error, hide)
    if (reject) return { body: { status: 'rejected', reject } }
    const reason =
      error instanceof AdapterError ? hide(error.message) : hide(error instanceof ErpRefusal ? error.words : 'The adapter failed.')
    const fatal = error instanceof AdapterError && (error.cls === 'auth' || error.cls === 'config') ? { fatal: error } : {}
    if (unsure || !isKnown(error)) return { body: { status: 'unknown', reason }, ...fatal }
    const wait = error instanceof AdapterError ? error.retryAfterSeconds : undefined
    return { body: { status: 'not-sent', reason, ...(wait === undefined ? {} : { retryAfterSeconds: wait }) }, ...fatal }
  }
}

/** What is no fault of the way, of Tryton or of ours is one of the adapter: then nothing is certain. */
const isKnown = (error: unknown): boolean => error instanceof AdapterError || error instanceof ErpRefusal

function rejectOf(error: unknown, hide: (sentence: string) => string): Reject | undefined {
  if (error instanceof Refused) return { code: error.code, message: hide(error.message) }
  // Somebody changed the record meanwhile: looked at again, it may be possible.
  if (!(error instanceof ErpRefusal) || error.type === 'ConcurrencyException') return undefined
  return { code: error.type === 'UserWarning' ? 'erp_warning' : 'erp_rejected', message: hide(error.words) }
}
