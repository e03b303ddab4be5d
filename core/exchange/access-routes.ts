import { type Static, Type } from 'typebox'
import type { App } from '../http/app.ts'
import { act } from '../http/idempotency.ts'
import { errorResponses, Id, Instant, named, Text } from '../http/schemas.ts'
import type { AccessDesk } from './access.ts'
import { fingerprintOfLine } from './public-key.ts'

const closed = { additionalProperties: false }
const tags = ['exchange']
const Connection = Type.Object({ connection: Id }, closed)
const OrNullText = Type.Union([Type.String(), Type.Null()])
const Username = Type.String({ pattern: '^[a-z][a-z0-9-]{2,31}$', description: 'SFTP user name, unique over all customers' })
const Label = Text(100, { description: 'Where it is used, for people' })

const AccessShape = named(
  'Access',
  Type.Object(
    {
      id: Id,
      kind: Type.Union([Type.Literal('sftp_key'), Type.Literal('sftp_password'), Type.Literal('token')]),
      label: Type.String(),
      username: OrNullText,
      publicKey: OrNullText,
      fingerprint: OrNullText,
      createdAt: Instant,
      lastUsedAt: Type.Union([Instant, Type.Null()]),
      revokedAt: Type.Union([Instant, Type.Null()])
    },
    { ...closed, description: 'A way for the ERP of a connection to prove who it is' }
  )
)

const SftpDoorShape = named(
  'SftpDoor',
  Type.Object(
    {
      host: Type.String({ description: 'Host of the public address' }),
      port: Type.Integer(),
      hostKey: Type.Union([Type.String(), Type.Null()], {
        description: 'OpenSSH line; null when it cannot be read, of which the log says why'
      }),
      fingerprint: Type.Union([Type.String(), Type.Null()], { description: 'SHA256 of the host key, as OpenSSH prints it' })
    },
    closed
  )
)
export type SftpDoor = Readonly<Omit<Static<typeof SftpDoorShape>, 'fingerprint'>>

const secretGone = 'It is shown in the first answer only; a repeat with the same Idempotency-Key does not show it again.'

/** Who may come in for a connection: for the people who configure the exchange. */
export function accessRoutes(desk: AccessDesk, door: () => Promise<SftpDoor>): (app: App) => void {
  return app => {
    app.get(
      '/api/v1/sftp-door',
      {
        config: { permission: 'exchange.read' },
        schema: {
          operationId: 'getSftpDoor',
          tags,
          summary: 'Where ERPs bring files over SFTP, and the key by which they know the server',
          response: { 200: SftpDoorShape, ...errorResponses }
        }
      },
      async () => {
        const { host, port, hostKey } = await door()
        return { host, port, hostKey, fingerprint: hostKey === null ? null : fingerprintOfLine(hostKey) }
      }
    )

    app.get(
      '/api/v1/connections/:connection/access',
      {
        config: { permission: 'exchange.configure', refuses: ['connection_unknown'] },
        schema: {
          operationId: 'listAccess',
          tags,
          summary: 'Keys, passwords and tokens of a connection, ended ones too',
          params: Connection,
          response: { 200: Type.Object({ items: Type.Array(AccessShape) }, closed), ...errorResponses }
        }
      },
      async request => ({ items: [...(await desk.list(request.ctx, request.params.connection))] })
    )

    app.post(
      '/api/v1/connections/:connection/access/sftp-keys',
      {
        config: {
          permission: 'exchange.configure',
          refuses: ['connection_unknown', 'public_key_invalid', 'public_key_known', 'sftp_user_taken', 'access_limit']
        },
        schema: {
          operationId: 'addSftpKey',
          tags,
          summary: 'Let an ERP in by its SSH key',
          params: Connection,
          body: Type.Object(
            { username: Username, publicKey: Text(4000, { description: 'One line of an OpenSSH .pub file' }), label: Label },
            closed
          ),
          response: { 201: AccessShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { connection } = request.params
        return act(request, reply, {
          status: 201,
          run: async tx => ({ id: await desk.addSftpKey(tx, { connectionId: connection, ...request.body }) }),
          show: (ctx, { id }) => desk.get(ctx, connection, id)
        })
      }
    )

    app.post(
      '/api/v1/connections/:connection/access/sftp-passwords',
      {
        config: { permission: 'exchange.configure', refuses: ['connection_unknown', 'sftp_user_taken', 'access_limit'] },
        schema: {
          operationId: 'addSftpPassword',
          tags,
          summary: 'Let an ERP in by a password, which is made here and shown once',
          description: `A former password of the user name ends. ${secretGone}`,
          params: Connection,
          body: Type.Object({ username: Username, label: Label }, closed),
          response: { 201: Type.Object({ access: AccessShape, password: OrNullText }, closed), ...errorResponses }
        }
      },
      async (request, reply) => {
        const { connection } = request.params
        let password: string | null = null
        return act(request, reply, {
          status: 201,
          run: async tx => {
            const made = await desk.addSftpPassword(tx, { connectionId: connection, ...request.body })
            password = made.password
            return { id: made.id }
          },
          show: async (ctx, { id }) => ({ access: await desk.get(ctx, connection, id), password })
        })
      }
    )

    app.post(
      '/api/v1/connections/:connection/access/tokens',
      {
        config: { permission: 'exchange.configure', refuses: ['connection_unknown', 'access_limit'] },
        schema: {
          operationId: 'addErpToken',
          tags,
          summary: 'Let an ERP in over the web service by a token, which is shown once',
          description: secretGone,
          params: Connection,
          body: Type.Object({ label: Label }, closed),
          response: { 201: Type.Object({ access: AccessShape, token: OrNullText }, closed), ...errorResponses }
        }
      },
      async (request, reply) => {
        const { connection } = request.params
        let token: string | null = null
        return act(request, reply, {
          status: 201,
          run: async tx => {
            const made = await desk.addToken(tx, { connectionId: connection, ...request.body })
            token = made.token
            return { id: made.id }
          },
          show: async (ctx, { id }) => ({ access: await desk.get(ctx, connection, id), token })
        })
      }
    )

    app.post(
      '/api/v1/connections/:connection/access/:id/revoke',
      {
        config: { permission: 'exchange.configure', refuses: ['access_unknown'] },
        schema: {
          operationId: 'revokeAccess',
          tags,
          summary: 'End an access; open sessions end within seconds',
          params: Type.Object({ connection: Id, id: Id }, closed),
          response: { 200: AccessShape, ...errorResponses }
        }
      },
      async (request, reply) => {
        const { connection, id } = request.params
        return act(request, reply, {
          run: async tx => {
            await desk.revoke(tx, connection, id)
            return { id }
          },
          show: (ctx, made) => desk.get(ctx, connection, made.id)
        })
      }
    )
  }
}
