import { randomBytes } from 'node:crypto'
import { until } from '../../demo/api.ts'
import { serverUrl, urlFor, withConnection } from '../../test/helpers/database.ts'
import type { TestHouse, TestTenant } from '../../test/helpers/house.ts'
import { connect, type KeyPair, newKeyPair, openSftpClient } from '../../test/helpers/sftp.ts'

/** A customer whose data look like the other's, but for one word in them that nobody else has. */
export interface Customer {
  readonly tenant: TestTenant
  readonly canary: string
  readonly connection: string
  readonly sftp: { readonly username: string; readonly key: KeyPair }
  /** Everything with which somebody or something of this customer signs in. */
  readonly credentials: Readonly<Record<'administrator' | 'operator' | 'apiKey' | 'erpToken', string>>
  readonly database: { readonly name: string; readonly appRole: string; readonly appPassword: string }
  /** Every id in every table, and the numbers and codes that stand in addresses. */
  readonly ids: readonly string[]
}

export const ordersEach = 200
const password = 'Een-lange-zin-voor-het-bewijs'
const numbered = (n: number): string => String(n).padStart(4, '0')

/** The same orders, articles, people and stock for everyone; the canary stands in each description and name. */
function files(canary: string): Readonly<Record<string, readonly string[]>> {
  return {
    'LOC_1.csv': ['Location;Warehouse;Description', `R1;HAL1;${canary} rack`, `R2;HAL1;${canary} rack`],
    'ART_1.csv': ['Article;Description;Unit', ...Array.from({ length: 20 }, (_, n) => `A${n};${canary} part;PCE`)],
    'EMP_1.csv': ['Number;Name;Active', ...Array.from({ length: 10 }, (_, n) => `${100 + n};${canary} ${n};J`)],
    'STK_1.csv': ['Article;Location;Quantity;Unit;AsOf', ...Array.from({ length: 20 }, (_, n) => `A${n};R1;100;PCE;2026-01-05 06:00:00`)],
    'WO_1.csv': [
      'Order;Department;Article;Description;Quantity;Unit;Due;Status;Type;Operation;Sequence;OperationDepartment;OperationDescription;Line;Material;MaterialQuantity;MaterialUnit;MaterialLocation',
      ...Array.from({ length: ordersEach }, (_, n) => [
        `W${numbered(n)};WELD;A${n % 20};${canary} order;5;PCE;2027-01-01;released;O;10;10;WELD;${canary} weld;;;;;`,
        `W${numbered(n)};WELD;A${n % 20};${canary} order;5;PCE;2027-01-01;released;M;10;;;;1;A${(n + 1) % 20};2;PCE;R1`
      ]).flat(),
      `WBAD;WELD;A1;${canary} order;many;PCE;2027-01-01;released;O;10;10;WELD;${canary} weld;;;;;`
    ],
    'PCK_1.csv': ['PickList;Order;Line;Article;Quantity;Unit;Location', 'P1;W0001;1;A1;5;PCE;R1', 'P1;W0001;2;A2;5;PCE;R1']
  }
}

/** Furnishes a customer through the doors that everybody uses: SFTP, the API, an act on the floor. */
export async function furnish(at: TestHouse, tenant: TestTenant): Promise<Customer> {
  const canary = `canary${randomBytes(8).toString('hex')}`
  const administrator = await at.admin(tenant)
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await at.call<T>(method, `/api/v1${path}`, { token: administrator, ...(body === undefined ? {} : { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const { id: connection } = await api<{ id: string }>('POST', '/connections', {
    name: `${canary} ERP`,
    adapter: 'werkvloer.csv',
    config: {}
  })
  const key = newKeyPair()
  // Names of SFTP users are one list for the whole server.
  const username = `erp-${canary.slice(-6)}`
  await api('POST', `/connections/${connection}/access/sftp-keys`, { username, publicKey: key.public, label: 'ERP' })
  await api('POST', `/connections/${connection}/activate`, {})
  const client = await connect(at.sftp?.port ?? 0, { username, privateKey: key.private })
  const sftp = await openSftpClient(client)
  for (const [name, lines] of Object.entries(files(canary))) await sftp.put(`inbox/${name}`, Buffer.from(`${lines.join('\r\n')}\r\n`))
  client.end()
  await until('the files are in', 120, async () => {
    const { items } = await api<{ items: { state: string }[] }>('GET', '/deliveries')
    return (items.length === Object.keys(files('')).length && items.every(({ state }) => state.startsWith('done'))) || undefined
  })

  const web = await api<{ id: string }>('POST', '/connections', { name: `${canary} web`, adapter: 'werkvloer.neutral-rest', config: {} })
  const { token: erpToken } = await api<{ token: string }>('POST', `/connections/${web.id}/access/tokens`, { label: 'ERP' })
  const { items: roles } = await api<{ items: { id: string; name: string }[] }>('GET', '/roles')
  const roleIds = (name: string): string[] => roles.filter(role => role.name === name).map(({ id }) => id)
  const { id: groupId } = await api<{ id: string }>('POST', '/groups', {
    name: `${canary} welders`,
    rules: [{ kind: 'department', value: 'WELD' }]
  })
  await api('POST', '/users', {
    username: 'welder',
    name: `${canary} welder`,
    roleIds: roleIds('operator'),
    groupIds: [groupId],
    employeeNumber: '100',
    password
  })
  const { key: apiKey } = await api<{ key: string }>('POST', '/api-keys', {
    name: `${canary} key`,
    permissions: ['orders.read', 'stock.read', 'exchange.read'],
    groupIds: [groupId],
    days: 30
  })
  const operator = await at.signIn(tenant, 'welder', password)
  const { items: jobs } = await api<{ items: { id: string }[] }>('GET', '/jobs?limit=20')
  for (const { id } of jobs.slice(0, 5)) {
    await at.call('POST', `/api/v1/jobs/${id}/start`, { token: operator, body: {} })
    await at.call('POST', `/api/v1/jobs/${id}/report`, { token: operator, body: { good: '1' } })
  }

  const row = await at.house.control.kysely
    .selectFrom('control.tenant')
    .select(['id', 'database', 'app_role', 'app_password_wrapped'])
    .where('id', '=', tenant.id)
    .executeTakeFirstOrThrow()
  return {
    tenant,
    canary,
    connection,
    sftp: { username, key },
    credentials: { administrator, operator, apiKey, erpToken },
    database: {
      name: row.database,
      appRole: row.app_role,
      appPassword: at.root.unwrap(row.app_password_wrapped, `app_password/${row.id}`).toString()
    },
    ids: await idsOf(row.database)
  }
}

/** Every value of every column of type uuid of a customer's database. */
async function idsOf(database: string): Promise<readonly string[]> {
  return withConnection(urlFor(serverUrl(), database), async client => {
    const columns = await client.query<{ text: string }>(`
      select format('select distinct %I::text as id from %I.%I where %I is not null', column_name, table_schema, table_name, column_name) as text
      from information_schema.columns where data_type = 'uuid' and table_schema not in ('pg_catalog', 'information_schema')`)
    const found = new Set<string>()
    for (const { text } of columns.rows) for (const { id } of (await client.query<{ id: string }>(text)).rows) found.add(id)
    return [...found]
  })
}
