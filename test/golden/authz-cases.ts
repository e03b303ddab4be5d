import * as apiKeys from '../../modules/authz/api-key-store.ts'
import * as attempts from '../../modules/authz/attempt-store.ts'
import { identity } from '../../modules/authz/grant.ts'
import * as groups from '../../modules/authz/group-store.ts'
import * as sessions from '../../modules/authz/session-store.ts'
import * as roles from '../../modules/authz/store.ts'
import * as users from '../../modules/authz/user-store.ts'
import { type StoreCases, storeCases } from './case.ts'
import { at, blind, id, ids } from './values.ts'

const pair = { account: blind, address: blind }

/** Grants are asked once per request with a statement outside the stores; it is held to the same rules. */
const perRequest = {
  ofSession: (c: { readonly db: Parameters<typeof identity.ofSession>[0]; readonly tenant: Parameters<typeof identity.ofSession>[1] }) =>
    identity.ofSession(c.db, c.tenant, { userId: id, sessionId: id }, new Date(at)),
  ofApiKey: (c: { readonly db: Parameters<typeof identity.ofApiKey>[0]; readonly tenant: Parameters<typeof identity.ofApiKey>[1] }) =>
    identity.ofApiKey(c.db, c.tenant, { lookup: 'x', digest: blind, ip: '192.0.2.1' }, new Date(at))
}

export const authzCases: readonly StoreCases[] = [
  storeCases('modules/authz/grant.ts', perRequest, { ofSession: { always: [] }, ofApiKey: { always: [] } }),
  storeCases('modules/authz/api-key-store.ts', apiKeys, {
    listApiKeys: { always: [] },
    insertApiKey: {
      always: [{ id, name: 'x', lookup: 'x', digest: blind, permissions: [], group_ids: [], addresses: [], expires_at: at }]
    },
    revokeApiKey: { always: [id] }
  }),
  storeCases('modules/authz/attempt-store.ts', attempts, {
    lockAccount: { always: [blind] },
    guessesOf: { always: [pair, 900] },
    insertAttempt: { always: { args: [pair, 'failed'], rows: [[{ seq: '1' }]] } },
    settleAttempt: { always: ['1'] },
    slowedBefore: { always: [pair, 900] },
    forgetAttempts: { always: [] }
  }),
  storeCases('modules/authz/group-store.ts', groups, {
    listGroups: { always: [] },
    groupById: { always: [id] },
    holdGroups: { always: [ids] },
    rulesOf: { always: [ids] },
    insertGroup: { always: [{ id, name: 'x' }] },
    setRules: {
      'two rules': [
        id,
        [
          { kind: 'department', value: 'TUR' },
          { kind: 'all', value: '' }
        ]
      ],
      none: [id, []]
    },
    lockGroup: { always: [id] },
    deleteGroup: { always: [id] },
    jobsOfGroup: { always: [id, 100] },
    scopeOfJob: { always: [id] },
    groupsCovering: { always: [id, ids] }
  }),
  storeCases('modules/authz/session-store.ts', sessions, {
    insertSession: { always: [{ id, user_id: id, lookup: 'x', digest: blind, client: blind, expires_at: at }] },
    lockSession: { always: ['x'] },
    rotateSession: { always: [id, { digest: blind, client: blind }] },
    liveSessions: { always: [id] },
    endSessions: { always: [ids, 'signed_out'] },
    endSessionsOf: { all: [id, 'password'], 'all but one': [id, 'password', id] },
    insertInvitation: { always: [{ id, user_id: id, lookup: 'x', digest: blind, expires_at: at }] },
    lockInvitation: { always: ['x'] },
    closeInvitations: { always: [id] },
    forgetEnded: { always: [at] }
  }),
  storeCases('modules/authz/store.ts', roles, {
    listRoles: { always: [] },
    rolesByIds: { always: [ids] },
    holdRoles: { always: [ids] },
    lockRole: { always: [id] },
    roleByName: { always: ['planner'] },
    insertRole: { always: [{ id, name: 'x', permissions: ['jobs.read'] }] },
    updateRole: { always: [id, ['jobs.read']] },
    deleteRole: { always: [id] },
    upsertBuiltInRole: { always: { args: [{ id, name: 'x', permissions: ['jobs.read'] }], rows: [[{ id }]] } },
    upsertScopes: {
      'with a work centre': [[{ jobId: id, orderNumber: 'WO-1', department: 'TUR', workCentre: 'T1' }]],
      'without a work centre': [[{ jobId: id, orderNumber: 'WO-1', department: 'TUR', workCentre: null }]],
      none: [[]]
    },
    deleteScopes: { always: [ids] },
    readSetting: { always: { args: [], rows: [[{ unknown_departments: 'create', version: 1 }]] } },
    unknownDepartmentsRule: { always: { args: [], rows: [[{ unknown_departments: 'create', version: 1 }]] } },
    updateSetting: { always: [1, 'reject'] },
    knownDepartments: { always: [['TUR']] },
    listDepartments: { always: [] },
    listWorkCentres: { always: [] },
    insertDepartments: { always: [['TUR']] },
    putDepartment: { always: [{ code: 'TUR', name: 'Turning' }] },
    upsertLinks: { always: [[{ id, numberBlind: blind, active: true }]] },
    linkByNumber: { always: [blind] }
  }),
  storeCases('modules/authz/user-store.ts', users, {
    listUsers: { always: [] },
    userById: { always: [id] },
    lockUser: { always: [id] },
    userForSignIn: { always: [blind, blind] },
    insertUser: {
      always: [
        {
          id,
          username_blind: blind,
          username_sealed: blind,
          name_sealed: null,
          employee_id: null,
          password_phc: null,
          must_change: false
        }
      ]
    },
    updateUser: { activity: [id, { active: false }], everything: [id, { active: true, name_sealed: blind, employee_id: id }] },
    setPassword: { always: [id, 'x'] },
    noteSignIn: { always: [id, 'x'] },
    userRoles: { always: [ids] },
    userGroups: { always: [ids] },
    setRoles: { always: [id, ids] },
    setGroups: { always: [id, ids] },
    administrators: { always: { args: [], rows: [[{ id }]] }, 'before the roles are there': [] }
  })
]
