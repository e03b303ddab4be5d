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
