import type { Parts } from '../parts.ts'

/** One word of the command line. `run` returns the exit code. Output for people goes through `print`. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** Lines under "Usage", without the program's name. */
  readonly usage: readonly string[]
  readonly run: (args: readonly string[], house: CommandHouse) => Promise<number>
}

export interface CommandHouse {
  readonly parts: Parts
  readonly version: string
  /** Runs beside `serve` on the first start of a demo; given by main, since core knows no demo. */
  readonly demo: ((at: DemoPlace) => Promise<{ stop(): Promise<void> }>) | undefined
}

/** What the demo is told: addresses and the one-time link of its tenant's first administrator, nothing of the inside. */
export interface DemoPlace {
  readonly baseUrl: string
  readonly sftp: { readonly host: string; readonly port: number; readonly hostKeyLine: string }
  readonly dataDir: string
  readonly customer: string
  /** Present when the tenant was made just now. */
  readonly inviteToken: string | undefined
  readonly say: (line: string) => void
}
