import type { ExportKind, ExportRecords, ImportKind, ImportRecords } from './records.ts'
import type { Concealed, Secret } from './secret.ts'

/** RFC 3339 in UTC, such as 2026-03-01T07:15:00Z. */
export type Instant = string
/** A calendar day without zone, such as 2026-03-01. */
export type LocalDate = string
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

// ---- manifest: plain data, readable without running code ------------------------------------------------------------------

export type Via = 'file' | 'http' | 'pull'

export interface ImportCapability {
  readonly via: readonly Via[]
  /** snapshot: records that a completed one does not name are closed. */
  readonly mode: readonly ('delta' | 'snapshot')[]
  /** Glob under the inbox, and the trigger file that says a file is complete, such as "{name}.done". */
  readonly files?: { readonly pattern: string; readonly done?: string }
  /** http: ["orders"] gives POST /erp/v1/<connection>/orders. */
  readonly routes?: readonly string[]
  readonly schedule?: { readonly defaultSeconds: number; readonly minSeconds: number }
}

export interface ExportCapability {
  /** How a repeat is made harmless; with `none` a person decides before anything is sent again. */
  readonly idempotency: 'native' | 'lookup' | 'deterministic-file' | 'none'
  /** async: a later file or call carries the ERP's answer (`ack`). */
  readonly confirms: 'sync' | 'async'
  readonly orderedBy: 'workOrder' | 'article' | 'none'
}

export type ConfigField =
  | {
      readonly type: 'string'
      readonly title: string
      readonly secret?: boolean
      readonly enum?: readonly string[]
      readonly default?: string
      readonly format?: string
      readonly pattern?: string
      readonly minLength?: number
      readonly maxLength?: number
      readonly description?: string
    }
  | {
      readonly type: 'integer' | 'number'
      readonly title: string
      readonly default?: number
      readonly minimum?: number
      readonly maximum?: number
      readonly description?: string
    }
  | { readonly type: 'boolean'; readonly title: string; readonly default?: boolean; readonly description?: string }

export interface ConfigSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, ConfigField>>
  readonly required?: readonly string[]
  readonly additionalProperties: false
}

type FieldValue<F> = F extends { secret: true }
  ? Secret
  : F extends { enum: readonly (infer E)[] }
    ? E
    : F extends { type: 'string' }
      ? string
      : F extends { type: 'integer' | 'number' }
        ? number
        : F extends { type: 'boolean' }
          ? boolean
          : never
type RequiredKeys<S extends ConfigSchema> = S extends { required: readonly (infer R)[] } ? R : never
type HasDefault<F> = F extends { default: unknown } ? true : false
/** The settings as the adapter sees them: secrets as `Secret`, defaults filled in. */
export type ConfigOf<S extends ConfigSchema> = {
  [K in keyof S['properties'] as K extends RequiredKeys<S> ? K : HasDefault<S['properties'][K]> extends true ? K : never]: FieldValue<
    S['properties'][K]
  >
} & {
  [K in keyof S['properties'] as K extends RequiredKeys<S> ? never : HasDefault<S['properties'][K]> extends true ? never : K]?: FieldValue<
    S['properties'][K]
  >
}

export interface Manifest<S extends ConfigSchema = ConfigSchema> {
  /** Major of this interface. */
  readonly api: 1
  /** "vendor.product"; never changes. */
  readonly id: string
  /** Semantic version of the adapter. */
  readonly version: string
  readonly displayName: string
  readonly vendor: { readonly name: string; readonly support: string }
  readonly erp: { readonly product: string; readonly versions: string }
  readonly config: S
  readonly configVersion: number
  /** JSON pointers into the settings that name every host we may call: ["/baseUrl"]. */
  readonly egress: readonly string[]
  readonly imports: { readonly [K in ImportKind]?: ImportCapability }
  readonly exports: { readonly [K in ExportKind]?: ExportCapability }
  /** How acknowledgements come in, when they do not come with the export's own answer. */
  readonly acks?: { readonly via: readonly Via[]; readonly files?: { readonly pattern: string }; readonly routes?: readonly string[] }
  /** Tables that the customer fills in, such as ["units", "departments"]. */
  readonly codeTables?: readonly string[]
  readonly limits?: { readonly requestsPerMinute?: number; readonly concurrency?: number; readonly maxBatch?: number }
  /** The mapping that a new connection begins with. */
  readonly mapping?: MappingSet
}

