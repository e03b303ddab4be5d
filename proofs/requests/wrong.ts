import type { Operation, Schema } from '../../test/helpers/api.ts'
import type { Sent } from './client.ts'
import type { Fits } from './fits.ts'

/** A request of which one thing is not as described. */
export interface Wrong {
  readonly what: string
  readonly sent: Sent
  /** Whether the description says no; where it does not, any answer that fits will do. */
  readonly refused: boolean
}

/** A request in parts, so that one of them can be changed. */
export interface Parts {
  readonly method: string
  /** Path parameters, not encoded yet. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: unknown
}

const encoded = (query: Readonly<Record<string, string>>): string[] =>
  Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)

/** The request as it goes over the line. */
export function build(operation: Operation, parts: Parts, raw: { query?: readonly string[]; body?: string | Buffer } = {}): Sent {
  const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(parts.params[name] ?? ''))
  const query = [...encoded(parts.query), ...(raw.query ?? [])].join('&')
  const body = raw.body ?? (parts.body === undefined ? undefined : JSON.stringify(parts.body))
  return {
    method: parts.method,
    path: query === '' ? path : `${path}?${query}`,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      ...parts.headers
    },
    body
  }
}

const nul = 'a\u0000b'
const half = 'a\ud800b'
const values: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    5,
    2 ** 31,
    2 ** 53,
    1e308,
    '',
    '5',
    'true',
    'null',
    nul,
    half,
    "';--",
    '../..',
    '\u202e',
    [],
    ['x'],
    [[]],
    {}
  ],
  ...[{ x: 1 }, { $ref: '#' }, 'x'.repeat(5_000), '0'.repeat(40), '2026-02-30', '0190ffff-ffff-7fff-8fff-ffffffffffff', '１２', '-0', '1e5']
]
/** Numbers that no JSON.stringify writes. */
const rawValues = ['1e400', '-0', '9'.repeat(400), '0.1e-400', `1${'0'.repeat(30)}.5`]
const texts = ['', 'x', nul, '%00', "' or 1=1--", '../../etc', '9'.repeat(30), '-1', '1.5', 'true', 'x'.repeat(190), 'İ\u{1f469}']

const place = '@@here@@'

/** Everything that can be wrong about a request, one thing at a time. `right` is a request that fits. */
export function wrongsOf(operation: Operation, right: Parts, fits: Fits, resolve: (schema: Schema) => Schema): Wrong[] {
  const found: Wrong[] = []
  const add = (what: string, sent: Sent, refused: boolean): void => void found.push({ what, sent, refused })

  for (const { name, in: where, schema = {}, required } of operation.parameters) {
    if (where === 'header') continue
    for (const text of texts) {
      const refused = !fits.takes(schema, text, true)
      if (where === 'path' && (text === '' || text.includes('/'))) continue
      const changed =
        where === 'path' ? { ...right, params: { ...right.params, [name]: text } } : { ...right, query: { ...right.query, [name]: text } }
      add(`${where} ${name} = ${JSON.stringify(text).slice(0, 30)}`, build(operation, changed), refused)
    }
    if (where !== 'query') continue
    const { [name]: value = '1', ...others } = right.query
    if (required) add(`without the query ${name}`, build(operation, { ...right, query: others }), true)
    add(
      `the query ${name} twice`,
      build(operation, { ...right, query: others }, { query: [`${name}=${encodeURIComponent(value)}`, `${name}=x`] }),
      true
    )
    add(`${name}[] in the query`, build(operation, right, { query: [`${name}[]=x`] }), true)
    add(`${name}.x in the query`, build(operation, right, { query: [`${name}.x=1`] }), true)
  }
  add(
    'a query that nobody knows',
    build(operation, right, { query: ['no_such=1'] }),
    operation.path.startsWith('/api/') || operation.path.startsWith('/erp/')
  )
  add(
    'a path with a wrong encoding',
    { ...build(operation, right), path: build(operation, right).path.replace(/[^/?]+(?=\?|$)/, '%E0%A4%A') },
    true
  )

  const schema = operation.body?.['application/json']?.schema
  // What is stored as it comes is not wrong before somebody looks into it.
  if (schema?.type || schema?.anyOf || schema?.$ref) bodies(operation, right, schema, fits, resolve, add)
  headers(operation, right, add)
  return found
}

type Add = (what: string, sent: Sent, refused: boolean) => void

