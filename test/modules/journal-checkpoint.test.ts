import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import t from 'tap'
import { systemClock } from '../../core/clock.ts'
import type { Ctx } from '../../core/context.ts'
import { controlCtx } from '../../core/db/control.ts'
import { tenantUrl } from '../../core/db/provision.ts'
import { withTx } from '../../core/db/tx.ts'
import { journal, own } from '../../core/journal/append.ts'
import { checkpointOf, keepCheckpoint } from '../../core/journal/checkpoint.ts'
import type { Checkpoint } from '../../core/journal/seal.ts'
import { verifyJournal } from '../../core/journal/verify.ts'
import { withConnection } from '../helpers/database.ts'
import { openTestHouse } from '../helpers/house.ts'
import { seal } from '../helpers/journal.ts'
import { type Ground, ground } from '../helpers/tenant.ts'

const root = join(import.meta.dirname, '../..')
type Tap = { teardown(fn: () => void): void }

/** `verify-journal` as an operator runs it: a process of its own. */
function verify(t: Tap, at: Ground, ...args: string[]): Promise<{ code: number; out: string }> {
  const data = mkdtempSync(join(tmpdir(), 'wv-verify-'))
  t.teardown(() => rmSync(data, { recursive: true, force: true }))
  const env = { PATH: process.env.PATH, WERKVLOER_DATA: data, WERKVLOER_DATABASE_URL: at.url, WERKVLOER_ROOT_KEY: at.rootKey }
  return new Promise(resolve => {
    execFile(process.execPath, ['main.ts', 'verify-journal', ...args], { cwd: root, env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), out: stdout + stderr })
    )
  })
}

/** The login of the role that owns everything in the tenant's database. */
async function ownerUrl(at: Ground, { tenant }: Ctx): Promise<string> {
  const row = await at.control.kysely
    .selectFrom('control.tenant')
    .select(['database', 'owner_role', 'owner_password_wrapped'])
    .where('id', '=', tenant.id)
    .executeTakeFirstOrThrow()
  const password = at.control.root.unwrap(row.owner_password_wrapped, `owner_password/${tenant.id}`).toString()
  return tenantUrl(at.url, row.database, { role: row.owner_role, password })
}

/** What an owner can do who wants to hide it: without triggers, and everything put back as it was. */
const rewrite = (url: string, text: string): Promise<void> =>
  withConnection(url, async client => {
    const triggers = (what: string) => `alter table journal.entry ${what} trigger user; alter table journal.seal ${what} trigger user;`
    await client.query(`begin; ${triggers('disable')} grant update, delete on journal.entry, journal.seal to current_user;
      ${text}; ${triggers('enable')} commit`)
  })

const write = (ctx: Ctx, act: string) => withTx(ctx, tx => journal.append(tx, { act, subject: 'test.thing', subjectId: '1' }))

/** One act, sealed and kept, as the worker does it. */
async function round(at: Ground, ctx: Ctx, act: string): Promise<{ checkpoint: Checkpoint; kept: boolean }> {
  await write(ctx, act)
  const { checkpoint } = await seal(ctx)
  if (!checkpoint) throw new Error('nothing was sealed')
  return { checkpoint, kept: await keepCheckpoint(at.control, ctx, checkpoint) }
}

