import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ctx } from '../context.ts'
import type { SftpHostKey } from '../db/control.ts'
import type { Directory, Tenants } from '../db/tenants-face.ts'
import type { Log } from '../log.ts'
import { isActive } from './access-store.ts'
import { type ArrivalOptions, settleArrivals } from './arrivals.ts'
import { refuseExchange } from './errors.ts'
import { rawSource } from './raw.ts'
import { connectionContext, type SftpLogin, sftpAuthentication } from './sftp-auth.ts'
import { type SftpServer, startSftpServer } from './sftp-server.ts'
import type { SftpDoor } from './sftp-session.ts'
import { treeOf } from './sftp-tree.ts'
import { uploadsOf } from './uploads.ts'

export interface SftpOptions {
  readonly config: Config['sftp']
  readonly hostKey: SftpHostKey
  readonly clock: Clock
  readonly log: Log
  readonly tenants: Tenants
  readonly directory: Directory
  readonly arrivals: ArrivalOptions
}

/** How long a check that an access still stands is believed. */
const believedMs = 5_000

/** Starts the SFTP server on the house's deliveries and access rows. */
export async function openSftp(options: SftpOptions): Promise<SftpServer> {
  const { clock, log, tenants } = options
  const timers = new Map<string, NodeJS.Timeout>()
  let closed = false

  /**
   * Looks again when a closed file may have been quiet long enough, once per connection for many files; the worker's own look is the
   * net under it.
   */
  const later = (ctx: Ctx, connectionId: string): void => {
    if (closed || timers.has(connectionId)) return
    const timer = setTimeout(
      () => {
        timers.delete(connectionId)
        settleArrivals(ctx, options.arrivals, connectionId).then(
          ({ more }) => {
            if (more) later(ctx, connectionId)
          },
          error => log.warn({ err: error, connection: connectionId }, 'taking files over failed, will be tried again')
        )
      },
      options.arrivals.stabilitySeconds * 1000 + 20
    )
    timer.unref()
    timers.set(connectionId, timer)
  }
  const arrivals: ArrivalOptions = { ...options.arrivals, later }

  const checked = new WeakMap<SftpLogin, number>()
  const door: SftpDoor = {
    async enter(login) {
      const open = await tenants.open(login.tenantId)
      const ctx = contextOf(login, open)
      const now = clock.now().getTime()
      const last = checked.get(login)
      if (last === undefined || Math.abs(now - last) > believedMs) {
        if (!(await isActive(ctx, login.accessId))) throw refuseExchange('access_revoked', 'This access was revoked.')
        checked.set(login, now)
      }
      return ctx
    },
    treeOf: connectionId =>
      treeOf(connectionId, async (ctx, delivery) => rawSource(ctx, arrivals.blobs, delivery.blob_id ?? '', Number(delivery.size))),
    uploads: uploadsOf(arrivals)
  }
  const contexts = new WeakMap<SftpLogin, Ctx>()
  function contextOf(login: SftpLogin, open: Awaited<ReturnType<Tenants['open']>>): Ctx {
    const known = contexts.get(login)
    if (known?.db === open.db && known.tenant === open.tenant) return known
    const made = connectionContext(open, login.connectionId, clock, log)
    contexts.set(login, made)
    return made
  }

  const server = await startSftpServer({
    config: options.config,
    hostKey: options.hostKey,
    clock,
    log,
    door,
    authenticate: sftpAuthentication({ tenants, directory: options.directory, clock, log })
  })
  return {
    port: server.port,
    async close() {
      await server.close()
      closed = true
      for (const timer of timers.values()) clearTimeout(timer)
    }
  }
}
