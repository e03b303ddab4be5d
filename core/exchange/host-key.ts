import ssh2 from 'ssh2'
import { type Control, type SftpHostKey, sftpHostKeyOf } from '../db/control.ts'

/**
 * A new ed25519 host key, in the OpenSSH forms that ssh2 reads. Called once per installation, by `prepareControl`. The library drops
 * leading zeros of the public half and so spoils one key in 256 (13 of 3,000 measured): what it cannot read back is made anew.
 */
export function newSftpHostKey(): { publicLine: string; privatePem: string } {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519')
    const readable = [made.private, made.public].every(text => !(ssh2.utils.parseKey(text) instanceof Error))
    if (readable) return { publicLine: made.public.trim(), privatePem: made.private }
  }
}

/** The host key of this installation, whose halves belong together: what is shown to ERPs is what they meet. */
export async function sftpHostKey(control: Control): Promise<SftpHostKey> {
  const key = await sftpHostKeyOf(control)
  const parsed = ssh2.utils.parseKey(key.privatePem)
  const shown = key.publicLine.split(' ')[1]
  if (parsed instanceof Error || parsed.getPublicSSH().toString('base64') !== shown)
    throw new Error('the two halves of the SFTP host key do not belong together: somebody changed one; restore it from the backup')
  return key
}
