import { connect, createServer, type Socket } from 'node:net'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** A door in front of a PostgreSQL that can be shut: what comes is neither passed on nor refused, as where a server stands still. */
export async function gateTo(t: Teardown, url: string): Promise<{ readonly url: string; shut(): void; open(): void }> {
  const target = new URL(url)
  const folder = target.searchParams.get('host')
  const port = Number(target.port || 5432)
  const pairs = new Set<readonly [Socket, Socket]>()
  let shut = false
  const server = createServer(near => {
    const far = folder?.startsWith('/') ? connect(`${folder}/.s.PGSQL.${port}`) : connect(port, folder ?? target.hostname)
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on('data', part => other.write(part))
      one.on('error', () => other.destroy())
      one.on('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
      if (shut) one.pause()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const [near] of pairs) near.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  target.searchParams.delete('host')
  target.hostname = '127.0.0.1'
  target.port = String(address.port)
  const all = (): Socket[] => [...pairs].flat()
  return {
    url: target.toString(),
    shut() {
      shut = true
      for (const socket of all()) socket.pause()
    },
    open() {
      shut = false
      for (const socket of all()) socket.resume()
    }
  }
}
