import { Type } from 'typebox'
import {
  type App,
  act,
  type Config,
  type Ctx,
  errorResponses,
  hashPassword,
  Id,
  newId,
  newToken,
  pageQuery,
  Text
} from '../../core/index.ts'
import { refuse } from './errors.ts'
import { changeGroup, createGroup } from './groups.ts'
import { changeRole, createRole, grantable, mayGive } from './roles.ts'
import {
  ApiKeyShape,
  ChangeGroupBody,
  ChangeRoleBody,
  ChangeUserBody,
  CoveredShape,
  GroupShape,
  List,
  NewApiKeyBody,
  NewApiKeyShape,
  NewGroupBody,
  NewRoleBody,
  NewUserBody,
  NewUserShape,
  RoleShape,
  UserShape
} from './schemas.ts'
import { insertApiKey, listApiKeys, revokeApiKey } from './session-store.ts'
import {
  groupById,
  groupsByIds,
  jobsOfGroup,
  listDepartments,
  listGroups,
  listRoles,
  listUsers,
  rolesByIds,
  rulesOf,
  type User,
  userById,
  userGroups,
  userRoles
} from './store.ts'
import { changeUser, checkPassword, createUser, invite, openUser, type Services } from './users.ts'

const closed = { additionalProperties: false }
const tags = ['people']
const byId = Type.Object({ id: Id }, closed)

