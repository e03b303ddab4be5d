import t from 'tap'
import { adminPassword, openTestHouse } from '../helpers/house.ts'

t.test('other sites', async t => {
  const at = await openTestHouse(t)
  await at.admin()
  const signIn = () =>
    fetch(`${at.baseUrl}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ customer: at.tenant.code, username: 'admin', password: adminPassword })
    })
  const cookieOf = (answer: Response): string => answer.headers.getSetCookie()[0] ?? ''
  const { hostname, port, host } = new URL(at.baseUrl)
  const origins = [
    'null',
    'https://evil.example',
    `http://${host}.evil.example`,
    `https://${host}`,
    `http://${hostname}:${Number(port) + 1}`,
    `http://evil@${host}`
  ]

  await t.test('H3: no other origin is let in, with a token, with the cookie or with a question before', async t => {
    const token = await at.admin()
    const cookie = cookieOf(await signIn()).split(';')[0] ?? ''
    t.ok(cookie.length > 20)
    for (const origin of origins) {
      const answers = [
        await fetch(`${at.baseUrl}/api/v1/session`, { headers: { origin, authorization: `Bearer ${token}` } }),
        await fetch(`${at.baseUrl}/`, { headers: { origin, cookie } }),
        await fetch(`${at.baseUrl}/api/v1/session/refresh`, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type, authorization' }
        })
      ]
      for (const answer of answers) {
        const names = [...answer.headers.keys()].filter(name => name.startsWith('access-control-'))
        t.strictSame(names, [], `${origin} ${answer.url}`)
        await answer.body?.cancel()
      }
      t.not(answers[2]?.status, 204, 'a browser takes any 2xx without the header as a no, and so do we')
    }
  })

  await t.test('H4: the cookie goes to our own pages only, and no script reads it', async t => {
    const cookie = cookieOf(await signIn())
    t.match(cookie, /; HttpOnly/)
    t.match(cookie, /; SameSite=Strict/)
    t.match(cookie, /; Path=\//)
    t.notMatch(cookie, /Domain=/)
  })

  await t.test('H4: what a form of another site can send renews no session and does not use it up', async t => {
    const cookie = cookieOf(await signIn()).split(';')[0] ?? ''
    const post = (contentType: string | undefined, body: string) =>
      fetch(`${at.baseUrl}/api/v1/session/refresh`, {
        method: 'POST',
        headers: {
          cookie,
          origin: 'https://evil.example',
          'sec-fetch-site': 'cross-site',
          ...(contentType ? { 'content-type': contentType } : {})
        },
        body
      })
    const forms: [string | undefined, string][] = [
      ['text/plain', '{}'],
      ['text/plain;application/json', '{}'],
      ['application/x-www-form-urlencoded', '{}='],
      ['multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n{}\r\n--x--\r\n'],
      [undefined, '{}'],
      ['application/json', '{}'],
      [undefined, '']
    ]
    for (const [type, body] of forms) {
      const answer = await post(type, body)
      t.ok([400, 401, 415].includes(answer.status), `${type} ${body}: ${answer.status} ${await answer.text()}`)
      t.same(answer.headers.getSetCookie(), [])
    }
    const own = await fetch(`${at.baseUrl}/api/v1/session/refresh`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json' },
      body: '{}'
    })
    t.equal(own.status, 200)
    t.match(await own.json(), { accessToken: String })
  })
})
