import type { Generated } from 'kysely'
import { view } from '../../core/index.ts'

interface Times {
  created_at: Generated<string>
  changed_at: Generated<string>
}
interface Made {
  created_at: Generated<string>
}

export interface UserRow extends Times {
  id: string
  username_blind: Buffer
  username_sealed: Buffer
  name_sealed: Buffer | null
  employee_id: string | null
  active: Generated<boolean>
  password_phc: string | null
  must_change: Generated<boolean>
  version: Generated<number>
  last_sign_in_at: string | null
}
export interface RoleRow extends Times {
  id: string
  name: string
  built_in: Generated<boolean>
  permissions: string[]
  version: Generated<number>
}
export interface GroupRow extends Times {
  id: string
  name: string
  version: Generated<number>
}
export type RuleKind = 'all' | 'department' | 'work_centre' | 'order' | 'order_pattern'
export interface GroupRuleRow extends Made {
  group_id: string
  kind: RuleKind
  value: string
}
export interface SessionRow extends Times {
  id: string
  user_id: string
  lookup: string
  digest: Buffer
  rotations: Generated<number>
  rotated_at: string
  client: Buffer
  expires_at: string
  ended_at: string | null
  ended_reason: string | null
}
export interface ApiKeyRow extends Times {
  id: string
  name: string
  lookup: string
  digest: Buffer
  permissions: string[]
  group_ids: string[]
  addresses: string[]
  expires_at: string
  revoked_at: string | null
}
export interface InvitationRow extends Times {
  id: string
  user_id: string
  lookup: string
  digest: Buffer
  expires_at: string
  used_at: string | null
}
export interface AttemptRow extends Made {
  seq: Generated<string>
  account_blind: Buffer
  address_blind: Buffer
  at: string
  outcome: 'ok' | 'failed' | 'slowed'
}

export interface AuthzTables {
  'authz.user': UserRow
  'authz.role': RoleRow
  'authz.user_role': { user_id: string; role_id: string } & Made
  'authz.operational_group': GroupRow
  'authz.group_rule': GroupRuleRow
  'authz.group_member': { group_id: string; user_id: string } & Made
  'authz.session': SessionRow
  'authz.api_key': ApiKeyRow
  'authz.invitation': InvitationRow
  'authz.sign_in_attempt': AttemptRow
  'authz.employee_link': { id: string; number_blind: Buffer | null; active: boolean } & Times
  'authz.department': { code: string; name: string | null } & Times
  'authz.work_centre': { code: string; department_code: string } & Made
  'authz.job_scope': { job_id: string; order_number: string; department_code: string; work_centre: string | null } & Times
  'authz.setting': {
    singleton: Generated<boolean>
    version: Generated<number>
    unknown_departments: Generated<'create' | 'reject'>
  } & Times
}

export const own = view<AuthzTables>()
