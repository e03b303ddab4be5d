import { Type } from 'typebox'
import { type App, act, errorResponses, Id, newToken } from '../../core/index.ts'
import { listApiKeys } from './api-key-store.ts'
import { createApiKey, endApiKey } from './api-keys.ts'
import { refuse } from './errors.ts'
import { ApiKeyShape, List, NewApiKeyBody, NewApiKeyShape } from './schemas.ts'
import type { Services } from './users.ts'

const closed = { additionalProperties: false }
const byId = Type.Object({ id: Id }, closed)
const tags = ['people']

/** Keys for programs of the customer. */
export function apiKeyRoutes(services: Services): (app: App) => void {
  return app => {
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
        config: {
          permission: 'api_keys.manage',
          refuses: ['permission_unknown', 'permission_not_held', 'group_unknown', 'jobs_not_held', 'address_invalid']
        },
        schema: {
          operationId: 'createApiKey',
          tags,
          summary: 'Make an API key; it is shown once',
          body: NewApiKeyBody,
          response: { 201: NewApiKeyShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const wanted = { addresses: [], ...request.body }
        const token = newToken('api')
        return act(request, reply, {
          status: 201,
          run: async tx => ({ id: await createApiKey(tx, services, token, wanted), lookup: token.lookup }),
          show: async (ctx, made) => {
            const row = (await listApiKeys(ctx)).find(key => key.id === made.id)
            if (!row) throw refuse('api_key_unknown', 'There is no such key.')
            // A replay made another secret, which is nobody's key: only the first answer shows the real one.
            return { key: made.lookup === token.lookup ? token.text : null, apiKey: keyView(row) }
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
      async (request, reply) => {
        let lookup: string | undefined
        const shown = await act(request, reply, {
          status: 204,
          run: async tx => {
            lookup = await endApiKey(tx, services, request.params.id)
            return {}
          },
          show: () => null
        })
        if (lookup !== undefined) await services.directory.remove('api_key', lookup)
        return shown
      }
    )
  }
}

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
