import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import ssh2, { type Connection, type Session } from 'ssh2'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { SftpHostKey } from '../db/control.ts'
import { newId } from '../ids.ts'
import type { Log } from '../log.ts'
import { type Authenticate, authenticator, type SftpLogin } from './sftp-auth.ts'
import { failureLog, waitingRoom } from './sftp-limits.ts'
import { type SftpDoor, serveSftp } from './sftp-session.ts'

/**
 * Exactly these (security check C1). The library's defaults still offer NIST curves, SHA-1 signatures, hmac-sha1 and compression
 * before sign-in (measured); it has no post-quantum exchange yet.
 */
export const sftpAlgorithms = {
  kex: ['curve25519-sha256', 'curve25519-sha256@libssh.org'],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  serverHostKey: ['ssh-ed25519'],
  compress: ['none']
} as const

/** SSH sessions of one connection to the ERP at a time, and channels within one. Clients open up to a dozen in parallel. */
const mostLogins = 24
const mostChannels = 8

/** Changes of the keys of a session within a minute. Clients change them each gigabyte or hour; one costs us as much as a sign-in. */
const mostRekeys = 20
/** How long a client has to hang up itself after it was told to. */
const farewellMs = 2_000

/**
 * Whether ssh2 has its compiled part. Built without a compiler it is not there, built for another Node it is there and does not load;
 * the library says nothing of either and goes on in JavaScript, much slower for large files.
 */
export function nativeCipher(): boolean {
  const { bindingAvailable }: { bindingAvailable?: unknown } = createRequire(import.meta.url)('ssh2/lib/protocol/crypto.js')
  return bindingAvailable === true
}

export interface SftpServer {
  readonly port: number
  /** Refuses new connections, lets running requests finish for up to five seconds, ends the rest. */
  close(): Promise<void>
}

export interface SftpServerOptions {
  readonly config: Config['sftp']
  readonly hostKey: SftpHostKey
  readonly clock: Clock
  readonly log: Log
  readonly door: SftpDoor
  readonly authenticate: Authenticate
}

/**
 * The SFTP server. ssh2 knows the protocol and nothing else: no limit of connections or tries, no time to sign in (measured), so an
 * own listener stands in front and hands over sockets. Only the subsystem `sftp` exists; whatever else a client asks for is refused
 * by having no listener.
 */
