import type { RawBuilder, SqlBool } from 'kysely'
import { type Ctx, constraintMeans, defineModule, type TxCtx, withTx } from '../../core/index.ts'
import { apiKeyRoutes } from './api-key-routes.ts'
import { forgetAttempts } from './attempt-store.ts'
import { strangersBrake } from './brake.ts'
import { departmentRoutes } from './department-routes.ts'
import { dictionary } from './dictionary.ts'
import { authzErrors } from './errors.ts'
import { identity, require, visible } from './grant.ts'
import { groupRoutes } from './group-routes.ts'
import { createGroup } from './groups.ts'
import { roleRoutes } from './role-routes.ts'
import { seedRoles } from './roles.ts'
import { doorRoutes } from './routes.ts'
import { forgetEnded } from './session-store.ts'
import {
  deleteScopes,
  insertDepartments,
  knownDepartments,
  listDepartments,
  roleByName,
  unknownDepartmentsRule,
  upsertLinks,
  upsertScopes
} from './store.ts'
import { userRoutes } from './user-routes.ts'
import { administrators, listUsers, userById } from './user-store.ts'
import { addUser, checkUsername, invite } from './users.ts'

/** What neighbours may ask of authz. */
export interface Authz {
  /** SQL condition: the caller's operational groups select the job in this column. */
  visible(c: Ctx | TxCtx, jobIdColumn: string): RawBuilder<SqlBool>
  /** Refuses `forbidden` when none of the caller's roles gives the permission. */
  require(c: Ctx | TxCtx, permission: string): void
  /** By what these jobs are selected; written in the transaction that writes the jobs. */
  scopeJobs(
    tx: TxCtx,
    rows: readonly { jobId: string; orderNumber: string; department: string; workCentre: string | null }[]
  ): Promise<void>
  unscopeJobs(tx: TxCtx, jobIds: readonly string[]): Promise<void>
  /** Department codes of incoming work orders. @returns those that this customer's setting refuses */
  noteDepartments(tx: TxCtx, codes: readonly string[]): Promise<ReadonlySet<string>>
  /** Names of the departments that have one, by code. */
  departmentNames(c: Ctx | TxCtx): Promise<ReadonlyMap<string, string>>
  /** Employees as timekeeping knows them, so that one may sign in with the number. */
  linkEmployees(tx: TxCtx, rows: readonly { id: string; numberBlind: Buffer | null; active: boolean }[]): Promise<void>
  /** The employee that the signed-in user is; null when not linked. */
  employeeOfUser(c: Ctx | TxCtx): Promise<string | null>
  /** Built-in roles from the catalogue; idempotent. */
  seed(tx: TxCtx, catalogue: readonly string[]): Promise<void>
  /**
   * Makes the first administrator, or a new link for one who never chose a password.
   * @returns the token of the one-time link; undefined when there is an administrator who can sign in
   */
  createFirstAdministrator(tx: TxCtx, wanted: { username: string }): Promise<{ inviteToken: string } | undefined>
}

declare module '../../core/index.ts' {
  interface Faces {
    authz: Authz
  }
}

/** Days after which ended sessions and used links are taken away; who did what stays in the journal. */
const keptDays = 30

constraintMeans('user_employee_key', 'employee_linked', authzErrors.employee_linked, 'Another user is linked to this employee already.')

