/**
 * The adapter interface, version 1: types, record schemas and pure helpers. No input or output, no container, no database.
 */
export { type Batched, batchesOf } from './batches.ts'
export { type CsvOptions, type CsvRow, csvLine, csvRows } from './csv.ts'
export { defineAdapter, eachInOrder } from './define.ts'
export { AdapterError, type ErrorClass, TransportError } from './errors.ts'
export { identityMapping, identityTables } from './identity.ts'
export { shortKey } from './keys.ts'
export { decodeLines } from './lines.ts'
export { checkManifest } from './manifest-check.ts'
export { createMapper, type MapperSettings } from './mapper.ts'
export { mappingProblems } from './mapping-check.ts'
export {
  backoffSeconds,
  blocksOrder,
  freshMessage,
  type LookupAnswerBody,
  lookupGapSeconds,
  type MessageEvent,
  type MessagePhase,
  type MessageRules,
  type MessageState,
  next,
  notSentAlarmSeconds,
  settled
} from './outcomes.ts'
export { canonical, compareRevisions, decideRecord, type KnownRecord, type RecordDecision, snapshotMayClose } from './record-state.ts'
export {
  type ExportKind,
  type ExportRecords,
  exportKinds,
  exportRecords,
  type ImportKind,
  type ImportRecords,
  importKinds,
  importOrder,
  importRecords,
  keyOf,
  schemaOfExport,
  schemaOfImport
} from './records.ts'
export { basicAuth, type Concealed, derivedSecret, fromStored, isSecret, revealed, type Secret, secret, toStored } from './secret.ts'
export { readSettings, type SettingProblem, type Settings } from './settings.ts'
export type * from './types.ts'
export { type XmlElement, xmlRecords } from './xml.ts'
export { formatInZone, instantOf, parseWallTime, type WallTime, wallTimeAt } from './zoned-time.ts'
