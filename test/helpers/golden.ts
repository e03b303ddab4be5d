import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Asserts {
  equal(found: string, wanted: string, message: string): boolean
}

/** Compares text with a reviewed file. `WERKVLOER_TEST_WRITE=1` (npm run golden) rewrites the file; the change is then reviewed. */
export function sameAsFile(t: Asserts, path: string, text: string): void {
  const file = join(import.meta.dirname, '../..', path)
  if (process.env.WERKVLOER_TEST_WRITE === '1') writeFileSync(file, text)
  t.equal(text, existsSync(file) ? readFileSync(file, 'utf8') : '', `${path} is up to date (npm run golden rewrites it)`)
}
