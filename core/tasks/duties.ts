import { PgBoss } from 'pg-boss'
import type { Tenants } from '../db/tenants-face.ts'
import type { Duty } from '../host.ts'
import type { Log } from '../log.ts'

const schema = 'jobs'

/** Installs pg-boss's own tables; part of `migrate`, never done while serving. */
export async function installDuties(controlUrl: string): Promise<void> {
  const boss = new PgBoss({ connectionString: controlUrl, schema, migrate: true, max: 1, supervise: false, schedule: false })
  boss.on('error', () => {})
  await boss.start()
  await boss.stop({ graceful: true })
}

/**
 * Fleet duties: each runs by cron once over all processes and walks the tenants one after another. A duty is idempotent and takes
 * no input; what fails for one tenant is logged and done again at the next round.
 */
export async function startDuties(options: {
  controlUrl: string
  tenants: Tenants
  duties: readonly Duty[]
  log: Log
}): Promise<{ stop(): Promise<void> }> {
  const { tenants, log } = options
  const boss = new PgBoss({ connectionString: options.controlUrl, schema, migrate: false, max: 2, useListenNotify: true })
  boss.on('error', error => log.warn({ err: error }, 'duty schedule'))
  await boss.start()
  for (const duty of options.duties) {
    const queue = `duty.${duty.name}`
    // `stately`: one active and one waiting; `exclusive` would lose a nudge that comes while it runs (measured).
    await boss.createQueue(queue, { policy: 'stately', retryLimit: 2, expireInSeconds: 3600, heartbeatSeconds: 60 })
    await boss.schedule(queue, cronOf(duty.everySeconds), {}, { tz: 'UTC' })
    await boss.work(queue, { batchSize: 1, pollingIntervalSeconds: 10 }, async ([job]) => {
      for (const entry of await tenants.list()) {
        if (job?.signal.aborted) return
        if (entry.state !== 'active') continue
        try {
          await duty.run(await tenants.system(entry.id, `duty:${duty.name}`))
        } catch (error) {
          log.error({ err: error, tenant: entry.code, duty: duty.name }, 'duty failed, comes again at its next round')
        }
      }
    })
  }
  return { stop: () => boss.stop({ graceful: true, timeout: 5_000 }) }
}

/** Cron of minutes, hours or a day: the smallest step that is not more often than asked. */
export function cronOf(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60))
  if (minutes < 60) return `*/${minutes} * * * *`
  const hours = Math.max(1, Math.round(minutes / 60))
  return hours < 24 ? `7 */${hours} * * *` : '17 2 * * *'
}
