import csv from './adapters/csv/index.ts'
import neutralRest from './adapters/neutral-rest/index.ts'
import tryton from './adapters/tryton/index.ts'
import type { Parts } from './core/parts.ts'
import authz from './modules/authz/index.ts'
import inventory from './modules/inventory/index.ts'
import timekeeping from './modules/timekeeping/index.ts'
import workorders from './modules/workorders/index.ts'

/** The modules and adapters of this house. Who adds one adds a line here; main.ts and the tests use the same list. */
export const parts: Parts = {
  modules: [authz, timekeeping, inventory, workorders],
  adapters: [csv, neutralRest, tryton],
  welcome: async ({ authz: face }, tx, { username, permissions }) => {
    await face.seed(tx, permissions)
    return face.createFirstAdministrator(tx, { username })
  },
  employeeRefs: ({ timekeeping: face }, ctx, ids) => face.employeeRefs(ctx, ids)
}
