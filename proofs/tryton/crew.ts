import type { Api } from '../../demo/api.ts'
import { demoPassword } from '../../demo/setup.ts'
import { type Hand, hand } from './floor.ts'

export interface Person {
  /** The ERP's number of the employee. */
  readonly number: string
  readonly department: string
  readonly hand: Hand
}

/** The people of the floor: each works at one job at a time. */
export interface Crew {
  readonly lead: Person
  /** Of the store, and no employee of the ERP. */
  readonly store: Hand
  /** Waits until somebody of the department is free. */
  take(department: string): Promise<Person>
  /** Somebody else of the department, where one is free now. */
  another(department: string): Person | undefined
  free(person: Person): void
}

interface Named {
  readonly id: string
  readonly name: string
}

/** The scrap reasons that they choose from. */
export const scrapCodes = { MAAT: 'Maat fout', KRAS: 'Kras of deuk' } as const

/**
 * Makes a user for each active employee that came from the ERP: the first is the team lead, the others are operators in the group of
 * one department, turn by turn.
 */
export async function hireCrew(admin: Api, baseUrl: string, customer: string, departments: readonly string[]): Promise<Crew> {
  const roles = (await admin.get<{ items: Named[] }>('/api/v1/roles')).items
  const role = (name: string): string => {
    const found = roles.find(one => one.name === name)
    if (!found) throw new Error(`there is no role ${name}`)
    return found.id
  }
  const { items } = await admin.get<{ items: { number: string | null; active: boolean }[] }>('/api/v1/employees?limit=500')
  const numbers = items.flatMap(one => (one.active && one.number !== null ? [one.number] : [])).sort()
  const [leading, ...others] = numbers
  if (leading === undefined || others.length < departments.length) throw new Error(`too few employees came in: ${numbers.join(', ')}`)

  const everywhere = (await admin.get<{ items: Named[] }>('/api/v1/groups')).items.find(group => group.name === 'Everything')
  const account = async (username: string, roleId: string, groupId: string, employeeNumber?: string): Promise<Hand> => {
    await admin.post('/api/v1/users', {
      username,
      name: `Person ${username}`,
      ...(employeeNumber === undefined ? {} : { employeeNumber }),
      roleIds: [roleId],
      groupIds: [groupId],
      password: demoPassword,
      mustChangePassword: false
    })
    return hand(baseUrl, customer, username)
  }
  const make = async (number: string, roleId: string, groupId: string, department: string): Promise<Person> => {
    return { number, department, hand: await account(`p${number}`, roleId, groupId, number) }
  }
  const lead = await make(leading, role('team_lead'), everywhere?.id ?? '', '')
  const store = await account('store', role('warehouse'), everywhere?.id ?? '')
  const groups = new Map<string, string>()
  for (const value of departments) {
    const made = await admin.post<Named>('/api/v1/groups', { name: `Department ${value}`, rules: [{ kind: 'department', value }] })
    groups.set(value, made.id)
  }
  const people: Person[] = []
  for (const [index, number] of others.entries()) {
    const department = departments[index % departments.length] ?? ''
    people.push(await make(number, role('operator'), groups.get(department) ?? '', department))
  }
  for (const [code, name] of Object.entries(scrapCodes)) await admin.put(`/api/v1/scrap-reasons/${code}`, { name })

  const busy = new Set<Person>()
  const waiting: { readonly department: string; readonly go: (person: Person) => void }[] = []
  const idle = (department: string): Person | undefined => {
    const one = people.find(person => person.department === department && !busy.has(person))
    if (one) busy.add(one)
    return one
  }
  return {
    lead,
    store,
    another: idle,
    take(department) {
      const one = idle(department)
      if (one) return Promise.resolve(one)
      if (!people.some(person => person.department === department)) throw new Error(`nobody works in department ${department}`)
      return new Promise(go => waiting.push({ department, go }))
    },
    free(person) {
      const next = waiting.findIndex(one => one.department === person.department)
      if (next < 0) busy.delete(person)
      else waiting.splice(next, 1)[0]?.go(person)
    }
  }
}
