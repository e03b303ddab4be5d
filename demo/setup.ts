import type { Api } from './api.ts'
import { api, signIn, until } from './api.ts'
import type { SimulatedErp } from './erp.ts'
import { departments, employees, otherWork, scrapReasons } from './factory.ts'
import { articleFile, employeeFile, locationFile, stockFile } from './files.ts'

export const demoPassword = 'Werkvloer-demo-2026'

export interface DemoPerson {
  readonly username: string
  readonly role: string
  readonly what: string
}

/** The people of the demo: published names and one published password, on loopback only. */
export const people: readonly DemoPerson[] = [
  { username: 'admin', role: 'administrator', what: 'everything: users, roles, groups, connections' },
  { username: 'lead', role: 'team_lead', what: 'all jobs, hours of the team, corrections' },
  ...departments.map(department => ({
    username: department.toLowerCase(),
    role: 'operator',
    what: `jobs of department ${department} only`
  })),
  { username: 'store', role: 'warehouse', what: 'stock and pick lists' }
]

interface Named {
  readonly id: string
  readonly name: string
}
interface List<T> {
  readonly items: readonly T[]
  readonly next?: string | null
}

/** The first administrator chooses a password by the one-time link, as a person would. */
export async function firstAdministrator(baseUrl: string, customer: string, inviteToken: string): Promise<Api> {
  await api(baseUrl).post('/api/v1/invitations/accept', { token: inviteToken, password: demoPassword })
  return signIn(baseUrl, customer, 'admin', demoPassword)
}

/** Makes the connection of the simulated ERP and lets it in by its key. @returns the connection's id */
export async function connectErp(admin: Api, login: { username: string; publicLine: string }): Promise<string> {
  const connection = await admin.post<{ id: string }>('/api/v1/connections', {
    name: 'Simulated ERP',
    adapter: 'werkvloer.csv',
    config: { delimiter: ';' }
  })
  await admin.post(`/api/v1/connections/${connection.id}/access/sftp-keys`, {
    username: login.username,
    publicKey: login.publicLine,
    label: 'Simulated ERP'
  })
  await admin.post(`/api/v1/connections/${connection.id}/activate`)
  return connection.id
}

interface Delivery {
  readonly name: string
  readonly state: string
  readonly counts: { readonly rejected: number }
}

/** Waits until a file is worked to its end. @returns it */
export const processed = (admin: Api, name: string, seconds = 60): Promise<Delivery> =>
  until(`${name} is processed`, seconds, async () => {
    const { items } = await admin.get<List<Delivery>>('/api/v1/deliveries?limit=200')
    const found = items.find(item => item.name === name)
    return found && ['done', 'done_with_rejects', 'rejected', 'parked', 'held'].includes(found.state) ? found : undefined
  })

/** Master data of the factory, over SFTP like everything an ERP sends. */
export async function masterData(admin: Api, erp: SimulatedErp, asOf: string): Promise<void> {
  const files = { 'LOC_1.csv': locationFile(), 'ART_1.csv': articleFile(), 'EMP_1.csv': employeeFile(), 'STK_1.csv': stockFile(asOf) }
  for (const [name, text] of Object.entries(files)) await erp.deliver(name, text)
  for (const name of Object.keys(files)) {
    const delivery = await processed(admin, name)
    if (delivery.state !== 'done') throw new Error(`${name} ended as ${delivery.state}`)
  }
}

/** What people on the floor choose from: why scrap is scrap, and work that belongs to no order. */
export async function makeCodes(admin: Api): Promise<void> {
  for (const [code, name] of scrapReasons) await admin.put(`/api/v1/scrap-reasons/${code}`, { name })
  for (const [code, name] of otherWork) await admin.post('/api/v1/activity-codes', { code, name })
}

/** Users with their role, groups with their rules, each operator linked to an employee number. */
export async function makePeople(admin: Api): Promise<void> {
  const roles = (await admin.get<List<Named>>('/api/v1/roles')).items
  const groups = new Map<string, string>()
  for (const department of departments) {
    const made = await admin.post<Named>('/api/v1/groups', {
      name: `Department ${department}`,
      rules: [{ kind: 'department', value: department }]
    })
    groups.set(department.toLowerCase(), made.id)
  }
  const everything = (await admin.get<List<Named>>('/api/v1/groups')).items.find(group => group.name === 'Everything')
  for (const [index, person] of people.slice(1).entries()) {
    const role = roles.find(r => r.name === person.role)
    const group = groups.get(person.username) ?? everything?.id
    if (!role || group === undefined) throw new Error(`the role ${person.role} or its group is missing`)
    await admin.post('/api/v1/users', {
      username: person.username,
      name: `Demo ${person.username}`,
      employeeNumber: employees[index]?.number ?? '',
      roleIds: [role.id],
      groupIds: [group],
      password: demoPassword,
      mustChangePassword: false
    })
  }
}
