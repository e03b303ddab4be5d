import { randomBytes } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { checkProvisioner } from '../../core/db/provisioner.ts'
import { StartRefusal } from '../../core/start-refusal.ts'
import { freshDatabase, provisionerUrl, serverUrl, urlFor, withConnection } from '../helpers/database.ts'

async function refusalOf(url: string): Promise<string> {
  try {
    await checkProvisioner(url)
  } catch (error) {
    if (error instanceof StartRefusal) return error.lines.join('\n')
    throw error
  }
  return ''
}

t.test('database of the operator: the role of the installation is accepted', async t => {
  t.equal(await refusalOf(provisionerUrl()), '')
})

t.test('database of the operator: a superuser is refused, since nothing would hold it', async t => {
  t.match(await refusalOf(serverUrl()), /^WERKVLOER_DATABASE_URL: its user is a superuser[^\n]*postgres-init\.sh shows\.$/)
})

t.test('database of the operator: a role without the rights is refused with what it needs', async t => {
  const role = `poor_${randomBytes(6).toString('hex')}`
  await withConnection(serverUrl(), client => client.query(`create role ${role} login password ${pg.escapeLiteral(role)}`))
  t.teardown(() => withConnection(serverUrl(), client => client.query(`drop role ${role}`)))
  const { url } = await freshDatabase(t)
  const poor = new URL(url)
  poor.username = role
  poor.password = role
  t.match(
    await refusalOf(poor.toString()),
    /^WERKVLOER_DATABASE_URL: its user may not make databases and roles; give it CREATEDB and CREATEROLE\.$/
  )
})

t.test('database of the operator: a wrong password, database or address is told in one line without the password', async t => {
  const wrong = new URL(provisionerUrl())
  wrong.password = 'hidden-canary'
  const answers = [
    await refusalOf(wrong.toString()),
    await refusalOf(urlFor(provisionerUrl(), 'absent')),
    await refusalOf('postgresql://u:hidden-canary@127.0.0.1:1/x')
  ]
  t.match(answers, [/\(28P01\)/, /\(3D000\)/, /\(ECONNREFUSED\)/])
  t.notMatch(answers.join('\n'), /hidden-canary/)
})
