import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './sources.ts'

export interface Edit {
  /** Path from the root. */
  readonly file: string
  readonly from: string
  readonly to: string
}

const copied = ['adapters', 'config', 'core', 'migrations', 'modules', 'test/helpers', 'package.json', 'parts.ts']

/**
 * The house with a hole that a test made: its source in a temporary folder with the edits planted. A check that stays green on it
 * proves nothing. Throws when the text to be changed is no longer there exactly once, so that no mutant becomes an exact copy.
 * @returns what imports a module of the copy, by its path from the root
 */
export function mutant(t: { teardown(fn: () => void): void }, edits: readonly Edit[]): (file: string) => Promise<unknown> {
  const dir = mkdtempSync(join(tmpdir(), 'wv-mutant-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (const path of copied) cpSync(join(root, path), join(dir, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  for (const { file, from, to } of edits) {
    const parts = readFileSync(join(dir, file), 'utf8').split(from)
    if (parts.length !== 2) throw new Error(`${file} holds the text to be changed ${parts.length - 1} times: ${from}`)
    writeFileSync(join(dir, file), parts.join(to))
  }
  return file => import(pathToFileURL(join(dir, file)).href)
}

/** The SFTP house of `test/helpers/sftp.ts`, on the mutant's source. */
export async function mutantSftp(t: { teardown(fn: () => void): void }, edits: readonly Edit[]): Promise<typeof import('./sftp.ts')> {
  return (await mutant(t, edits)('test/helpers/sftp.ts')) as typeof import('./sftp.ts')
}

let made = 0

/**
 * A module of the product with one place of its source replaced: what a check must notice. The rest of the product is as it is, and
 * only this test sees it.
 * @param file from the root of the repository
 */
export async function mutantOf<M>(file: string, from: string, to: string): Promise<M> {
  const url = `${pathToFileURL(join(root, file)).href}?mutant=${++made}`
  const hooks = registerHooks({
    load(asked, context, next) {
      const found = next(asked, context)
      if (asked !== url) return found
      const source = `${typeof found.source === 'string' ? found.source : Buffer.from(found.source as Uint8Array)}`
      if (source.split(from).length !== 2) throw new Error(`${file} holds "${from}" ${source.split(from).length - 1} times, not once`)
      return { ...found, source: source.replace(from, () => to) }
    }
  })
  try {
    return (await import(url)) as M
  } finally {
    hooks.deregister()
  }
}
