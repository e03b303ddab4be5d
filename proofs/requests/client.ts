import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export interface Sent {
  readonly method: string
  /** As it goes over the line: nothing is encoded or tidied up. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer | undefined
}

export interface Answer {
  /** 0 when the connection ended without an answer. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Client {
  send(sent: Sent): Promise<Answer>
  close(): void
}

/** Requests as they are told, over a few connections that stay open; `fetch` would put right what is meant to be wrong. */
export function newClient(baseUrl: string): Client {
  const { hostname, port } = new URL(baseUrl)
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  return {
    send: ({ method, path, headers = {}, body }) =>
      new Promise(resolve => {
        const asked = request({ agent, hostname, port, method, path, headers: { ...headers } as never, timeout: 60_000 })
        asked.on('timeout', () => asked.destroy(new Error('no answer within a minute')))
        asked.on('error', error => resolve({ status: 0, headers: {}, text: error.message }))
        asked.on('response', answer => {
          const parts: Buffer[] = []
          const end = (): void =>
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString('utf8') })
          answer.on('data', (part: Buffer) => {
            parts.push(part)
            // A stream that follows changes does not end by itself.
            if (answer.headers['content-type']?.startsWith('text/event-stream')) {
              end()
              answer.destroy()
            }
          })
          answer.on('end', end)
          answer.on('error', end)
        })
        asked.end(body)
      }),
    close: () => agent.destroy()
  }
}
