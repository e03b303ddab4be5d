import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Requests and bytes waiting above which we stop reading from the client until we have caught up. */
const comfortableRequests = 64
const comfortableBytes = 4 * 1024 * 1024
/** More than any client sends for a file of the largest size; beyond it the connection ends. */
const mostRequests = 16_384
const mostBytes = 16 * 1024 * 1024
const unsentBytes = 1024 * 1024

export interface RequestQueue {
  /** `bytes`: what the request holds in memory. */
  push(bytes: number, run: () => Promise<void>): void
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>
  /** Nothing more is answered: the client is gone. */
  stop(): void
}

/**
 * Runs the requests of one SFTP channel one after another: files are appended to in the order of the requests, and a session costs
 * one piece of work at a time. A client that sends faster than we store is slowed down by TCP; one that asks and does not
 * read its answers is not answered further (the library would buffer without end).
 */
export function requestQueue(options: { socket: Socket; unsent: () => boolean; overflow: () => void }): RequestQueue {
  const { socket } = options
  const waiting: { readonly bytes: number; readonly run: () => Promise<void> }[] = []
  let bytes = 0
  let running: Promise<void> | undefined
  let stopped = false
  let paused = false
  /** Its window is used up. A full socket is another matter: TCP tells it to read on, and we need not listen meanwhile. */
  let clientSlow = false
  let corked = false

  function flow(): void {
    // While we wait for the client to read, its window adjustments must get through.
    const full = !clientSlow && !stopped && (waiting.length > comfortableRequests || bytes > comfortableBytes)
    if (full === paused) return
    paused = full
    if (full) socket.pause()
    else socket.resume()
  }

  /** Answers made in one go leave in one go: a write to the socket costs more than making the answer (measured). */
  function together(): void {
    if (corked) return
    corked = true
    socket.cork()
    setImmediate(() => {
      corked = false
      socket.uncork()
    })
  }

  async function clientReads(): Promise<void> {
    for (let ms = 1; !stopped && (options.unsent() || socket.writableLength > unsentBytes); ms = Math.min(ms * 2, 50)) {
      clientSlow = options.unsent()
      flow()
      await sleep(ms)
    }
    clientSlow = false
  }

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await clientReads()
      together()
      if (!stopped) await next.run()
      bytes -= next.bytes
      flow()
    }
    running = undefined
  }

  return {
    push(size, run) {
      if (stopped) return
      if (waiting.length >= mostRequests || bytes + size > mostBytes) {
        stopped = true
        options.overflow()
        return
      }
      waiting.push({ bytes: size, run })
      bytes += size
      running ??= work()
      flow()
    },
    async idle() {
      while (running) await running
    },
    stop() {
      stopped = true
      flow()
    }
  }
}
