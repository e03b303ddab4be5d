import { systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { openControl } from '../db/control.ts'
import { migrateFleet } from '../db/provision.ts'
import { createLog } from '../log.ts'
import { print } from '../print.ts'
import { createShutdown } from '../shutdown.ts'
import { ground, prepare } from '../start.ts'
import type { Command } from './command.ts'

export const migrate: Command = {
  name: 'migrate',
  summary: 'Brings the control database and all tenants to this version, and reports per tenant.',
  usage: ['migrate'],
  async run() {
    const config = loadConfig()
    const log = createLog({ logLevel: 'warn' })
    const shutdown = createShutdown(log)
    try {
      const at = await ground(config, log, shutdown)
      await prepare(at, systemClock)
      print('control database: up to date')
      const control = openControl({ url: at.controlUrl, root: at.root, max: 4, log })
      shutdown.add('control database', () => control.end())
      const fleet = await migrateFleet(control, systemClock)
      for (const one of fleet.migrated) print(`tenant ${one.code}: ${one.from} -> ${one.to}`)
      for (const one of fleet.failed) print(`tenant ${one.code}: FAILED, left as it was: ${one.error}`)
      print(`tenants: ${fleet.migrated.length} migrated, ${fleet.upToDate} were up to date, ${fleet.failed.length} failed`)
      return fleet.failed.length > 0 ? 1 : 0
    } finally {
      await shutdown.stop('done')
    }
  }
}
