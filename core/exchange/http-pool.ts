import { isIP } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { resolveTarget } from './egress.ts'

/** Nothing of a request left: finding the name, connecting or TLS failed. Only our own connector makes it, so it is proof. */
export class NotConnected extends Error {
  constructor(cause: unknown) {
    super('not connected', { cause })
    this.name = 'NotConnected'
  }
}

const connectMs = 10_000
/** Shorter than servers keep a quiet connection, so that a request seldom meets one that is just being closed. */
const keepAliveMs = 2_000

/** One agent per connection and set of hosts: sockets of two connections, or of two settings, are never shared. */
const agents = new Map<string, Agent>()

/**
 * The agent of one connection. Each new socket resolves the name itself, checks the address and connects to just that address; server
 * name and certificate still go by the name. Quiet sockets keep no process alive.
 */
export function agentOf(options: {
  readonly connectionId: string
  readonly hosts: ReadonlySet<string>
  readonly allowPrivate: readonly string[]
  readonly concurrency: number
}): Agent {
  const key = JSON.stringify([options.connectionId, [...options.hosts].sort(), options.allowPrivate, options.concurrency])
  const known = agents.get(key)
  if (known) return known
  for (const [other, agent] of agents) {
    if (!other.startsWith(`["${options.connectionId}"`)) continue
    agents.delete(other)
    agent.close().catch(() => {})
  }
  const connect = buildConnector({ timeout: connectMs, maxCachedSessions: 10 })
  const agent = new Agent({
    connections: options.concurrency,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    connect: (target, callback) => {
      const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80))
      resolveTarget(target.hostname, port, options.hosts, options.allowPrivate).then(
        ({ address }) =>
          connect(
            { ...target, hostname: address, ...(isIP(target.hostname.replace(/^\[|\]$/g, '')) ? {} : { servername: target.hostname }) },
            (error, socket) => (error === null ? callback(null, socket) : callback(new NotConnected(error), null))
          ),
        error => callback(new NotConnected(error), null)
      )
    }
  })
  agents.set(key, agent)
  return agent
}

/** Ends all quiet and open sockets at once; a process that ends need not call it, since quiet sockets keep none alive. */
export async function closeAgents(): Promise<void> {
  const all = [...agents.values()]
  agents.clear()
  await Promise.allSettled(all.map(agent => agent.destroy()))
}
