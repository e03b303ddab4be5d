import { Type } from 'typebox'
import type { App } from '../http/app.ts'
import { errorResponses, Id, named, Text } from '../http/schemas.ts'
import { CodeTablesShape, MappingRules, OrNull } from './connection-views.ts'
import { dryRun } from './dry-run.ts'
import { refuseExchange } from './errors.ts'
import type { ImportDeps } from './import.ts'
import { shownMessage, withoutValues } from './rejects-store.ts'

const closed = { additionalProperties: false }
/** A file of the customer in base64, with a mapping beside it. */
const mostBytes = 24 * 1024 * 1024
const Count = Type.Integer({ minimum: 0 })

const DryRunShape = named(
  'DryRun',
  Type.Object(
    {
      refused: OrNull(
        Type.Object({ code: Type.String(), detail: Type.String() }, { ...closed, description: 'The whole delivery would be refused' })
      ),
      items: Count,
      cut: Type.Boolean({ description: 'Only the first part was looked at; more than a dry run takes' }),
      counts: Type.Object(
        {
          read: Count,
          new: Count,
          changed: Count,
          unchanged: Count,
          stale: Count,
          closed: Count,
          rejected: Count,
          held: Count,
          duplicate: Count,
          acks: Count
        },
        closed
      ),
      changes: Type.Array(
        Type.Object(
          {
            kind: Type.String(),
            key: OrNull(Type.String({ description: 'Never of a person' })),
            line: OrNull(Type.Integer()),
            decision: Type.String({ description: 'new, changed, stale, closed, held or rejected' }),
            fields: Type.Array(Type.String(), { description: 'Fields that differ from what is there' })
          },
          closed
        ),
        { description: 'At most 500' }
      ),
      rejects: Type.Array(
        Type.Object(
          {
            kind: Type.String(),
            key: OrNull(Type.String()),
            line: OrNull(Type.Integer()),
            pointer: OrNull(Type.String()),
            code: Type.String(),
            message: Type.String(),
            field: OrNull(Type.String()),
            codeTable: OrNull(Type.Object({ name: Type.String(), value: Type.String() }, closed))
          },
          closed
        ),
        { description: 'At most 500' }
      ),
      closings: Type.Array(Type.Object({ kind: Type.String(), scope: OrNull(Type.String()), count: Count, of: Count }, closed), {
        description: 'What the end of a snapshot would close'
      }),
      unknownColumns: Type.Record(Type.String(), Count),
      sample: Type.Array(
        Type.Object(
          {
            kind: Type.String(),
            line: OrNull(Type.Integer()),
            pointer: OrNull(Type.String()),
            source: Type.Record(Type.String(), Type.Unknown(), { description: 'Columns and values as they came' }),
            record: OrNull(Type.Record(Type.String(), Type.Unknown(), { description: 'What the mapping made of them' })),
            reject: OrNull(Type.Object({ code: Type.String(), message: Type.String(), field: OrNull(Type.String()) }, closed))
          },
          closed
        ),
        { description: 'The first 20 rows; of a stored delivery, and of employees, only for those who may see raw data' }
      )
    },
    closed
  )
)

/** Trying a file without writing anything. @param deps wired anew for each run, since the modules are connected later */
export function dryRunRoutes(deps: () => ImportDeps): (app: App) => void {
  return app => {
    app.post(
      '/api/v1/connections/:id/dry-runs',
      {
        bodyLimit: mostBytes,
        config: {
          permission: 'exchange.operate',
          refuses: ['connection_unknown', 'delivery_unknown', 'delivery_raw_gone', 'dry_run_source', 'mapping_invalid']
        },
        schema: {
          operationId: 'dryRun',
          tags: ['connections'],
          summary: 'What a file, or a delivery once more, would do; nothing is written',
          params: Type.Object({ id: Id }, closed),
          body: Type.Object(
            {
              name: Type.Optional(Text(200, { description: 'Name of the file, by which the adapter knows what is in it' })),
              text: Type.Optional(Type.String({ maxLength: mostBytes, description: 'Content as text' })),
              base64: Type.Optional(
                Type.String({ maxLength: mostBytes, pattern: '^[A-Za-z0-9+/=\\s]*$', description: 'Content as bytes' })
              ),
              deliveryId: Type.Optional(Id),
              candidate: Type.Optional(
                Type.Object(
                  { mapping: MappingRules, codeTables: CodeTablesShape },
                  { ...closed, description: 'Mapping and code tables to try instead of the stored ones' }
                )
              )
            },
            closed
          ),
          response: { 200: DryRunShape, ...errorResponses }
        }
      },
      async ({ ctx, params, body }) => {
        const content =
          body.text !== undefined ? Buffer.from(body.text) : body.base64 !== undefined ? Buffer.from(body.base64, 'base64') : undefined
        const file = body.name !== undefined && content !== undefined
        if (file === (body.deliveryId !== undefined) || (body.text !== undefined && body.base64 !== undefined)) {
          throw refuseExchange('dry_run_source', 'Give either name with text or base64, or deliveryId.')
        }
        const result = await dryRun(
          deps(),
          ctx,
          params.id,
          body.deliveryId !== undefined ? { deliveryId: body.deliveryId } : { name: body.name ?? '', bytes: content ?? Buffer.alloc(0) },
          body.candidate
        )
        const raw = ctx.grant.permissions.has('exchange.read_raw')
        return {
          refused: result.refused,
          items: result.items,
          cut: result.cut,
          counts: { ...result.counts },
          changes: result.changes.map(change => ({ ...change, fields: [...change.fields] })),
          rejects: result.rejects.map(reject => {
            const hidden = reject.kind === 'employee' && !raw
            return {
              kind: reject.kind,
              key: hidden ? null : (reject.key ?? null),
              line: reject.at?.line ?? null,
              pointer: reject.at?.pointer ?? null,
              code: reject.code,
              message: hidden ? shownMessage(withoutValues(reject), undefined) : reject.message,
              field: reject.field ?? null,
              codeTable: reject.table === undefined || hidden ? null : { ...reject.table }
            }
          }),
          closings: result.closings.map(closing => ({ ...closing })),
          unknownColumns: { ...result.unknownColumns },
          sample: result.sample
            .filter(row => raw || (body.deliveryId === undefined && row.kind !== 'employee'))
            .map(row => ({ ...row, source: { ...row.source } }))
        }
      }
    )
  }
}