export default defineModule({
  name: 'authz',
  needs: ['clock', 'config', 'journal', 'directory', 'tenants', 'tokens', 'catalogue'],
  permissions: {
    'users.read': 'See users, their roles and groups.',
    'users.manage': 'Make, change and switch off users.',
    'roles.read': 'See roles and the permission catalogue.',
    'roles.manage': 'Make and change own roles, within what one holds.',
    'groups.read': 'See operational groups and the jobs they cover.',
    'groups.manage': 'Make and change operational groups.',
    'api_keys.manage': 'Make and revoke API keys.',
    'access.explain': 'Ask why somebody may or may not do something.'
  },
  personalData: [
    {
      table: 'authz.user',
      subject: 'username_blind',
      columns: ['username_sealed', 'name_sealed', 'employee_id', 'last_sign_in_at'],
      why: 'to sign in'
    },
    { table: 'authz.session', subject: 'user_id', columns: ['user_id', 'rotated_at', 'client'], why: 'to end sessions' },
    {
      table: 'authz.sign_in_attempt',
      subject: 'account_blind',
      columns: ['account_blind', 'address_blind', 'at'],
      why: 'to slow guessing down'
    },
    {
      table: 'authz.employee_link',
      subject: 'number_blind',
      columns: ['number_blind', 'active'],
      why: 'to sign in with the employee number'
    },
    { table: 'authz.user_role', subject: 'user_id', columns: ['user_id'], why: 'to decide what somebody may do' },
    { table: 'authz.group_member', subject: 'user_id', columns: ['user_id'], why: 'to decide for which jobs' },
    { table: 'authz.invitation', subject: 'user_id', columns: ['user_id'], why: 'to choose a first password' }
  ],
  retention: [
    { table: 'authz.sign_in_attempt', after: '24 hours; 30 days where it succeeded', rule: 'deleted by a duty' },
    { table: 'authz.session', after: '30 days after its end', rule: 'deleted by a duty' },
    { table: 'authz.invitation', after: '30 days after its use or end', rule: 'deleted by a duty' },
    ...[
      'user',
      'employee_link',
      'role',
      'user_role',
      'operational_group',
      'group_rule',
      'group_member',
      'api_key',
      'department',
      'work_centre',
      'job_scope',
      'setting'
    ].map(table => ({ table: `authz.${table}`, after: 'end of contract', rule: 'return or destruction' }))
  ],
  dictionary,
  errors: authzErrors,
  build({ clock, config, journal, directory, tenants, tokens, catalogue }) {
    const services = {
      journal,
      directory,
      tenants,
      tokens,
      catalogue: () => new Set(Object.keys(catalogue())),
      descriptions: catalogue,
      strangers: strangersBrake(clock)
    }
    const routes = [
      doorRoutes(services, config),
      userRoutes(services, config),
      roleRoutes(services),
      groupRoutes(services),
      departmentRoutes(services),
      apiKeyRoutes(services)
    ]
    return {
      face: {
        visible,
        require,
        scopeJobs: upsertScopes,
        unscopeJobs: deleteScopes,
        async noteDepartments(tx, codes) {
          const wanted = [...new Set(codes)]
          const known = new Set((await knownDepartments(tx, wanted)).map(row => row.code))
          const fresh = wanted.filter(code => !known.has(code))
          if (fresh.length === 0) return new Set()
          if ((await unknownDepartmentsRule(tx)) === 'reject') return new Set(fresh)
          await insertDepartments(tx, fresh)
          return new Set()
        },
        async departmentNames(c) {
          return new Map((await listDepartments(c)).flatMap(({ code, name }) => (name === null ? [] : [[code, name] as const])))
        },
        linkEmployees: upsertLinks,
        async employeeOfUser(c) {
          if (c.principal.kind !== 'user') return null
          return (await userById(c, c.principal.id))?.employee_id ?? null
        },
        seed: async (tx, permissions) => void (await seedRoles(tx, journal, permissions)),
        async createFirstAdministrator(tx, { username }) {
          checkUsername(username)
          // The lock on the role keeps a second run waiting until this one has made its user.
          if ((await administrators(tx)).length > 0) return undefined
          const [first, ...others] = await listUsers(tx)
          if (first)
            return others.length === 0 && first.password_phc === null ? { inviteToken: await invite(tx, services, first.id) } : undefined
          const role = await roleByName(tx, 'administrator')
          if (!role) throw new Error('the built-in roles are not there: seed first')
          const everything = await createGroup(tx, journal, { name: 'Everything', rules: [{ kind: 'all', value: '' }] })
          const id = await addUser(tx, { username, roleIds: [role.id], groupIds: [everything], mustChange: false })
          await journal.append(tx, { act: 'user.create', subject: 'authz.user', subjectId: id, data: { first: true } })
          return { inviteToken: await invite(tx, services, id) }
        }
      },
      identity,
      routes: app => {
        for (const register of routes) register(app)
      },
      duties: [
        {
          // A new version of the product may have new permissions; those who hold a built-in role get them without anybody's doing.
          name: 'authz-roles',
          everySeconds: 600,
          run: async ctx => {
            const renewed = await withTx(ctx, tx => seedRoles(tx, journal, Object.keys(catalogue())))
            if (renewed.length > 0) ctx.log.info({ roles: renewed }, 'built-in roles renewed')
          }
        },
        {
          name: 'authz-tidy',
          everySeconds: 3_600,
          run: async ctx => {
            const before = new Date(ctx.clock.now().getTime() - keptDays * 86_400_000).toISOString()
            const gone = await withTx(ctx, async tx => {
              await forgetAttempts(tx)
              return forgetEnded(tx, before)
            })
            for (const lookup of gone.sessions) await directory.remove('session', lookup)
            for (const lookup of gone.invitations) await directory.remove('invite', lookup)
          }
        }
      ]
    }
  }
})
