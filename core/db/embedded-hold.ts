import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { codeOf } from '../data-folder.ts'
import type { Log } from '../log.ts'
import { StartRefusal } from '../start-refusal.ts'
import { plainClient } from './client.ts'

export class AlreadyRunning extends StartRefusal {}

const holderName = 'werkvloer process '
const lockKey = 0x7765726b // "werk"

/**
 * One process per data folder: a session lock in the database, which ends with the process however it ends, so there is no stale
 * lock file. A second start would take over the server and lose it when the first one stops. Where the server ends by itself, `revive` is
 * asked to bring it back until it is there.
 */
export async function holdAlone(
  url: string,
  dataDir: string,
  log: Pick<Log, 'warn'>,
  revive: () => Promise<void>
): Promise<{ expectEnd(): Promise<void> }> {
  let expected = false
  let reviving: Promise<void> = Promise.resolve()
  const client = await hold(url, dataDir)
  async function again(): Promise<void> {
    while (!expected) {
      await sleep(1000, undefined, { ref: false })
      if (expected) return
      try {
        reviving = revive()
        await reviving
        watch(await hold(url, dataDir))
        return
      } catch (error) {
        log.warn({ op: 'database', err: error }, 'lost the connection that holds the data folder; trying again')
      }
    }
  }
  const watch = (held: pg.Client) => held.once('end', () => void again())
  watch(client)
  return {
    async expectEnd() {
      expected = true
      await reviving.catch(() => undefined)
    }
  }
}

async function hold(url: string, dataDir: string): Promise<pg.Client> {
  const client = await connect(url, `${holderName}${process.pid}`)
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [lockKey])
    if (rows[0]?.held === true) return client
    const other = await client.query<{ name: string }>(
      `select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'advisory' and l.granted and l.objid = $1`,
      [lockKey]
    )
    const pid = Number(other.rows[0]?.name.replace(holderName, ''))
    // The session of a process that was just killed ends a moment later.
    if (!lives(pid) && tries <= 50) {
      await sleep(100)
      continue
    }
    await client.end()
    throw new AlreadyRunning([
      `Werkvloer already runs on the data folder ${dataDir} (process ${pid}); stop that one, or set WERKVLOER_DATA to another folder.`
    ])
  }
}

function lives(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** The server may still be recovering, or ending a session of a process that was just killed. */
export async function connect(url: string, name: string): Promise<pg.Client> {
  for (let tries = 1; ; tries++) {
    const client = plainClient(url, name)
    try {
      await client.connect()
      return client
    } catch (error) {
      const code = codeOf(error)
      if (code === '28P01')
        throw new StartRefusal(['The embedded database refuses its password; put postgres-passwords.json back from your backup.'], error)
      if (tries >= 100 || !['57P03', '53300', 'ECONNREFUSED', 'ECONNRESET', 'ENOENT'].includes(code)) throw error
      await sleep(100)
    }
  }
}
