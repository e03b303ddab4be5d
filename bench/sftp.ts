import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { view } from '../core/db/tx.ts'
import { nativeCipher } from '../core/exchange/sftp-server.ts'
import { firstAdministrator } from '../demo/setup.ts'
import { newLogin } from '../demo/sftp.ts'
import { openTestHouse, type TestHouse } from '../test/helpers/house.ts'
import { type Bench, median } from './figures.ts'
import { type SshAddress, sftp, startSshd } from './openssh.ts'

const smallBytes = 4_096

const own = view<never>()

/** Ours and the limit one after the other, changing who begins, so that both meet the same machine. @returns limit's time over ours */
async function inTurns(round: number, ours: () => Promise<number>, limit: () => Promise<number>): Promise<Pair> {
  if (round % 2 === 0) {
    const mine = await ours()
    return { ours: mine, limit: await limit() }
  }
  const theirs = await limit()
  return { ours: await ours(), limit: theirs }
}
interface Pair {
  readonly ours: number
  readonly limit: number
}

const ratios = (pairs: readonly Pair[]): number[] => pairs.map(({ ours, limit }) => limit / ours)
const seconds = (values: readonly number[]): string => `${(median(values) / 1_000).toFixed(2)} s`
const times = (pairs: readonly Pair[]): string =>
  `${seconds(pairs.map(({ ours }) => ours))} against ${seconds(pairs.map(({ limit }) => limit))}`

/** Everything the ERP handed in is taken over (or nothing came): no work of ours is left for the next measurement. */
async function settled(at: TestHouse): Promise<void> {
  const ctx = await at.ctx()
  for (let tries = 0; tries < 300; tries++) {
    const { rows } = await sql<{ open: string }>`select count(*) as open from exchange.delivery where state = 'arriving'`.execute(own(ctx))
    if (rows[0]?.open === '0') return
    await sleep(200)
  }
  throw new Error('files handed in were not taken over within a minute')
}

/** What we hold of a connection, by name: a wrong or missing hash would make the comparison worthless. */
async function hashesOf(at: TestHouse, connectionId: string): Promise<ReadonlyMap<string, string>> {
  const ctx = await at.ctx()
  const { rows } = await sql<{ name: string; sha256: string }>`
    select name, sha256 from exchange.delivery where connection_id = ${connectionId}::uuid and closed_at is not null`.execute(own(ctx))
  return new Map(rows.map(row => [row.name, row.sha256]))
}

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

