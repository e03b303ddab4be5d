import { AdapterError, type CheckStep, TransportError } from '../contract/index.ts'
import { ErpRefusal } from './errors.ts'
import { serverVersion, type TrytonCtx } from './session.ts'
import { openTryton, type Tryton } from './tryton.ts'
import { isRow } from './wire.ts'

const readers = ['product.product', 'stock.location', 'company.employee', 'product.uom'] as const
const writers = ['production', 'stock.move', 'ir.note'] as const
const optional = {
  'production.work': 'operations (production_work)',
  'stock.lot': 'lots (stock_lot)',
  'timesheet.line': 'hours (timesheet)'
} as const

/** Looks whether everything is there and the user may do what the connection needs. Reads only. */
export async function* check(ctx: TrytonCtx): AsyncIterable<CheckStep> {
  const address = await step('address', async () => `Tryton ${await serverVersion(ctx)}`)
  yield address
  if (!address.ok) return
  let erp: Tryton | undefined
  const signedIn = await step('sign-in', async () => {
    erp = await openTryton(ctx)
    // A session of yesterday is tried, not believed.
    await erp.search('company.company', [['id', '=', erp.session.company]], ['id'])
    return `as ${ctx.config.user}`
  })
  yield signedIn
  if (!erp || !signedIn.ok) return
  const tryton = erp
  yield await step('company', async () => {
    const found = await tryton.search('company.company', [['id', '=', tryton.session.company]], ['id', 'party.name'])
    if (found.length === 0)
      throw new AdapterError('config', `Tryton shows this user no company ${tryton.session.company}.`, { field: '/company' })
    return tryton.session.companyName
  })
  const models = [...readers, ...writers, ...Object.keys(optional).filter(model => tryton.has(model))]
  const access = await step('rights', async () => JSON.stringify(await tryton.call('ir.model.access.get_access', [models])))
  const rights: unknown = access.ok ? JSON.parse(access.detail ?? '{}') : {}
  if (!access.ok) yield access
  else for (const model of models) yield rightsOf(model, rights)
  for (const [model, what] of Object.entries(optional)) {
    if (!tryton.has(model)) yield { step: `module for ${what}`, ok: true, detail: 'not installed: such messages are refused' }
  }
  yield await step('an order', async () => {
    const [order] = await tryton.search(
      'production',
      [['company', '=', tryton.session.company]],
      ['id', 'number', `${tryton.names.unit}.symbol`],
      { limit: 1 }
    )
    return order ? `for example ${String(order.number ?? 'one without number')}` : 'there is none yet'
  })
}

function rightsOf(model: string, given: unknown): CheckStep {
  const rights = isRow(given as never) ? (given as Record<string, unknown>)[model] : undefined
  const may = (mode: string): boolean => isRow(rights as never) && Boolean((rights as Record<string, unknown>)[mode])
  const wanted = (readers as readonly string[]).includes(model) || model === 'production.work' ? ['read'] : ['read', 'write', 'create']
  const missing = wanted.filter(mode => !may(mode))
  return missing.length === 0
    ? { step: `rights on ${model}`, ok: true, detail: wanted.join(', ') }
    : {
        step: `rights on ${model}`,
        ok: false,
        field: '/user',
        message: `The user may not ${missing.join(' or ')} records of ${model}. README.md names the groups that it needs.`,
        cause: 'permission'
      }
}

async function step(name: string, look: () => Promise<string>): Promise<CheckStep> {
  try {
    return { step: name, ok: true, detail: await look() }
  } catch (error) {
    if (error instanceof ErpRefusal) return { step: name, ok: false, message: error.words, cause: 'permission' }
    if (!(error instanceof AdapterError)) throw error
    const field = error.field === undefined ? {} : { field: error.field }
    const cause = error.cls === 'auth' || error.cls === 'config' ? error.cls : error instanceof TransportError ? 'network' : 'remote'
    return { step: name, ok: false, ...field, message: error.message, cause }
  }
}
