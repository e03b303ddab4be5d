import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkName, doneNameOf, matchesGlob } from '../../core/exchange/file-names.ts'
import { placeOf } from '../../core/exchange/sftp-tree.ts'
import { type Edit, mutantSftp } from '../helpers/mutant.ts'
import { connect, openSftpClient, type Sftp, type SftpGround, sftpGround } from '../helpers/sftp.ts'

const status = { noSuchFile: 2, permission: 3, unsupported: 8 }

const hostile = [
  '../../etc/passwd',
  '/etc/passwd',
  'inbox/../../etc/passwd',
  'inbox/..%2f..%2fetc',
  'inbox/..%5C..%5Cetc',
  'inbox/x%00.csv',
  '....//....//etc/passwd',
  'inbox/....//....//etc/passwd',
  'inbox/a\u0000b',
  'inbox/a\\..\\b',
  'inbox/..\\..\\windows',
  `inbox/${'x'.repeat(201)}`,
  `inbox/${'é'.repeat(101)}`,
  `inbox/${'a/'.repeat(20_000)}x`,
  `${'../'.repeat(20_000)}etc/passwd`,
  'inbox/name\u202ecsv.exe',
  'inbox/a\u200bb',
  'inbox/line\nbreak',
  'inbox/ends.',
  'inbox/ends ',
  'inbox/ starts',
  'inbox/...',
  'inbox/CON',
  'inbox/con.csv',
  'inbox/nul.csv',
  'inbox/LPT1.csv',
  'inbox/deep/er/file.csv',
  'archive/2026-01-01/x.csv',
  'archive/../inbox/../../x',
  'archive/0000-00-00/../../x',
  'rejected/x.csv',
  'outbox/x.csv',
  'x.csv',
  '/inbox/\u0007bell',
  // Look like inbox/ and are not.
  'Inbox/x.csv',
  'INBOX/x.csv',
  'ınbox/x.csv',
  'іnbox/x.csv',
  'ｉnbox/x.csv',
  'inbox／x.csv',
  'inbox∕x.csv',
  '．．/etc/passwd',
  '~/x.csv',
  '~root/x.csv',
  'file:///etc/passwd',
  '\\\\server\\share\\x.csv',
  'C:/x.csv',
  'C:\\x.csv'
]

/** So that a file stays in the inbox while its name is tried. */
const quiet = { stabilitySeconds: 3600 }

type Try = readonly [what: string, run: (sftp: Sftp, path: string) => Promise<unknown>]
const tries: readonly Try[] = [
  ['write', (sftp, path) => sftp.put(path, 'x')],
  ['append', (sftp, path) => sftp.call('open', path, 'a')],
  ['make anew', (sftp, path) => sftp.call('open', path, 'wx')],
  ['read', (sftp, path) => sftp.get(path)],
  ['list', (sftp, path) => sftp.names(path)],
  ['look at', (sftp, path) => sftp.call('stat', path)],
  ['look at a link', (sftp, path) => sftp.call('lstat', path)],
  ['change', (sftp, path) => sftp.call('utimes', path, 1, 1)],
  ['remove', (sftp, path) => sftp.call('unlink', path)],
  ['make a folder', (sftp, path) => sftp.call('mkdir', path)],
  ['remove a folder', (sftp, path) => sftp.call('rmdir', path)],
  ['move to', (sftp, path) => sftp.call('rename', 'inbox/own.csv', path)],
  ['move from', (sftp, path) => sftp.call('rename', path, 'inbox/own-2.csv')],
  ['resolve a link', (sftp, path) => sftp.call('readlink', path)]
]

/** Places of our machine and of our source. */
const oursPattern = /\/(tmp|var|proc|root|home|usr|blobs|core)\/|wv-blobs|\.ts\b|ENOENT|EISDIR|EACCES|node:|select |exchange\./
/** Without what the client itself asked for. */
const tellsOurs = (message: string, path: string): boolean => oursPattern.test(message.replaceAll(path, ''))

