import { codeOf } from '../data-folder.ts'
import { StartRefusal } from '../start-refusal.ts'
import { plainClient } from './client.ts'

interface Standing {
  readonly version: number
  readonly superuser: boolean
  readonly createdb: boolean
  readonly createrole: boolean
}

/**
 * Looks at a database server of the operator's own before anything is built on it. Throws `StartRefusal`: not reachable, too old, or
 * a role with too many rights or too few. A superuser would pass every wall between the tenants.
 */
export async function checkProvisioner(url: string): Promise<void> {
  const client = plainClient(url, 'werkvloer start', { connectionTimeoutMillis: 5_000 })
  try {
    await client.connect()
  } catch (error) {
    throw new StartRefusal(
      [`WERKVLOER_DATABASE_URL: the server does not let us in (${codeOf(error)}); check address, user, password and TLS.`],
      error
    )
  }
  try {
    const { rows } = await client.query<Standing>(
      `select current_setting('server_version_num')::int as version, rolsuper as superuser, rolcreatedb as createdb, rolcreaterole as createrole
       from pg_roles where rolname = current_user`
    )
    const standing = rows[0]
    const lines: string[] = []
    if (!standing || standing.version < 150_000) lines.push('WERKVLOER_DATABASE_URL: the server is older than PostgreSQL 15; use 15 to 18.')
    if (standing?.superuser) {
      lines.push(
        'WERKVLOER_DATABASE_URL: its user is a superuser, whom no wall between tenants holds; make the role that deploy/postgres-init.sh shows.'
      )
    } else if (!standing?.createdb || !standing.createrole) {
      lines.push('WERKVLOER_DATABASE_URL: its user may not make databases and roles; give it CREATEDB and CREATEROLE.')
    }
    if (lines.length > 0) throw new StartRefusal(lines)
  } finally {
    await client.end()
  }
}
