import type { Description, Operation, Schema } from '../../test/helpers/api.ts'
import type { Answer, Client, Sent } from './client.ts'
import { draw, drawnOf } from './drawn.ts'
import type { Fits } from './fits.ts'
import type { Ground } from './ground.ts'
import { type Candidate, newKnown, stateOf, type Thing } from './known.ts'
import { type Given, meantBody, meantQuery } from './meant.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'
import { build, type Parts, wrongsOf } from './wrong.ts'

/** What ends or empties what the requests themselves live by: never asked of the things that are spared. */
const destructive =
  /^(?:updateConnection|set(?:Mapping|Kinds|Pull)|(?:activate|pause|resume)Connection|revokeAccess|change(?:User|Group|Role)|inviteUser|remove(?:Role|Group)|revokeApiKey)$/

export interface Prober {
  learn(): Promise<void>
  /** A request that is meant to be taken. */
  meant(operation: Operation): Promise<void>
  /** The same of several acts, one after the other on one thing that is in this state before the first. */
  follow(operations: readonly Operation[], state: string | undefined): Promise<void>
  /** Requests that fit the description and say anything whatever. */
  drawn(operation: Operation, count: number): Promise<void>
  /** Requests with one thing wrong: the nth part of all that there are, and at most so many of it. */
  wrong(operation: Operation, part: { nth: number; of: number; most: number }): Promise<void>
}

export interface ProberOptions {
  readonly client: Client
  readonly description: Description
  readonly fits: Fits
  readonly tally: Tally
  readonly ground: Ground
  readonly random: Random
}

