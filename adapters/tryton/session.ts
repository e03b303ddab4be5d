import {
  type AdapterCtx,
  AdapterError,
  type Concealed,
  type ConfigOf,
  derivedSecret,
  isSecret,
  type Json,
  type Secret,
  secret
} from '../contract/index.ts'
import { ErpRefusal, refusalOf, TooMany } from './errors.ts'
import type { config } from './manifest.ts'
import { isRow, type Row } from './wire.ts'

export type TrytonCtx = AdapterCtx<ConfigOf<typeof config>>

/** What is known of a server once somebody signed in; kept in the connection's memory, the session as a secret. */
export interface Session {
  /** The settings it was made with. */
  readonly of: string
  readonly authorization: Secret
  readonly path: string
  readonly user: number
  readonly company: number
  readonly companyName: string
  readonly version: string
  /** Of the user, so that Tryton's reasons come in a language that its people read. */
  readonly language: string
  readonly signedInAt: string
  /** Models of modules that a server may lack. */
  readonly models: readonly string[]
}

const paths = ['/', '/rpc/'] as const
const optionalModels = ['production.work', 'production.work.cycle', 'stock.lot', 'timesheet.line', 'timesheet.work'] as const
const patience = 60_000
/** A server may be brought to another series; what it is is asked again once a day. */
const longestHours = 24

const base = ({ config }: TrytonCtx): string => config.url.replace(/\/+$/, '')
const settingsOf = ({ config }: TrytonCtx): string => `${config.url} ${config.database} ${config.user} ${config.company ?? ''}`

/** The session of an earlier run, when it belongs to these settings. */
export async function knownSession(ctx: TrytonCtx): Promise<Session | undefined> {
  const held = await ctx.state.get()
  if (typeof held !== 'object' || held === null || Array.isArray(held) || isSecret(held)) return undefined
  const session = held as unknown as Session
  const age = ctx.clock.now().getTime() - Date.parse(session.signedInAt)
  return session.of === settingsOf(ctx) && isSecret(session.authorization) && age < longestHours * 3_600_000 ? session : undefined
}

/** Asks the server what it is and signs in. @throws AdapterError `auth` or `config` where a person must do something */
export async function signIn(ctx: TrytonCtx): Promise<Session> {
  const version = await serverVersion(ctx)
  const { path, user, authorization } = await logIn(ctx)
  const ask = async (method: string, params: Concealed[]): Promise<Json> => {
    try {
      return await post(ctx, path, authorization, method, params)
    } catch (error) {
      if (error instanceof SessionEnded)
        throw new AdapterError('auth', 'Tryton ends the session of this user as soon as it begins.', { field: '/user' })
      throw error
    }
  }
  const preferences = await ask('model.res.user.get_preferences', [true, {}])
  const own = isRow(preferences) && typeof preferences.company === 'number' ? preferences.company : undefined
  const company = ctx.config.company ?? own
  if (company === undefined) {
    throw new AdapterError('config', 'The user has no company in Tryton. Give it one in its preferences, or name one here.', {
      field: '/company'
    })
  }
  const name = isRow(preferences) && own === company ? preferences['company.rec_name'] : undefined
  const found = await ask('model.ir.model.search_read', [[['model', 'in', [...optionalModels]]], 0, null, null, ['model'], { company }])
  const models = Array.isArray(found) ? found.flatMap(row => (isRow(row) && typeof row.model === 'string' ? [row.model] : [])) : []
  const session: Session = {
    of: settingsOf(ctx),
    authorization,
    path,
    user,
    company,
    companyName: typeof name === 'string' ? name : `company ${company}`,
    version,
    language: isRow(preferences) && typeof preferences.language === 'string' ? preferences.language : 'en',
    signedInAt: ctx.clock.now().toISOString(),
    models: models.sort()
  }
  // Whoever was faster has signed in too; both sessions are good.
  await ctx.state.compareAndSet(await ctx.state.get(), { ...session })
  return session
}