interface House {
  readonly ground: SftpGround
  readonly mine: Sftp
  readonly end: () => void
}

/** A customer with two connections, and another customer; each has a file of its own. */
async function house(ground: SftpGround): Promise<House> {
  const signIn = async (of: SftpGround['ctx'], name: string) => {
    const user = await ground.user(of, await ground.connection(of), name)
    const client = await connect(ground.server.port, { username: user.username, privateKey: user.key.private })
    return { client, sftp: await openSftpClient(client) }
  }
  const mine = await signIn(ground.ctx, 'acme-erp')
  const sibling = await signIn(ground.ctx, 'acme-wms')
  const stranger = await signIn(ground.other, 'other-erp')
  await sibling.sftp.put('inbox/secret.csv', 'of the sibling')
  await stranger.sftp.put('inbox/secret.csv', 'of the stranger')
  await mine.sftp.put('inbox/own.csv', 'own')
  const end = (): void => {
    for (const { client } of [mine, sibling, stranger]) client.end()
  }
  return { ground, mine: mine.sftp, end }
}

/** Tries to get out of the tree of its own. @returns what came of it that should not have */
async function outside({ ground, mine }: House): Promise<string[]> {
  const found: string[] = []
  const books = async () => JSON.stringify([await ground.rows(), await ground.rows(ground.other)])
  const before = await books()
  const refused = async (what: string, path: string, running: Promise<unknown>): Promise<void> => {
    const name = `${what} ${encodeURIComponent(path).slice(0, 80)}`
    const error = await running.then(
      () => undefined,
      (e: Error & { code?: number }) => e
    )
    if (!error) found.push(`${name}: was done`)
    else if (!Object.values(status).includes(error.code ?? -1)) found.push(`${name}: answered ${error.code} ${error.message}`)
    else if (tellsOurs(error.message, path)) found.push(`${name}: says ${error.message}`)
  }
  for (const path of hostile) for (const [what, run] of tries) await refused(what, path, run(mine, path))
  const ids = [...(await ground.rows()), ...(await ground.rows(ground.other))].map(row => String(row.id))
  const foreign = [
    'inbox/secret.csv',
    ...ids.flatMap(id => [`/${id}`, `inbox/${id}`, `archive/${id}`]),
    ...[ground.ctx, ground.other].flatMap(ctx => [`/${ctx.tenant.id}/inbox/secret.csv`, `../${ctx.tenant.id}/secret.csv`])
  ]
  for (const path of foreign)
    for (const [what, run] of tries.filter(([what]) => /read|look|change|remove|move from/.test(what)))
      await refused(what, path, run(mine, path))
  if ((await books()) !== before) found.push('the books have changed')
  const names = await mine.names('/inbox')
  if (names.join() !== 'own.csv') found.push(`the inbox shows ${names.join()}`)

  // Our own trouble says nothing of where we keep things either.
  for (const entry of readdirSync(ground.blobDir, { recursive: true, withFileTypes: true }).filter(one => one.isFile()))
    writeFileSync(join(entry.parentPath, entry.name), 'damaged')
  const error = await mine.get('inbox/own.csv').then(
    () => new Error('was read'),
    (e: Error) => e
  )
  if (!/something went wrong on our side|no longer kept/.test(error.message)) found.push(`a damaged file: ${error.message}`)
  return found
}

