import { Type } from 'typebox'
import type { AdapterCtx } from '../../adapters/contract/index.ts'
import type { Ctx } from '../context.ts'
import type { App } from '../http/app.ts'
import { act } from '../http/idempotency.ts'
import { errorResponses, Id, Text } from '../http/schemas.ts'
import type { Journal } from '../journal/append.ts'
import { checkConnection } from './connection-check.ts'
import {
  AdapterShape,
  ChangeConnectionBody,
  CheckShape,
  ConnectionShape,
  KindsBody,
  MappingBody,
  MappingShape,
  NewConnectionBody,
  OrNull,
  viewOfAdapter,
  viewOfConnection,
  viewOfMapping
} from './connection-views.ts'
import { type ConnectionDesk, isImportKind } from './connections.ts'
import { type Connection, findConnection, findMapping, kindOwners, listConnectionRows, loadOfConnections } from './connections-store.ts'
import { refuseExchange } from './errors.ts'
import { pullPlans } from './pull-store.ts'
import type { AdapterRegistry } from './registry.ts'
import { type ConnectionRuntime, openSecrets } from './runtime.ts'

const closed = { additionalProperties: false }
const tags = ['connections']
const One = Type.Object({ id: Id }, closed)
const Nothing = Type.Object({}, closed)
const read = { permission: 'exchange.read' }
const configure = (...refuses: string[]) => ({ permission: 'exchange.configure', refuses: ['connection_unknown', ...refuses] })
const operate = (...refuses: string[]) => ({ permission: 'exchange.operate', refuses: ['connection_unknown', ...refuses] })

export interface ConnectionRoutesOptions {
  readonly desk: ConnectionDesk
  readonly adapters: AdapterRegistry
  readonly journal: Journal
  readonly adapterCtx: (ctx: Ctx, runtime: ConnectionRuntime, signal: AbortSignal) => AdapterCtx
}

