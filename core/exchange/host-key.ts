import ssh2 from 'ssh2'

/** A new ed25519 host key, in the OpenSSH forms that ssh2 reads. Called once per installation, by `prepareControl`. */
export function newSftpHostKey(): { publicLine: string; privatePem: string } {
  const made = ssh2.utils.generateKeyPairSync('ed25519')
  return { publicLine: made.public.trim(), privatePem: made.private }
}