t.test('D1 traversal', async t => {
  await t.test('D1: no path, however made, reaches anything outside the own tree, by any request', async t => {
    const at = await house(await sftpGround(t, quiet))
    t.strictSame(await outside(at), [])
    at.end()
  })

  const mutants: Readonly<Record<string, Edit>> = {
    'takes names as they come': {
      file: 'core/exchange/sftp-tree.ts',
      from: 'const checked = checkName(last)',
      to: 'const checked = { name: last } as ReturnType<typeof checkName>'
    },
    'finds files of every connection': {
      file: 'core/exchange/inbox-store.ts',
      from: `return (await read(c)
    .where('connection_id', '=', connectionId)
    .where('inbox_name', '=', name)`,
      to: `return (await read(c)
    .where('inbox_name', '=', name)`
    },
    'says what went wrong inside': {
      file: 'core/exchange/sftp-session.ts',
      from: "sftp.status(id, status.FAILURE, 'something went wrong on our side; try again')",
      to: 'sftp.status(id, status.FAILURE, String(error))'
    }
  }
  for (const [what, edit] of Object.entries(mutants)) {
    await t.test(`D1: a server that ${what} turns this check red`, async t => {
      const broken = await mutantSftp(t, [edit])
      const at = await house((await broken.sftpGround(t, quiet)) as SftpGround)
      t.not((await outside(at)).length, 0)
      at.end()
    })
  }

  await t.test('D1: paths are resolved by name, inside the tree', async t => {
    const { mine, end } = await house(await sftpGround(t, quiet))
    t.strictSame(await mine.call('realpath', '/inbox/../../../..'), '/')
    t.strictSame(await mine.call('realpath', 'inbox/./../archive'), '/archive')
    await t.rejects(mine.call('realpath', '/etc'), { code: status.noSuchFile })
    t.strictSame(await mine.names('/..'), ['archive', 'inbox', 'outbox', 'rejected'])
    end()
  })

  await t.test('D1: two spellings of one name are one file, and slashes of other scripts are only letters', async t => {
    const { mine, end } = await house(await sftpGround(t, quiet))
    await mine.put('inbox/caf\u00e9.csv', 'one')
    t.equal((await mine.get('inbox/cafe\u0301.csv')).toString(), 'one')
    await mine.put('inbox/．．／etc／passwd', 'a name')
    t.strictSame(await mine.names('/inbox'), ['caf\u00e9.csv', 'own.csv', '．．／etc／passwd'])
    await mine.call('unlink', 'inbox/cafe\u0301.csv')
    t.strictSame(await mine.names('/inbox'), ['own.csv', '．．／etc／passwd'])
    end()
  })
})

t.test('D1 names', async t => {
  await t.test('D1: a place is found by its name alone', async t => {
    t.strictSame(placeOf('/'), { at: 'root' })
    t.strictSame(placeOf('.'), { at: 'root' })
    t.strictSame(placeOf('inbox//./a.csv'), { at: 'file', folder: 'inbox', name: 'a.csv' })
    t.strictSame(placeOf('/archive/2026-03-01/7-a.csv'), { at: 'file', folder: 'archive', day: '2026-03-01', name: '7-a.csv' })
    t.strictSame(placeOf('/../../inbox'), { at: 'folder', folder: 'inbox' })
    t.match(placeOf('/archive/../../etc/passwd'), { at: 'nowhere' })
    t.match(placeOf('/archive/2026-3-1'), { at: 'nowhere' })
  })
  await t.test('D1: names are kept as NFC, and what cannot be shown or stored elsewhere is refused', async t => {
    t.strictSame(checkName('cafe\u0301'), { name: 'caf\u00e9' })
    for (const name of ['', '.', '..', 'a/b', 'a\\b', '\ufffd', 'com1.csv', 'a\u2028b', 'x'.repeat(201)])
      t.match(checkName(name), { problem: String }, encodeURIComponent(name))
    for (const name of ['orders 2026-03-01T07:15.csv', 'Größe.xml', '订单.csv', 'console.csv']) t.match(checkName(name), { name }, name)
  })
  await t.test('D1: globs take a name for text, not for a pattern, and done files are found by the whole name', async t => {
    t.ok(matchesGlob('orders*.csv', 'ORDERS-1.CSV'))
    t.notOk(matchesGlob('orders*.csv', 'orders.csv.done'))
    t.notOk(matchesGlob('a.csv', 'aXcsv'))
    t.ok(matchesGlob('a?.(b).csv', 'a1.(b).csv'))
    t.equal(doneNameOf('{name}.done', 'orders.csv'), 'orders.csv.done')
    t.equal(doneNameOf('{stem}.rdy', 'orders.csv'), 'orders.rdy')
  })
})
