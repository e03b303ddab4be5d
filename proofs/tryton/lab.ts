import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../crash/house.ts'

/** A real Tryton server with the data of a small factory. */
export interface Lab {
  readonly version: string
  /** Its address, without the database. */
  readonly url: string
  readonly database: string
  readonly companyId: number
  /** Password by login: `admin`, `planner`, and `mes`, the account of an integration. */
  readonly users: Readonly<Record<string, string>>
}

/** Where the lab is, or why there is none. */
export type LabFolder = { readonly folder: string } | { readonly none: string } | { readonly wrong: string }

export const labVariable = 'WERKVLOER_LAB_TRYTON'

export function labFolder(): LabFolder {
  const folder = process.env[labVariable]
  if (!folder) return { none: `${labVariable} names no folder of a Tryton lab` }
  const missing = ['up', 'down'].find(name => !existsSync(join(folder, name)))
  // A variable that leads nowhere is a mistake of whoever set it, not a machine without a lab.
  if (missing) return { wrong: `${labVariable} names ${folder}, which has no program \`${missing}\`` }
  return { folder }
}

/**
 * Starts the lab with data as freshly seeded. With ERP_LAB_STATE in the environment that lab is kept for the next time (and is at the
 * ports that ERP_LAB_PORT and ERP_LAB_PG_PORT say); otherwise it is made anew in a temporary folder and removed at the end of the process.
 * @returns the lab, or the last thing that it said when it could not be started
 */
export async function startLab(folder: string): Promise<Lab | { readonly failed: string }> {
  const kept = process.env.ERP_LAB_STATE
  const state = kept ?? mkdtempSync(join(tmpdir(), 'wv-lab-'))
  // Its servers run as users of their own.
  if (kept === undefined) chmodSync(state, 0o755)
  const env: NodeJS.ProcessEnv = { ...process.env, ERP_LAB_STATE: state }
  if (kept === undefined) {
    env.ERP_LAB_PORT = String(await freePort())
    env.ERP_LAB_PG_PORT = String(await freePort())
  }
  // However this process ends, but for a kill: two servers must not stay behind.
  process.on('exit', () => {
    spawnSync(join(folder, 'down'), kept === undefined ? ['--purge'] : [], { env, stdio: 'ignore' })
    if (kept === undefined) rmSync(state, { recursive: true, force: true })
  })
  const { code, out, err } = await output(join(folder, 'up'), ['--reset'], env)
  if (code !== 0) return { failed: err.trim().split('\n').at(-1) ?? `up ended with ${code}` }
  return JSON.parse(out) as Lab
}

function output(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // Its servers may hold the streams open.
    child.on('exit', code => setTimeout(() => resolve({ code, out, err }), 100))
  })
}
