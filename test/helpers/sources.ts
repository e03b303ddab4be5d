import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** The repository, for walls that read it. */
export const root = join(import.meta.dirname, '../..')

export interface Source {
  /** Path from the root, with slashes. */
  readonly file: string
  readonly text: string
}

/** Source files under the given patterns, sorted. */
export function sources(...patterns: string[]): Source[] {
  return globSync(patterns, { cwd: root, exclude: name => name === 'node_modules' || name === 'data' })
    .sort()
    .map(file => ({ file, text: readFileSync(join(root, file), 'utf8') }))
}

/** The server's own code: what runs at a customer's. */
export const productSources = (): Source[] => sources('{core,modules,adapters,config,demo}/**/*.ts', '*.ts')

/** Every file that git knows or would take. */
export function repositoryFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  return [...new Set(list.split('\0'))].filter(file => file !== '').sort()
}

/** Without comments, so that a comment may name what the code may not do. */
export const code = (text: string): string => text.replace(/(^|\s)\/\*[\s\S]*?\*\//g, '$1').replace(/(^|\s)\/\/.*$/gm, '$1')

const importPattern =
  /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;}])import\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]/g

export interface Arrow {
  readonly from: string
  /** A path from the root for our own files, else the name as written. */
  readonly to: string
  readonly own: boolean
  /** Only types: gone at run time. */
  readonly typeOnly: boolean
}

/** Everything a file imports: types, exports from elsewhere, bare and dynamic imports. */
export function arrowsOf({ file, text }: Source): Arrow[] {
  return [...code(text).matchAll(importPattern)].map(match => {
    const to = match[1] ?? match[2] ?? match[3] ?? ''
    const own = to.startsWith('.')
    const typeOnly = /^[\s;}]*(?:import|export)\s+type\s/.test(match[0])
    return { from: file, to: own ? normalize(join(dirname(file), to)) : to, own, typeOnly }
  })
}

/** `@scope/name` or `name` of an import such as `name/sub/path`. */
export const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