t.test('checkpoints', async t => {
  const at = await ground(t)
  const honest = await at.tenant('honest')
  const forged = await at.tenant('forged')
  const cut = await at.tenant('cut')
  for (const ctx of [honest, forged, cut]) for (const act of ['one', 'two', 'three']) t.ok((await round(at, ctx, act)).kept)
  await seal(controlCtx(at.control, systemClock, 'test'))

  await t.test('checkpoint: it is the newest seal, and goes only forward', async t => {
    const { rows } = await sql<{ number: string; hash: string }>`select number::text, encode(hash, 'hex') as hash
      from journal.seal order by number`.execute(own(honest))
    const [first, , third] = rows.map(row => ({ number: Number(row.number), hash: row.hash }))
    if (!first) throw new Error('nothing was sealed')
    t.match(await checkpointOf(at.control, honest.tenant.id), { number: 3, hash: third?.hash })
    t.ok(await keepCheckpoint(at.control, honest, first), 'somebody slow comes late with an older one')
    t.strictSame(await checkpointOf(at.control, honest.tenant.id), third)
  })

  await t.test('verify-journal: what nobody touched verifies, and the command itself is journalled', async t => {
    const { code, out } = await verify(t, at)
    t.equal(code, 0, out)
    t.match(
      out,
      /^control's own journal: \d+ entries, 1 seals, 0 not sealed yet, all as sealed\n {2}its newest seal, to note outside: 1:[0-9a-f]{64}$/m
    )
    for (const name of ['honest', 'forged', 'cut']) t.match(out, `${name}: 3 entries, 3 seals, 0 not sealed yet, all as sealed`)
    const { rows } = await sql<{ subject_id: string; data: unknown }>`select subject_id, data from journal.entry
      where act = 'journal.verify' order by seq`.execute(own(controlCtx(at.control, systemClock, 'test')))
    t.equal(rows.length, 3)
    t.match(rows, [{ subject_id: cut.tenant.id, data: { ok: true, entries: 3, seals: 3 } }])
  })

  await t.test('verify-journal: a journal that its owner wrote anew is found, however long it grows', async t => {
    await rewrite(await ownerUrl(at, forged), `update journal.entry set actor_id = 'somebody else'; delete from journal.seal`)
    const kept = await checkpointOf(at.control, forged.tenant.id)
    t.notOk((await round(at, forged, 'four')).kept)
    t.match(await verify(t, at, 'forged'), { code: 1, out: /NOT AS SEALED\n {2}the newest seal is 1, the checkpoint knows seal 3/ })
    for (const act of ['five', 'six', 'seven']) t.notOk((await round(at, forged, act)).kept)
    t.strictSame(await checkpointOf(at.control, forged.tenant.id), kept, 'the forged one does not vouch for itself')
    t.ok((await verifyJournal(forged)).ok, 'by itself it looks sound')
    t.match(await verify(t, at, 'forged'), { code: 1, out: /seal 3 is another one than the checkpoint says: the journal was written anew/ })
  })

  await t.test('verify-journal: newest seals that were taken away with their entries are found', async t => {
    await rewrite(
      await ownerUrl(at, cut),
      `delete from journal.entry where xid >= (select from_xid from journal.seal where number = 2);
       delete from journal.seal where number >= 2`
    )
    t.ok((await verifyJournal(cut)).ok, 'by itself it looks sound')
    t.match(await verify(t, at, 'cut'), { code: 1, out: /NOT AS SEALED\n {2}the newest seal is 1, the checkpoint knows seal 3/ })
    t.equal((await verify(t, at, 'honest')).code, 0, 'its neighbour is untouched')
    const all = await verify(t, at)
    t.equal(all.code, 1)
    t.match(all.out, 'honest: 3 entries, 3 seals, 0 not sealed yet, all as sealed')
  })

  await t.test("verify-journal: control's own journal written anew is found against a seal that was noted outside", async t => {
    const control = controlCtx(at.control, systemClock, 'test')
    await seal(control)
    const noted = /note outside: (\d+:[0-9a-f]{64})/.exec((await verify(t, at)).out)?.[1] ?? ''
    await seal(control)
    t.match((await verify(t, at, '--control', noted)).out, /^control's own journal: .* all as sealed$/m)
    await rewrite(at.url, `update journal.entry set data = '{}' where act = 'tenant.create'`)
    t.match(await verify(t, at), {
      code: 1,
      out: /^control's own journal: .* NOT AS SEALED\n {2}seal 1 or an entry under seal 1 was changed$/m
    })
    await rewrite(at.url, 'delete from journal.seal')
    for (let i = 0; i < 3; i++) {
      await withTx(control, tx => journal.append(tx, { act: 'later', subject: 'test.thing', subjectId: '1' }))
      await seal(control)
    }
    t.match((await verify(t, at)).out, /^control's own journal: .* all as sealed$/m)
    t.match(await verify(t, at, '--control', noted), {
      code: 1,
      out: /^control's own journal: .* NOT AS SEALED\n {2}seal \d+ is another one than the checkpoint says: the journal was written anew$/m
    })
    t.match((await verify(t, at, '--control', '12')).out, /write the number and the hash of a seal as the command printed them/)
  })
})

t.test("checkpoint: the worker seals control's journal and keeps what it sealed of a tenant's", async t => {
  const at = await openTestHouse(t, { worker: true })
  const { control } = at.house
  let unsealed = 1
  let kept: Checkpoint | undefined
  for (let tries = 0; tries < 300 && (unsealed > 0 || kept === undefined); tries++) {
    await new Promise(resolve => setTimeout(resolve, 100))
    unsealed = (await verifyJournal(controlCtx(control, systemClock, 'test'))).unsealed
    kept = await checkpointOf(control, at.tenant.id)
  }
  t.equal(unsealed, 0)
  t.match(await verifyJournal(await at.ctx(), kept), { ok: true, problems: [] })
  t.ok(kept && kept.number > 0)
})
