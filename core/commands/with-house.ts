import { systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { type House, openHouse } from '../house.ts'
import { createLog } from '../log.ts'
import { createShutdown } from '../shutdown.ts'
import { ground, prepare, requirePrepared } from '../start.ts'
import type { CommandHouse } from './command.ts'

/** Opens the house for a command that ends by itself: nothing listens, the log is quiet unless something is wrong. */
export async function withHouse(commandHouse: CommandHouse, fn: (house: House) => Promise<number>): Promise<number> {
  const config = loadConfig()
  const log = createLog({ logLevel: config.logLevel === 'info' ? 'warn' : config.logLevel })
  const shutdown = createShutdown(log)
  try {
    const at = await ground(config, log, shutdown, { beside: true })
    if (at.embedded) await prepare(at, systemClock)
    else await requirePrepared(at)
    return await fn(
      await openHouse({
        config,
        controlUrl: at.controlUrl,
        root: at.root,
        clock: systemClock,
        log,
        parts: commandHouse.parts,
        shutdown,
        version: commandHouse.version
      })
    )
  } finally {
    await shutdown.stop('done')
  }
}
