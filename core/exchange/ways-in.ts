import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ctx } from '../context.ts'
import type { SftpHostKey } from '../db/control.ts'
import type { Directory, Tenants } from '../db/tenants-face.ts'
import type { Duty } from '../host.ts'
import type { App } from '../http/app.ts'
import type { Log } from '../log.ts'
import type { Blobs } from '../storage/blobs.ts'
import { accessDesk, identifyErpToken } from './access.ts'
import { accessRoutes } from './access-routes.ts'
import { type ArrivalOptions, settleArrivals, storeDelivery } from './arrivals.ts'
import type { Delivery } from './deliveries-store.ts'
import { expireRaw, sweepRaw } from './delivery-duties.ts'
import { deliveryRoutes } from './delivery-routes.ts'
import type { AdapterRegistry } from './registry.ts'
import { openSftp } from './sftp-door.ts'
import type { SftpServer } from './sftp-server.ts'
import { erpRoutes } from './web.ts'

/** Seconds after a clean close in which a second write may still come. */
const stabilitySeconds = 10
const maxWaitingFiles = 1_000
/** Of one connection, in files of the largest size. */
const waitingInFiles = 10

export interface WaysInOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly tenants: Tenants
  readonly directory: Directory
  readonly blobs: Blobs
  readonly adapters: AdapterRegistry
}

/** Every way into the house for an ERP, ready to be wired. */
export interface WaysIn {
  /** For the session: who an ERP token belongs to. */
  identifyErpToken(token: { lookup: string; digest: Uint8Array }, at: Date): ReturnType<typeof identifyErpToken>
  readonly routes: (app: App) => void
  listenSftp(hostKey: SftpHostKey): Promise<SftpServer>
  /** First step of import work: takes over files that are whole. `more`: time alone will bring some. */
  settle(ctx: Ctx): Promise<{ readonly settled: number; readonly more: boolean }>
  /** For pulls: bytes first, then the row, which makes import work due. */
  store(ctx: Ctx, given: { connectionId: string; way: 'pull'; name: string; body: Buffer | AsyncIterable<Uint8Array> }): Promise<Delivery>
  readonly duties: readonly Duty[]
}

export function openWaysIn(options: WaysInOptions): WaysIn {
  const { config, clock, log, tenants, directory, blobs, adapters } = options
  const arrivals: ArrivalOptions = {
    blobs,
    adapters,
    stabilitySeconds,
    maxFileBytes: config.sftp.maxFileBytes,
    maxWaitingFiles,
    maxWaitingBytes: config.sftp.maxFileBytes * waitingInFiles
  }
  const routes = [erpRoutes(arrivals), deliveryRoutes({ blobs }), accessRoutes(accessDesk({ directory, log }))]
  return {
    identifyErpToken: (token, at) => identifyErpToken({ tenants, directory, clock, log }, token, at),
    routes: app => {
      for (const add of routes) add(app)
    },
    listenSftp: hostKey => openSftp({ config: config.sftp, hostKey, clock, log, tenants, directory, arrivals }),
    settle: ctx => settleArrivals(ctx, arrivals),
    store: (ctx, given) => storeDelivery(ctx, arrivals, given),
    duties: [
      { name: 'deliveries.expire-raw', everySeconds: 86_400, run: async ctx => void (await expireRaw(ctx, blobs)) },
      { name: 'deliveries.sweep-raw', everySeconds: 86_400, run: async ctx => void (await sweepRaw(ctx, blobs)) }
    ]
  }
}
