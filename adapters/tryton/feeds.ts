import type { Json } from '../contract/index.ts'
import type { TrytonCtx } from './session.ts'
import type { Domain, Tryton } from './tryton.ts'
import { idAt, isRow, type Row, stampOf, toStamp } from './wire.ts'

/** Rows of one model in the order in which they were made or changed. */
export interface Feed {
  readonly name: string
  readonly model: string
  readonly domain: Domain
  readonly fields: readonly string[]
  /** Rows of other models tell of a record that was read whole already: the first run leaves what is older to it. */
  readonly follows: boolean
  /** Brings rows of the overlap again even when nothing changed in them. */
  readonly again?: boolean
}

/** Time and id of a row: rows that share a time are not lost at the end of a page. */
interface Cursor {
  readonly at: string
  readonly id: number
}
/** Where a run goes on. `seen`: rows behind the cursor that were brought already, as `id@time`. */
interface FeedState {
  readonly cursor: Cursor | null
  readonly seen: readonly string[]
}
export interface PullState {
  /** When the first run began: what was closed before it is not fetched. */
  readonly began: string
  /** The day of the last run: what ends or begins with a day is not changed by anybody. */
  readonly day: string
  readonly feeds: { readonly [name: string]: FeedState }
}

const pageSize = 200
/** More would make the checkpoint heavy; then they are brought again instead. */
const mostSeen = 5_000
const stampFields = ['write_date', 'create_date'] as const
type StampField = (typeof stampFields)[number]

/** Where to go on: at the checkpoint, or at the beginning, from where on the feeds that follow tell what is new. */
export async function beginning(erp: Tryton, ctx: TrytonCtx, feeds: readonly Feed[], checkpoint: Json): Promise<PullState> {
  if (isRow(checkpoint) && typeof checkpoint.began === 'string' && isRow(checkpoint.feeds)) return checkpoint as unknown as PullState
  const horizon = horizonOf(erp, ctx)
  const places: Record<string, FeedState> = {}
  for (const feed of feeds.filter(({ follows }) => follows)) {
    for (const field of stampFields) {
      const [newest] = await fetchRows(erp, feed, field, [], 'DESC', 1)
      const place = newest && placeOf(newest, field)
      places[`${feed.name}.${field}`] = { cursor: place && place.at > horizon ? { at: horizon, id: 0 } : (place ?? null), seen: [] }
    }
  }
  return { began: micro(erp.now().getTime()), day: erp.today(), feeds: places }
}

/** Behind this every transaction has ended. */
const horizonOf = (erp: Tryton, { config }: TrytonCtx): string => micro(erp.now().getTime() - config.overlapMinutes * 60_000)

export interface Page {
  readonly feed: string
  readonly rows: readonly Row[]
  /** What to keep once the rows of the page are brought. */
  readonly state: PullState
}

/**
 * Pages of what was made or changed since the last run. Tryton stamps a row when its transaction begins, so a row may turn up behind one that
 * is younger: the cursor that is kept never goes into the last minutes (`overlapMinutes`), which are fetched again until they are old.
 * A row that was never changed has no time of change; it stands in a feed of its own, by the time it was made.
 */
export async function* pages(erp: Tryton, ctx: TrytonCtx, feeds: readonly Feed[], from: PullState): AsyncIterable<Page> {
  const horizon = horizonOf(erp, ctx)
  let state = from
  for (const feed of feeds) {
    for (const field of stampFields) {
      const name = `${feed.name}.${field}`
      const start = state.feeds[name] ?? { cursor: null, seen: [] }
      const seen = new Set(start.seen)
      let kept = start.cursor
      let cursor = start.cursor
      let young: string[] = []
      for (;;) {
        const found = await fetchRows(erp, feed, field, behind(field, cursor), 'ASC', pageSize)
        for (const row of found) {
          cursor = placeOf(row, field)
          if (cursor.at <= horizon) kept = cursor
          else if (!feed.again) young.push(nameOf(cursor))
        }
        if (young.length > mostSeen) young = []
        const rows = found.filter(row => !seen.has(nameOf(placeOf(row, field))))
        if (rows.length > 0) {
          state = { ...state, feeds: { ...state.feeds, [name]: { cursor: kept, seen: [...young] } } }
          yield { feed: feed.name, rows, state }
        }
        if (found.length < pageSize) break
      }
    }
  }
}

/** Rows of other models that came along with a record, each as it was then: the feed that follows need not bring them again. */
export class Told {
  readonly #names = new Set<string>()

  note(model: string, rows: readonly Row[]): void {
    if (this.#names.size < mostTold) for (const row of rows) this.#names.add(versionOf(model, row))
  }
  has(model: string, row: Row): boolean {
    return this.#names.has(versionOf(model, row))
  }
}
const mostTold = 50_000
const versionOf = (model: string, row: Row): string => `${model},${idAt(row, 'id')}@${stampOf(row.write_date) ?? stampOf(row.create_date)}`

const placeOf = (row: Row, field: StampField): Cursor => ({ at: stampOf(row[field]) ?? '', id: idAt(row, 'id') ?? 0 })
const nameOf = ({ at, id }: Cursor): string => `${id}@${at}`
const micro = (time: number): string => new Date(time).toISOString().replace('Z', '000Z')

const behind = (field: StampField, cursor: Cursor | null): Domain[] =>
  cursor === null
    ? []
    : [
        [
          'OR',
          [field, '>', toStamp(cursor.at)],
          [
            [field, '=', toStamp(cursor.at)],
            ['id', '>', cursor.id]
          ]
        ]
      ]

function fetchRows(
  erp: Tryton,
  { model, domain, fields }: Feed,
  field: StampField,
  more: readonly Domain[],
  way: 'ASC' | 'DESC',
  limit: number
): Promise<Row[]> {
  const changed: Domain = ['write_date', field === 'write_date' ? '!=' : '=', null]
  return erp.search(model, [...domain, changed, ...more], ['id', field, ...fields], {
    order: [
      [field, way],
      ['id', way]
    ],
    limit,
    context: { active_test: false }
  })
}