// ---- mapping: data, versioned per connection -------------------------------------------------------------------------------

/**
 * How one target field is made from a row: a column name, or an object of operators, applied in this order: const | from | concat,
 * split, trim, padLeft, default, then code, decimal, integer, boolean, date, instant.
 */
export type FieldRule =
  | string
  | {
      readonly from?: string
      readonly const?: Json
      readonly concat?: readonly FieldRule[]
      readonly split?: { readonly on: string; readonly index: number }
      readonly trim?: boolean
      readonly padLeft?: { readonly length: number; readonly with: string }
      readonly default?: Json
      /** Code table by which the value is translated. */
      readonly code?: string
      /** Decimal sign of the ERP; the other one of . and , counts as thousands mark. */
      readonly decimal?: '.' | ','
      /** The ERP writes 1234 with a thousands mark; without this a lone mark such as in "1.234" is refused as ambiguous. */
      readonly thousands?: boolean
      readonly integer?: boolean
      /** Values that mean true; everything else of the column means false. */
      readonly boolean?: readonly string[]
      /** Pattern of a day such as "dd-MM-yyyy". */
      readonly date?: string
      /** Pattern of a local time such as "yyyy-MM-dd HH:mm:ss", in the connection's zone; "iso" for RFC 3339. */
      readonly instant?: string
    }
  | {
      /** A list made from a list in the row. */
      readonly each: string
      readonly item: RecordRule
    }
export interface RecordRule {
  readonly [target: string]: FieldRule | RecordRule
}
export interface MappingSet {
  readonly imports?: { readonly [K in ImportKind]?: RecordRule }
  /** Unit of the ERP (after the code table) -> the unit we count in. A factor only inside one dimension, kept as an exact fraction. */
  readonly units?: UnitTable
  /** Export kind -> ERP column -> path of ours ("workOrder", "quantity.value"), with a code table for the way out. */
  readonly exports?: { readonly [K in ExportKind]?: Readonly<Record<string, string | OutRule>> }
}
/** 1 gram = 1/1000 kilogram: { "GRM": { "unit": "KGM", "numerator": "1", "denominator": "1000" } } */
export type UnitTable = Readonly<Record<string, { readonly unit: string; readonly numerator: string; readonly denominator: string }>>
export interface OutRule {
  readonly from?: string
  readonly const?: string
  /** Where ours is absent, or the table has not exactly one translation back. */
  readonly default?: string
  readonly code?: string
  readonly decimal?: '.' | ','
  readonly date?: string
  readonly instant?: string
}
/** Table -> ERP's value -> ours. One-to-one where it is also used on the way out. */
export type CodeTables = Readonly<Record<string, Readonly<Record<string, string>>>>

// ---- what an import yields -------------------------------------------------------------------------------------------------

/** Compared per (kind, key): an older one is dropped as stale. */
export type Revision = { readonly seq: number } | { readonly changedAt: Instant }
export interface Position {
  readonly line?: number
  readonly pointer?: string
  readonly column?: string
}
export interface Reject {
  /** Stable and machine-readable, such as unit_unknown. */
  readonly code: string
  /** For the customer: what, where, what to do; no secret. */
  readonly message: string
  readonly field?: string
  readonly value?: string
  /** A missing translation: adding it and replaying clears the reject. */
  readonly table?: { readonly name: string; readonly value: string }
}
export type RecordItem = {
  [K in ImportKind]: {
    readonly type: 'record'
    readonly kind: K
    readonly key: string
    readonly record: ImportRecords[K]
    readonly revision?: Revision
    readonly at?: Position
    /** The row as the ERP sent it, without the columns that no rule names; kept, sealed, when the record is refused later. */
    readonly row?: Readonly<Record<string, unknown>>
    /** Columns that no rule names: dropped and counted. */
    readonly unknown?: readonly string[]
  }
}[ImportKind]
export interface RejectItem {
  readonly type: 'reject'
  readonly kind: ImportKind
  readonly reject: Reject
  /** Where it could be read. A snapshot never closes the key of a reject, and closes nothing at all when one has no key. */
  readonly key?: string
  readonly at?: Position
  readonly row?: Readonly<Record<string, unknown>>
}
export type ImportItem =
  | RecordItem
  | RejectItem
  | { readonly type: 'delete'; readonly kind: ImportKind; readonly key: string; readonly revision?: Revision; readonly at?: Position }
  | { readonly type: 'checkpoint'; readonly state: Json }
  | { readonly type: 'snapshot'; readonly kind: ImportKind; readonly phase: 'begin' | 'end'; readonly scope?: string }
  | { readonly type: 'ack'; readonly exportKey: string; readonly outcome: ExportOutcomeBody; readonly at?: Position }

