import { authzCases } from './authz-cases.ts'
import type { StoreCases } from './case.ts'
import { deliveryCases } from './delivery-cases.ts'
import { exchangeCases } from './exchange-cases.ts'
import { inventoryCases } from './inventory-cases.ts'
import { timekeepingCases } from './timekeeping-cases.ts'
import { workordersCases } from './workorders-cases.ts'

/** How each function of each store is called to see what it says to the database. */
export const allCases: readonly StoreCases[] = [
  ...authzCases,
  ...timekeepingCases,
  ...inventoryCases,
  ...workordersCases,
  ...deliveryCases,
  ...exchangeCases
]
