import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What is sent, over and over, by several clients at once; each waits for its answer before it asks again. */
export interface Load {
  readonly port: number
  readonly clients: number
  readonly seconds: number
  /** Whole requests as they go over the wire, taken in turn. `{uuid}` becomes another UUID each time. */
  readonly requests: readonly string[]
  /** Any other answer ends the measurement. */
  readonly status: number
}

export interface Loaded {
  readonly perSecond: number
  /** Milliseconds that one answer in two, and ninety-nine in a hundred, took at most. */
  readonly p50: number
  readonly p99: number
}

/** Sends it from a process of its own, which does so little for a request that the server is what is measured. */
export async function load(what: Load): Promise<Loaded> {
  const child = execFile_(process.execPath, [join(import.meta.dirname, 'load-child.ts')], { maxBuffer: 1_048_576, timeout: 120_000 })
  child.child.stdin?.end(JSON.stringify(what))
  return JSON.parse((await child).stdout) as Loaded
}
const execFile_ = promisify(execFile)

/** A request as bytes on a connection that stays open. */
export function request(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: unknown): string {
  const text = body === undefined ? '' : JSON.stringify(body)
  const all = {
    host: '127.0.0.1',
    ...headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) })
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`
}