// ---- what an export answers ------------------------------------------------------------------------------------------------

export type ExportItem = {
  [K in ExportKind]: {
    /** Stable for ever, also over retries. */
    readonly key: string
    /** The same identity squeezed into a short reference field of the ERP. */
    shortKey(maxLength: number): string
    readonly kind: K
    readonly record: ExportRecords[K]
    readonly orderingKey: string
    /** Rises within an ordering key. */
    readonly seq: number
    readonly attempt: number
    readonly previous: 'none' | 'not-sent' | 'unknown'
  }
}[ExportKind]
/** Sealed: stored before the first attempt and repeated with exactly these items. */
export interface ExportBatch {
  readonly key: string
  shortKey(maxLength: number): string
  readonly items: readonly ExportItem[]
}
export interface ErpRef {
  readonly document: string
  readonly line?: string
  readonly href?: string
}
export type ExportOutcomeBody =
  | { readonly status: 'accepted'; readonly ref: ErpRef }
  | { readonly status: 'delivered'; readonly ref: ErpRef; readonly confirmWithinSeconds: number }
  | { readonly status: 'duplicate'; readonly ref: ErpRef }
  | { readonly status: 'rejected'; readonly reject: Reject }
  /** PROVEN to have had no effect. */
  | { readonly status: 'not-sent'; readonly reason: string; readonly retryAfterSeconds?: number }
  /** May have had effect: the host looks it up, never sends blindly again. */
  | { readonly status: 'unknown'; readonly reason: string }
export type ExportOutcome = { readonly key: string } & ExportOutcomeBody
export type LookupAnswer = { readonly key: string } & (
  | { readonly found: true; readonly ref: ErpRef }
  | { readonly found: false }
  | { readonly found: 'cannot-tell'; readonly reason: string }
)

// ---- the context: everything an adapter may touch --------------------------------------------------------------------------

