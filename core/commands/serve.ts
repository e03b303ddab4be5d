import { join } from 'node:path'
import { destination } from 'pino'
import { systemClock } from '../clock.ts'
import { type Config, loadConfig } from '../config.ts'
import { prepareDataFolder } from '../data-folder.ts'
import { migrateFleet } from '../db/provision.ts'
import { sftpHostKey } from '../exchange/host-key.ts'
import { openHouse, type Role } from '../house.ts'
import { lastResort } from '../last-resort.ts'
import { createLog } from '../log.ts'
import { print } from '../print.ts'
import { createShutdown } from '../shutdown.ts'
import { ground, prepare, requirePrepared } from '../start.ts'
import { StartRefusal } from '../start-refusal.ts'
import { StartBroken, startSignals } from '../start-signals.ts'
import type { Command, CommandHouse } from './command.ts'
import { createTenant } from './tenant.ts'

const roles: readonly Role[] = ['web', 'sftp', 'worker']
const demoCustomer = 'demo'

export const serve: Command = {
  name: 'serve',
  summary: 'Runs the product: web, SFTP and worker in one process.',
  usage: ['serve', 'serve --only web|sftp|worker    one part, for several processes behind a balancer'],
  async run(args, house) {
    const only = chosen(args)
    const config = loadConfig()
    prepareDataFolder(config.dataDir)
    const logFile = join(config.dataDir, 'werkvloer.log')
    // With the demo, standard output belongs to the person who watches it.
    const log = config.demo ? createLog(config, destination({ dest: logFile, sync: false, mkdir: true })) : createLog(config)
    const shutdown = createShutdown(log)
    const signals = startSignals()
    try {
      const at = await ground(config, log, shutdown)
      signals.goOn()
      if (at.embedded) await prepare(at, systemClock)
      else await requirePrepared(at)
      const built = await openHouse({
        config,
        controlUrl: at.controlUrl,
        root: at.root,
        clock: systemClock,
        log,
        parts: house.parts,
        shutdown,
        version: house.version
      })
      signals.goOn()
      if (at.embedded) {
        const fleet = await migrateFleet(built.control, systemClock)
        for (const failure of fleet.failed) throw new Error(`migrating tenant ${failure.code}: ${failure.error}`)
      }
      signals.goOn()
      const http = only.has('web') ? await built.listenHttp() : undefined
      const sftp = only.has('sftp') ? await built.listenSftp() : undefined
      if (only.has('worker')) await built.startWork()
      log.info({ op: 'start', http: http?.port, sftp: sftp?.port, only: [...only] }, 'serving')
      const baseUrl = http ? addressOf(config.http.publicUrl, config.http.port, http.port) : undefined
      if (config.demo) {
        print(`Werkvloer ${house.version}`)
        if (baseUrl) print(`  web   ${baseUrl}`)
        if (sftp) print(`  sftp  ${config.sftp.host === '0.0.0.0' ? 'localhost' : config.sftp.host} port ${sftp.port}`)
        print(`  data  ${config.dataDir}   log  ${logFile}`)
      }
      if (config.demo && house.demo && http && sftp && baseUrl) {
        const known = await built.tenants.byCode(demoCustomer)
        const made = known
          ? undefined
          : await createTenant(built, house, { code: demoCustomer, name: 'Demo factory', zone: 'Europe/Amsterdam' })
        const hostKey = await sftpHostKey(built.control)
        signals.goOn()
        const demo = await signals.unlessBroken(
          house.demo({
            baseUrl,
            sftp: { host: '127.0.0.1', port: sftp.port, hostKeyLine: hostKey.publicLine },
            dataDir: config.dataDir,
            customer: demoCustomer,
            inviteToken: made?.inviteToken,
            say: print
          })
        )
        shutdown.add('demo', () => demo.stop())
      }
      signals.goOn()
      const ended = new Promise<number>(resolve => {
        shutdown.listen(resolve)
        lastResort(log, () => void shutdown.stop('too many faults').then(() => resolve(1)))
      })
      signals.end()
      return await ended
    } catch (error) {
      if (error instanceof StartBroken) return await shutdown.stop(error.signal)
      await shutdown.stop('start failed')
      throw portRefused(error, config) ?? error
    }
  }
}

function chosen(args: readonly string[]): ReadonlySet<Role> {
  const index = args.indexOf('--only')
  if (index < 0) {
    if (args.length > 0) throw new StartRefusal([`serve: "${args[0]}" is not known; write serve, or serve --only web|sftp|worker.`])
    return new Set(roles)
  }
  const names = (args[index + 1] ?? '').split(',')
  const wrong = names.find(name => !roles.includes(name as Role))
  if (wrong !== undefined || args.length > 2)
    throw new StartRefusal([`serve --only: "${wrong ?? args.join(' ')}" is no part; write web, sftp or worker.`])
  return new Set(names as Role[])
}

/** The default public address follows the port that was really taken, also when 0 asked for any. */
function addressOf(publicUrl: string, asked: number, taken: number): string {
  return asked === 0 ? publicUrl.replace(/:0$/, `:${taken}`) : publicUrl
}

/** A port that cannot be had, by the name of its setting; undefined for anything else. */
function portRefused(error: unknown, config: Config): StartRefusal | undefined {
  const { code, port } = error as { code?: string; port?: number }
  if (port === undefined || (code !== 'EADDRINUSE' && code !== 'EACCES')) return undefined
  const settings = {
    WERKVLOER_HTTP_PORT: config.http.port,
    WERKVLOER_SFTP_PORT: config.sftp.port,
    WERKVLOER_METRICS_PORT: config.metrics?.port
  }
  const names = Object.entries(settings).flatMap(([name, asked]) => (asked === port ? [name] : []))
  const setting = names.join(' or ') || 'WERKVLOER_HTTP_PORT or WERKVLOER_SFTP_PORT'
  return new StartRefusal([
    code === 'EADDRINUSE'
      ? `Port ${port} is in use by another program: end that one, or choose another port with ${setting}.`
      : `Port ${port} may not be opened by this user: choose one above 1023 with ${setting}.`
  ])
}

export type { CommandHouse }
