import { isUtf8 } from 'node:buffer'
import { refuse } from '../errors.ts'
import type { App } from './app.ts'

/**
 * Takes JSON in UTF-8 (RFC 8259, 8.1) and no other body: what is said or meant to be in another encoding would be read as other
 * characters than were sent. A scope that takes bodies as they are removes this parser.
 */
export function takeJsonOnly(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(request.headers['content-type'] ?? '')?.[1]
    if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
      done(refuse('unsupported_media_type', `JSON is taken in UTF-8 only, not in "${charset.slice(0, 40)}".`))
      return
    }
    if (!isUtf8(body)) {
      done(refuse('malformed_body', 'The body holds bytes that are no UTF-8.'))
      return
    }
    parse(request, body.toString('utf8'), done)
  })
}
