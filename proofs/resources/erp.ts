import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How the ERP behaves: it answers, it takes the request and says nothing, or it says one byte now and then. */
export type Mood = 'answers' | 'silent' | 'trickles'

export interface SlowErp {
  readonly port: number
  mood: Mood
  /** Key -> how often it was booked: an ERP that cannot tell a repetition. */
  readonly booked: ReadonlyMap<string, number>
  /** Requests that it holds now. */
  readonly held: number
  close(): Promise<void>
}

/**
 * An ERP without any protection of its own: what is posted is booked, twice when it comes twice. In a bad mood it books every other
 * document before it falls silent, so that nobody outside can know.
 */
export async function slowErp(): Promise<SlowErp> {
  const booked = new Map<string, number>()
  const sockets = new Set<Socket>()
  const erp = { mood: 'answers' as Mood, held: 0 }
  let turn = 0

  async function hold(answer: ServerResponse): Promise<void> {
    erp.held++
    answer.once('close', () => erp.held--)
    if (erp.mood === 'silent') return
    answer.writeHead(200, { 'content-type': 'application/json' })
    while (!answer.closed) {
      answer.write(' ')
      await sleep(300)
    }
  }

  const server = createServer(async (request, answer) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const url = new URL(request.url ?? '/', 'http://erp')
    const say = (status: number, body: unknown): void =>
      void answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const bad = erp.mood !== 'answers'
    if (request.method === 'POST') {
      const { key } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { key: string }
      if (!bad || turn++ % 2 === 0) booked.set(key, (booked.get(key) ?? 0) + 1)
      if (bad) return void hold(answer)
      say(201, { document: `DOC-${key.slice(-8)}` })
      return
    }
    if (bad) return void hold(answer)
    if (url.pathname === '/documents') {
      const key = url.searchParams.get('key') ?? ''
      say(200, { document: booked.has(key) ? `DOC-${key.slice(-8)}` : null })
    } else say(200, { value: [] })
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get mood() {
      return erp.mood
    },
    set mood(mood) {
      erp.mood = mood
    },
    booked,
    get held() {
      return erp.held
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
