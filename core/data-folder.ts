import { chmodSync, mkdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { StartRefusal } from './start-refusal.ts'

/** Makes the data folder where it is missing, and refuses one that cannot be written. Returns its real path. */
export function prepareDataFolder(dataDir: string): string {
  const folder = resolve(dataDir)
  try {
    if (isAbsent(folder)) {
      makeFolder(folder)
      // As root the embedded database runs as another user, who must be able to pass; every file in it has its own narrow mode.
      chmodSync(folder, process.getuid?.() === 0 ? 0o711 : 0o700)
    }
    const probe = join(folder, `.writable-${process.pid}`)
    writeFileSync(probe, '', { mode: 0o600 })
    rmSync(probe)
    return realpathSync(folder)
  } catch (error) {
    throw new StartRefusal(
      [`The data folder ${folder} cannot be written (${codeOf(error)}); set WERKVLOER_DATA to a folder this user may write.`],
      error
    )
  }
}

/** One after another: Node's own `recursive` never returns where the system says "no such file" of a folder that may not be made (/proc). */
function makeFolder(folder: string): void {
  const parent = dirname(folder)
  if (parent !== folder && isAbsent(parent)) makeFolder(parent)
  try {
    mkdirSync(folder)
  } catch (error) {
    // A second start at the same moment was faster.
    if (codeOf(error) !== 'EEXIST' || !statSync(folder).isDirectory()) throw error
  }
}

/** Only "no such file" means absent: under another user a file may exist and not be seen. */
export function isAbsent(path: string): boolean {
  try {
    statSync(path)
    return false
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    throw error
  }
}

/** The system's or PostgreSQL's code of an error, or its text. */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