/** What the server says it is, such as "6.0.29". */
export async function serverVersion(ctx: TrytonCtx): Promise<string> {
  const { status, json } = await send(ctx, `${base(ctx)}/`, undefined, 'common.server.version', [])
  if (status === 429) throw new TooMany(undefined)
  if (status >= 500) throw new AdapterError('transient', `Tryton answered with HTTP ${status}.`)
  if (status !== 200 || !isRow(json) || typeof json.result !== 'string' || !/^\d+\.\d+/.test(json.result)) {
    throw new AdapterError('config', 'There is no Tryton server at this address.', { field: '/url' })
  }
  return json.result
}

async function logIn(ctx: TrytonCtx): Promise<{ path: string; user: number; authorization: Secret }> {
  const { config } = ctx
  for (const end of paths) {
    const path = `/${config.database}${end}`
    const { status, json, retryAfter } = await send(ctx, base(ctx) + path, undefined, 'common.db.login', [
      config.user,
      { password: config.password },
      'en'
    ])
    // Newer series moved the address; an unknown database is not found at either.
    if (status === 404 || status === 405) continue
    if (status === 401 || status === 403) throw refused()
    if (status === 429) throw new TooMany(retryAfter)
    if (status !== 200) throw new AdapterError('transient', `Tryton answered the sign-in with HTTP ${status}.`)
    if (!isRow(json) || !Array.isArray(json.result)) throw refused(isRow(json) && json.error ? refusalOf(json.error).words : undefined)
    const [user, token] = json.result
    if (typeof user !== 'number' || typeof token !== 'string') throw refused()
    const authorization = derivedSecret(
      secret(token),
      plain => `Session ${Buffer.from(`${config.user}:${user}:${plain}`, 'utf8').toString('base64')}`
    )
    return { path, user, authorization }
  }
  throw new AdapterError('config', `Tryton has no database "${config.database}".`, { field: '/database' })
}

const refused = (why?: string): AdapterError =>
  new AdapterError('auth', `Tryton refuses the user or the password.${why === undefined ? '' : ` ${why}`}`, { field: '/password' })

/** Thrown for HTTP 401: the session has ended, and nothing was carried out. */
export class SessionEnded extends Error {}

/** One call. @throws ErpRefusal, SessionEnded, TooMany, AdapterError `transient`, TransportError */
export async function post(
  ctx: TrytonCtx,
  path: string,
  authorization: Secret,
  method: string,
  params: readonly Concealed[],
  clock: { time?: number } = {}
): Promise<Json> {
  const { status, json, retryAfter, date } = await send(ctx, base(ctx) + path, authorization, method, params)
  if (date !== undefined) clock.time = date
  if (status === 401) throw new SessionEnded('the session has ended')
  if (status === 403) throw new ErpRefusal('UserError', `Tryton does not allow ${method}.`)
  if (status === 404) throw new AdapterError('config', `Tryton has no database "${ctx.config.database}".`, { field: '/database' })
  if (status === 429) throw new TooMany(retryAfter)
  if (status !== 200) throw new AdapterError('transient', `Tryton answered with HTTP ${status}.`)
  if (!isRow(json) || (json.error === undefined && json.result === undefined)) {
    throw new AdapterError('remote', 'Tryton answered with something that is no answer of JSON-RPC.')
  }
  if (json.error !== undefined && json.error !== null) throw refusalOf(json.error)
  return json.result ?? null
}

async function send(
  { http }: TrytonCtx,
  url: string,
  authorization: Secret | undefined,
  method: string,
  params: readonly Concealed[]
): Promise<{ status: number; json: Json; retryAfter: number | undefined; date: number | undefined }> {
  const answer = await http.request({
    method: 'POST',
    url,
    ...(authorization === undefined ? {} : { headers: { authorization } }),
    json: { id: 1, method, params },
    timeoutMs: patience
  })
  const wait = Number(answer.headers['retry-after'])
  const date = Date.parse(answer.headers.date ?? '')
  return {
    status: answer.status,
    json: answer.status === 200 ? await answer.json() : null,
    retryAfter: Number.isFinite(wait) && wait > 0 ? wait : undefined,
    date: Number.isNaN(date) ? undefined : date
  }
}

/** A row of an answer, or none where the server broke its own promise. */
export const rowsOf = (answer: Json): Row[] => {
  if (!Array.isArray(answer)) throw new AdapterError('remote', 'Tryton answered a search with no list.')
  return answer.filter(isRow)
}
