import { createRequire } from 'node:module'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import ssh2, { type ConnectConfig } from 'ssh2'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** Numbers of the messages that matter here (RFC 4253, 4252, 4254, 8308). */
export const message = {
  ignore: 2,
  serviceRequest: 5,
  extInfo: 7,
  kexInit: 20,
  newKeys: 21,
  userAuth: 50,
  globalRequest: 80,
  channelOpen: 90
}

/** A packet as it goes before the keys are agreed: length, padding to eight bytes, payload. */
export function clearPacket(payload: Buffer): Buffer {
  const padding = 8 - ((5 + payload.length) % 8) + (8 - ((5 + payload.length) % 8) < 4 ? 8 : 0)
  const packet = Buffer.alloc(5 + payload.length + padding)
  packet.writeUInt32BE(1 + payload.length + padding)
  packet[4] = padding
  payload.copy(packet, 5)
  return packet
}

export const text = (value: string): Buffer => {
  const packet = Buffer.alloc(4 + Buffer.byteLength(value))
  packet.writeUInt32BE(packet.length - 4)
  packet.write(value, 4)
  return packet
}

export const ignorePacket = clearPacket(Buffer.concat([Buffer.from([message.ignore]), text('')]))

/** What somebody between client and server does to one direction: packets slipped in before a message, bytes cut off after the keys. */
export interface Meddling {
  readonly before?: number
  readonly slipIn?: readonly Buffer[]
  /** Of what comes right after the last clear packet. */
  readonly cut?: number
}

function meddle(plan: Meddling, out: (bytes: Buffer) => void): (bytes: Buffer) => void {
  let held = Buffer.alloc(0)
  let named = false
  let sealed = false
  let left = plan.cut ?? 0
  return bytes => {
    held = Buffer.concat([held, bytes])
    if (!named) {
      const end = held.indexOf('\n')
      if (end < 0) return
      out(held.subarray(0, end + 1))
      held = held.subarray(end + 1)
      named = true
    }
    while (!sealed && held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const whole = 4 + held.readUInt32BE(0)
      if (held[5] === plan.before) for (const packet of plan.slipIn ?? []) out(packet)
      out(held.subarray(0, whole))
      sealed = held[5] === message.newKeys
      held = held.subarray(whole)
    }
    if (!sealed) return
    const gone = Math.min(left, held.length)
    left -= gone
    if (held.length > gone) out(held.subarray(gone))
    held = Buffer.alloc(0)
  }
}

/** Somebody who sits between clients and the server on `port`. @returns the port where clients find him */
export async function between(t: Teardown, port: number, plan: { toServer?: Meddling; toClient?: Meddling }): Promise<number> {
  const open = new Set<Socket>()
  const listener = createServer(client => {
    const server = connectTcp({ port, host: '127.0.0.1', noDelay: true })
    for (const [socket, other] of [
      [client, server],
      [server, client]
    ] as const) {
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.end()
      })
    }
    client.on(
      'data',
      meddle(plan.toServer ?? {}, bytes => void server.write(bytes))
    )
    server.on(
      'data',
      meddle(plan.toClient ?? {}, bytes => void client.write(bytes))
    )
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const socket of open) socket.destroy()
    await new Promise(resolve => listener.close(resolve))
  })
  return (listener.address() as { port: number }).port
}

interface KexInit {
  readonly lists: Record<'kex' | 'serverHostKey', { array: string[] }> & Record<'cs' | 'sc', Record<string, { array: string[] }>>
}

/** How a try went: whether the client was let in, and what both sides agreed on. */
export interface Tried {
  readonly in: boolean
  readonly cipher: string | undefined
  readonly mac: string | undefined
  /** The server said which signatures it takes (EXT_INFO), the first sealed message. */
  readonly told: boolean
  readonly error: string | undefined
}

/** Signs in once. `strict: false` is a client from before the answer to Terrapin: it does not offer the strict key exchange. */
export function tryIn(port: number, config: ConnectConfig, options: { strict: boolean }): Promise<Tried> {
  const client = new ssh2.Client()
  let cipher: string | undefined
  let mac: string | undefined
  let told = false
  let error: string | undefined
  return new Promise(resolve => {
    const end = (entered: boolean): void => {
      client.end()
      resolve({ in: entered, cipher, mac, told, error })
    }
    client.on('handshake', found => {
      cipher = found.cs.cipher
      mac = found.cs.mac as string
    })
    client.on('ready', () => end(true))
    client.on('error', (failure: Error) => {
      error ??= failure.message
    })
    client.on('close', () => end(false))
    client.connect({
      host: '127.0.0.1',
      port,
      readyTimeout: 20_000,
      ...config,
      debug: (line: string) => {
        if (line.includes('Inbound: Received EXT_INFO')) told = true
      }
    })
    if (options.strict) return
    // What it will offer is made by now and not sent before the connection stands.
    const protocol = (client as unknown as { _protocol: { _offer: KexInit; _strictMode: boolean } })._protocol
    // It would go by what the server offers alone.
    protocol._strictMode = false
    const { lists } = protocol._offer
    const Made = createRequire(import.meta.url)('ssh2/lib/protocol/kex.js').KexInit as new (lists: unknown) => KexInit
    const arrays = (side: Record<string, { array: string[] }>) =>
      Object.fromEntries(Object.entries(side).map(([name, { array }]) => [name, array]))
    protocol._offer = new Made({
      kex: lists.kex.array.filter(name => !name.startsWith('kex-strict')),
      serverHostKey: lists.serverHostKey.array,
      cs: arrays(lists.cs),
      sc: arrays(lists.sc)
    })
  })
}

/** Bytes of the server's EXT_INFO when sealed with a cipher whose blocks have `block` bytes and whose tag has 16. */
export function sealedExtInfo(block: number): number {
  const algorithms = 'ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-dss'
  const payload = 1 + 4 + 4 + 'server-sig-algs'.length + 4 + algorithms.length
  let padding = block - ((1 + payload) % block)
  if (padding < 4) padding += block
  return 4 + 1 + payload + padding + 16
}
