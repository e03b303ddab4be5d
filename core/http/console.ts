import { createHash, randomBytes } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuse } from '../errors.ts'
import type { App } from './app.ts'
import { compress, type Encoding, encodingFor } from './encoding.ts'

/** First parts of the console's own addresses; each gives the one page, which finds the rest of the way itself. */
export const consolePaths: readonly string[] = [
  'welcome',
  'floor',
  'overview',
  'orders',
  'stock',
  'hours',
  'connections',
  'feedback',
  'errors',
  'people',
  'account'
]

const noncePlaceholder = '%nonce%'
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json'
}

interface Asset {
  readonly type: string
  readonly bytes: Buffer
  /** Made at the first request for it and kept; undefined when it would not become smaller. */
  readonly encoded: (encoding: Encoding) => Promise<Buffer> | undefined
  /** Of the bytes as they are; an encoding has a tag of its own. */
  readonly etag: string
  /** A name with a hash in it never changes its content. */
  readonly immutable: boolean
}

/**
 * The console as Vite built it, read into memory once: what is not in the folder at the start does not exist, so no address reaches
 * any other file. Every page gets a nonce of its own; scripts and styles run by that nonce alone.
 */
export function consoleRoutes(app: App, folder: string): void {
  const assets = new Map<string, Asset>()
  for (const name of globSync('**/*', { cwd: folder, withFileTypes: true })) {
    if (!name.isFile() || name.name.startsWith('.')) continue
    const path = join(name.parentPath, name.name)
    assets.set(path.slice(folder.length).replaceAll('\\', '/'), assetOf(path))
  }
  const index = assets.get('/index.html')?.bytes.toString('utf8')
  assets.delete('/index.html')

  const page = async (_request: FastifyRequest, reply: FastifyReply) => {
    const nonce = randomBytes(16).toString('base64')
    reply.type('text/html; charset=utf-8').header('content-security-policy', policy(nonce))
    return index === undefined ? reply.code(503).send(notBuilt) : reply.send(index.replaceAll(noncePlaceholder, nonce))
  }
  const schema = { hide: true }
  const config = { public: true } as const
  app.get('/', { config, schema }, page)
  for (const path of consolePaths) {
    app.get(`/${path}`, { config, schema }, page)
    app.get(`/${path}/*`, { config, schema }, page)
  }
  const file = async (request: FastifyRequest, reply: FastifyReply) => {
    const asset = assets.get(request.url.split('?')[0] ?? '')
    if (!asset) throw refuse('not_found', 'There is no such file; a newer console may have replaced it. Load the page again.')
    const wanted = encodingFor(request.headers['accept-encoding'])
    const encoded = wanted && asset.encoded(wanted)
    const encoding = encoded && wanted
    // A strong tag names the bytes that are sent, so each encoding has one of its own (RFC 9110, 8.8.3.3).
    const etag = `"${asset.etag}${encoding ? `-${encoding}` : ''}"`
    reply
      .header('cache-control', asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      .header('etag', etag)
      .header('vary', 'accept-encoding')
    if (isNamed(etag, request.headers['if-none-match'])) return reply.code(304).send()
    reply.type(asset.type)
    return encoded && encoding ? reply.header('content-encoding', encoding).send(await encoded) : reply.send(asset.bytes)
  }
  app.get('/assets/*', { config, schema }, file)
  app.get('/icon.svg', { config, schema }, file)
}

/** `strict-dynamic`: a script that has the nonce may load the chunks it imports. Mantine's style elements carry the nonce too. */
const policy = (nonce: string): string =>
  `default-src 'none'; script-src 'nonce-${nonce}' 'strict-dynamic'; style-src 'self' 'nonce-${nonce}'; connect-src 'self'; img-src 'self' blob:; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'`

/** Whether `If-None-Match` names the tag; a proxy may have made it weak. */
const isNamed = (etag: string, header = ''): boolean =>
  header.split(',').some(tag => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)

function assetOf(path: string): Asset {
  const bytes = readFileSync(path)
  const extension = extname(path)
  const made = new Map<Encoding, Promise<Buffer>>()
  return {
    type: types[extension] ?? 'application/octet-stream',
    bytes,
    encoded(encoding) {
      if (bytes.length < 1024 || extension === '.woff2') return undefined
      const kept = made.get(encoding)
      if (kept) return kept
      const making = compress(bytes, encoding)
      made.set(encoding, making)
      return making
    },
    etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
    immutable: /-[\w-]{8,}\.\w+$/.test(path)
  }
}

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Werkvloer</title>
<p>The console is not built. <code>npm start</code> builds it; the API works without: <a href="/api/v1/openapi.json">its description</a>.`
