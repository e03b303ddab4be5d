import { Type } from 'typebox'
import { type App, act, type Ctx, errorResponses, Id } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { changeRole, createRole, grantable, removeRole } from './roles.ts'
import { ChangeRoleBody, List, NewRoleBody, RoleShape, VersionQuery } from './schemas.ts'
import { listRoles, rolesByIds } from './store.ts'
import type { Services } from './users.ts'

const closed = { additionalProperties: false }
const byId = Type.Object({ id: Id }, closed)
const tags = ['people']

/** Permission catalogue and roles. */
export function roleRoutes(services: Services & { descriptions: () => Readonly<Record<string, string>> }): (app: App) => void {
  return app => {
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

    const roleView = (row: { id: string; name: string; built_in: boolean; permissions: string[]; version: number }) => ({
      id: row.id,
      name: row.name,
      builtIn: row.built_in,
      permissions: row.permissions,
      version: row.version
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
        config: {
          permission: 'roles.manage',
          refuses: ['role_missing', 'role_built_in', 'role_changed', 'permission_unknown', 'permission_not_held']
        },
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

    app.delete(
      '/api/v1/roles/:id',
      {
        config: { permission: 'roles.manage', refuses: ['role_missing', 'role_built_in', 'role_changed', 'permission_not_held'] },
        schema: {
          operationId: 'removeRole',
          tags,
          summary: 'Remove an own role, from everybody who has it',
          params: byId,
          querystring: VersionQuery,
          response: { 204: Type.Null(), ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 204,
          run: async tx => {
            await removeRole(tx, services.journal, services.catalogue(), { id: request.params.id, version: request.query.version })
            return {}
          },
          show: () => null
        })
    )

    async function oneRole(ctx: Ctx, id: string) {
      const [row] = await rolesByIds(ctx, [id])
      if (!row) throw refuse('role_missing', 'There is no such role.')
      return roleView(row)
    }
  }
}
