import { verifyJournal } from '../journal/verify.ts'
import { print } from '../print.ts'
import type { Command } from './command.ts'
import { withHouse } from './with-house.ts'

export const verifyJournalCommand: Command = {
  name: 'verify-journal',
  summary: "Recomputes the seals of every tenant's journal and says what does not fit.",
  usage: ['verify-journal [<tenant code>]'],
  run: (args, commandHouse) =>
    withHouse(commandHouse, async house => {
      const entries = (await house.tenants.list()).filter(
        entry => entry.state === 'active' && (args[0] === undefined || entry.code === args[0])
      )
      if (args[0] !== undefined && entries.length === 0) {
        print(`There is no active tenant with the code ${args[0]}.`)
        return 1
      }
      let wrong = 0
      for (const entry of entries) {
        const result = await verifyJournal(await house.tenants.system(entry.id, 'verify-journal'))
        print(
          `${entry.code}: ${result.entries} entries, ${result.seals} seals, ${result.unsealed} not sealed yet, ${result.ok ? 'all as sealed' : 'NOT AS SEALED'}`
        )
        for (const problem of result.problems) print(`  ${problem}`)
        if (!result.ok) wrong++
      }
      return wrong > 0 ? 1 : 0
    })
}
