import { refuse } from '../errors.ts'

const mostLevels = 64

/**
 * Refuses a body that is nested deeper than anything of ours: JSON.stringify, the checks of a mapping and PostgreSQL's jsonb all go down
 * level by level and run out of stack, where a schema leaves the inside free. Walks level by level itself, so that it does not.
 */
export function refuseDeep(body: unknown): void {
  let level = [body].filter(isNode)
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > mostLevels) throw refuse('malformed_body', `The body is nested deeper than ${mostLevels} levels. Flatten it.`)
    level = level.flatMap(node => Object.values(node).filter(isNode))
  }
}

/** Bytes and streams have no levels. */
const isNode = (value: unknown): value is object =>
  Array.isArray(value) || (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