function bodies(operation: Operation, right: Parts, schema: Schema, fits: Fits, resolve: (schema: Schema) => Schema, add: Add): void {
  const with_ = (what: string, body: unknown): void => add(what, build(operation, { ...right, body }), !fits.takes(schema, body))
  for (const value of [null, [], 'text', 5, true]) with_(`the body ${JSON.stringify(value)}`, value)
  add('no body', build(operation, { ...right, body: undefined }), !fits.takes(schema, null))
  for (const raw of ['{', '[1,]', '{"a":1}x', "{'a':1}", '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{}}}', 'NaN'])
    add(`the bytes ${raw.slice(0, 20)}`, build(operation, right, { body: raw }), true)
  // A mark at the beginning may be passed over (RFC 8259, 8.1).
  add('a byte order mark', build(operation, right, { body: `\ufeff${JSON.stringify(right.body ?? {})}` }), false)
  add('bytes that are no UTF-8', build(operation, right, { body: Buffer.from([0x22, 0xff, 0xfe, 0x22]) }), true)
  add('a hundred thousand levels', build(operation, right, { body: '['.repeat(100_000) }), true)
  add('two hundred levels', build(operation, right, { body: `${'['.repeat(200)}${']'.repeat(200)}` }), true)
  if (right.body !== undefined)
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json; charset=utf-7',
      'x'
    ])
      add(`the content type ${type}`, build(operation, { ...right, headers: { ...right.headers, 'content-type': type } }), true)

  for (const { at, schema: one, required } of fieldsOf(schema, right.body, resolve)) {
    const name = at.join('/')
    for (const value of values) with_(`${name} = ${JSON.stringify(value)?.slice(0, 40)}`, put(right.body, at, value))
    const { minLength = 0, maxLength, minimum, maximum, maxItems } = resolve(one)
    if (maxLength !== undefined) with_(`${name} one character too long`, put(right.body, at, 'x'.repeat(maxLength + 1)))
    if (minLength > 0) with_(`${name} one character too short`, put(right.body, at, 'x'.repeat(minLength - 1)))
    if (minimum !== undefined) with_(`${name} one too low`, put(right.body, at, minimum - 1))
    if (maximum !== undefined) with_(`${name} one too high`, put(right.body, at, maximum + 1))
    if (maxItems !== undefined)
      with_(
        `${name} with one too many`,
        put(
          right.body,
          at,
          Array.from({ length: maxItems + 1 }, () => 'x')
        )
      )
    if (required) with_(`without ${name}`, put(right.body, at, undefined))
    with_(`${name} with a field that nobody knows beside it`, put(right.body, [...at.slice(0, -1), 'no_such'], 1))
    for (const raw of rawValues) {
      const text = JSON.stringify(put(right.body, at, place)).replace(`"${place}"`, raw)
      add(`${name} = ${raw.slice(0, 20)}`, build(operation, right, { body: text }), !fits.takes(schema, JSON.parse(text)))
    }
  }
}

interface Field {
  readonly at: readonly (string | number)[]
  readonly schema: Schema
  readonly required: boolean
}

/** Every field that the schema knows and the body holds or may hold, also inside lists. */
function fieldsOf(given: Schema, body: unknown, resolve: (schema: Schema) => Schema, at: readonly (string | number)[] = []): Field[] {
  const schema = resolve(given)
  if (Array.isArray(body)) {
    const [first] = body
    return schema.items && first !== undefined
      ? [{ at: [...at, 0], schema: schema.items, required: false }, ...fieldsOf(schema.items, first, resolve, [...at, 0])]
      : []
  }
  if (typeof body !== 'object' || body === null) return []
  return Object.entries(schema.properties ?? {}).flatMap(([name, one]) => [
    { at: [...at, name], schema: one, required: schema.required?.includes(name) ?? false },
    ...fieldsOf(one, (body as Record<string, unknown>)[name], resolve, [...at, name])
  ])
}

function put(body: unknown, [first, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (first === undefined) return value
  if (Array.isArray(body)) return body.map((one, n) => (n === first ? put(one, rest, value) : one))
  const object = body as Record<string, unknown>
  return { ...object, [first]: put(object[first] ?? {}, rest, value) }
}

function headers(operation: Operation, right: Parts, add: Add): void {
  const changed = (what: string, headers: Parts['headers'], refused: boolean): void =>
    add(what, build(operation, { ...right, headers: { ...right.headers, ...headers } }), refused)
  const writes = operation.method !== 'GET' && operation.permission !== null
  for (const key of ['short', 'with a space in it', 'é'.repeat(10), 'x'.repeat(201), '\t'.repeat(9)])
    changed(`the Idempotency-Key ${key.slice(0, 12)}`, { 'idempotency-key': key }, false)
  if (writes) changed('two Idempotency-Keys', { 'idempotency-key': ['one-key-of-two', 'two-keys-of-two'] }, false)
  for (const prefer of ['wait=-1', 'wait=999999999999', 'wait="x', 'respond-async', ',,,;;='])
    changed(`Prefer: ${prefer}`, { prefer }, false)
  for (const accept of ['text/html', 'application/xml;q=1', '*/*;q=x', ',,,', 'application/json;version=9'])
    changed(`Accept: ${accept}`, { accept }, false)
  changed('If-Match', { 'if-match': '"no-such"' }, false)
  changed('If-None-Match', { 'if-none-match': '*' }, false)
  changed('Range', { range: 'bytes=5-1,999999999999999999-' }, false)
  changed('Expect', { expect: '200-ok' }, false)
  changed('Last-Event-ID', { 'last-event-id': 'x'.repeat(200) }, operation.operationId === 'followChanges')
  changed('X-HTTP-Method-Override', { 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE' }, false)
  changed('Accept-Encoding', { 'accept-encoding': 'br;q=9, *;q=0, identity;q=0' }, false)
  changed('cookies', { cookie: `wv_refresh=${'x'.repeat(3_000)}; =;;a=b=c; wv_refresh=%00` }, false)
  if (operation.permission !== null) {
    for (const token of [
      '',
      'Bearer',
      'Bearer ',
      'Basic eDp4',
      'Bearer a.b.c',
      `Bearer ${'x'.repeat(6_000)}`,
      'bearer wv_api_x_y',
      'Bearer wv_erp_\u00e9'
    ])
      changed(`Authorization: ${token.slice(0, 20)}`, { authorization: token }, true)
  }
}
