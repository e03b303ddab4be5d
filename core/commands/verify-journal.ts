import { systemClock } from '../clock.ts'
import { controlCtx } from '../db/control.ts'
import { withTx } from '../db/tx.ts'
import type { House } from '../house.ts'
import { journal } from '../journal/append.ts'
import { lastSeal } from '../journal/canonical.ts'
import { verifyTenant } from '../journal/checkpoint.ts'
import type { Checkpoint } from '../journal/seal.ts'
import { type JournalReport, verifyJournal } from '../journal/verify.ts'
import { print } from '../print.ts'
import { StartRefusal } from '../start-refusal.ts'
import type { Command } from './command.ts'
import { withHouse } from './with-house.ts'

export const verifyJournalCommand: Command = {
  name: 'verify-journal',
  summary: "Recomputes the seals of control's and every tenant's journal and says what does not fit.",
  usage: [
    'verify-journal [<tenant code>]',
    'verify-journal --control <seal>:<hash>    also against a seal of control as it was printed once'
  ],
  run: (args, commandHouse) => {
    const { code, noted } = wanted(args)
    return withHouse(commandHouse, house => verifyAll(house, { code, noted }))
  }
}

/**
 * Verifies control's journal and those of all active tenants, or of one, each tenant's against the checkpoint that control keeps.
 * What was verified and how it ended goes into control's journal.
 * @param noted a seal of control's own journal that somebody wrote down outside
 * @returns the exit code
 */
export async function verifyAll(
  house: Pick<House, 'control' | 'tenants'>,
  { code, noted }: { code?: string | undefined; noted?: Checkpoint | undefined } = {}
): Promise<number> {
  const entries = (await house.tenants.list()).filter(entry => entry.state === 'active' && (code === undefined || entry.code === code))
  if (code !== undefined && entries.length === 0) {
    print(`There is no active tenant with the code ${code}.`)
    return 1
  }
  const control = controlCtx(house.control, systemClock, 'verify-journal')
  let wrong = 0
  const say = (name: string, report: JournalReport): void => {
    print(
      `${name}: ${report.entries} entries, ${report.seals} seals, ${report.unsealed} not sealed yet, ${report.ok ? 'all as sealed' : 'NOT AS SEALED'}`
    )
    for (const problem of report.problems) print(`  ${problem}`)
    if (!report.ok) wrong++
  }
  if (code === undefined) {
    say("control's own journal", await verifyJournal(control, noted))
    const newest = await lastSeal(control)
    if (newest) print(`  its newest seal, to note outside: ${newest.number}:${newest.hash.toString('hex')}`)
  }
  for (const entry of entries) {
    const report = await verifyTenant(house.control, await house.tenants.system(entry.id, 'verify-journal'))
    say(entry.code, report)
    const data = { ok: report.ok, entries: report.entries, seals: report.seals }
    await withTx(control, tx => journal.append(tx, { act: 'journal.verify', subject: 'control.tenant', subjectId: entry.id, data }))
  }
  return wrong > 0 ? 1 : 0
}

function wanted(args: readonly string[]): { code?: string | undefined; noted?: Checkpoint | undefined } {
  if (args[0] !== '--control') return { code: args[0] }
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(args[1] ?? '') ?? []
  if (number === undefined || hash === undefined) {
    throw new StartRefusal(['verify-journal --control: write the number and the hash of a seal as the command printed them, 12:ab34…'])
  }
  return { noted: { number: Number(number), hash } }
}
