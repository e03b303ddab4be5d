import { type AdapterCtx, AdapterError, type CheckStep } from '../../adapters/contract/index.ts'
import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { Refusal } from '../errors.ts'
import type { Journal } from '../journal/append.ts'
import { activeAccessKinds, findConnection, findMapping, kindOwners } from './connections-store.ts'
import { refuseExchange } from './errors.ts'
import { mappingComplaints } from './mapping-check.ts'
import type { AdapterRegistry } from './registry.ts'
import { type ConnectionRuntime, openConnection, settingsComplaints } from './runtime.ts'

export interface CheckedStep {
  readonly step: string
  readonly ok: boolean
  readonly detail: string | null
  readonly field: string | null
  readonly cause: string | null
}

/** Most steps of an adapter; one that never ends must not fill the answer. */
const mostSteps = 50
const seconds = 30

/**
 * Looks whether a connection can work: our own steps first, then the adapter's, which only reads. Ends within 30 seconds. A step that
 * fails does not hide the later ones, except that an adapter is not asked with settings that do not fit.
 */
export async function checkConnection(
  deps: {
    readonly adapters: AdapterRegistry
    readonly journal: Journal
    readonly adapterCtx: (ctx: Ctx, runtime: ConnectionRuntime, signal: AbortSignal) => AdapterCtx
  },
  ctx: Ctx,
  id: string
): Promise<{ readonly ok: boolean; readonly steps: readonly CheckedStep[] }> {
  const row = await findConnection(ctx, id)
  if (!row) throw refuseExchange('connection_unknown', 'There is no such connection.')
  const adapter = deps.adapters.get(row.adapter)
  if (!adapter) throw refuseExchange('adapter_unknown', `The adapter "${row.adapter}" is not part of this installation.`)
  const steps: CheckedStep[] = []
  const own = (step: string, problem: string | undefined): void =>
    void steps.push({
      step,
      ok: problem === undefined,
      detail: problem ?? null,
      field: null,
      cause: problem === undefined ? null : 'config'
    })

  const settings = settingsComplaints(ctx, adapter, row)
  own('settings', settings.length > 0 ? settings.join(' ') : undefined)
  const newest = await findMapping(ctx, id)
  const mapping = mappingComplaints(adapter.manifest, newest?.mapping ?? {}, newest?.codeTables ?? {})
  own('mapping', mapping.length > 0 ? mapping.map(problem => `${problem.pointer} ${problem.detail}`).join('; ') : undefined)
  const owners = await kindOwners(ctx)
  own('kinds', owners.some(owner => owner.connectionId === id) ? undefined : 'It owns no kind of record yet.')
  const ways = new Set(Object.values(adapter.manifest.imports).flatMap(capability => capability.via))
  const access = await activeAccessKinds(ctx, id)
  if (ways.has('file')) {
    own(
      'SFTP access',
      access.has('sftp_key') || access.has('sftp_password')
        ? undefined
        : 'There is no SFTP key and no password yet with which the ERP could bring files.'
    )
  }
  if (ways.has('http')) own('token', access.has('token') ? undefined : 'There is no token yet with which the ERP could call.')

  if (settings.length === 0 && adapter.check) steps.push(...(await adapterSteps(deps, ctx, id)))
  const ok = steps.every(step => step.ok)
  await withTx(ctx, tx =>
    deps.journal.append(tx, {
      act: 'connection.check',
      subject: 'exchange.connection',
      subjectId: id,
      data: { ok, failed: steps.filter(step => !step.ok).map(step => step.step.slice(0, 80)) }
    })
  )
  return { ok, steps }
}

async function adapterSteps(
  deps: {
    readonly adapters: AdapterRegistry
    readonly adapterCtx: (ctx: Ctx, runtime: ConnectionRuntime, signal: AbortSignal) => AdapterCtx
  },
  ctx: Ctx,
  id: string
): Promise<readonly CheckedStep[]> {
  const runtime = await openConnection(ctx, deps.adapters, id)
  const signal = AbortSignal.timeout(seconds * 1000)
  const steps: CheckedStep[] = []
  const ended = (detail: string, cause: string): void =>
    void steps.push({ step: runtime.manifest.displayName, ok: false, detail, field: null, cause })
  const tooLate = new Promise<undefined>(resolve => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
  try {
    const stream = runtime.adapter.check?.(deps.adapterCtx(ctx, runtime, signal) as never)[Symbol.asyncIterator]()
    while (stream && steps.length < mostSteps) {
      const next = await Promise.race([stream.next(), tooLate])
      if (next === undefined) {
        ended(`The ERP did not answer within ${seconds} seconds.`, 'network')
        break
      }
      if (next.done) break
      steps.push(stepOf(next.value))
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    ctx.log.warn({ err: error, connection: id }, 'the check of an adapter failed')
    if (error instanceof AdapterError)
      ended(
        error.message,
        error.cls === 'auth' ? 'auth' : error.cls === 'config' ? 'config' : error.cls === 'remote' ? 'remote' : 'network'
      )
    else ended('The check itself failed; the operator of the service sees the cause in the log.', 'remote')
  }
  return steps
}

const stepOf = (step: CheckStep): CheckedStep =>
  step.ok
    ? { step: step.step, ok: true, detail: step.detail ?? null, field: null, cause: null }
    : { step: step.step, ok: false, detail: step.message, field: step.field ?? null, cause: step.cause }
