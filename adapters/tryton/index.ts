import { defineAdapter } from '../contract/index.ts'
import { manifest } from './manifest.ts'
import { pull } from './pull.ts'

/** Tryton over its own JSON-RPC. README.md says what becomes of each kind, and which user it needs. */
export default defineAdapter({
  manifest,
  import: { pull }
})
