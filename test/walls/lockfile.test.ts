import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../helpers/sources.ts'

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}

interface Lockfile {
  readonly lockfileVersion: number
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface Manifest {
  readonly allowScripts: Readonly<Record<string, boolean>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

interface Floor {
  readonly package: string
  readonly minimum: string
  readonly advisories: readonly string[]
}

const read = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T
/** The server's packages, and those the console is built from. */
const installations = ['', 'console/'].map(folder => ({
  folder,
  lockfile: read<Lockfile>(`${folder}package-lock.json`),
  manifest: { allowScripts: {}, optionalDependencies: {}, ...read<Partial<Manifest>>(`${folder}package.json`) }
}))
const { floors } = read<{ floors: readonly Floor[] }>('config/advisory-floors.json')

const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

/** Compares the three numbers; a pre-release counts as older than its release. */
function older(version: string, minimum: string): boolean {
  const parts = (text: string) => (text.split(/[-+]/)[0] ?? '').split('.').map(Number)
  const [a, b] = [parts(version), parts(minimum)]
  for (let i = 0; i < 3; i++) {
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) < (b[i] ?? 0)
  }
  return version.includes('-') && !minimum.includes('-')
}

function problems(lock: Lockfile, allowed: Readonly<Record<string, boolean>>): string[] {
  const found: string[] = []
  for (const [path, locked] of Object.entries(lock.packages)) {
    if (path === '') continue
    const name = nameOf(path)
    if (locked.link) found.push(`${name}: is a link to a folder`)
    if (locked.resolved !== undefined) found.push(`${name}: names where it came from (${locked.resolved})`)
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(locked.integrity ?? '')) found.push(`${name}: has no sha512 integrity`)
    if (!/^\d+\.\d+\.\d+/.test(locked.version ?? '')) found.push(`${name}: has no plain version (${locked.version})`)
    if (locked.hasInstallScript && allowed[name] !== true) found.push(`${name}: has an install script and is not in allowScripts`)
    for (const floor of floors) {
      if (floor.package === name && older(locked.version ?? '0.0.0', floor.minimum)) {
        found.push(`${name} ${locked.version}: needs ${floor.minimum} (${floor.advisories.join(', ')})`)
      }
    }
  }
  return found
}

const sound = 'sha512-'.padEnd(93, 'A').concat('==')
const plant = (path: string, locked: LockedPackage): Lockfile => ({
  lockfileVersion: 3,
  packages: { [path]: { version: '9.9.9', integrity: sound, ...locked } }
})

t.test('lockfile: each fault is caught when planted', async t => {
  t.same(problems(plant('node_modules/pg', {}), {}), [], 'a sound entry passes')
  t.match(problems(plant('node_modules/pg', { resolved: 'https://elsewhere.example/pg.tgz' }), {}), [/where it came from/])
  t.match(problems({ lockfileVersion: 3, packages: { 'node_modules/pg': { version: '1.0.0' } } }, {}), [/no sha512/])
  t.match(problems(plant('node_modules/pg', { version: 'git+ssh://git@host/pg' }), {}), [/no plain version/])
  t.match(problems(plant('node_modules/a/node_modules/evil', { hasInstallScript: true }), { ssh2: true }), [/evil: has an install script/])
  t.match(problems(plant('node_modules/pg', { link: true }), {}), [/is a link/])
})

t.test('lockfile: a version with a known advisory is named with the advisory', async t => {
  const old: readonly (readonly [string, string, string])[] = [
    ['fastify', '5.8.2', 'CVE-2026-3635'],
    ['fast-jwt', '6.2.3', 'CVE-2026-44351'],
    ['ssh2', '1.14.0', 'CVE-2023-48795'],
    ['fast-xml-parser', '5.3.7', 'CVE-2026-26278']
  ]
  for (const [name, version, advisory] of old) t.match(problems(plant(`node_modules/${name}`, { version }), {}).join(), advisory)
  t.ok(older('6.3.0-rc.1', '6.3.0'), 'a pre-release is older than its release')
  t.notOk(older('10.0.0', '9.9.9'), 'numbers are compared as numbers')
})

for (const { folder, lockfile, manifest } of installations) {
  t.test(`lockfile: ${folder}package-lock.json has none of these faults`, async t => {
    t.equal(lockfile.lockfileVersion, 3)
    t.ok(Object.keys(lockfile.packages).length >= 100, 'an empty scan is not a pass')
    t.same(problems(lockfile, manifest.allowScripts), [])
  })

  t.test(`lockfile: ${folder}package.json names exact versions, and allows scripts only to what is there`, async t => {
    const all = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies }
    t.ok(Object.keys(all).length >= 15, 'an empty scan is not a pass')
    t.same(
      Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
      []
    )
    const withScripts = new Set(
      Object.entries(lockfile.packages)
        .filter(([, locked]) => locked.hasInstallScript)
        .map(([path]) => nameOf(path))
    )
    t.same(
      Object.keys(manifest.allowScripts).filter(name => !withScripts.has(name)),
      []
    )
  })
}