export type RecordOf<K extends ImportKind> = Extract<RecordItem, { kind: K }>
export interface Mapper {
  /**
   * Applies mapping, code tables, units and time zone, then checks the record's schema. A row of a table (`at.line`) that lacks the very
   * column of a required field throws AdapterError `payload`: the format changed. In a list of objects the same is one bad row.
   */
  row<K extends ImportKind>(kind: K, row: Readonly<Record<string, unknown>>, at?: Position): RecordOf<K> | RejectItem
  out(
    item: ExportItem
  ): { readonly ok: true; readonly row: Readonly<Record<string, string>> } | { readonly ok: false; readonly reject: Reject }
  code(table: string, value: string, direction: 'in' | 'out'): string | undefined
  /** Undefined for a local time that does not exist (spring), the first one where it exists twice (autumn). */
  instant(local: string, format: string): Instant | undefined
}
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string | Secret>>
  /** May hold secrets anywhere: a sign-in that wants its password in the body. They are opened where the bytes leave. */
  readonly json?: Concealed
  readonly body?: string | Uint8Array
  readonly timeoutMs?: number
  /** GET and HEAD repeat by themselves; a write only when this says the far side makes that harmless. */
  readonly repeatable?: boolean
}
export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  json(): Promise<Json>
  text(): Promise<string>
  lines(): AsyncIterable<string>
}
export interface HttpClient {
  /** Throws TransportError; 4xx and 5xx are answers. */
  request(request: HttpRequest): Promise<HttpResponse>
}
export interface SftpTarget {
  readonly host: string
  readonly port?: number
  readonly username: string
  readonly password?: Secret
  readonly privateKey?: Secret
  /** SHA-256 of the server's host key, base64 as OpenSSH prints it. */
  readonly hostKeySha256: string
}
export interface SftpSession {
  list(dir: string): Promise<{ readonly name: string; readonly size: number; readonly modified: Instant }[]>
  read(path: string): AsyncIterable<Uint8Array>
  writeAtomic(path: string, body: Uint8Array | string): Promise<'written' | 'same-already-there'>
  rename(from: string, to: string): Promise<void>
  close(): Promise<void>
}
export interface AdapterCtx<C = unknown> {
  readonly config: C
  readonly connection: { readonly id: string; readonly timeZone: string; readonly locale: string }
  readonly log: { readonly [L in 'debug' | 'info' | 'warn' | 'error']: (fields: Readonly<Record<string, Json>>, message: string) => void }
  readonly clock: { now(): Date; sleep(milliseconds: number): Promise<void> }
  readonly signal: AbortSignal
  readonly http: HttpClient
  readonly sftp: { connect(target: SftpTarget): Promise<SftpSession> }
  /** Writes for the ERP to fetch: a file on our SFTP server, a document of our web service. */
  readonly outbox: { write(name: string, body: Uint8Array | string): Promise<'written' | 'same-already-there'> }
  /** A small memory for exports and tokens, sealed; a token goes in as a `Secret` and comes back as one. Imports use checkpoints. */
  readonly state: { get(): Promise<Concealed>; compareAndSet(expected: Concealed, next: Concealed): Promise<boolean> }
  readonly map: Mapper
}

// ---- sources and the adapter -----------------------------------------------------------------------------------------------

export interface InboundFile {
  readonly name: string
  readonly size: number
  readonly sha256: string
  readonly receivedAt: Instant
  /** Each call reads from the beginning. */
  bytes(): AsyncIterable<Uint8Array>
  /** Lines without their ends (`decodeLines`); each call reads from the beginning. */
  lines(encoding?: string): AsyncIterable<string>
}
export interface InboundRequest {
  readonly route: string
  readonly method: 'POST' | 'PUT'
  readonly headers: Readonly<Record<string, string>>
  readonly sha256: string
  readonly receivedAt: Instant
  /** Throws AdapterError `payload` for a body that is no JSON. */
  json(): Promise<Json>
  text(): Promise<string>
}
export interface PullRequest {
  readonly kind: ImportKind
  readonly mode: 'delta' | 'snapshot'
  readonly checkpoint: Json
}
export type CheckStep =
  | { readonly step: string; readonly ok: true; readonly detail?: string }
  | {
      readonly step: string
      readonly ok: false
      readonly field?: string
      readonly message: string
      readonly cause: 'config' | 'auth' | 'network' | 'permission' | 'remote'
    }
export interface Adapter<S extends ConfigSchema = ConfigSchema> {
  readonly manifest: Manifest<S>
  /** Runs after the host's own steps; reads only. */
  check?(ctx: AdapterCtx<ConfigOf<S>>): AsyncIterable<CheckStep>
  readonly import?: {
    file?(file: InboundFile, ctx: AdapterCtx<ConfigOf<S>>): AsyncIterable<ImportItem>
    http?(request: InboundRequest, ctx: AdapterCtx<ConfigOf<S>>): AsyncIterable<ImportItem>
    pull?(request: PullRequest, ctx: AdapterCtx<ConfigOf<S>>): AsyncIterable<ImportItem>
  }
  export?(batch: ExportBatch, ctx: AdapterCtx<ConfigOf<S>>): AsyncIterable<ExportOutcome>
  lookup?(items: readonly ExportItem[], ctx: AdapterCtx<ConfigOf<S>>): AsyncIterable<LookupAnswer>
  /** What the ERP holds of a day, for the nightly comparison. */
  reconcile?(
    day: LocalDate,
    ctx: AdapterCtx<ConfigOf<S>>
  ): AsyncIterable<{ readonly key?: string; readonly ref: ErpRef; readonly body?: Json }>
  migrateConfig?(from: number, config: Json): Json
}
