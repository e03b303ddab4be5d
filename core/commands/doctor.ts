import { existsSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../clock.ts'
import { sftpHostKey } from '../exchange/host-key.ts'
import { fingerprintOfLine } from '../exchange/public-key.ts'
import { commandScan, scannerComplaint } from '../exchange/scanner.ts'
import { verifyTenant } from '../journal/checkpoint.ts'
import { print } from '../print.ts'
import type { Command } from './command.ts'
import { withHouse } from './with-house.ts'

/** Checks from outside in what the product needs, one line each; the exit code is 1 when something is wrong. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'Looks at settings, databases, keys, disk and every tenant, one line each.',
  usage: ['doctor'],
  run: (_args, commandHouse) =>
    withHouse(commandHouse, async house => {
      let wrong = 0
      const line = (ok: boolean, what: string, detail: string): void => {
        if (!ok) wrong++
        print(`${ok ? 'ok   ' : 'WRONG'} ${what.padEnd(28)} ${detail}`)
      }
      line(true, 'settings', 'fit the schema')
      const { rows } = await house.control.db.pool.query<{ version: string; super: boolean; zone: string; skew: string }>(
        `select current_setting('server_version') as version, rolsuper as super, current_setting('TimeZone') as zone,
           abs(extract(epoch from clock_timestamp()) - $1)::text as skew from pg_roles where rolname = current_user`,
        [systemClock.now().getTime() / 1000]
      )
      const server = rows[0]
      const major = Number.parseInt(server?.version ?? '0', 10)
      line(major >= 15 && major <= 18, 'PostgreSQL', `version ${server?.version} (15 to 18 are supported)`)
      line(
        server?.super === false,
        'provisioner',
        server?.super ? 'is a superuser: give it CREATEDB and CREATEROLE only' : 'is no superuser'
      )
      line(Number(server?.skew ?? 99) < 60, 'clock', `${Number(server?.skew ?? 0).toFixed(1)} s apart from the database's`)
      // Delivered files may lie on a volume of their own.
      const files = join(house.config.dataDir, 'blobs')
      for (const folder of [house.config.dataDir, ...(existsSync(files) ? [files] : [])]) {
        const disk = statfsSync(folder)
        const free = (disk.bavail * disk.bsize) / 2 ** 30
        line(free > 2, 'disk', `${free.toFixed(1)} GiB free in ${folder === files ? 'the folder of delivered files' : 'the data folder'}`)
      }
      if (house.config.scanCommand) {
        const complaint = await scannerComplaint(commandScan(house.config.scanCommand))
        line(complaint === undefined, 'virus scanner', complaint ?? 'finds its test file and passes a clean one')
      }
      try {
        const { publicLine } = await sftpHostKey(house.control)
        line(true, 'SFTP host key', `${publicLine} (${fingerprintOfLine(publicLine)})`)
      } catch (error) {
        line(false, 'SFTP host key', (error as Error).message)
      }
      for (const entry of await house.tenants.list()) {
        if (entry.state !== 'active') {
          line(
            entry.state !== 'provisioning',
            `tenant ${entry.code}`,
            entry.state === 'provisioning' ? 'half made: run "tenant create" again' : entry.state
          )
          continue
        }
        try {
          const ctx = await house.tenants.system(entry.id, 'doctor')
          const journal = await verifyTenant(house.control, ctx)
          line(
            journal.ok,
            `tenant ${entry.code}`,
            `schema ${entry.schemaVersion}, journal of ${journal.entries} entries ${journal.ok ? 'as sealed' : 'NOT as sealed'}`
          )
        } catch (error) {
          line(false, `tenant ${entry.code}`, (error as Error).message)
        }
      }
      print(wrong === 0 ? 'All is well.' : `${wrong} to mend.`)
      return wrong === 0 ? 0 : 1
    })
}
