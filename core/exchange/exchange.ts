import type { Adapter } from '../../adapters/contract/index.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ctx, Tenant } from '../context.ts'
import type { SftpHostKey } from '../db/control.ts'
import type { Directory, Tenants } from '../db/tenants-face.ts'
import type { Db } from '../db/tx.ts'
import type { Duty } from '../host.ts'
import type { App } from '../http/app.ts'
import type { Identified } from '../http/identity.ts'
import type { Journal } from '../journal/append.ts'
import type { Log } from '../log.ts'
import type { Blobs } from '../storage/blobs.ts'
import type { WithLease } from '../tasks/lease.ts'
import { accessDesk, identifyErpToken } from './access.ts'
import { accessRoutes } from './access-routes.ts'
import { applyAck } from './acks.ts'
import { type ArrivalOptions, settleArrivals } from './arrivals.ts'
import { connectionRoutes } from './connection-routes.ts'
import { connectionDesk } from './connections.ts'
import { exportDue } from './deliver.ts'
import { deliveryDecisionRoutes } from './delivery-decision-routes.ts'
import { expireRaw, sweepRaw } from './delivery-duties.ts'
import { deliveryRoutes } from './delivery-routes.ts'
import { dryRunRoutes } from './dry-run-routes.ts'
import { errorBin } from './error-bin.ts'
import { errorBinRoutes } from './error-bin-routes.ts'
import { importFilesDue, pullDue } from './import.ts'
import { mostWaitingBytes } from './inbox-room.ts'
import type { Outbox } from './message.ts'
import { createOutbox } from './outbox.ts'
import { outboxRoutes } from './outbox-routes.ts'
import type { Receivers } from './receivers.ts'
import { adapterRegistry } from './registry.ts'
import type { ConnectionRuntime } from './runtime.ts'
import { commandScan } from './scanner.ts'
import { openSftp } from './sftp-door.ts'
import { adapterCtx } from './transport.ts'
import { erpRoutes } from './web.ts'

/** Seconds without a write after which a cleanly closed file counts as whole, where no done file says so. */
export const stabilitySeconds = 10
const mostWaitingFiles = 10_000

export interface ExchangeOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly tenants: Tenants
  readonly directory: Directory
  readonly blobs: Blobs
  readonly journal: Journal
  readonly adapters: readonly Adapter[]
  readonly withLease: WithLease
  readonly hostKey: () => Promise<SftpHostKey>
  /** Tests shorten it. */
  readonly stabilitySeconds?: number
}

/** What modules are to the exchange: they take records over, and know what the ERP calls an employee. */
export interface ModuleSide {
  readonly receivers: Receivers
  readonly employeeRefs: (ctx: Ctx, ids: readonly string[]) => Promise<ReadonlyMap<string, string>>
}

/** The exchange with ERPs, wired: both directions, their routes and their work. */
export interface Exchange {
  readonly outbox: Outbox
  readonly duties: readonly Duty[]
  /** Known after the modules are built; before it no work may run. */
  connectModules(side: ModuleSide): void
  identifyErpToken(
    token: { lookup: string; digest: Uint8Array },
    at: Date
  ): Promise<{ tenant: Tenant; db: Db; identified: Identified } | undefined>
  routes(app: App): void
  /** What came by itself. */
  importFiles(ctx: Ctx, signal: AbortSignal): Promise<{ readonly more: boolean }>
  /** What is fetched, apart from that: an ERP that does not answer keeps no file waiting. */
  pullDue(ctx: Ctx, signal: AbortSignal): Promise<{ readonly more: boolean }>
  /** Both, one after the other. */
  importDue(ctx: Ctx, signal: AbortSignal): Promise<{ readonly more: boolean }>
  exportDue(ctx: Ctx, signal: AbortSignal): Promise<{ readonly more: boolean }>
  listenSftp(hostKey: SftpHostKey): Promise<{ port: number; close(): Promise<void> }>
}

