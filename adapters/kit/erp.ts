import type {
  Adapter,
  AdapterCtx,
  CodeTables,
  ConfigOf,
  ConfigSchema,
  HttpRequest,
  ImportKind,
  Json,
  MappingSet
} from '../contract/index.ts'
import type { Books } from './books.ts'

export type JsonObject = { readonly [key: string]: Json }

/** What an ERP brings to our door. */
export type Delivery =
  | { readonly way: 'file'; readonly name: string; readonly body: Uint8Array }
  | { readonly way: 'http'; readonly route: string; readonly body: string }

export interface DeliveryOptions {
  /** 1, 2, … : a later one means that the ERP changed the record. Only for kinds in `revisions`. */
  readonly revision?: number
  /** A column or field that nobody asked for. */
  readonly extra?: boolean
  /** A field of ours, such as "quantity.value", that this delivery lacks altogether. */
  readonly omit?: string
  /** Two deliveries with one name replace each other. */
  readonly name?: string
  /** Columns or fields that the ERP sends along with every record. */
  readonly more?: Readonly<Record<string, string>>
  /** Zone of the wall times that this ERP writes; absent: Europe/Amsterdam. */
  readonly timeZone?: string
  /** The delivery names every record there is: the others are closed. Only for kinds with the mode `snapshot`. */
  readonly snapshot?: boolean
  /** With whatever tells a whole delivery from one that was cut off, such as a last line with the number of rows. */
  readonly complete?: boolean
}

/** A call as it arrives at the ERP: what was a secret on the way stands in it in plain text. */
export type Arrived = Omit<HttpRequest, 'json' | 'headers'> & {
  readonly json?: Json
  readonly headers?: Readonly<Record<string, string>>
}

export type TextEncoding = 'utf-8' | 'windows-1252'

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: Json
}

/** How the ERP of one adapter speaks: written once by its author, used by every check. */
export interface Erp {
  /** Records of ours as this ERP writes them; odd values go through as they are. */
  deliver?(kind: ImportKind, records: readonly JsonObject[], options?: DeliveryOptions): Delivery
  /** Deliveries are text files: each encoding that the adapter reads, with the settings for it. The kit writes the bytes. */
  readonly encodings?: { readonly [E in TextEncoding]?: Readonly<Record<string, Json>> }
  /** Settings with which a delivery itself says that it is whole (`DeliveryOptions.complete`); absent: it never does. */
  readonly complete?: Readonly<Record<string, Json>>
  /** Kinds whose deliveries carry a revision. */
  readonly revisions?: readonly ImportKind[]
  /** Acknowledgements as this ERP sends them. */
  ack?(
    answers: readonly {
      readonly key: string
      readonly result: 'accepted' | 'rejected'
      readonly document?: string
      readonly message?: string
    }[]
  ): Delivery
  /** The key in a document that we put in the outbox. */
  read?(name: string, body: Uint8Array): string
  /** The ERP's web service on top of its books. */
  serve?(request: Arrived, books: Books): Answer
  /** Tells calls that only read from those that write, where their method does not (JSON-RPC); absent: GET and HEAD read. */
  isRead?(request: Arrived): boolean
  /** What the ERP holds in the end, amounts and all, for comparison with a run in which nothing went wrong. */
  facts?(books: Books): Json
  /** What the ERP hands out and nobody may see either, such as the token of a session. */
  readonly secrets?: readonly string[]
}

export interface ConformanceOptions {
  /** Settings as a person would enter them; secrets as text. */
  readonly config: Readonly<Record<string, Json>>
  readonly erp: Erp
  /** Absent: the manifest's. */
  readonly mapping?: MappingSet
  readonly codeTables?: CodeTables
  readonly timeZone?: string
  /** A folder of deliveries, each with `<name>.expected.json` beside it; calls are named `<route>--<words>.json`. */
  readonly fixtures?: URL
  readonly effort?: Effort
}

/** How much is tried where more is better. */
export interface Effort {
  /** Sequences of four to twelve faults, drawn by a fixed seed; absent: 200. */
  readonly randomSequences?: number
  /** Longest sequences of faults for kinds of export but the first, which gets all of three; absent: 1. */
  readonly otherKinds?: 1 | 2 | 3
  /** Rows of the large delivery; absent: 20,000. */
  readonly rows?: number
  /** Keys that are squeezed into a short reference; absent: 50,000. */
  readonly keys?: number
}

export interface Subject {
  readonly adapter: Adapter
  readonly options: ConformanceOptions
}

/** The context as an adapter of unknown settings takes it. */
export type KitCtx = AdapterCtx<ConfigOf<ConfigSchema>>
