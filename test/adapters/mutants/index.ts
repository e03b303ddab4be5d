import { breakMutants } from './lone-breaks.ts'
import { exportMutants } from './lone-exports.ts'
import { importMutants } from './lone-imports.ts'
import { manifestMutants } from './lone-manifest.ts'
import { secrecyMutants } from './lone-secrecy.ts'
import type { Mutant } from './subjects.ts'
import { trytonMutants } from './tryton.ts'
import { wideMutants as singleCallMutants } from './wide.ts'

export { goodCsv, goodNeutral, goodRest, goodTryton, type Mutant } from './subjects.ts'

/** For each check one adapter that is broken in such a way that this check alone notices. */
export const loneMutants: readonly Mutant[] = [...manifestMutants, ...importMutants, ...breakMutants, ...exportMutants, ...secrecyMutants]
/** Adapters that are broken for good: others may notice them as well. */
export const wideMutants: readonly Mutant[] = [...singleCallMutants, ...trytonMutants]