/** Wires the exchange. What modules bring is connected after they are built, since they need the outbox first. */
export function openExchange(options: ExchangeOptions): Exchange {
  const { config, clock, log, tenants, directory, blobs, journal, withLease } = options
  const adapters = adapterRegistry(options.adapters)
  const outbox = createOutbox(adapters)
  const arrivals: ArrivalOptions = {
    blobs,
    adapters,
    stabilitySeconds: options.stabilitySeconds ?? stabilitySeconds,
    maxFileBytes: config.sftp.maxFileBytes,
    maxWaitingFiles: mostWaitingFiles,
    maxWaitingBytes: mostWaitingBytes(config.sftp.maxFileBytes)
  }
  let side: ModuleSide | undefined
  /** Only where this process serves SFTP itself. */
  let port: number | undefined
  /** All processes have one key, so each can show it; one that cannot be read is no reason to stop the web. */
  const shownHostKey = async (): Promise<string | null> => {
    try {
      return (await options.hostKey()).publicLine
    } catch (error) {
      log.error({ err: error }, 'the SFTP host key cannot be shown')
      return null
    }
  }
  const modules = (): ModuleSide => {
    if (!side) throw new Error('the exchange works only after the modules are connected')
    return side
  }
  const scan = config.scanCommand && commandScan(config.scanCommand)
  const importDeps = (signal: AbortSignal) => ({
    adapters,
    receivers: modules().receivers,
    blobs,
    clock,
    withLease,
    applyAck,
    adapterCtx: (ctx: Ctx, runtime: ConnectionRuntime) => adapterCtx(ctx, runtime, signal, config),
    journal,
    scan
  })

  async function importFiles(ctx: Ctx, signal: AbortSignal): Promise<{ readonly more: boolean }> {
    const settled = await settleArrivals(ctx, arrivals)
    const worked = await importFilesDue(importDeps(signal), ctx, signal)
    return { more: settled.more || worked.more }
  }

  return {
    outbox,
    duties: [
      { name: 'exchange-raw', everySeconds: 86_400, run: async ctx => void (await expireRaw(ctx, blobs)) },
      { name: 'exchange-orphans', everySeconds: 86_400, run: async ctx => void (await sweepRaw(ctx, blobs)) }
    ],
    connectModules(given) {
      side = given
    },
    identifyErpToken: (token, at) => identifyErpToken({ tenants, directory, clock, log }, token, at),
    routes(app) {
      const desk = connectionDesk({ adapters, directory, journal })
      connectionRoutes({ desk, adapters, journal, adapterCtx: (ctx, runtime, signal) => adapterCtx(ctx, runtime, signal, config) })(app)
      accessRoutes(accessDesk({ directory, log }), async () => ({
        host: new URL(config.http.publicUrl).hostname,
        port: port ?? config.sftp.port,
        hostKey: await shownHostKey()
      }))(app)
      deliveryRoutes({ blobs })(app)
      const bin = errorBin({ journal, desk })
      errorBinRoutes({ journal, bin, deps: () => importDeps(AbortSignal.timeout(60_000)) })(app)
      deliveryDecisionRoutes({ bin, withLease, receivers: () => modules().receivers })(app)
      dryRunRoutes(() => importDeps(AbortSignal.timeout(60_000)))(app)
      outboxRoutes({ journal })(app)
      erpRoutes(arrivals)(app)
    },
    importFiles,
    pullDue: (ctx, signal) => pullDue(importDeps(signal), ctx, signal),
    async importDue(ctx, signal) {
      const files = await importFiles(ctx, signal)
      const pulls = await pullDue(importDeps(signal), ctx, signal)
      return { more: files.more || pulls.more }
    },
    exportDue: (ctx, signal) =>
      exportDue(
        {
          adapters,
          withLease,
          journal,
          employeeRefs: (c, ids) => modules().employeeRefs(c, ids),
          adapterCtx: (c, runtime, stop) => adapterCtx(c, runtime, stop, config)
        },
        ctx,
        signal
      ),
    async listenSftp(hostKey) {
      const server = await openSftp({ config: config.sftp, hostKey, clock, log, tenants, directory, arrivals })
      port = server.port
      return server
    }
  }
}
