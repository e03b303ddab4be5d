import type { Duplex } from 'node:stream'
import type { Client as SshClient } from 'ssh2'

/** Numbers of the requests and answers of SFTP version 3. */
export const packet = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  opendir: 11,
  readdir: 12,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  extended: 200
}

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
export const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
export const field = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([u32(bytes.length), bytes])
}

export interface WireAnswer {
  readonly type: number
  /** Behind the id of the request. */
  readonly body: Buffer
}

/** An SFTP channel without a library's good manners: any bytes may be sent, and answers need not be read. */
export interface SftpWire {
  readonly channel: Duplex
  /** @returns what was answered; rejects when the channel ends before */
  ask(type: number, ...fields: Buffer[]): Promise<WireAnswer>
  /** Makes the bytes of a request that nobody waits for. */
  request(type: number, ...fields: Buffer[]): Buffer
  /** Answers that came and that nobody waited for. */
  readonly unasked: number
  readonly ended: Promise<void>
}

export async function sftpWire(client: SshClient): Promise<SftpWire> {
  const channel = await new Promise<Duplex>((resolve, reject) =>
    client.subsys('sftp', (error, stream) => (error ? reject(error) : resolve(stream as unknown as Duplex)))
  )
  const asked = new Map<number, { resolve: (answer: WireAnswer) => void; reject: (error: Error) => void }>()
  let next = 1
  let unasked = 0
  let held: Buffer[] = []
  let heldBytes = 0
  const ended = new Promise<void>(resolve => {
    const over = (): void => {
      for (const { reject } of asked.values()) reject(new Error('the channel ended'))
      asked.clear()
      resolve()
    }
    channel.on('close', over)
    channel.on('error', over)
    client.on('close', over)
    client.on('error', over)
  })
  channel.on('data', (bytes: Buffer) => {
    held.push(bytes)
    heldBytes += bytes.length
    while (heldBytes >= 4) {
      if ((held[0]?.length ?? 0) < 4) held = [Buffer.concat(held)]
      const whole = 4 + (held[0]?.readUInt32BE(0) ?? 0)
      if (heldBytes < whole) return
      const all = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held)
      const type = all[4] ?? 0
      const answer = { type, body: Buffer.from(all.subarray(9, whole)) }
      const waiting = asked.get(type === 2 ? 0 : all.readUInt32BE(5))
      if (waiting) {
        asked.delete(type === 2 ? 0 : all.readUInt32BE(5))
        waiting.resolve(answer)
      } else unasked++
      held = whole === all.length ? [] : [all.subarray(whole)]
      heldBytes -= whole
    }
  })
  const wait = (id: number): Promise<WireAnswer> => new Promise((resolve, reject) => asked.set(id, { resolve, reject }))
  const request = (type: number, ...fields: Buffer[]): Buffer => field(Buffer.concat([Buffer.of(type), u32(next++), ...fields]))
  channel.write(field(Buffer.concat([Buffer.of(packet.init), u32(3)])))
  await wait(0)
  return {
    channel,
    request,
    ask(type, ...fields) {
      const id = next
      const answer = wait(id)
      channel.write(request(type, ...fields))
      return answer
    },
    get unasked() {
      return unasked
    },
    ended
  }
}

/** Of an answer of type STATUS: its code and words. */
export function statusOf({ type, body }: WireAnswer): { readonly code: number; readonly message: string } | undefined {
  return type === packet.status ? { code: body.readUInt32BE(0), message: body.subarray(8, 8 + body.readUInt32BE(4)).toString() } : undefined
}

export const handleOf = ({ type, body }: WireAnswer): Buffer | undefined =>
  type === packet.handle ? Buffer.from(body.subarray(4, 4 + body.readUInt32BE(0))) : undefined

/** OPEN without attributes; the flags are those of the protocol: 1 read, 2 write, 8 create, 16 truncate. */
export const openFields = (path: string, flags: number): Buffer[] => [field(path), u32(flags), u32(0)]
