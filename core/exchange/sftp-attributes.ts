import type { Attributes } from 'ssh2'
import type { Entry } from './sftp-tree.ts'

const folderMode = 0o040755
const fileMode = 0o100644

export function attributesOf(entry: Entry): Attributes {
  const seconds = Math.floor(entry.modified.getTime() / 1000)
  return { mode: entry.kind === 'folder' ? folderMode : fileMode, uid: 0, gid: 0, size: entry.size, atime: seconds, mtime: seconds }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The line that clients show for `ls -l`, in the form of ls; times in UTC. */
export function longNameOf(entry: Entry): string {
  const at = entry.modified
  const day = `${months[at.getUTCMonth()]} ${String(at.getUTCDate()).padStart(2)}`
  const time = `${String(at.getUTCHours()).padStart(2, '0')}:${String(at.getUTCMinutes()).padStart(2, '0')}`
  const kind = entry.kind === 'folder' ? 'drwxr-xr-x' : '-rw-r--r--'
  return `${kind}    1 erp      erp      ${String(entry.size).padStart(12)} ${day} ${time} ${entry.name}`
}
