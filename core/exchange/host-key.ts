import ssh2 from 'ssh2'

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
