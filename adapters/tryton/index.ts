import { defineAdapter } from '../contract/index.ts'
import { check } from './check.ts'
import { lookup, send } from './export.ts'
import { manifest } from './manifest.ts'
import { pull } from './pull.ts'

/** Tryton over its own JSON-RPC. README.md says what becomes of each kind, and which user it needs. */
export default defineAdapter({ manifest, check, import: { pull }, export: send, lookup })
