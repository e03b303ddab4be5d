import { refuse } from '../errors.ts'

const mostLevels = 64

interface Place {
  readonly at: string
  readonly value: unknown
}

/**
 * Refuses what no schema says and nothing of ours can keep: a body that is nested deeper than anything of ours (JSON.stringify, the checks of
 * a mapping and PostgreSQL's jsonb all go down level by level and run out of stack where a schema leaves the inside free), and text with half
 * of a surrogate pair, which would be stored as another character. Walks level by level itself, so that it does not run out.
 */
export function refuseUnkeepable(body: unknown): void {
  let level: readonly Place[] = [{ at: '', value: body }]
  for (let depth = 0; level.length > 0; depth++) {
    for (const { at, value } of level) if (typeof value === 'string' && !value.isWellFormed()) refuseHalf(at)
    const nodes = level.filter((place): place is Place & { value: object } => isNode(place.value))
    if (depth >= mostLevels && nodes.length > 0)
      throw refuse('malformed_body', `The body is nested deeper than ${mostLevels} levels. Flatten it.`)
    level = nodes.flatMap(({ at, value }) =>
      Object.entries(value).map(([name, inner]) => {
        if (!name.isWellFormed()) refuseHalf(at)
        return { at: `${at}/${name}`, value: inner }
      })
    )
  }
}

function refuseHalf(at: string): never {
  const pointer = at === '' ? '/' : at
  const detail = 'holds half of a character (a surrogate without its pair)'
  throw refuse('invalid_request', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] })
}

/** Bytes and streams have no levels. */
const isNode = (value: unknown): value is object =>
  Array.isArray(value) || (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
