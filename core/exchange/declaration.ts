import type { RefusalSpecs } from '../errors.ts'
import type { Dictionary, PersonalData, Retention } from '../host.ts'
import { keyDays } from '../http/idempotency.ts'
import { dictionary } from './dictionary.ts'
import { exchangeErrors } from './errors.ts'

/** What core owns, in the same words as a module declares it. */
export interface CoreDeclaration {
  readonly permissions: Readonly<Record<string, string>>
  readonly personalData: readonly PersonalData[]
  readonly retention: readonly Retention[]
  readonly dictionary: Dictionary
  readonly errors: RefusalSpecs
}

export const coreDeclaration: CoreDeclaration = {
  permissions: {
    'exchange.read': 'See connections, deliveries, the error bin and feedback messages.',
    'exchange.configure': 'Set up connections: settings, mapping, code tables, kinds of record, accesses.',
    'exchange.operate': 'Pause and resume, replay, retry, skip, dry-run, and decide what a snapshot may close.',
    'exchange.decide': 'Decide on feedback of which nobody knows whether it reached the ERP.',
    'exchange.read_raw': 'See raw deliveries and rows of the error bin, which may hold data of employees.',
    'journal.read': 'Read the journal of acts.',
    'erp.deliver': 'Hand in records; held by the tokens of a connection only.',
    'erp.collect': 'Fetch what is ready for the ERP; held by the tokens of a connection only.'
  },
  personalData: [
    {
      table: 'exchange.reject',
      subject: 'subject_mac',
      columns: ['value_sealed', 'row_sealed', 'edited_sealed', 'resolved_by'],
      why: 'to correct records that could not be taken over'
    },
    { table: 'exchange.record_state', subject: 'key', columns: ['key_sealed'], why: 'to see which employees the ERP still names' },
    { table: 'exchange.outbox', subject: 'record', columns: ['record'], why: 'to report hours per work order to the ERP' },
    { table: 'exchange.batch', subject: 'key', columns: ['items_sealed'], why: 'to repeat to the ERP exactly what was sent' },
    { table: 'exchange.outbox_file', subject: 'name', columns: ['body_sealed'], why: 'to let the ERP fetch hours per work order' },
    {
      table: 'exchange.delivery',
      subject: 'blob_id',
      columns: ['blob_id'],
      why: 'to keep what the ERP sent as it was, encrypted, for replay'
    },
    { table: 'exchange.mapping', subject: 'created_by', columns: ['created_by'], why: 'to show who changed a mapping' },
    { table: 'exchange.outbox_event', subject: 'actor', columns: ['actor'], why: 'to show who decided on a message' },
    { table: 'journal.entry', subject: 'actor_id', columns: ['actor_id', 'at'], why: 'to account for who did what' },
    { table: 'core.idempotency', subject: 'principal', columns: ['principal'], why: 'to answer a repeated request as the first one' }
  ],
  retention: [
    {
      table: 'exchange.delivery',
      after: 'bytes: 30 days after the end, 90 days with open rejects; the row: end of contract',
      rule: 'raw deliveries'
    },
    { table: 'core.idempotency', after: `${keyDays} days`, rule: 'deleted by a duty' },
    ...[
      'core.lease',
      'core.migration',
      'exchange.connection',
      'exchange.access',
      'exchange.adapter_state',
      'exchange.kind_owner',
      'exchange.mapping',
      'exchange.pull_state',
      'exchange.record_state',
      'exchange.reject',
      'exchange.ordering',
      'exchange.outbox',
      'exchange.outbox_event',
      'exchange.batch',
      'exchange.outbox_file',
      'journal.entry',
      'journal.seal',
      'journal.epoch'
    ].map(table => ({ table, after: 'end of contract', rule: 'return or destruction' }))
  ],
  dictionary,
  errors: exchangeErrors
}
