import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { type Control, controlCtx, directoryOf, openControl, signingKeysOf } from './db/control.ts'
import { startPulse } from './db/pulse.ts'
import { tenantRegistry } from './db/tenants.ts'
import type { Directory } from './db/tenants-face.ts'
import type { RefusalSpecs } from './errors.ts'
import { coreDeclaration } from './exchange/declaration.ts'
import type { Exchange } from './exchange/exchange.ts'
import { openExchange } from './exchange/exchange.ts'
import { sftpHostKey } from './exchange/host-key.ts'
import { type Built, boot, type Dictionary, type Duty } from './host.ts'
import type { App } from './http/app.ts'
import { consoleRoutes } from './http/console.ts'
import { healthRoutes } from './http/health.ts'
import { forgetKeys } from './http/idempotency.ts'
import type { Identity } from './http/identity.ts'
import { liveRoute } from './http/live.ts'
import { createMetrics, type Metrics } from './http/metrics.ts'
import { descriptionRoute } from './http/openapi.ts'
import { coreSpecs } from './http/problem.ts'
import { createServer, type Patience } from './http/server.ts'
import { registerSession } from './http/session.ts'
import { createShares } from './http/shares.ts'
import type { Faces, Platform } from './index.ts'
import { journal } from './journal/append.ts'
import { keepCheckpoint } from './journal/checkpoint.ts'
import { startControlSealer } from './journal/control-seal.ts'
import { sealJournal } from './journal/seal.ts'
import type { RootKey } from './keys/root-key.ts'
import type { Log } from './log.ts'
import type { Parts } from './parts.ts'
import type { Shutdown } from './shutdown.ts'
import { localBlobs } from './storage/blobs.ts'
import { watchRoom } from './storage/room.ts'
import { openChanges } from './tasks/changes.ts'
import { type DueDesk, dueDesk } from './tasks/due.ts'
import { startDuties } from './tasks/duties.ts'
import { withLeases } from './tasks/leases.ts'
import { startWorker, type Worker } from './tasks/worker.ts'

export type Role = 'web' | 'sftp' | 'worker'

export interface HouseOptions {
  readonly config: Config
  readonly controlUrl: string
  readonly root: RootKey
  readonly clock: Clock
  readonly log: Log
  readonly parts: Parts
  readonly shutdown: Shutdown
  readonly version: string
  /** How often an open live stream is looked after; shorter in tests. */
  readonly liveBeatMs?: number | undefined
  /** How long clients are waited for; shorter in tests. */
  readonly patience?: Partial<Patience> | undefined
}

/** Work that waits for ERPs: of so many customers at once, none of whom keeps the next from its turn. */
const farSide = { slowMs: 3_000, most: 100 }

/** Everything built and wired, nothing listening yet. */
export interface House {
  readonly config: Config
  readonly control: Control
  readonly directory: Directory
  readonly tenants: ReturnType<typeof tenantRegistry>
  readonly desk: DueDesk
  readonly app: App
  readonly faces: Faces
  readonly modules: ReadonlyMap<string, Built<unknown>>
  readonly exchange: Exchange
  readonly metrics: Metrics
  /** Every permission of the house -> what it allows. */
  readonly permissions: Readonly<Record<string, string>>
  readonly specs: RefusalSpecs
  /** Columns that core itself owns; modules bring theirs. */
  readonly dictionary: Dictionary
  listenHttp(): Promise<{ port: number }>
  listenSftp(): Promise<{ port: number }>
  startWork(): Promise<Worker>
}

