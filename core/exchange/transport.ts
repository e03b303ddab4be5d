import { type AdapterCtx, AdapterError, type ConfigOf, type ConfigSchema } from '../../adapters/contract/index.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Ctx } from '../context.ts'
import { withTx } from '../db/tx.ts'
import { sha256 } from '../ids.ts'
import { allowedHosts } from './egress.ts'
import { httpClient } from './http-client.ts'
import type { ConnectionRuntime } from './runtime.ts'
import { sftpClient } from './sftp-client.ts'
import { adapterState, casAdapterState, insertOutboxFile, outboxFileHash } from './transport-store.ts'

/** A file or document that the ERP fetches; larger ones are a mistake of the adapter. */
const mostOutboxBytes = 10 * 2 ** 20

/**
 * Everything an adapter may touch, bound to one connection: its hosts, its outbox, its small memory, its mapper. No container, no
 * database, no file system, no environment.
 */
export function adapterCtx(ctx: Ctx, runtime: ConnectionRuntime, signal: AbortSignal, config: Config): AdapterCtx<ConfigOf<ConfigSchema>> {
  const hosts = allowedHosts(runtime.manifest, runtime.config as Readonly<Record<string, unknown>>)
  const log = ctx.log.child({ connection: runtime.id, adapter: runtime.manifest.id })
  return {
    config: runtime.config,
    connection: { id: runtime.id, timeZone: runtime.timeZone, locale: runtime.locale },
    log: {
      debug: (fields, message) => log.debug(fields, message),
      info: (fields, message) => log.info(fields, message),
      warn: (fields, message) => log.warn(fields, message),
      error: (fields, message) => log.error(fields, message)
    },
    clock: { now: () => ctx.clock.now(), sleep: milliseconds => sleep(ctx.clock, milliseconds, signal) },
    signal,
    http: httpClient({
      connectionId: runtime.id,
      hosts,
      allowPrivate: config.allowPrivateEgress,
      limits: runtime.manifest.limits ?? {},
      signal
    }),
    sftp: { connect: target => sftpClient(target, { hosts, allowPrivate: config.allowPrivateEgress, signal }) },
    outbox: { write: (name, body) => writeOutbox(ctx, runtime.id, name, body) },
    state: {
      get: () => adapterState(ctx, runtime.id),
      compareAndSet: (expected, next) => withTx(ctx, tx => casAdapterState(tx, runtime.id, expected, next))
    },
    map: runtime.mapper
  }
}

async function writeOutbox(
  ctx: Ctx,
  connectionId: string,
  name: string,
  body: Uint8Array | string
): Promise<'written' | 'same-already-there'> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,149}$/.test(name))
    throw new AdapterError('bug', `"${name}" is no usable name for a file of the outbox`)
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body)
  if (bytes.length > mostOutboxBytes)
    throw new AdapterError('bug', `the file ${name} has ${bytes.length} bytes; at most ${mostOutboxBytes} go out at once`)
  const hash = sha256(bytes).toString('hex')
  return withTx(ctx, async tx => {
    const sealed = tx.tenant.keys.seal(bytes, { table: 'exchange.outbox_file', column: 'body_sealed', row: `${connectionId}/${name}` })
    if (await insertOutboxFile(tx, { connectionId, name, sealed, size: bytes.length, sha256: hash })) return 'written'
    if ((await outboxFileHash(tx, connectionId, name)) === hash) return 'same-already-there'
    throw new AdapterError('bug', `another file called ${name} was written before: a name must always carry the same bytes`)
  })
}

/** Waits by the clock's time, so that a test may move it; ends early when the work is broken off. */
async function sleep(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  const until = clock.now().getTime() + milliseconds
  while (clock.now().getTime() < until) {
    signal.throwIfAborted()
    await new Promise(resolve => setTimeout(resolve, Math.min(50, Math.max(1, until - clock.now().getTime()))))
  }
}
