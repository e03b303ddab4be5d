import { Ajv, type ValidateFunction } from 'ajv'
import { type ExportKind, exportKinds, recordFormats, schemaOfExport } from '../../adapters/contract/index.ts'
import type { TxCtx } from '../context.ts'
import { newId } from '../ids.ts'
import type { Outbox } from './message.ts'
import { insertMessage, routeHeldMessages, statesByKey } from './outbox-store.ts'
import type { AdapterRegistry } from './registry.ts'

const ajv = new Ajv({ strict: true, allErrors: false, formats: recordFormats })
const validators = new Map<ExportKind, ValidateFunction>(exportKinds.map(kind => [kind, ajv.compile(schemaOfExport(kind))]))

/** The way out of the house: a message is a row of the booking's own transaction. */
export function createOutbox(adapters: AdapterRegistry): Outbox {
  const takers = new Map(
    exportKinds.map(kind => [kind, [...adapters.values()].filter(a => a.manifest.exports[kind] !== undefined).map(a => a.manifest.id)])
  )
  return {
    async enqueue(tx, message) {
      const validate = validators.get(message.kind)
      if (!validate?.(message.record)) {
        // A record that does not fit is a mistake of ours: it must not be booked half.
        throw new Error(
          `a ${message.kind} message does not fit its schema: ${validate?.errors?.[0]?.instancePath} ${validate?.errors?.[0]?.message}`
        )
      }
      const key = `${message.kind}-${newId()}`
      insertMessage(
        tx,
        {
          key,
          kind: message.kind,
          record: message.record,
          orderingKey: message.orderingKey,
          connectionId: message.connectionId ?? null,
          reverses: message.reverses ?? null
        },
        takers.get(message.kind) ?? []
      )
      tx.tx.due.add('export')
      return key
    },
    async states(c, keys) {
      if (keys.length === 0) return []
      return (await statesByKey(c, keys)).map(row => ({
        key: row.key,
        kind: row.kind,
        state: row.state,
        document: row.document,
        rejectMessage: row.reject_message,
        createdAt: row.created_at,
        settledAt: row.settled_at
      }))
    }
  }
}

/** Called when a connection becomes the owner of a kind: what was kept for want of one goes out now. */
export async function routeHeld(tx: TxCtx, kind: ExportKind, connectionId: string): Promise<number> {
  const count = await routeHeldMessages(tx, kind, connectionId)
  if (count > 0) tx.tx.due.add('export')
  return count
}