export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const { config, clock, log, door } = options
  const failures = failureLog(clock)
  const unknown = waitingRoom<Socket>(config.maxUnauthenticated)
  const live = new Map<Connection, { readonly socket: Socket; login?: SftpLogin; readonly ends: Set<() => Promise<void>> }>()
  const logins = new Map<string, number>()
  const socketOf = new Map<string, Socket>()
  const keyOf = (socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string =>
    `${socket.remoteAddress} ${socket.remotePort}`

  const ssh = new ssh2.Server(
    {
      hostKeys: [options.hostKey.privatePem],
      algorithms: sftpAlgorithms as never,
      ident: 'werkvloer',
      keepaliveInterval: 15_000,
      keepaliveCountMax: 3
    },
    (connection, info) => {
      const socket = socketOf.get(keyOf({ remoteAddress: info.ip, remotePort: info.port }))
      if (!socket) {
        connection.end()
        return
      }
      welcome(connection, socket, info.ip)
    }
  )

  function welcome(connection: Connection, socket: Socket, ip: string): void {
    const session = newId()
    const mine: { readonly socket: Socket; login?: SftpLogin; readonly ends: Set<() => Promise<void>> } = { socket, ends: new Set() }
    live.set(connection, mine)
    let channels = 0
    let idle: NodeJS.Timeout | undefined
    /** Ending alone leaves the other direction open for as long as the client likes. */
    const hangUp = (): void => {
      connection.end()
      setTimeout(() => socket.destroy(), farewellMs).unref()
    }
    let rekeys = 0
    let rekeysSince = clock.now().getTime()
    connection.on('rekey', () => {
      const now = clock.now().getTime()
      if (Math.abs(now - rekeysSince) > 60_000) {
        rekeys = 0
        rekeysSince = now
      }
      if (++rekeys <= mostRekeys) return
      log.warn({ session, ip }, 'an SFTP client changes its keys too often')
      hangUp()
    })
    // Keep-alives count as traffic, so quiet time is counted in requests.
    const touch = (): void => {
      clearTimeout(idle)
      idle = setTimeout(hangUp, config.idleSeconds * 1000)
      idle.unref()
    }
    // Without a listener the ECONNRESET of a killed client would stop the process.
    connection.on('error', error => log.debug({ err: error, session }, 'sftp connection'))
    connection.on('close', () => {
      clearTimeout(idle)
      live.delete(connection)
      sign.left()
      if (mine.login) logins.set(mine.login.connectionId, (logins.get(mine.login.connectionId) ?? 1) - 1)
    })
    const sign = authenticator({
      authenticate: options.authenticate,
      ip,
      session,
      failures,
      log,
      letIn: login => {
        mine.login = login
      },
      close: hangUp
    })
    connection.on('authentication', context => {
      sign.answer(context).catch(error => {
        log.error({ err: error, session }, 'sign-in over SFTP failed')
        hangUp()
      })
    })
    connection.on('ready', () => {
      unknown.remove(socket)
      const login = mine.login
      if (!login) {
        socket.destroy()
        return
      }
      const count = (logins.get(login.connectionId) ?? 0) + 1
      logins.set(login.connectionId, count)
      log.info(
        { op: 'sftp.login', tenant_id: login.tenantId, connection: login.connectionId, access: login.accessId, session },
        'signed in'
      )
      if (count > mostLogins) {
        log.warn({ connection: login.connectionId, session }, 'too many SFTP sessions of one connection')
        hangUp()
        return
      }
      touch()
      connection.on('session', (accept, reject) => {
        if (channels >= mostChannels) {
          reject()
          return
        }
        channels++
        const channel: Session = accept()
        let end = async (): Promise<void> => {}
        channel.on('close', () => {
          channels--
          void end().finally(() => mine.ends.delete(end))
        })
        channel.on('sftp', acceptSftp => {
          end = serveSftp({
            sftp: acceptSftp(),
            socket,
            login,
            door,
            clock,
            log: log.child({ session }),
            touch,
            hangUp
          })
          mine.ends.add(end)
        })
      })
    })
  }

  const listener = createServer({ noDelay: true }, socket => {
    const address = socket.remoteAddress ?? ''
    socket.on('error', () => {})
    // Each channel hears of its end.
    socket.setMaxListeners(mostChannels + 10)
    if (address === '' || failures.pauseOf(address) > 0) {
      socket.destroy()
      return
    }
    // Without this every small answer waits 40 ms for the client's delayed acknowledgement (measured: 100 times slower).
    socket.setNoDelay(true)
    const key = keyOf(socket)
    socketOf.set(key, socket)
    unknown.add(socket, address)?.destroy()
    const grace = setTimeout(() => {
      if (!isSignedIn(socket)) socket.destroy()
    }, config.loginGraceSeconds * 1000)
    socket.once('close', () => {
      clearTimeout(grace)
      unknown.remove(socket)
      socketOf.delete(key)
    })
    ssh.injectSocket(socket)
  })
  const isSignedIn = (socket: Socket): boolean => [...live].some(([connection, l]) => l.socket === socket && connection.authenticated)
  listener.maxConnections = config.maxConnections

  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(config.port, config.host, () => {
      listener.off('error', reject)
      listener.on('error', error => log.error({ err: error }, 'sftp listener'))
      resolve()
    })
  })
  if (!nativeCipher()) log.warn('SFTP runs without the compiled part of ssh2 and is slow for large files; install again with a compiler')
  const at = listener.address()
  return {
    port: typeof at === 'object' && at !== null ? at.port : config.port,
    async close() {
      const closed = new Promise<void>(resolve => listener.close(() => resolve()))
      const ends = [...live.values()].flatMap(l => [...l.ends]).map(end => end())
      await Promise.race([Promise.allSettled(ends), new Promise(resolve => setTimeout(resolve, 5_000).unref())])
      for (const [connection] of live) connection.end()
      for (const socket of socketOf.values()) socket.destroySoon()
      const force = setTimeout(() => {
        for (const socket of socketOf.values()) socket.destroy()
      }, 500)
      await closed
      clearTimeout(force)
    }
  }
}
