import { readFileSync } from 'node:fs'
import { type AdapterCtx, type ConfigOf, type ConfigSchema, defineAdapter } from '../../adapters/contract/index.ts'
import csv from '../../adapters/csv/index.ts'
import { serve } from '../../core/commands/serve.ts'
import { parts } from '../../parts.ts'
import { restAdapter as rest } from '../../test/adapters/rest-adapter.ts'

/**
 * The product as main.ts serves it, with one more adapter: its orders come as files, its feedback goes out by calls, it also fetches, and it
 * waits for its ERP twenty seconds instead of thirty.
 */
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

type Ctx<S extends ConfigSchema> = AdapterCtx<ConfigOf<S>>
const impatient = (ctx: Ctx<ConfigSchema>): Ctx<typeof rest.manifest.config> =>
  ({ ...ctx, http: { request: request => ctx.http.request({ ...request, timeoutMs: 20_000 }) } }) as Ctx<typeof rest.manifest.config>

const { manifest } = csv
const calling = defineAdapter({
  manifest: {
    ...manifest,
    id: 'proof.rest',
    config: {
      ...manifest.config,
      required: ['delimiter', 'baseUrl', 'token'],
      properties: { ...manifest.config.properties, ...rest.manifest.config.properties }
    } as ConfigSchema,
    egress: ['/baseUrl'],
    imports: {
      ...manifest.imports,
      workOrder: {
        via: ['file', 'pull'],
        mode: ['delta'],
        files: { pattern: 'WO_*.csv' },
        schedule: { defaultSeconds: 300, minSeconds: 30 }
      }
    },
    exports: Object.fromEntries(
      Object.entries(manifest.exports).map(([kind, given]) => [kind, { ...given, idempotency: 'lookup', confirms: 'sync' }])
    ),
    limits: { maxBatch: 20 }
  },
  import: {
    file: (file, ctx) => csv.import?.file?.(file, ctx as never) ?? nothing(),
    pull: (given, ctx) => rest.import?.pull?.(given, impatient(ctx)) ?? nothing()
  },
  export: (batch, ctx) => rest.export?.(batch, impatient(ctx)) ?? nothing(),
  lookup: (items, ctx) => rest.lookup?.(items, impatient(ctx)) ?? nothing()
})

async function* nothing(): AsyncIterable<never> {}

process.exitCode = await serve.run([], { parts: { ...parts, adapters: [...parts.adapters, calling] }, version, demo: undefined })
setTimeout(() => process.exit(), 500).unref()
