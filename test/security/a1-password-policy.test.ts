import t from 'tap'
import { goodPassword, openDoor } from '../helpers/door.ts'

t.test('A1: passwords', async t => {
  const door = await openDoor(t)
  const { call, signIn, rows } = door
  const token = await door.admin()
  let number = 0
  const create = async (password: string, username = `person-${++number}`) => ({
    username,
    answer: await call('POST', '/api/v1/users', { token, body: { username, roleIds: [], groupIds: [], password } })
  })

  await t.test('A1: short, common and own names are refused with the reason and the field', async t => {
    for (const password of ['seven77', 'password', 'Password1', 'qwertyuiop', 'aaaaaaaaaaaa', '1234567890']) {
      const { answer } = await create(password)
      t.match(answer, { status: 400, body: { code: 'password_weak', errors: [{ pointer: '/password', detail: String }] } }, password)
    }
    t.match((await create('Stephanie-Jansma', 'stephanie-jansma')).answer, { status: 400, body: { code: 'password_weak' } })
    t.match((await create('x'.repeat(129))).answer, { status: 400 })
  })

  await t.test('A1: long sentences, spaces and characters of all kinds are taken as they are', async t => {
    for (const password of ['een zin met spaties erin', `${'🔧'.repeat(20)}🔩🪛🪚 pers`, 'Zażółć gęślą jaźń', 'abcd'.repeat(32)]) {
      const { username, answer } = await create(password)
      t.equal(answer.status, 201, password)
      t.equal((await signIn(username, password)).status, 200)
    }
  })

  await t.test('A1: a password is neither trimmed nor cut, and capitals count', async t => {
    const { username } = await create(goodPassword)
    for (const near of [`${goodPassword} `, ` ${goodPassword}`, goodPassword.toUpperCase(), goodPassword.slice(0, -1)]) {
      t.equal((await signIn(username, near, { ip: `192.0.2.${near.length}` })).status, 401)
    }
    t.equal((await signIn(username, goodPassword)).status, 200)
  })

  await t.test('A2: only an argon2id hash with its own salt is kept, and it is renewed when its cost was lower', async t => {
    const one = await create(goodPassword)
    const two = await create(goodPassword)
    const stored = async (id: string): Promise<string> =>
      String((await rows('select password_phc from authz."user" where id = $1', [id]))[0]?.password_phc)
    const [first, second] = [await stored(one.answer.body.user.id), await stored(two.answer.body.user.id)]
    t.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    t.not(first, second)
    const cheap = '$argon2id$v=19$m=8192,t=1,p=1$'
    const { argon2Sync, randomBytes } = await import('node:crypto')
    const nonce = randomBytes(16)
    const tag = argon2Sync('argon2id', { message: goodPassword, nonce, memory: 8192, passes: 1, parallelism: 1, tagLength: 32 })
    const bare = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')
    await rows('update authz."user" set password_phc = $2 where id = $1', [one.answer.body.user.id, `${cheap}${bare(nonce)}$${bare(tag)}`])
    t.equal((await signIn(one.username, goodPassword)).status, 200)
    t.match(await stored(one.answer.body.user.id), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    t.equal((await signIn(one.username, goodPassword)).status, 200, 'and it is the same password')
  })
})
