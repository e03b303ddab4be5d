import type { Generated } from 'kysely'
import type { Backflush, MoveKind, PickListStatus } from './stock-rules.ts'

/** Rows of the schema `inventory`. Instants are ISO text, numerics decimal text, identities text. */
export interface InventoryTables {
  'inventory.article': ArticleRow
  'inventory.warehouse': { code: string; created_at: Generated<string> }
  'inventory.location': LocationRow
  'inventory.level': LevelRow
  'inventory.ledger': LedgerRow
  'inventory.pending': PendingRow
  'inventory.pick_list': PickListRow
  'inventory.pick_line': PickLineRow
  'inventory.setting': SettingRow
}

interface Dated {
  created_at: Generated<string>
  changed_at: Generated<string>
}

export interface ArticleRow extends Dated {
  id: string
  seq: Generated<string>
  number: string
  known: Generated<boolean>
  description: string
  unit: string
  barcode: string | null
  blocked: Generated<boolean>
  backflush: Backflush | null
}

export interface LocationRow extends Dated {
  id: string
  seq: Generated<string>
  code: string
  warehouse_code: string
  description: string | null
  blocked: Generated<boolean>
}

export interface LevelRow extends Dated {
  article_id: string
  location_id: string
  lot: Generated<string>
  quantity: Generated<string>
  snapshot_quantity: Generated<string>
  snapshot_as_of: string | null
  snapshot_connection: string | null
  snapshot_key: string | null
}

export interface LedgerRow {
  id: string
  seq: Generated<string>
  kind: MoveKind
  article_id: string
  location_id: string
  lot: Generated<string>
  quantity: string
  unit: string
  order_number: string | null
  operation_number: string | null
  line: string | null
  pick_line_id: string | null
  act_id: string
  reverses: string | null
  reason: string | null
  outbox_key: string | null
  moved_by: string
  at: string
  created_at: Generated<string>
}

export interface PendingRow {
  ledger_id: string
  article_id: string
  location_id: string
  lot: string
  quantity: string
  outbox_key: string | null
  at: string
  created_at: Generated<string>
}

export interface PickListRow extends Dated {
  id: string
  seq: Generated<string>
  number: string
  connection_id: string | null
  order_number: string
  status: PickListStatus
}

export interface PickLineRow extends Dated {
  id: string
  list_id: string
  line: string
  article: string
  requested: string
  unit: string
  location: string | null
  picked: Generated<string>
  short_reason: string | null
  present: Generated<boolean>
}

export interface SettingRow extends Dated {
  singleton: Generated<boolean>
  version: Generated<number>
  negative_stock: 'block' | 'warn'
}
