import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../demo/api.ts'
import type { Customer } from './customers.ts'
import { recoveredAfter } from './faults-database.ts'
import { isGood, within } from './figures.ts'
import type { smallVolume } from './house.ts'
import { checks, type Scene, type Survival } from './scene.ts'

type Volume = NonNullable<ReturnType<typeof smallVolume>>

/** No more than a free kilobyte: the smallest delivery does not fit. */
const someFile = (): string => `Article;Description;Unit\r\n${`A-1001;${'x'.repeat(100)};PCE\r\n`.repeat(20_000)}`

/** The folder of delivered files is full, everything else is not. */
export async function filesFull(scene: Scene, volume: Volume): Promise<Survival> {
  const { house, load, filing, say } = scene
  const [first] = filing
  const { broken, holds } = checks()
  const web = await webDoor(first, house.baseUrl)
  const alarms = house.log().split('there is no room for files').length
  volume.fill()
  const from = performance.now()
  const byFile = await first.erp.deliver('ART_full.csv', someFile()).then(
    () => undefined,
    (error: Error) => error.message
  )
  const byWeb = await web('full')
  await sleep(1_500)
  const to = performance.now()
  holds(byFile !== undefined && !/something went wrong/.test(byFile), `the upload: ${byFile ?? 'was acknowledged'}`)
  holds(
    byWeb.status === 503 && byWeb.retryAfter > 0 && byWeb.code === 'unavailable',
    `the web delivery: ${byWeb.status} ${byWeb.code}, Retry-After ${byWeb.retryAfter}`
  )
  holds((await house.metric('werkvloer_storage_full')) === 1, 'the metric does not tell of it')
  holds(house.log().split('there is no room for files').length > alarms, 'the log does not tell of it')
  const reports = within(load, { from, to }, () => true)
  const failed = reports.filter(({ status }) => !isGood(status)).length
  holds(failed === 0 && reports.length > 10, `${failed} of ${reports.length} requests of the floor failed`)

  volume.empty()
  const fits = await until('a file fits again', 30, () =>
    first.erp.deliver('ART_fits.csv', someFile()).then(
      () => true,
      () => undefined
    )
  ).catch(() => false)
  holds(fits === true, 'no file is taken although there is room')
  holds((await web('fits')).status === 202, 'no web delivery is taken although there is room')
  await until('the alarm ends', 10, async () => (await house.metric('werkvloer_storage_full')) === 0 || undefined).catch(() =>
    holds(false, 'the metric tells of it for ever')
  )
  await sleep(300)
  const { items } = await first.admin.get<{ items: readonly { name: string; state: string }[] }>('/api/v1/deliveries?limit=500')
  const half = items.filter(({ name, state }) => name === 'ART_full.csv' && !['arriving', 'incomplete'].includes(state))
  holds(half.length === 0, `the upload that failed counts as ${half[0]?.state}`)
  say(
    `  volume of files full: upload "${byFile}", web delivery ${byWeb.status}; ${reports.length} requests of the floor, ${failed} failed; taken again with room`
  )
  return { fault: 'volume of files full', broken }
}

/** The disk of the database is full: nothing can be written, and whatever happens to the server, it comes back by itself. */
export async function databaseFull(scene: Scene, volume: Volume, churn: () => Promise<void>): Promise<Survival> {
  const { house, load, say } = scene
  const { broken, holds } = checks()
  volume.fill()
  const from = performance.now()
  // New segments of the log, until there is no room for one: otherwise a light load would take minutes to notice.
  await until('the database notices', 60, async () => {
    await churn().catch(() => undefined)
    return within(load, { from, to: performance.now() }, () => true).some(({ status }) => status === 503) || undefined
  }).catch(() => holds(false, 'nobody was refused: the disk was not full'))
  await sleep(2_000)
  volume.empty()
  const to = performance.now()
  const recovered = await recoveredAfter(scene)
  await sleep(500)
  const asked = within(load, { from, to }, () => true)
  const other = asked.filter(({ status }) => status !== 503 && !isGood(status))
  const unclear = asked.filter(({ status, clear }) => status === 503 && !clear)
  holds(
    other.length === 0,
    `${other.length} requests without a clear answer (${[...new Set(other.map(({ status }) => status))].join(', ')})`
  )
  holds(unclear.length === 0, 'a 503 without problem+json or Retry-After')
  holds(recovered !== undefined, 'not back although there is room')
  holds(/No space left|53100|database does not answer|ended by itself|refused/.test(house.log()), 'the log does not tell of it')
  say(
    `  disk of the database full: ${asked.filter(({ status }) => status === 503).length} of ${asked.length} refused; all served again ${recovered?.toFixed(1) ?? '?'} s after there was room`
  )
  return { fault: 'disk of the database full', broken }
}

/** A way in by the web for a customer. @returns hands in a megabyte under a name */
async function webDoor(of: Customer, baseUrl: string) {
  const { kinds } = await of.admin.get<{ kinds: { in: readonly string[]; out: readonly string[] } }>(`/api/v1/connections/${of.filesId}`)
  await of.admin.put(`/api/v1/connections/${of.filesId}/kinds`, { in: kinds.in.filter(kind => kind !== 'pickList'), out: kinds.out })
  const { id } = await of.admin.post<{ id: string }>('/api/v1/connections', { name: 'Web', adapter: 'werkvloer.neutral-rest', config: {} })
  await of.admin.put(`/api/v1/connections/${id}/kinds`, { in: ['pickList'], out: [] })
  const { token } = await of.admin.post<{ token: string }>(`/api/v1/connections/${id}/access/tokens`, { label: 'proof' })
  await of.admin.post(`/api/v1/connections/${id}/activate`)
  return async (name: string): Promise<{ status: number; code: string; retryAfter: number }> => {
    const answer = await fetch(`${baseUrl}/erp/v1/${id}/pick-lists`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': `proof-${name}-${randomUUID()}` },
      body: JSON.stringify({ records: [{ name, filling: 'x'.repeat(1_000_000) }] }),
      signal: AbortSignal.timeout(15_000)
    })
    const body = (await answer.json()) as { code?: string }
    return { status: answer.status, code: body.code ?? '', retryAfter: Number(answer.headers.get('retry-after') ?? 0) }
  }
}

export const foldersOf = (folder: string) => ({ files: join(folder, 'blobs'), database: join(folder, 'postgres') })
