import { createServer, type Server } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { App } from './app.ts'

/** Figures for Prometheus, on a listener of their own that is never public. No label holds a person or a tenant's content. */
export interface Metrics {
  readonly registry: Registry
  readonly tasks: Counter<'kind' | 'outcome'>
  readonly sealLag: Gauge<'tenant'>
  readonly liveStreams: Gauge
  listen(host: string, port: number): Promise<Server>
}

export function createMetrics(app: App | undefined): Metrics {
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
  return {
    registry,
    tasks: new Counter({
      name: 'werkvloer_tasks_total',
      help: 'Pieces of tenant work by kind and outcome',
      labelNames: ['kind', 'outcome'],
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
