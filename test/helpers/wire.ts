import { connect } from 'node:net'

export interface Heard {
  /** Everything that came back, of however many answers. */
  readonly text: string
  /** Status of each answer, in order. */
  readonly statuses: readonly number[]
  /** The server ended the connection by itself within the time. */
  readonly closed: boolean
}

/**
 * Sends bytes as they are over a connection of their own and listens until the server closes it, or for as long as told.
 * @param baseUrl an address, or the path of a socket
 */
export function wire(baseUrl: string, bytes: string | Buffer, { forMs = 1_500 }: { forMs?: number } = {}): Promise<Heard> {
  return new Promise(resolve => {
    const socket = baseUrl.startsWith('/') ? connect(baseUrl) : connect(Number(new URL(baseUrl).port), new URL(baseUrl).hostname)
    const parts: Buffer[] = []
    const end = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      const text = Buffer.concat(parts).toString('latin1')
      resolve({ text, closed, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)) })
    }
    const timer = setTimeout(() => end(false), forMs)
    socket.on('data', part => parts.push(part))
    socket.on('error', () => end(true))
    socket.on('close', () => end(true))
    socket.write(bytes)
  })
}
