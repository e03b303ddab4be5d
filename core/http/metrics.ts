import { createServer, type Server } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Pulse } from '../db/pulse.ts'
import type { Room } from '../storage/room.ts'
import type { App } from './app.ts'

/** Figures for Prometheus, on a listener of their own that is never public. No label holds a person or a tenant's content. */
export interface Metrics {
  readonly registry: Registry
  readonly tasks: Counter<'kind' | 'outcome'>
  readonly sealLag: Gauge<'tenant'>
  readonly liveStreams: Gauge
  readonly limited: Counter<'by'>
  listen(host: string, port: number): Promise<Server>
}

export function createMetrics(app: App | undefined, watched: { readonly room: Room; readonly pulse: Pick<Pulse, 'silent'> }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'werkvloer_' })
  const requests = new Histogram({
    name: 'werkvloer_http_request_seconds',
    help: 'Duration of answered requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry]
  })
  app?.addHook('onResponse', async (request, reply) => {
    if (request.routeOptions.config.endless && reply.statusCode === 200) return
    requests.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) },
      reply.elapsedTime / 1000
    )
  })
  new Gauge({
    name: 'werkvloer_storage_full',
    help: '1 while deliveries are refused because a file did not fit',
    registers: [registry],
    collect() {
      this.set(watched.room.full ? 1 : 0)
    }
  })
  new Gauge({
    name: 'werkvloer_storage_free_bytes',
    help: 'Bytes free where delivered files are kept',
    registers: [registry],
    async collect() {
      const free = await watched.room.free()
      if (free !== undefined) this.set(free)
    }
  })
  new Gauge({
    name: 'werkvloer_database_silent',
    help: '1 while the database server does not answer and requests are refused for it',
    registers: [registry],
    collect() {
      this.set(watched.pulse.silent ? 1 : 0)
    }
  })
  return {
    registry,
    tasks: new Counter({
      name: 'werkvloer_tasks_total',
      help: 'Pieces of tenant work by kind and outcome',
      labelNames: ['kind', 'outcome'],
      registers: [registry]
    }),
    limited: new Counter({
      name: 'werkvloer_http_limited_total',
      help: 'Requests refused with 429 because a caller, or a customer as a whole, asks more than its share',
      labelNames: ['by'],
      registers: [registry]
    }),
    liveStreams: new Gauge({
      name: 'werkvloer_live_streams',
      help: 'Screens of this process that follow changes',
      registers: [registry]
    }),
    sealLag: new Gauge({
      name: 'werkvloer_journal_seal_lag_seconds',
      help: 'Age of the oldest journal entry that is not sealed yet',
      labelNames: ['tenant'],
      registers: [registry]
    }),
    async listen(host, port) {
      const server = createServer((request, response) => {
        if (request.url !== '/metrics') return void response.writeHead(404).end()
        registry.metrics().then(
          text => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
          () => response.writeHead(500).end()
        )
      })
      server.requestTimeout = 10_000
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, resolve)
      })
      return server
    }
  }
}