/** Users, roles, operational groups and API keys, for the customer's administrator. */
export function adminRoutes(services: Services & { descriptions: () => Readonly<Record<string, string>> }, config: Config) {
  const link = (token: string | null): string | null => token && `${config.http.publicUrl}/welcome#${token}`

  return (app: App): void => {
    app.get(
      '/api/v1/users',
      {
        config: { permission: 'users.read' },
        schema: {
          operationId: 'listUsers',
          tags,
          summary: 'Users by name',
          querystring: Type.Object({ search: Type.Optional(Text(80)), ...pageQuery }, closed),
          response: {
            200: Type.Object({ items: Type.Array(UserShape), next: Type.Union([Type.String(), Type.Null()]) }, closed),
            ...errorResponses
          }
        }
      },
      async request => {
        const { search, limit = 100, after } = request.query
        const needle = search?.normalize('NFKC').toLowerCase()
        const all = (await listUsers(request.ctx))
          .map(row => ({ row, opened: openUser(request.ctx, row) }))
          .filter(({ opened }) => needle === undefined || `${opened.username} ${opened.name ?? ''}`.toLowerCase().includes(needle))
          .sort((a, b) => a.opened.username.localeCompare(b.opened.username))
        const start = after === undefined ? 0 : all.findIndex(({ row }) => row.id === after) + 1
        const page = all.slice(start, start + limit)
        return {
          items: await views(
            request.ctx,
            page.map(({ row }) => row)
          ),
          next: start + limit < all.length ? (page.at(-1)?.row.id ?? null) : null
        }
      }
    )

    app.post(
      '/api/v1/users',
      {
        config: {
          permission: 'users.manage',
          refuses: [
            'username_taken',
            'employee_number_unknown',
            'employee_linked',
            'role_unknown',
            'group_unknown',
            'permission_not_held',
            'password_weak'
          ]
        },
        schema: {
          operationId: 'createUser',
          tags,
          summary: 'Make a user, with a password or with a one-time link',
          body: NewUserBody,
          response: { 201: NewUserShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { password, ...wanted } = request.body
        if (password !== undefined) checkPassword(password, [wanted.username, request.ctx.tenant.code])
        const passwordPhc = password === undefined ? undefined : await hashPassword(password)
        let inviteToken: string | null = null
        return act(request, reply, {
          status: 201,
          run: async tx => {
            const made = await createUser(tx, services, { ...wanted, ...(passwordPhc === undefined ? {} : { passwordPhc }) })
            inviteToken = made.inviteToken
            return { id: made.id }
          },
          // A link is shown once: a replay of the request does not show it again.
          show: async (ctx, { id }) => ({ user: await oneUser(ctx, id), inviteLink: link(inviteToken) })
        })
      }
    )

    app.get(
      '/api/v1/users/:id',
      {
        config: { permission: 'users.read', refuses: ['user_unknown'] },
        schema: { operationId: 'getUser', tags, summary: 'One user', params: byId, response: { 200: UserShape, ...errorResponses } }
      },
      async request => oneUser(request.ctx, request.params.id)
    )

    app.patch(
      '/api/v1/users/:id',
      {
        config: {
          permission: 'users.manage',
          refuses: [
            'user_unknown',
            'last_administrator',
            'role_unknown',
            'group_unknown',
            'permission_not_held',
            'employee_number_unknown',
            'employee_linked'
          ]
        },
        schema: {
          operationId: 'changeUser',
          tags,
          summary: 'Change name, roles, groups, employee number, or switch off; counts on the next request',
          params: byId,
          body: ChangeUserBody,
          response: { 200: UserShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          run: async tx => {
            await changeUser(tx, services, request.params.id, request.body)
            return { id: request.params.id }
          },
          show: (ctx, { id }) => oneUser(ctx, id)
        })
    )

    app.post(
      '/api/v1/users/:id/invitation',
      {
        config: { permission: 'users.manage', refuses: ['user_unknown'] },
        schema: {
          operationId: 'inviteUser',
          tags,
          summary: 'A new one-time link; older ones stop working',
          params: byId,
          response: { 201: NewUserShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        let token: string | null = null
        return act(request, reply, {
          status: 201,
          run: async tx => {
            if (!(await userById(tx, request.params.id))) throw refuse('user_unknown', 'There is no such user.')
            token = await invite(tx, services, request.params.id)
            return { id: request.params.id }
          },
          show: async (ctx, { id }) => ({ user: await oneUser(ctx, id), inviteLink: link(token) })
        })
      }
    )

    app.get(
      '/api/v1/permissions',
      {
        config: { permission: 'roles.read' },
        schema: {
          operationId: 'listPermissions',
          tags,
          summary: 'The permission catalogue',
          response: { 200: List(Type.Object({ permission: Type.String(), allows: Type.String() }, closed)), ...errorResponses }
        }
      },
      async () => ({
        items: Object.entries(services.descriptions())
          .filter(([permission]) => grantable(permission))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([permission, allows]) => ({ permission, allows }))
      })
    )

    const roleView = (row: { id: string; name: string; built_in: boolean; permissions: string[] }) => ({
      id: row.id,
      name: row.name,
      builtIn: row.built_in,
      permissions: row.permissions
    })

    app.get(
      '/api/v1/roles',
      {
        config: { permission: 'roles.read' },
        schema: {
          operationId: 'listRoles',
          tags,
          summary: 'Roles and what each gives',
          response: { 200: List(RoleShape), ...errorResponses }
        }
      },
      async request => ({ items: (await listRoles(request.ctx)).map(roleView) })
    )

    app.post(
      '/api/v1/roles',
      {
        config: { permission: 'roles.manage', refuses: ['role_exists', 'permission_unknown', 'permission_not_held'] },
        schema: {
          operationId: 'createRole',
          tags,
          summary: 'Make an own role',
          body: NewRoleBody,
          response: { 201: RoleShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 201,
          run: async tx => ({ id: await createRole(tx, services.journal, services.catalogue(), request.body) }),
          show: (ctx, { id }) => oneRole(ctx, id)
        })
    )

    app.put(
      '/api/v1/roles/:id',
      {
        config: { permission: 'roles.manage', refuses: ['role_unknown', 'role_built_in', 'permission_unknown', 'permission_not_held'] },
        schema: {
          operationId: 'changeRole',
          tags,
          summary: 'Set the permissions of an own role; counts on the next request',
          params: byId,
          body: ChangeRoleBody,
          response: { 200: RoleShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          run: async tx => {
            await changeRole(tx, services.journal, services.catalogue(), { id: request.params.id, ...request.body })
            return { id: request.params.id }
          },
          show: (ctx, { id }) => oneRole(ctx, id)
        })
    )

    async function oneRole(ctx: Ctx, id: string) {
      const [row] = await rolesByIds(ctx, [id])
      if (!row) throw refuse('role_unknown', 'There is no such role.')
      return roleView(row)
    }

    app.get(
      '/api/v1/departments',
      {
        config: { permission: 'groups.read' },
        schema: {
          operationId: 'listDepartments',
          tags,
          summary: 'Department codes that came in with work orders',
          response: {
            200: List(Type.Object({ code: Type.String(), name: Type.Union([Type.String(), Type.Null()]) }, closed)),
            ...errorResponses
          }
        }
      },
      async request => ({ items: await listDepartments(request.ctx) })
    )

    app.get(
      '/api/v1/groups',
      {
        config: { permission: 'groups.read' },
        schema: {
          operationId: 'listGroups',
          tags,
          summary: 'Operational groups and their rules',
          response: { 200: List(GroupShape), ...errorResponses }
        }
      },
      async request => {
        const groups = await listGroups(request.ctx)
        const rules = await rulesOf(
          request.ctx,
          groups.map(group => group.id)
        )
        return { items: groups.map(group => groupView(group, rules)) }
      }
    )

    app.post(
      '/api/v1/groups',
      {
        config: { permission: 'groups.manage', refuses: ['group_exists'] },
        schema: {
          operationId: 'createGroup',
          tags,
          summary: 'Make an operational group',
          body: NewGroupBody,
          response: { 201: GroupShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 201,
          run: async tx => ({ id: await createGroup(tx, services.journal, request.body) }),
          show: (ctx, { id }) => oneGroup(ctx, id)
        })
    )

    app.put(
      '/api/v1/groups/:id',
      {
        config: { permission: 'groups.manage', refuses: ['group_unknown'] },
        schema: {
          operationId: 'changeGroup',
          tags,
          summary: 'Set the rules of a group; counts on the next request',
          params: byId,
          body: ChangeGroupBody,
          response: { 200: GroupShape, ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          run: async tx => {
            await changeGroup(tx, services.journal, { id: request.params.id, rules: request.body.rules })
            return { id: request.params.id }
          },
          show: (ctx, { id }) => oneGroup(ctx, id)
        })
    )

    app.get(
      '/api/v1/groups/:id/jobs',
      {
        config: { permission: 'groups.read', refuses: ['group_unknown'] },
        schema: {
          operationId: 'jobsOfGroup',
          tags,
          summary: 'Which jobs the group covers now',
          params: byId,
          querystring: Type.Object({ limit: pageQuery.limit }, closed),
          response: { 200: CoveredShape, ...errorResponses }
        }
      },
      async request => {
        await oneGroup(request.ctx, request.params.id)
        const rows = await jobsOfGroup(request.ctx, request.params.id, request.query.limit ?? 100)
        return {
          count: Number(rows[0]?.total ?? 0),
          items: rows.map(row => ({
            jobId: row.job_id,
            orderNumber: row.order_number,
            department: row.department_code,
            workCentre: row.work_centre
          }))
        }
      }
    )

    async function oneGroup(ctx: Ctx, id: string) {
      const group = await groupById(ctx, id)
      if (!group) throw refuse('group_unknown', 'There is no such group.')
      return groupView(group, await rulesOf(ctx, [id]))
    }

    app.get(
      '/api/v1/api-keys',
      {
        config: { permission: 'api_keys.manage' },
        schema: {
          operationId: 'listApiKeys',
          tags,
          summary: 'API keys, without their secret',
          response: { 200: List(ApiKeyShape), ...errorResponses }
        }
      },
      async request => ({ items: (await listApiKeys(request.ctx)).map(keyView) })
    )

    app.post(
      '/api/v1/api-keys',
      {
        config: { permission: 'api_keys.manage', refuses: ['permission_unknown', 'permission_not_held', 'group_unknown'] },
        schema: {
          operationId: 'createApiKey',
          tags,
          summary: 'Make an API key; it is shown once',
          body: NewApiKeyBody,
          response: { 201: NewApiKeyShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { name, permissions, groupIds, addresses = [], days } = request.body
        const token = newToken('api')
        return act(request, reply, {
          status: 201,
          run: async tx => {
            mayGive(tx, permissions, services.catalogue())
            if ((await groupsByIds(tx, groupIds)).length !== groupIds.length)
              throw refuse('group_unknown', 'One of the operational groups does not exist.')
            const id = newId()
            await services.directory.add({ kind: 'api_key', lookup: token.lookup, tenantId: tx.tenant.id })
            await insertApiKey(tx, {
              id,
              name,
              lookup: token.lookup,
              digest: token.digest,
              permissions: [...permissions],
              group_ids: [...groupIds],
              addresses: [...addresses],
              expires_at: new Date(tx.clock.now().getTime() + days * 86_400_000).toISOString()
            })
            await services.journal.append(tx, {
              act: 'api_key.create',
              subject: 'authz.api_key',
              subjectId: id,
              data: { permissions: [...permissions] }
            })
            return { id, lookup: token.lookup }
          },
          show: async (ctx, made) => {
            const row = (await listApiKeys(ctx)).find(key => key.id === made.id)
            if (!row) throw refuse('api_key_unknown', 'There is no such key.')
            // A replay made another secret, which is nobody's key: only the first answer shows the real one.
            return { key: made.lookup === token.lookup ? token.text : '', apiKey: keyView(row) }
          }
        })
      }
    )

    app.delete(
      '/api/v1/api-keys/:id',
      {
        config: { permission: 'api_keys.manage', refuses: ['api_key_unknown'] },
        schema: {
          operationId: 'revokeApiKey',
          tags,
          summary: 'Revoke a key; counts at once',
          params: byId,
          response: { 204: Type.Null(), ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 204,
          run: async tx => {
            const gone = await revokeApiKey(tx, request.params.id)
            if (!gone) throw refuse('api_key_unknown', 'There is no such key, or it is revoked already.')
            await services.directory.remove('api_key', gone.lookup)
            await services.journal.append(tx, { act: 'api_key.revoke', subject: 'authz.api_key', subjectId: request.params.id })
            return {}
          },
          show: () => null
        })
    )
  }
}

const groupView = (group: { id: string; name: string }, rules: Awaited<ReturnType<typeof rulesOf>>) => ({
  id: group.id,
  name: group.name,
  rules: rules.filter(rule => rule.group_id === group.id).map(({ kind, value }) => ({ kind, value }))
})

const keyView = (row: Awaited<ReturnType<typeof listApiKeys>>[number]) => ({
  id: row.id,
  name: row.name,
  permissions: row.permissions,
  groupIds: row.group_ids,
  addresses: row.addresses,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  createdAt: row.created_at
})

async function views(ctx: Ctx, rows: readonly User[]) {
  const ids = rows.map(row => row.id)
  const [roles, groups] = await Promise.all([userRoles(ctx, ids), userGroups(ctx, ids)])
  const of = (list: readonly { user_id: string; id: string; name: string }[], id: string) =>
    list.filter(entry => entry.user_id === id).map(entry => ({ id: entry.id, name: entry.name }))
  return rows.map(row => ({
    ...openUser(ctx, row),
    employeeId: row.employee_id,
    active: row.active,
    invited: row.password_phc === null,
    lastSignInAt: row.last_sign_in_at,
    roles: of(roles, row.id),
    groups: of(groups, row.id)
  }))
}

async function oneUser(ctx: Ctx, id: string) {
  const row = await userById(ctx, id)
  const [view] = row ? await views(ctx, [row]) : []
  if (!view) throw refuse('user_unknown', 'There is no such user.')
  return view
}
