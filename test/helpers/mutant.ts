import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './sources.ts'

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