/**
 * Builds the house in one process: control, tenants, platform, modules in their containers, routes. What is opened here is closed
 * by `shutdown` in the opposite order.
 */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { config, clock, log, parts, shutdown } = options
  // Control and the customers' databases are on one server, so one pulse tells of all.
  const pulse = startPulse({ url: options.controlUrl, log })
  shutdown.add('pulse', () => pulse.stop())
  const control = openControl({ url: options.controlUrl, root: options.root, max: 8, log, pulse })
  shutdown.add('control database', () => control.end())
  const changes = openChanges(control, log)
  const desk = dueDesk(control, clock, changes)
  const tenants = tenantRegistry({
    control,
    clock,
    log,
    board: desk,
    pulse,
    perTenant: config.database.poolPerTenant,
    total: config.database.poolTotal,
    idleSeconds: config.database.poolIdleSeconds
  })
  shutdown.add('tenant databases', () => tenants.end())
  const directory = directoryOf(control)
  const files = join(config.dataDir, 'blobs')
  const blobs = watchRoom(localBlobs(files), { directory: files, log })
  const specs: RefusalSpecs = Object.assign({ ...coreSpecs }, coreDeclaration.errors, ...parts.modules.map(m => m.errors))
  const permissions: Record<string, string> = Object.assign(
    { 'session.own': 'See and end the own session; held by everyone who is signed in.' },
    coreDeclaration.permissions,
    ...parts.modules.map(m => m.permissions)
  )
  const app = await createServer({
    log,
    specs,
    permissions: new Set(Object.keys(permissions)),
    bodyLimit: config.http.bodyLimitBytes,
    trustProxy: config.http.trustProxy,
    version: options.version,
    publicUrl: config.http.publicUrl,
    patience: options.patience
  })
  const metrics = createMetrics(app, { room: blobs.room, pulse })
  const withLease = withLeases(shutdown)
  const exchange = openExchange({
    config,
    clock,
    log,
    tenants,
    directory,
    blobs,
    journal,
    adapters: parts.adapters,
    withLease,
    hostKey: () => sftpHostKey(control)
  })
  let identity: Identity | undefined
  const tokens = await registerSession(app, {
    keys: await signingKeysOf(control),
    clock,
    tenants,
    directory,
    shares: createShares({ perCaller: config.http.requestsPerCaller, perCustomer: config.http.requestsPerCustomer }, clock, by =>
      metrics.limited.inc({ by })
    ),
    identity: () => {
      if (!identity) throw new Error('no module provides identity')
      return identity
    },
    erpToken: exchange.identifyErpToken
  })
  const platform: Platform = {
    config,
    clock,
    log,
    tenants,
    directory,
    tokens,
    journal,
    outbox: exchange.outbox,
    blobs,
    catalogue: () => permissions
  }
  const modules = boot(platform, parts.modules)
  const faces = Object.fromEntries([...modules].map(([name, built]) => [name, built.face])) as unknown as Faces
  identity = [...modules.values()].find(built => built.identity)?.identity
  exchange.connectModules({
    receivers: Object.assign({}, ...[...modules.values()].map(built => built.receives ?? {})),
    employeeRefs: (ctx, ids) => parts.employeeRefs(faces, ctx, ids)
  })

  healthRoutes(
    app,
    [{ name: 'the control database', check: async () => void (await control.db.pool.query('select 1')) }],
    () => shutdown.stopping
  )
  consoleRoutes(app, join(import.meta.dirname, '..', 'console', 'dist'))
  descriptionRoute(app)
  liveRoute(app, { changes, alive: tokens.alive, gauge: open => metrics.liveStreams.set(open), beatMs: options.liveBeatMs })
  exchange.routes(app)
  for (const built of modules.values()) built.routes?.(app)

  const forget: Duty = { name: 'core-keys', everySeconds: 86_400, run: async ctx => void (await forgetKeys(ctx)) }
  const duties: Duty[] = [forget, ...exchange.duties, ...[...modules.values()].flatMap(built => built.duties ?? [])]

  return {
    config,
    control,
    directory,
    tenants,
    desk,
    app,
    faces,
    modules,
    exchange,
    metrics,
    permissions,
    specs,
    dictionary: coreDeclaration.dictionary,
    async listenHttp() {
      const hearing = new AbortController()
      const ears = changes.hear(options.controlUrl, hearing.signal)
      shutdown.add('changes', async () => {
        hearing.abort()
        await ears
      })
      shutdown.add('web', () => closeWeb(app))
      await app.listen({ host: config.http.host, port: config.http.port })
      if (config.metrics) {
        const server: Server = await metrics.listen(config.metrics.host, config.metrics.port)
        shutdown.add('metrics', () => void server.close())
      }
      return { port: (app.server.address() as AddressInfo).port }
    },
    async listenSftp() {
      const server = await exchange.listenSftp(await sftpHostKey(control))
      shutdown.add('sftp', () => server.close())
      return { port: server.port }
    },
    async startWork() {
      const worker = startWorker({
        desk,
        controlUrl: options.controlUrl,
        tenants,
        clock,
        log,
        work: [
          { name: 'import', kind: 'import', slots: 2, run: exchange.importFiles },
          { name: 'pull', kind: 'import', slots: 4, beside: farSide, run: exchange.pullDue },
          { name: 'export', kind: 'export', slots: 4, beside: farSide, run: exchange.exportDue },
          {
            name: 'seal',
            kind: 'seal',
            slots: 2,
            atSweep: true,
            run: async ctx => {
              const { lagSeconds, checkpoint } = await sealJournal(ctx)
              metrics.sealLag.set({ tenant: ctx.tenant.code }, lagSeconds)
              if (checkpoint && !(await keepCheckpoint(control, ctx, checkpoint)))
                ctx.log.error({ op: 'seal' }, 'the journal no longer holds the seal that control knows: run verify-journal')
              return { more: lagSeconds > 0 }
            }
          }
        ],
        counted: (work, outcome) => metrics.tasks.inc({ kind: work, outcome })
      })
      shutdown.add('worker', () => worker.stop())
      const sealer = startControlSealer(controlCtx(control, clock, 'worker:seal'), log)
      shutdown.add('control journal', () => sealer.stop())
      const schedule = await startDuties({ controlUrl: options.controlUrl, tenants, duties, log })
      shutdown.add('duties', () => schedule.stop())
      return worker
    }
  }
}

/** An answer that was under way when the stop began leaves its connection open for a next request, for which `close` would wait. */
async function closeWeb(app: App): Promise<void> {
  const timer = setInterval(() => app.server.closeIdleConnections(), 100)
  try {
    await app.close()
  } finally {
    clearInterval(timer)
  }
}
