import type { Operation } from '../../test/helpers/api.ts'
import type { Answer, Sent } from './client.ts'

/** What became of the requests to one route. */
export interface RouteTally {
  readonly operation: Operation
  sent: number
  well: number
  /** Faults, and answers that do not fit. */
  bad: number
  /** State of the thing -> requests that were meant and answered with 2xx. */
  readonly wellIn: Map<string, number>
  /** Code of a refusal -> how often. */
  readonly refused: Map<string, number>
}

export interface Tally {
  readonly routes: ReadonlyMap<Operation, RouteTally>
  /** @param state of the thing asked about, where the request is meant to be taken */
  count(operation: Operation, sent: Sent, answer: Answer, what: string, misfit: string | undefined, state?: string): void
  readonly requests: number
  readonly faults: number
  readonly misfits: number
}

const most = 40
const add = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1)
const codeOf = ({ status, text }: Answer): string => /"code":"(\w+)"/.exec(text)?.[1] ?? String(status)

export function newTally(operations: readonly Operation[], say: (line: string) => void): Tally {
  const routes = new Map<Operation, RouteTally>(
    operations.map(operation => [operation, { operation, sent: 0, well: 0, bad: 0, wellIn: new Map(), refused: new Map() }])
  )
  let requests = 0
  let faults = 0
  let misfits = 0
  return {
    routes,
    count(operation, sent, answer, what, misfit, state) {
      const route = routes.get(operation)
      if (!route) throw new Error(`${operation.path} is not counted`)
      requests++
      route.sent++
      const well = answer.status >= 200 && answer.status < 300
      if (well) route.well++
      else add(route.refused, codeOf(answer))
      if (well && state !== undefined) add(route.wellIn, state)
      const fault = answer.status >= 500 || answer.status === 0
      if (fault) faults++
      else if (misfit !== undefined) misfits++
      if (fault || misfit !== undefined) route.bad++
      if ((fault || misfit !== undefined) && faults + misfits <= most) {
        say(
          `  ${fault ? 'FAULT' : 'DOES NOT FIT'}: ${operation.operationId}, ${what}: ${misfit ?? `${answer.status} ${answer.text.slice(0, 200)}`}`
        )
        say(`    ${sent.method} ${sent.path.slice(0, 300)} ${String(sent.body ?? '').slice(0, 300)}`)
      }
    },
    get requests() {
      return requests
    },
    get faults() {
      return faults
    },
    get misfits() {
      return misfits
    }
  }
}

const listed = (map: ReadonlyMap<string, number>, count = 6): string =>
  [...map]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, n]) => `${name === '' ? '-' : name} ${n}`)
    .join(', ')

/** One line per route: how many requests, how many were taken and in which states, why the others were not. */
export function told({ operation, sent, well, wellIn, refused }: RouteTally): string {
  const states = [...wellIn.keys()].some(state => state !== '') ? ` (${listed(wellIn, 9)})` : ''
  return `${(operation.operationId ?? '').padEnd(24)} ${String(sent).padStart(6)} requests, ${String(well).padStart(5)} taken${states}; refused: ${listed(refused)}`
}
