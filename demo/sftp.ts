import ssh2 from 'ssh2'

/** The ERP's end of an SFTP connection. */
export interface Sftp {
  /** Writes under a temporary name and renames: the file appears whole. */
  deliver(name: string, content: string | Uint8Array): Promise<void>
  /** Names in the order of the server's listing: of the outbox, the order in which they were written. */
  list(dir: string): Promise<string[]>
  read(path: string): Promise<string>
  remove(path: string): Promise<void>
  close(): void
}

export interface SftpAddress {
  readonly host: string
  readonly port: number
  /** Public key line of the server; anything else is refused. */
  readonly hostKeyLine: string
  readonly username: string
  readonly privateKey: string
}

/** Connects as the ERP does; the server's host key is pinned. */
export async function connect(address: SftpAddress): Promise<Sftp> {
  const client = new ssh2.Client()
  const pinned = Buffer.from(address.hostKeyLine.split(' ')[1] ?? '', 'base64')
  // A request on a connection that has ended is never answered by ssh2, nor is one of which the connection ends at some moments of its start.
  const ended = new Promise<never>((_, reject) => client.on('close', () => reject(new Error('the connection has ended'))))
  ended.catch(() => undefined)
  const orEnded = <T>(work: Promise<T>): Promise<T> => Promise.race([work, ended])
  const ready = new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject)
    client.connect({
      host: address.host,
      port: address.port,
      username: address.username,
      privateKey: address.privateKey,
      hostVerifier: (key: Buffer) => key.equals(pinned),
      readyTimeout: 15_000
    })
  })
  await orEnded(ready)
  // Without it each request waits 40 ms for the answer to a piece of the one before (Nagle and delayed acknowledgement).
  client.setNoDelay(true)
  const opened = new Promise<import('ssh2').SFTPWrapper>((resolve, reject) => {
    client.sftp((error, made) => (error ? reject(error) : resolve(made)))
  })
  const sftp = await orEnded(opened)
  const done = (start: (callback: (error: Error | null | undefined) => void) => void): Promise<void> =>
    orEnded(new Promise((resolve, reject) => start(error => (error ? reject(error) : resolve()))))
  return {
    async deliver(name, content) {
      await done(callback => sftp.writeFile(`inbox/${name}.tmp`, content as Buffer, callback))
      await done(callback => sftp.rename(`inbox/${name}.tmp`, `inbox/${name}`, callback))
    },
    list: dir =>
      orEnded(
        new Promise((resolve, reject) => {
          sftp.readdir(dir, (error, entries) => (error ? reject(error) : resolve(entries.map(entry => entry.filename))))
        })
      ),
    read: path =>
      orEnded(
        new Promise((resolve, reject) => {
          sftp.readFile(path, (error, data) => (error ? reject(error) : resolve(data.toString('utf8'))))
        })
      ),
    remove: path => done(callback => sftp.unlink(path, callback)),
    close: () => client.end()
  }
}

/** A key pair for the ERP's login. Made until it can be read back: about one in 256 of ssh2's own cannot. */
export function newLogin(): { publicLine: string; privateKey: string } {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519')
    if (!(ssh2.utils.parseKey(made.private) instanceof Error)) return { publicLine: made.public.trim(), privateKey: made.private }
  }
}
