import { serverUrl, withConnection } from '../../test/helpers/database.ts'
import type { TestHouse } from '../../test/helpers/house.ts'
import type { Customer } from './customers.ts'
import type { Tally } from './tally.ts'

const lists = [
  '/api/v1/work-orders?limit=200',
  '/api/v1/jobs?limit=200',
  '/api/v1/articles?limit=200',
  '/api/v1/employees?limit=200'
] as const

/**
 * Both customers ask for their lists at once over the shared pools, while connections of both are ended and requests given up in the
 * middle. Each row of each answer must carry the word of the customer who asked, and none the other's.
 */
export async function chaos(at: TestHouse, customers: readonly [Customer, Customer], rows: number, tally: Tally): Promise<void> {
  const began = tally.probes
  const done = () => tally.probes - began >= rows
  let killed = 0
  const deadline = performance.now() + 30 * 60_000

  async function asking(worker: number): Promise<void> {
    for (let n = worker; !done() && performance.now() < deadline; n++) {
      const mine = customers[n % 2] ?? customers[0]
      const other = customers[(n + 1) % 2] ?? customers[1]
      const { administrator, operator } = mine.credentials
      const path = lists[n % lists.length] ?? lists[0]
      const token = path.startsWith('/api/v1/jobs') ? operator : administrator
      const signal = n % 17 === 0 ? AbortSignal.timeout(3) : AbortSignal.timeout(20_000)
      try {
        const answer = await fetch(at.baseUrl + path, { headers: { authorization: `Bearer ${token}` }, signal })
        const { items } = (await answer.json()) as { items?: readonly unknown[] }
        for (const item of items ?? []) {
          const text = JSON.stringify(item)
          tally.probe(!text.includes(other.canary) && text.includes(mine.canary), `${path} of ${mine.tenant.code}: ${text.slice(0, 300)}`)
        }
      } catch (error) {
        if (!['TimeoutError', 'AbortError', 'TypeError'].includes((error as Error).name)) throw error
      }
    }
  }

  async function ending(): Promise<void> {
    await withConnection(serverUrl(), async client => {
      while (!done() && performance.now() < deadline) {
        const { rows: ended } = await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = any($1) and pid <> pg_backend_pid() order by random() limit 2`,
          [customers.map(({ database }) => database.name)]
        )
        killed += ended.length
        await new Promise(resolve => setTimeout(resolve, 200))
      }
    })
  }

  await Promise.all([ending(), ...Array.from({ length: 12 }, (_, n) => asking(n))])
  tally.probe(done(), 'the time was over before the rows were read')
  tally.probe(killed > 0, 'no connection was ended, so this proved nothing')
}
