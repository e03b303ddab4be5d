import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureProvisioner, startEmbedded } from '../../core/db/embedded.ts'
import { createLog } from '../../core/log.ts'

export interface Outside {
  teardown(fn: () => Promise<void>): void
  /** Runs everything that was handed to `teardown`, the newest first, and ends the database. */
  end(): Promise<void>
}

/**
 * What a test gets from tap and its runner, for programs that are no test (benches, pictures): a place for what has to be closed, and a
 * PostgreSQL of its own in a temporary folder, or the one of WERKVLOER_TEST_DATABASE_URL. The helpers of tests work with it.
 * Ctrl-C closes everything too.
 * @param options.durable as at a customer's: what is committed is on disk
 */
export async function openOutside({ durable }: { durable: boolean }): Promise<Outside> {
  const closers: (() => Promise<void>)[] = []
  let ending: Promise<void> | undefined
  const end = (): Promise<void> => {
    ending ??= (async () => {
      for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
    })()
    return ending
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end().then(() => process.exit(130)))
  const teardown = (fn: () => Promise<void>): void => void closers.push(fn)

  const given = process.env.WERKVLOER_TEST_DATABASE_URL
  if (given) {
    process.env.TEST_PG_URL = given
    process.env.TEST_CONTROL_URL = await ensureProvisioner(given, 'only-for-tests')
    return { teardown, end }
  }
  const folder = mkdtempSync(join(tmpdir(), 'wv-outside-'))
  // The server runs as another user when we are root.
  chmodSync(folder, 0o711)
  teardown(async () => rmSync(folder, { recursive: true, force: true }))
  const embedded = await startEmbedded({ dataDir: join(folder, 'data'), log: createLog({ logLevel: 'warn' }), durable })
  teardown(() => embedded.stop())
  process.env.TEST_PG_URL = embedded.url
  process.env.TEST_CONTROL_URL = embedded.controlUrl
  return { teardown, end }
}
