import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import ssh2, { type SFTPWrapper } from 'ssh2'
import { AdapterError, type SftpSession, type SftpTarget, TransportError } from '../../adapters/contract/index.ts'
import { resolveTarget } from './egress.ts'
import { sftpAlgorithms } from './sftp-server.ts'

const mostBytes = 200 * 2 ** 20

/**
 * An SFTP session with the ERP's own server: only hosts that the settings name, the host key pinned. Another key than the pinned one ends
 * it before anything is sent.
 */
export async function sftpClient(
  target: SftpTarget,
  options: { hosts: ReadonlySet<string>; allowPrivate: readonly string[]; signal: AbortSignal }
): Promise<SftpSession> {
  options.signal.throwIfAborted()
  const port = target.port ?? 22
  const resolved = await resolveTarget(target.host, port, options.hosts, options.allowPrivate)
  const pinned = Buffer.from(target.hostKeySha256.replace(/^SHA256:/, ''), 'base64')
  if (pinned.length !== 32) throw new AdapterError('config', 'The fingerprint of the ERP’s host key is not complete.')
  let wrongKey = false
  const client = new ssh2.Client()
  const stop = (): void => void client.destroy()
  options.signal.addEventListener('abort', stop, { once: true })
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
    client
      .on('ready', () => client.sftp((error, session) => (error ? reject(error) : resolve(session))))
      .on('error', reject)
      .connect({
        // Without it each request waits 40 ms for the acknowledgement of the one before (Nagle and delayed ACK).
        sock: connect({ host: resolved.address, port, timeout: 10_000, noDelay: true }),
        username: target.username,
        ...(target.password ? { password: target.password.reveal() } : {}),
        ...(target.privateKey ? { privateKey: target.privateKey.reveal() } : {}),
        algorithms: { kex: [...sftpAlgorithms.kex], cipher: [...sftpAlgorithms.cipher] },
        hostVerifier: (key: Buffer) => {
          const same = timingSafeEqual(createHash('sha256').update(key).digest(), pinned)
          wrongKey = !same
          return same
        },
        readyTimeout: 20_000
      })
  }).catch((error: Error & { level?: string }) => {
    client.destroy()
    options.signal.removeEventListener('abort', stop)
    if (wrongKey)
      throw new AdapterError(
        'config',
        `${target.host} shows another host key than the one agreed. Ask the ERP’s administrator before changing it here.`
      )
    if (error.level === 'client-authentication') throw new AdapterError('auth', `${target.host} refused the user name, password or key.`)
    throw new TransportError('none', `${target.host} could not be reached by SFTP.`, error)
  })

  const call = <T>(start: (callback: (error: Error | null | undefined, value?: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) =>
      start((error, value) =>
        error ? reject(new TransportError('possible', `SFTP with ${target.host}: ${error.message}`, error)) : resolve(value as T)
      )
    )

  return {
    async list(dir) {
      const entries = await call<{ filename: string; attrs: { size: number; mtime: number } }[]>(callback =>
        sftp.readdir(dir, callback as never)
      )
      return entries
        .filter(({ filename }) => filename !== '.' && filename !== '..' && !/[/\\\0]/.test(filename))
        .map(({ filename, attrs }) => ({ name: filename, size: attrs.size, modified: new Date(attrs.mtime * 1000).toISOString() }))
    },
    async *read(path) {
      let size = 0
      try {
        const stream = sftp.createReadStream(path)
        // It ends before the server has confirmed that the handle is closed; hanging up in between is an error of its own.
        const closed = once(stream, 'close').catch(() => {})
        for await (const chunk of stream) {
          size += (chunk as Buffer).length
          if (size > mostBytes) throw new AdapterError('remote', `${path} is larger than ${mostBytes / 2 ** 20} MiB.`)
          yield chunk as Buffer
        }
        await closed
      } catch (error) {
        if (error instanceof AdapterError) throw error
        throw new TransportError('possible', `SFTP with ${target.host}: ${path} could not be read.`, error)
      }
    },
    async writeAtomic(path, body) {
      const bytes = Buffer.from(body as string)
      const there = await call<Buffer>(callback => sftp.readFile(path, callback as never)).catch(() => undefined)
      if (there?.equals(bytes)) return 'same-already-there'
      if (there) throw new AdapterError('bug', `another file stands at ${path} already`)
      await call<void>(callback => sftp.writeFile(`${path}.part`, bytes, callback as never))
      await call<void>(callback => sftp.rename(`${path}.part`, path, callback as never))
      return 'written'
    },
    rename: (from, to) => call<void>(callback => sftp.rename(from, to, callback as never)),
    async close() {
      options.signal.removeEventListener('abort', stop)
      client.end()
    }
  }
}
