import t from 'tap'
import { redactedKeys } from '../../config/redaction.ts'
import { createLog, type Log } from '../../core/log.ts'

function capture(): { log: Log; lines: () => Record<string, unknown>[]; text: () => string } {
  let written = ''
  const log = createLog(
    { logLevel: 'trace' },
    {
      write: line => {
        written += line
      }
    }
  )
  return {
    log,
    text: () => written,
    lines: () =>
      written
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Record<string, unknown>)
  }
}

t.test('log: one event is one JSON line with time, level and message', async t => {
  const { log, lines } = capture()
  log.info({ op: 'start', dur_ms: 12 }, 'serving')
  t.match(lines(), [{ level: 'info', op: 'start', dur_ms: 12, msg: 'serving', time: /^\d{4}-.*Z$/ }])
})

t.test('log: every key of the list is redacted at any depth and in any spelling', async t => {
  const { log, text } = capture()
  for (const key of redactedKeys) {
    const snake = key.replace(/[A-Z]/g, char => `_${char.toLowerCase()}`)
    for (const spelling of [key, snake, key.toUpperCase(), snake.replaceAll('_', '-')]) {
      log.info({ [spelling]: 'canary', deep: { list: [{ [spelling]: { inner: 'canary' } }] } }, 'event')
      log.child({ [spelling]: 'canary' }).warn('child')
    }
  }
  t.notMatch(text(), /canary/)
  t.match(text(), /\[redacted\]/)
})

t.test('log: numbers under such a key stay, since they count', async t => {
  const { log, lines } = capture()
  log.info({ rows: 12, token: 3, records: null }, 'imported')
  t.match(lines(), [{ rows: 12, token: 3, records: null }])
})

t.test('log: an error of the database says its code and place, never the data', async t => {
  const { log, text, lines } = capture()
  const error = Object.assign(new Error('invalid input syntax for type integer: "canary"'), {
    code: '22P02',
    severity: 'ERROR',
    detail: 'Key (name)=(canary)',
    where: 'canary',
    hint: 'canary',
    table: 'employee',
    constraint: 'employee_pk'
  })
  log.error(error)
  log.error({ err: error })
  log.error({ err: new Error('reading the file', { cause: error }), more: error }, 'failed')
  log.error({ err: new AggregateError([error], 'all') }, 'failed')
  t.notMatch(text(), /canary/)
  t.match(lines()[2], { err: { message: 'reading the file', cause: { code: '22P02', table: 'employee', constraint: 'employee_pk' } } })
})

t.test('log: no text breaks the line or speaks to the terminal', async t => {
  const { log, text, lines } = capture()
  const nasty = 'a\r\nb\u001b[31m\u009b2J\u0085\u2028\u2029\u007f"]\u0000'
  log.info({ agent: nasty }, nasty)
  t.equal(text().split('\n').length, 2, 'one line and its end')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not appear
  t.notMatch(text().trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  t.match(lines()[0], { agent: nasty, msg: nasty }, 'and nothing of it is lost')
})

t.test('log: long, deep, round and strange values stay small', async t => {
  const { log, text, lines } = capture()
  const round: Record<string, unknown> = {}
  round.self = round
  log.info(
    {
      long: 'x'.repeat(1_000_000),
      round,
      list: Array.from({ length: 10_000 }, () => 1),
      bytes: Buffer.alloc(9),
      map: new Map(),
      call: () => 1,
      at: new Date(0)
    },
    'y'.repeat(1_000_000)
  )
  t.ok(text().length < 20_000)
  t.match(lines()[0], { bytes: '[9 bytes]', map: '[Map]', call: '[function]', at: '1970-01-01T00:00:00.000Z' })
})

t.test('log: a request shows its route, not its address', async t => {
  const { log, text, lines } = capture()
  log.info(
    {
      req: { id: 'r1', method: 'GET', url: '/jobs?search=canary', routeOptions: { url: '/jobs' }, headers: { authorization: 'canary' } },
      res: { statusCode: 200 }
    },
    'done'
  )
  t.notMatch(text(), /canary/)
  t.match(lines()[0], { req: { id: 'r1', method: 'GET', route: '/jobs' }, res: { status: 200 } })
})
