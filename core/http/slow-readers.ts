import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Below this an answer is not read but held. */
const leastBytesPerSecond = 1_024

/**
 * Closes connections on which an answer waits and is taken slower than a kilobyte a second for as long as told: each holds what it has not
 * read in our memory. Node has a limit for quiet sockets only, and a byte now and then is not quiet.
 */
export function closeSlowReaders(app: FastifyInstance, patienceMs: number): void {
  const sockets = new Map<Socket, { taken: number; slowMs: number }>()
  app.server.on('connection', socket => {
    sockets.set(socket, { taken: 0, slowMs: 0 })
    socket.once('close', () => sockets.delete(socket))
  })
  const everyMs = Math.max(50, patienceMs / 6)
  const timer = setInterval(() => {
    for (const [socket, state] of sockets) {
      const wire = wireOf(socket)
      if (!wire) continue
      const taken = wire.bytesWritten - wire.writeQueueSize
      const waits = wire.writeQueueSize > 0 || socket.writableLength > 0
      const slow = waits && taken - state.taken < (leastBytesPerSecond * everyMs) / 1_000
      state.slowMs = slow ? state.slowMs + everyMs : 0
      state.taken = taken
      if (state.slowMs >= patienceMs) socket.destroy()
    }
  }, everyMs)
  timer.unref()
  app.addHook('onClose', async () => clearInterval(timer))
}

/** The documented counters count a large answer as written when it was handed to the system; these move as it is taken. */
const wireOf = (socket: Socket) =>
  (socket as unknown as { readonly _handle: { readonly bytesWritten: number; readonly writeQueueSize: number } | null })._handle
