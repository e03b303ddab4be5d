import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { openTestHouse } from '../helpers/house.ts'

t.test('H2: every answer carries the headers that keep a browser from doing something with it, refusals of any kind too', async t => {
  const at = await openTestHouse(t)
  const paths = {
    'an answer': '/health/live',
    'nobody signed in': '/api/v1/jobs',
    'nothing there': '/api/v1/nothing',
    'a wrong encoding': '/api/v1/%zz',
    'a part that is too long': `/api/v1/jobs/${'a'.repeat(300)}`
  }
  for (const [what, path] of Object.entries(paths)) {
    const { headers, body } = await at.call<{ instance?: string }>('GET', path)
    t.match(headers.get('content-security-policy'), "default-src 'none'", what)
    t.equal(headers.get('x-content-type-options'), 'nosniff', what)
    t.equal(headers.get('cache-control'), 'no-store', what)
    t.equal(headers.get('referrer-policy'), 'no-referrer', what)
    t.equal(
      headers.get('x-request-id'),
      body.instance ?? headers.get('x-request-id') ?? '',
      `${what}: the number by which the log finds it`
    )
  }
})

t.test('H2: bytes that are no request are answered with them as well', async t => {
  const at = await openTestHouse(t)
  const socket = connect(Number(new URL(at.baseUrl).port), '127.0.0.1')
  socket.write('NOT HTTP AT ALL\r\n\r\n')
  const answer = await text(socket)
  t.match(answer, /^HTTP\/1\.1 400 .*\r\n/)
  t.match(answer, /\r\ncontent-security-policy: default-src 'none'[^\r]*\r\nx-content-type-options: nosniff\r\n/)
  t.match(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''), { status: 400, code: 'malformed_request' })
})