export const bench: Bench = {
  name: 'sftp',
  goals: ['G12', 'G13'],
  async run(t, say, { short }) {
    const rounds = short ? 1 : 5
    const bigBytes = short ? 40_000_000 : 200_000_000
    const smallFiles = short ? 200 : 1_000
    const dir = mkdtempSync(join(tmpdir(), 'wv-bench-sftp-'))
    t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
    const big = join(dir, 'big')
    writeFileSync(big, randomBytes(bigBytes))
    const many = join(dir, 'many')
    const back = join(dir, 'back')
    mkdirSync(many)
    mkdirSync(back)
    for (let n = 0; n < smallFiles; n++) writeFileSync(join(many, `F${n}.dat`), randomBytes(smallBytes))

    const login = newLogin()
    const keyFile = join(dir, 'key')
    writeFileSync(keyFile, login.privateKey, { mode: 0o600 })
    const sshd = await startSshd(t, login.publicLine, keyFile)
    const at = await openTestHouse(t, { sftp: true, settings: { WERKVLOER_MAX_FILE_BYTES: String(bigBytes * 2) } })
    const admin = await firstAdministrator(at.baseUrl, at.tenant.code, at.tenant.inviteToken)
    const native = nativeCipher()
    say(`ssh2's native cipher: ${native ? 'there' : 'missing, so the goal for large files is 0.5'}`)

    /** A connection of its own for each measurement: nothing of the last one waits in its inbox. */
    async function inbox(): Promise<{ id: string; address: SshAddress }> {
      const fresh = newLogin()
      const username = `bench-${randomBytes(4).toString('hex')}`
      writeFileSync(join(dir, username), fresh.privateKey, { mode: 0o600 })
      const { id } = await admin.post<{ id: string }>('/api/v1/connections', {
        name: username,
        adapter: 'werkvloer.csv',
        config: { delimiter: ';' }
      })
      const key = { username, publicKey: fresh.publicLine, label: 'bench' }
      await admin.post(`/api/v1/connections/${id}/access/sftp-keys`, key)
      return { id, address: { port: at.sftp?.port ?? 0, username, keyFile: join(dir, username) } }
    }

    const put: Pair[] = []
    const get: Pair[] = []
    const signIn: Pair[] = []
    const expected = hashOf(big)
    const fetched = join(back, 'big')
    async function fetchedWhole(from: SshAddress, path: string): Promise<number> {
      const took = await sftp(from, [`get ${path} ${fetched}`])
      if (hashOf(fetched) !== expected) throw new Error(`what came back from ${path} is not what was sent`)
      rmSync(fetched)
      return took
    }
    for (let round = 0; round < rounds; round++) {
      const mine = await inbox()
      signIn.push(
        await inTurns(
          round,
          () => sftp(mine.address, ['pwd']),
          () => sftp(sshd.address, ['pwd'])
        )
      )
      put.push(
        await inTurns(
          round,
          () => sftp(mine.address, [`put ${big} inbox/BIG.dat`]),
          () => sftp(sshd.address, [`put ${big} ${sshd.folder}/BIG.dat`])
        )
      )
      if ((await hashesOf(at, mine.id)).get('BIG.dat') !== expected) throw new Error('the large file is not held as it was sent')
      if (statSync(join(sshd.folder, 'BIG.dat')).size !== bigBytes) throw new Error('the large file is not whole at sshd')
      get.push(
        await inTurns(
          round,
          () => fetchedWhole(mine.address, 'inbox/BIG.dat'),
          () => fetchedWhole(sshd.address, `${sshd.folder}/BIG.dat`)
        )
      )
      await settled(at)
    }

    const small: Pair[] = []
    const batch = (folder: string): string[] => [`put ${many}/* ${folder}`]
    for (let round = 0; round < rounds; round++) {
      const mine = await inbox()
      for (const name of readdirSync(sshd.folder)) rmSync(join(sshd.folder, name))
      small.push(
        await inTurns(
          round,
          () => sftp(mine.address, batch('inbox/')),
          () => sftp(sshd.address, batch(`${sshd.folder}/`))
        )
      )
      const held = await hashesOf(at, mine.id)
      for (const name of readdirSync(many)) {
        if (held.get(name) !== hashOf(join(many, name))) throw new Error(`${name} is not held as it was sent`)
      }
      if (readdirSync(sshd.folder).length !== smallFiles) throw new Error('not every small file is at sshd')
      await settled(at)
    }

    const withoutSignIn = (pairs: readonly Pair[]): string => {
      const plain = pairs.map(({ ours, limit }, i) => (limit - (signIn[i]?.limit ?? 0)) / (ours - (signIn[i]?.ours ?? 0)))
      return `${times(pairs)}, ${median(plain).toFixed(2)} without the sign-in`
    }
    const large = { unit: 'x', goal: native ? 0.8 : 0.5, moonshot: 1, atLeast: true }
    return [
      { ...large, name: 'G12 SFTP put 200 MB, of OpenSSH', values: ratios(put), note: withoutSignIn(put) },
      { ...large, name: 'G12 SFTP get 200 MB, of OpenSSH', values: ratios(get), note: withoutSignIn(get) },
      {
        name: 'G13 SFTP put 1,000 files of 4 kB, of OpenSSH',
        unit: 'x',
        values: ratios(small),
        goal: 0.8,
        moonshot: 1.5,
        atLeast: true,
        note: withoutSignIn(small)
      }
    ]
  }
}
