import type { Adapter } from '../adapters/contract/index.ts'
import type { Ctx, TxCtx } from './context.ts'
import type { AnyModule } from './host.ts'
import type { Faces } from './index.ts'

/** What main.ts hands to core: the modules and adapters of this house, and the few knots between them that core may not know. */
export interface Parts {
  readonly modules: readonly AnyModule[]
  readonly adapters: readonly Adapter[]
  /** Seeds a new tenant and makes its first administrator. @returns the one-time token of the link; undefined when somebody has used one */
  readonly welcome: (
    faces: Faces,
    tx: TxCtx,
    given: { username: string; permissions: readonly string[] }
  ) => Promise<{ inviteToken: string } | undefined>
  /** Employee id -> what the ERP calls them, read when a batch is sealed. */
  readonly employeeRefs: (faces: Faces, ctx: Ctx, ids: readonly string[]) => Promise<ReadonlyMap<string, string>>
}
