import type { ImportKind, Json } from '../contract/index.ts'

/** A document in the ERP. */
export interface Booked {
  readonly key: string
  readonly document: string
  /** Milliseconds of the test clock. */
  readonly at: number
  readonly visibleAt: number
  readonly body: Json
}

/** A row that the ERP offers to those who fetch. */
export interface Offered {
  readonly id: string
  readonly changedAt: string
  readonly fields: { readonly [key: string]: Json }
}

/** What the ERP of a test knows; it never forgets and never merges, so that a double sending shows. */
export interface Books {
  readonly booked: readonly Booked[]
  /** Keys that the ERP refuses, with its reason. */
  readonly refusals: Map<string, string>
  readonly offered: Map<ImportKind, Offered[]>
  /** Books what has an effect; `document`: as the ERP itself calls it. */
  post(key: string, body: Json, document?: string): { readonly document: string } | { readonly refused: string }
  /** What a search finds now. @throws Error while searches fail */
  find(key: string): Booked | undefined
  has(key: string): boolean
  now(): number
  /** When what is written now shows in a search. */
  visibleAt(): number
}

export function openBooks(now: () => number, behaviour: { searchFails: boolean; visibleAfterSeconds: number }): Books {
  const booked: Booked[] = []
  const refusals = new Map<string, string>()
  return {
    booked,
    refusals,
    offered: new Map(),
    post(key, body, named) {
      const refused = refusals.get(key)
      if (refused !== undefined) return { refused }
      const document = named ?? `D${String(booked.length + 1).padStart(6, '0')}`
      booked.push({ key, document, body, at: now(), visibleAt: now() + behaviour.visibleAfterSeconds * 1000 })
      return { document }
    },
    find(key) {
      if (behaviour.searchFails) throw new Error('the search is out of order')
      return booked.find(entry => entry.key === key && entry.visibleAt <= now())
    },
    has: key => booked.some(entry => entry.key === key),
    now,
    visibleAt: () => now() + behaviour.visibleAfterSeconds * 1000
  }
}
