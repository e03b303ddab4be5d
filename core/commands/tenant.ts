import { systemClock } from '../clock.ts'
import { provisionTenant, tenantExists } from '../db/provision.ts'
import { withTx } from '../db/tx.ts'
import type { House } from '../house.ts'
import { print } from '../print.ts'
import { StartRefusal } from '../start-refusal.ts'
import type { Command, CommandHouse } from './command.ts'
import { withHouse } from './with-house.ts'

/**
 * Provisions a tenant, seeds its roles and makes its first administrator. Run again with the same code it goes on where it was cut off;
 * as long as nobody has used the link it gives a new one, and the one before stops working.
 * @returns the token of the one-time link
 * @throws Refusal `tenant_exists` once the first administrator has chosen a password
 */
export async function createTenant(
  house: House,
  { parts }: Pick<CommandHouse, 'parts'>,
  wanted: { code: string; name: string; zone: string; username?: string }
): Promise<{ id: string; inviteToken: string }> {
  const known = await house.tenants.byCode(wanted.code)
  const { id } = known?.state === 'active' ? known : await provisionTenant(house.control, systemClock, wanted)
  const ctx = await house.tenants.system(id, 'tenant-create')
  const inviteToken = await withTx(ctx, async tx => {
    const given = { username: wanted.username ?? 'admin', permissions: Object.keys(house.permissions) }
    const welcomed = await parts.welcome(house.faces, tx, given)
    if (!welcomed) throw tenantExists(wanted.code)
    return welcomed.inviteToken
  })
  return { id, inviteToken }
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
