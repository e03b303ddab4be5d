import type { ColumnType, Generated } from 'kysely'

/** Rows of the control database (migrations/control). Instants are ISO text. */
export interface ControlTables {
  'control.installation': { id: string; root_key_id: string; created_at: Generated<string>; changed_at: Generated<string> }
  'control.server': { name: string; host: string; port: number; created_at: Generated<string>; changed_at: Generated<string> }
  'control.tenant': {
    id: string
    code: string
    name: string
    zone: string
    state: 'provisioning' | 'active' | 'suspended'
    server: string
    database: string
    owner_role: string
    app_role: string
    owner_password_wrapped: Buffer
    app_password_wrapped: Buffer
    schema_version: Generated<number>
    created_at: Generated<string>
    changed_at: Generated<string>
  }
  'control.tenant_key': { tenant_id: string; version: number; wrapped: Buffer; created_at: Generated<string> }
  'control.credential': {
    kind: string
    lookup: string
    tenant_id: string
    connection_id: string | null
    created_at: Generated<string>
  }
  'control.signing_key': {
    kid: string
    realm: string
    public_pem: string
    private_wrapped: Buffer
    retired_at: string | null
    created_at: Generated<string>
    changed_at: Generated<string>
  }
  'control.sftp_host_key': { algorithm: string; public_line: string; private_wrapped: Buffer; created_at: Generated<string> }
  'control.tenant_due': {
    tenant_id: string
    kind: string
    /** bigint as text */
    generation: ColumnType<string, string | undefined, unknown>
    marked_at: string
    created_at: Generated<string>
    changed_at: Generated<string>
  }
  'control.journal_checkpoint': {
    tenant_id: string
    /** bigint as text */
    number: string
    hash: string
    at: string
    created_at: Generated<string>
  }
}
