import { Type } from 'typebox'
import {
  type App,
  act,
  type Config,
  type Ctx,
  cursorOf,
  errorResponses,
  hashPassword,
  Id,
  pageQuery,
  readCursor,
  Text
} from '../../core/index.ts'
import { refuse } from './errors.ts'
import { ChangeUserBody, NewUserBody, NewUserShape, UserShape } from './schemas.ts'
import { forget } from './sessions.ts'
import { listUsers, type User, userById, userGroups, userRoles } from './user-store.ts'
import { changeUser, checkPassword, createUser, inviteUser, openUser, type Services } from './users.ts'

const closed = { additionalProperties: false }
const byId = Type.Object({ id: Id }, closed)
const tags = ['people']

/** Users, for the customer's administrator. */
export function userRoutes(services: Services, config: Config): (app: App) => void {
  const link = (token: string | null): string | null => token && `${config.http.publicUrl}/welcome#${token}`

  return app => {
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
          .sort((a, b) => a.opened.username.localeCompare(b.opened.username))
        const from = readCursor(after, ['string'])
        // The place is looked up before the search, so that a renamed user does not send the list back to its begin.
        const seen = from === null ? -1 : all.findIndex(({ row }) => row.id === from[0])
        const rest = (from !== null && seen === -1 ? [] : all.slice(seen + 1)).filter(
          ({ opened }) => needle === undefined || `${opened.username} ${opened.name ?? ''}`.toLowerCase().includes(needle)
        )
        const page = rest.slice(0, limit)
        const last = page.at(-1)
        return {
          items: await views(
            request.ctx,
            page.map(({ row }) => row)
          ),
          next: last && rest.length > limit ? cursorOf([last.row.id]) : null
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
            'jobs_not_held',
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
        const { password, mustChangePassword = true, ...wanted } = request.body
        if (password !== undefined) checkPassword(password, [wanted.username, request.ctx.tenant.code])
        const passwordPhc = password === undefined ? undefined : await hashPassword(password)
        let inviteToken: string | null = null
        return act(request, reply, {
          status: 201,
          run: async tx => {
            const made = await createUser(tx, services, {
              ...wanted,
              ...(passwordPhc === undefined ? {} : { passwordPhc }),
              mustChange: passwordPhc !== undefined && mustChangePassword
            })
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
            'jobs_not_held',
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
      async (request, reply) => {
        let ended: string[] = []
        const shown = await act(request, reply, {
          run: async tx => {
            ended = await changeUser(tx, services, request.params.id, request.body)
            return { id: request.params.id }
          },
          show: (ctx, { id }) => oneUser(ctx, id)
        })
        await forget(services.directory, ended)
        return shown
      }
    )

    app.post(
      '/api/v1/users/:id/invitation',
      {
        config: { permission: 'users.manage', refuses: ['user_unknown', 'permission_not_held', 'jobs_not_held'] },
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
            token = await inviteUser(tx, services, request.params.id)
            return { id: request.params.id }
          },
          show: async (ctx, { id }) => ({ user: await oneUser(ctx, id), inviteLink: link(token) })
        })
      }
    )
  }
}

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
    mustChangePassword: row.must_change,
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
