import { Type } from 'typebox'
import { type App, act, type Ctx, errorResponses, Id, type Journal, pageQuery } from '../../core/index.ts'
import { refuse } from './errors.ts'
import { groupById, jobsOfGroup, listGroups, rulesOf } from './group-store.ts'
import { changeGroup, createGroup, removeGroup } from './groups.ts'
import { ChangeGroupBody, CoveredShape, GroupShape, List, NewGroupBody, VersionQuery } from './schemas.ts'

const closed = { additionalProperties: false }
const byId = Type.Object({ id: Id }, closed)
const tags = ['people']

/** Operational groups: for which jobs. */
export function groupRoutes({ journal }: { journal: Journal }): (app: App) => void {
  return app => {
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
        config: { permission: 'groups.manage', refuses: ['group_exists', 'group_rule_invalid', 'jobs_not_held'] },
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
          run: async tx => ({ id: await createGroup(tx, journal, request.body) }),
          show: (ctx, { id }) => oneGroup(ctx, id)
        })
    )

    app.put(
      '/api/v1/groups/:id',
      {
        config: { permission: 'groups.manage', refuses: ['group_missing', 'group_changed', 'group_rule_invalid', 'jobs_not_held'] },
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
            await changeGroup(tx, journal, { id: request.params.id, ...request.body })
            return { id: request.params.id }
          },
          show: (ctx, { id }) => oneGroup(ctx, id)
        })
    )

    app.delete(
      '/api/v1/groups/:id',
      {
        config: { permission: 'groups.manage', refuses: ['group_missing', 'group_changed', 'jobs_not_held'] },
        schema: {
          operationId: 'removeGroup',
          tags,
          summary: 'Remove a group; its members lose the jobs that no other group gives them',
          params: byId,
          querystring: VersionQuery,
          response: { 204: Type.Null(), ...errorResponses }
        }
      },
      async (request, reply) =>
        act(request, reply, {
          status: 204,
          run: async tx => {
            await removeGroup(tx, journal, { id: request.params.id, version: request.query.version })
            return {}
          },
          show: () => null
        })
    )

    app.get(
      '/api/v1/groups/:id/jobs',
      {
        config: { permission: 'groups.read', refuses: ['group_missing'] },
        schema: {
          operationId: 'jobsOfGroup',
          tags,
          summary: 'Which jobs the group covers now, of those that you may see',
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
      if (!group) throw refuse('group_missing', 'There is no such group.')
      return groupView(group, await rulesOf(ctx, [id]))
    }
  }
}

const groupView = (group: { id: string; name: string; version: number }, rules: Awaited<ReturnType<typeof rulesOf>>) => ({
  id: group.id,
  name: group.name,
  rules: rules.filter(rule => rule.group_id === group.id).map(({ kind, value }) => ({ kind, value })),
  version: group.version
})
