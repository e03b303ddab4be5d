import { systemClock } from '../clock.ts'
import { provisionTenant } from '../db/provision.ts'
import { withTx } from '../db/tx.ts'
import type { House } from '../house.ts'
import { print } from '../print.ts'
import { StartRefusal } from '../start-refusal.ts'
import type { Command, CommandHouse } from './command.ts'
import { withHouse } from './with-house.ts'

/** Provisions a tenant, seeds its roles and makes its first administrator. @returns the token of the one-time link */
export async function createTenant(
  house: House,
  { parts }: Pick<CommandHouse, 'parts'>,
  wanted: { code: string; name: string; zone: string; username?: string }
): Promise<{ id: string; inviteToken: string }> {
  const made = await provisionTenant(house.control, systemClock, wanted)
  const ctx = await house.tenants.system(made.id, 'tenant-create')
  const { inviteToken } = await withTx(ctx, tx =>
    parts.welcome(house.faces, tx, { username: wanted.username ?? 'admin', permissions: Object.keys(house.permissions) })
  )
  return { id: made.id, inviteToken }
}

export const tenant: Command = {
  name: 'tenant',
  summary: 'Makes and lists tenants (customers).',
  usage: ['tenant create <code> --name "<name>" [--zone Europe/Amsterdam] [--admin <user name>]', 'tenant list'],
  async run(args, commandHouse) {
    const [verb, code] = args
    if (verb === 'list') {
      return withHouse(commandHouse, async house => {
        const rows = await house.tenants.list()
        for (const row of rows) print(`${row.code.padEnd(32)} ${row.state.padEnd(13)} schema ${row.schemaVersion}  ${row.zone}`)
        print(`${rows.length} tenants`)
        return 0
      })
    }
    if (verb !== 'create' || code === undefined || code.startsWith('-')) {
      throw new StartRefusal(['tenant: write "tenant create <code> --name <name>" or "tenant list".'])
    }
    const option = (name: string): string | undefined => {
      const index = args.indexOf(name)
      return index < 0 ? undefined : args[index + 1]
    }
    const name = option('--name')
    if (name === undefined || name === '') throw new StartRefusal(["tenant create: --name is missing; write the customer's name."])
    return withHouse(commandHouse, async house => {
      const made = await createTenant(house, commandHouse, {
        code,
        name,
        zone: option('--zone') ?? 'Europe/Amsterdam',
        username: option('--admin') ?? 'admin'
      })
      print(`Tenant ${code} is ready.`)
      print('Give this link to its first administrator. It works once, for 72 hours:')
      print(`  ${house.config.http.publicUrl}/welcome#${made.inviteToken}`)
      return 0
    })
  }
}
