import { readFileSync } from 'node:fs'
import type pg from 'pg'

/** Milliseconds of a processor that processes have used so far; one that is gone counts for nothing. Only Linux tells. */
function used(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      return sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
    } catch {
      return sum
    }
  }, 0)
}

const backends = async (pool: pg.Pool): Promise<readonly number[]> =>
  (await pool.query<{ pid: number }>(`select pid from pg_stat_activity where backend_type = 'client backend'`)).rows.map(({ pid }) => pid)

/**
 * What a piece of work costs this process and the backends of its database, in milliseconds of a processor. Steadier than the clock on a
 * machine that others use too.
 */
export async function cpuOf<R>(pool: pg.Pool, work: () => Promise<R>): Promise<{ result: R; node: number; postgres: number }> {
  const before = new Map((await backends(pool)).map(pid => [pid, used([pid])]))
  const node = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(node)
  const after = await backends(pool)
  const postgres = after.reduce((sum, pid) => sum + used([pid]) - (before.get(pid) ?? 0), 0)
  return { result, node: (user + system) / 1_000, postgres }
}
