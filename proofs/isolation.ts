import { serverUrl, urlFor, withConnection } from '../test/helpers/database.ts'
import { openTestHouse } from '../test/helpers/house.ts'
import { openOutside } from '../test/helpers/outside.ts'
import { probeDisk, probeRoles, probeSftp } from './isolation/below.ts'
import { chaos } from './isolation/chaos.ts'
import { type Customer, furnish } from './isolation/customers.ts'
import { probeRoutes } from './isolation/http.ts'
import { newTally } from './isolation/tally.ts'

/**
 * node proofs/isolation.ts [short]
 *
 * Two customers with data that look alike, in one real house. Everything of the one is asked for with everything that the other has:
 * routes, SFTP, database roles, files; and both work at once while connections are ended. See docs/operations/proofs.md.
 */
const short = process.argv.includes('short')
const say = (line: string) => void process.stdout.write(`${line}\n`)

/** What a customer's database holds: each table with the sum of its rows. Sealing goes on by itself; sign-ins are not counted. */
async function sums(customer: Customer): Promise<Readonly<Record<string, string>>> {
  return withConnection(urlFor(serverUrl(), customer.database.name), async client => {
    const tables = await client.query<{ name: string }>(`
      select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') and (schemaname, tablename) <> ('journal', 'seal') order by 1`)
    const found: Record<string, string> = {}
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ sum: string | null }>(
        `select md5(string_agg(t::text, '' order by t::text)) as sum from ${name} t`
      )
      found[name] = rows[0]?.sum ?? ''
    }
    return found
  })
}

const outside = await openOutside({ durable: false })
const tally = newTally(say)
try {
  const at = await openTestHouse(outside, { sftp: true, worker: true })
  const one = await furnish(at, at.tenant)
  const two = await furnish(at, await at.newTenant())
  say(`  two customers, ${one.ids.length} and ${two.ids.length} ids`)

  const before = await sums(one)
  await probeRoutes(at, two, one, short ? 1 : 10, tally)
  say(`  routes: ${tally.probes} probes, ${tally.leaks} leaks`)
  const after = await sums(one)
  for (const [table, sum] of Object.entries(before)) tally.probe(after[table] === sum, `${table} of the other customer was changed`)
  for (const [by, of] of [
    [one, two],
    [two, one]
  ] as const) {
    await probeSftp(at, by, of, tally)
    await probeRoles(at, by, of, tally)
  }
  await probeDisk(at, one, two, tally)
  say(`  with SFTP, roles and files: ${tally.probes} probes, ${tally.leaks} leaks`)
  await chaos(at, [one, two], short ? 20_000 : 1_000_000, tally)

  // With the keys of the other in hand the same probes must find what they look for; else they would prove nothing.
  const seen = newTally(() => {})
  await probeRoutes(at, { ...two, credentials: one.credentials }, one, 1, seen)
  await probeSftp(at, { ...two, sftp: one.sftp }, one, seen)
  await probeRoles(at, { ...two, database: one.database }, two, seen)
  await chaos(
    at,
    [
      { ...one, canary: two.canary },
      { ...two, canary: one.canary }
    ],
    1_000,
    seen
  )
  say(`  the same probes with the other's keys: ${seen.leaks} leaks found`)
  tally.probe(seen.leaks > 1_000, 'the probes do not see a leak')
} finally {
  await outside.end()
}
say(`isolation: ${tally.probes} probes, ${tally.leaks} leaks`)
process.exitCode = tally.leaks === 0 ? 0 : 1