export function newProber({ client, description, fits, tally, ground, random }: ProberOptions): Prober {
  const { operations, schemas } = description
  const resolve = (schema: { $ref?: string }) => (schema.$ref ? (schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}) : schema)
  const arbitraries = new Map<Schema, ReturnType<typeof drawnOf>>()
  /** Values that the schema takes, whatever they are. */
  function any(schema: Schema, count = 1): readonly unknown[] {
    const made = arbitraries.get(schema) ?? drawnOf(schema, schemas, () => known.ids)
    arbitraries.set(schema, made)
    return draw(made, count, random.seed())
  }
  let number = 0
  let address = 0

  async function send(operation: Operation, sent: Sent, what: string, check: { refused?: boolean; state?: string } = {}): Promise<Answer> {
    const answer = await client.send(sent)
    const taken = check.refused && answer.status < 400 ? `taken (${answer.status}), though the description says no` : undefined
    tally.count(operation, sent, answer, what, fits.misfit(operation, answer) ?? taken, check.state)
    return answer
  }

  const read = async (operation: Operation, params: Candidate['params'], query: Readonly<Record<string, string>>) => {
    const parts: Parts = { method: 'GET', params, query, headers: credentials(operation, true), body: undefined }
    const answer = await send(operation, build(operation, parts), 'a reading', { state: '' })
    return answer.status === 200 ? (JSON.parse(answer.text) as Thing) : undefined
  }
  const known = newKnown(description, read, { connection: ground.erp.connection })

  /** Every guess comes from another address, so that none of them brakes the others. */
  const from = (): string => {
    address++
    return `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}`
  }
  /** Who may. */
  function credentials(operation: Operation, person = false): Record<string, string> {
    const { permission } = operation
    if (permission === null) return { 'x-forwarded-for': from() }
    if (permission.startsWith('erp.')) return { authorization: `Bearer ${ground.erp.token}` }
    const program = !person && permission !== 'session.own' && random.chance(5)
    return { authorization: `Bearer ${program ? ground.apiKey : ground.administrator.token}` }
  }

  /** One call of the administrator, to have what a request needs. */
  async function ask(method: string, path: string, body?: unknown, as = `Bearer ${ground.administrator.token}`): Promise<Thing> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      authorization: as,
      'x-refresh-in-body': 'yes',
      'x-forwarded-for': from(),
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) })
    }
    const answer = await client.send({ method, path, headers, body: text })
    return answer.text === '' ? {} : (JSON.parse(answer.text) as Thing)
  }
  const session = async (username = ground.guest.username): Promise<{ accessToken: string; refreshToken: string }> => {
    const signedIn = await ask('POST', '/api/v1/sign-in', { customer: ground.customer, username, password: ground.guest.password })
    return { accessToken: String(signedIn.accessToken), refreshToken: String(signedIn.refreshToken) }
  }

  /** Of the states that there are one, then one of the things in it: else only the commonest would be asked about. */
  function choose(operation: Operation, wanted?: string): Candidate | undefined {
    const may = known
      .candidates(operation)
      .filter(({ params }) => !destructive.test(operation.operationId ?? '') || !Object.values(params).some(id => ground.spared.has(id)))
    if (may.length === 0) return undefined
    const states = [...new Set(may.map(({ thing }) => stateOf(thing)))]
    const state = wanted ?? random.of(states)
    return states.includes(state) ? random.of(may.filter(({ thing }) => stateOf(thing) === state)) : undefined
  }

  async function givenFor(operation: Operation, candidate: Candidate, thing: Thing): Promise<Given> {
    const shownBy = operations.find(one => one.method === 'GET' && one.path === operation.path)
    return {
      thing,
      known,
      random,
      ground,
      session,
      ask,
      shown: async () => (shownBy ? ((await read(shownBy, candidate.params, {})) ?? {}) : {}),
      next: () => ++number
    }
  }

  /** The parts of a request that is meant to be taken; undefined while there is nothing to ask about. */
  async function partsFor(operation: Operation, candidate = choose(operation)): Promise<{ parts: Parts; thing: Thing } | undefined> {
    if (!candidate) return undefined
    const thing = await known.fresh(operation, candidate)
    const given = await givenFor(operation, candidate, thing)
    const headers: Record<string, string> = credentials(operation)
    if (operation.operationId === 'changePassword') {
      const person = {
        username: `person-${++number}`,
        roleIds: [],
        groupIds: [],
        password: ground.guest.password,
        mustChangePassword: false
      }
      await ask('POST', '/api/v1/users', person)
      headers.authorization = `Bearer ${(await session(person.username)).accessToken}`
    }
    let { params } = candidate
    if (operation.operationId === 'endMySession') {
      headers.authorization = `Bearer ${(await session()).accessToken}`
      const { items } = await ask('GET', '/api/v1/session/list', undefined, headers.authorization)
      params = { id: String(random.of(items as readonly Thing[]).id) }
    }
    if (operation.operationId === 'signOut') headers.authorization = `Bearer ${(await session()).accessToken}`
    if (operation.operationId === 'refreshSession') headers['x-refresh-in-body'] = 'yes'
    if (operation.method !== 'GET' && operation.permission !== null && random.chance(2))
      headers['idempotency-key'] = `proof-${random.seed()}-${++number}`
    const query = meantQuery(operation, given, schemas)
    const body = await meantBody(operation, given, schemas)
    return { parts: { method: operation.method, params, query, headers, body }, thing }
  }

  async function meant(operation: Operation, candidate?: Candidate): Promise<void> {
    const made = await partsFor(operation, candidate)
    if (made) await send(operation, build(operation, made.parts), 'meant to be taken', { state: stateOf(made.thing) })
  }

  return {
    learn: () => known.learn(),
    meant: operation => meant(operation),
    async follow(acts, state) {
      const [first] = acts
      const candidate = first && choose(first, state)
      if (candidate) for (const operation of acts) await meant(operation, candidate)
    },
    async drawn(operation, count) {
      const candidate = choose(operation)
      if (!candidate) return
      const schema = operation.body?.['application/json']?.schema
      const drawnBodies = schema ? any(schema, count) : []
      const queries = operation.parameters.filter(one => one.in === 'query')
      for (let n = 0; n < count; n++) {
        const query = Object.fromEntries(
          queries.filter(one => one.required || random.chance(2)).map(({ name, schema: one = {} }) => [name, String(any(one)[0])])
        )
        const params =
          n % 2 === 0
            ? candidate.params
            : Object.fromEntries(
                operation.parameters.filter(one => one.in === 'path').map(({ name, schema: one = {} }) => [name, String(any(one)[0])])
              )
        const spared = destructive.test(operation.operationId ?? '') && Object.values(params).some(id => ground.spared.has(id))
        if (spared || /^(?:signOut|changePassword)$/.test(operation.operationId ?? '')) continue
        const parts: Parts = { method: operation.method, params, query, headers: credentials(operation), body: drawnBodies[n] }
        await send(operation, build(operation, parts), 'drawn by chance')
      }
    },
    async wrong(operation, { nth, of, most }) {
      const made = await partsFor(operation)
      if (!made) return
      const wrongs = wrongsOf(operation, made.parts, fits, resolve).filter((_, n) => n % of === nth % of)
      for (const { what, sent, refused } of random.shuffled(wrongs).slice(0, most)) await send(operation, sent, what, { refused })
    }
  }
}
