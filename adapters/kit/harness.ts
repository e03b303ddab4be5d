import type { Adapter, HttpClient, Json } from '../contract/index.ts'
import { AdapterError, type CodeTables, createMapper, fromStored, readSettings, toStored } from '../contract/index.ts'
import type { KitCtx, Subject } from './erp.ts'
import { type ExportSide, openExports } from './harness-exports.ts'
import { type ImportSide, openImports } from './harness-imports.ts'
import { openSimulator, type Simulator, type TestClock, testClock } from './simulator.ts'

/** A small host in memory. Its decisions are the contract's own: mapper, record state and outcome machine. */
export interface Host extends ImportSide, ExportSide {
  readonly clock: TestClock
  readonly simulator: Simulator
  /** Hosts that were called without being named by `egress`. */
  readonly blocked: readonly string[]
  readonly logged: readonly string[]
  readonly ctx: KitCtx
  /** The run is over: `ctx.signal` says so, and no call gets through any more. */
  abort(): void
}

/** Thrown when the settings are refused; no code of the adapter has run by then. */
export class SettingsRefused extends Error {
  readonly fields: readonly string[]

  constructor(fields: readonly string[]) {
    super(`these settings are refused: ${fields.join(', ')}`)
    this.name = 'SettingsRefused'
    this.fields = fields
  }
}

export function openHost({ adapter, options }: Subject, codeTables?: CodeTables): Host {
  const { manifest } = adapter
  const read = readSettings(manifest.config, options.config)
  if (!read.ok) throw new SettingsRefused(read.problems.map(problem => problem.field))
  const clock = testClock()
  const simulator = openSimulator(options.erp, clock)
  const blocked: string[] = []
  const logged: string[] = []
  const timeZone = options.timeZone ?? 'Europe/Amsterdam'
  const mapping = options.mapping ?? manifest.mapping ?? {}
  const log =
    (level: string) =>
    (fields: Readonly<Record<string, Json>>, message: string): void =>
      void logged.push(`${level} ${message} ${JSON.stringify(fields)}`)
  let memory: Json = null
  const ending = new AbortController()
  const ctx: KitCtx = {
    // Checked against the schema a moment ago.
    config: read.settings as KitCtx['config'],
    connection: { id: 'kit', timeZone, locale: 'en' },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    clock,
    signal: ending.signal,
    http: onlyTo(allowedHosts(manifest, options.config), simulator.http, blocked),
    sftp: {
      connect: async ({ host }) => {
        blocked.push(host)
        throw new AdapterError('config', 'The kit has no SFTP server of an ERP; deliver files instead.')
      }
    },
    outbox: simulator.outbox,
    state: {
      get: async () => fromStored(memory),
      compareAndSet: async (expected, next) => {
        if (JSON.stringify(toStored(expected)) !== JSON.stringify(memory)) return false
        memory = toStored(next)
        return true
      }
    },
    map: createMapper({ mapping, codeTables: codeTables ?? options.codeTables ?? {}, timeZone })
  }
  const exportSide = openExports(adapter, ctx, clock, simulator)
  const importSide = openImports(adapter, ctx, clock, exportSide.acknowledge)
  exportSide.answerWith(async acks => {
    if (options.erp.ack) await importSide.receive(options.erp.ack(acks))
  })
  function abort(): void {
    ending.abort()
    simulator.behaviour.over = true
  }
  return { ...exportSide, ...importSide, clock, simulator, blocked, logged, ctx, abort }
}

function allowedHosts({ egress }: Adapter['manifest'], config: Readonly<Record<string, Json>>): ReadonlySet<string> {
  return new Set(egress.map(pointer => hostOf(String(config[pointer.slice(1)] ?? ''))))
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : address
}

function onlyTo(allowed: ReadonlySet<string>, http: HttpClient, blocked: string[]): HttpClient {
  return {
    async request(call) {
      const host = hostOf(call.url)
      if (allowed.has(host)) return http.request(call)
      blocked.push(host)
      throw new AdapterError('config', `The host ${host} is not named by the settings.`)
    }
  }
}