/** Connections to ERPs: setting up, mapping, checking, pausing. */
export function connectionRoutes(options: ConnectionRoutesOptions): (app: App) => void {
  const { desk, adapters } = options

  async function shown(ctx: Ctx, rows: readonly Connection[]) {
    const [owners, pulls, load] = [await kindOwners(ctx), await pullPlans(ctx), await loadOfConnections(ctx)]
    const views = []
    for (const row of rows) {
      views.push(
        viewOfConnection(row, {
          manifest: adapters.get(row.adapter)?.manifest,
          secrets: Object.keys(openSecrets(ctx, row)),
          owners,
          pulls,
          mappingVersion: (await findMapping(ctx, row.id))?.version ?? 0,
          load: load.get(row.id)
        })
      )
    }
    return views
  }

  async function one(ctx: Ctx, id: string) {
    const row = await findConnection(ctx, id)
    const [view] = row ? await shown(ctx, [row]) : []
    if (!view) throw refuseExchange('connection_unknown', 'There is no such connection.')
    return view
  }

  return app => {
    app.get(
      '/api/v1/adapters',
      {
        config: read,
        schema: {
          operationId: 'listAdapters',
          tags,
          summary: 'ERPs that can be connected here, with the settings they need',
          response: { 200: Type.Object({ items: Type.Array(AdapterShape) }, closed), ...errorResponses }
        }
      },
      async () => ({ items: [...adapters.values()].map(adapter => viewOfAdapter(adapter.manifest)) })
    )

    app.get(
      '/api/v1/connections',
      {
        config: read,
        schema: {
          operationId: 'listConnections',
          tags,
          summary: 'Connections by name, with what waits at each',
          response: { 200: Type.Object({ items: Type.Array(ConnectionShape) }, closed), ...errorResponses }
        }
      },
      async ({ ctx }) => ({ items: await shown(ctx, await listConnectionRows(ctx)) })
    )

    app.post(
      '/api/v1/connections',
      {
        config: { permission: 'exchange.configure', refuses: ['adapter_unknown', 'connection_settings_invalid', 'connection_name_taken'] },
        schema: {
          operationId: 'createConnection',
          tags,
          summary: 'A new connection, as a draft',
          description:
            'It owns every kind of record that its adapter has and that no other connection owns. Nothing runs before it is activated.',
          body: NewConnectionBody,
          response: { 201: ConnectionShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { name, adapter, config, timeZone, locale } = request.body
        return act(request, reply, {
          status: 201,
          run: async tx => ({
            id: await desk.create(tx, {
              name,
              adapter,
              config,
              ...(timeZone === undefined ? {} : { timeZone }),
              ...(locale === undefined ? {} : { locale })
            })
          }),
          show: (ctx, { id }) => one(ctx, id)
        })
      }
    )

    app.get(
      '/api/v1/connections/:id',
      {
        config: { ...read, refuses: ['connection_unknown'] },
        schema: {
          operationId: 'getConnection',
          tags,
          summary: 'One connection',
          params: One,
          response: { 200: ConnectionShape, ...errorResponses }
        }
      },
      ({ ctx, params }) => one(ctx, params.id)
    )

    app.put(
      '/api/v1/connections/:id',
      {
        config: configure('connection_changed', 'connection_settings_invalid', 'connection_name_taken'),
        schema: {
          operationId: 'updateConnection',
          tags,
          summary: 'Changes name, settings, time zone or language',
          description: 'Settings are given whole, except secrets: one that is left out stays as it is.',
          params: One,
          body: ChangeConnectionBody,
          response: { 200: ConnectionShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        const { version, ...given } = request.body
        return act(request, reply, {
          run: async tx => {
            await desk.update(tx, id, version, given)
            return { id }
          },
          show: ctx => one(ctx, id)
        })
      }
    )

    app.get(
      '/api/v1/connections/:id/mapping',
      {
        config: { ...read, refuses: ['connection_unknown'] },
        schema: {
          operationId: 'getMapping',
          tags,
          summary: 'Mapping and code tables: the newest, or those of a version',
          params: One,
          querystring: Type.Object({ version: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
          response: { 200: MappingShape, ...errorResponses }
        }
      },
      async ({ ctx, params, query }) => {
        const mapping = await findMapping(ctx, params.id, query.version)
        if (!mapping) throw refuseExchange('connection_unknown', 'There is no such connection, or no such version of its mapping.')
        return viewOfMapping(mapping)
      }
    )

    app.put(
      '/api/v1/connections/:id/mapping',
      {
        config: configure('connection_changed', 'mapping_invalid'),
        schema: {
          operationId: 'setMapping',
          tags,
          summary: 'Stores a new version of mapping and code tables',
          params: One,
          body: MappingBody,
          response: { 200: MappingShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        const { version, mapping, codeTables } = request.body
        return act(request, reply, {
          run: async tx => ({ version: await desk.setMapping(tx, id, version, { mapping, codeTables }) }),
          show: async (ctx, made) => {
            const stored = await findMapping(ctx, id, made.version)
            if (!stored) throw refuseExchange('connection_unknown', 'There is no such connection.')
            return viewOfMapping(stored)
          }
        })
      }
    )

    app.put(
      '/api/v1/connections/:id/kinds',
      {
        config: configure('kind_owned_elsewhere', 'kind_not_offered'),
        schema: {
          operationId: 'setKinds',
          tags,
          summary: 'Which kinds of record this connection owns, in each direction',
          params: One,
          body: KindsBody,
          response: { 200: ConnectionShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        return act(request, reply, {
          run: async tx => {
            await desk.setKinds(tx, id, request.body)
            return { id }
          },
          show: ctx => one(ctx, id)
        })
      }
    )

    app.put(
      '/api/v1/connections/:id/pulls/:kind',
      {
        config: configure('kind_not_offered', 'connection_settings_invalid'),
        schema: {
          operationId: 'setPull',
          tags,
          summary: 'How often a kind is fetched; null stops it',
          params: Type.Object({ id: Id, kind: Type.String({ maxLength: 40 }) }, closed),
          body: Type.Object({ everySeconds: OrNull(Type.Integer({ minimum: 10, maximum: 604_800 })) }, closed),
          response: { 200: ConnectionShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id, kind } = request.params
        if (!isImportKind(kind)) throw refuseExchange('kind_not_offered', `There is no kind of record called "${kind}".`)
        return act(request, reply, {
          run: async tx => {
            await desk.setPull(tx, id, kind, request.body.everySeconds)
            return { id }
          },
          show: ctx => one(ctx, id)
        })
      }
    )

    app.post(
      '/api/v1/connections/:id/activate',
      {
        config: configure('connection_state', 'connection_not_ready'),
        schema: {
          operationId: 'activateConnection',
          tags,
          summary: 'Lets a draft work',
          params: One,
          body: Nothing,
          response: { 200: ConnectionShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        return act(request, reply, {
          run: async tx => {
            await desk.activate(tx, id)
            return { id }
          },
          show: ctx => one(ctx, id)
        })
      }
    )

    app.post(
      '/api/v1/connections/:id/pause',
      {
        config: operate('connection_state'),
        schema: {
          operationId: 'pauseConnection',
          tags,
          summary: 'Stops imports and exports; what comes is kept, what must go waits',
          params: One,
          body: Type.Object({ reason: Text(300) }, closed),
          response: { 200: ConnectionShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        return act(request, reply, {
          run: async tx => {
            await desk.pause(tx, id, request.body.reason)
            return { id }
          },
          show: ctx => one(ctx, id)
        })
      }
    )

    app.post(
      '/api/v1/connections/:id/resume',
      {
        config: operate('connection_state', 'connection_not_ready'),
        schema: {
          operationId: 'resumeConnection',
          tags,
          summary: 'Goes on after a pause',
          params: One,
          body: Nothing,
          response: { 200: ConnectionShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { id } = request.params
        return act(request, reply, {
          run: async tx => {
            await desk.resume(tx, id)
            return { id }
          },
          show: ctx => one(ctx, id)
        })
      }
    )

    app.post(
      '/api/v1/connections/:id/check',
      {
        config: operate('adapter_unknown'),
        schema: {
          operationId: 'checkConnection',
          tags,
          summary: 'Tries the connection step by step; reads only',
          params: One,
          body: Nothing,
          response: { 200: CheckShape, ...errorResponses }
        }
      },
      async ({ ctx, params }) => {
        const { ok, steps } = await checkConnection(options, ctx, params.id)
        return { ok, steps: [...steps] }
      }
    )
  }
}
