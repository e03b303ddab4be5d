import type { Config } from './config.ts'

/** One word of the command line. `run` returns the exit code. Output for people goes through `print`. */
export interface Command {
  readonly name: string
  readonly summary: string
  readonly usage: string
  readonly run: (args: readonly string[], env: CommandEnvironment) => Promise<number>
}

export interface CommandEnvironment {
  readonly config: Config
  readonly print: (line: string) => void
}
