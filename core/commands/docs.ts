import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeConfig } from '../config.ts'
import { statusOf } from '../errors.ts'
import type { House } from '../house.ts'
import { describeApi } from '../http/openapi.ts'
import { print } from '../print.ts'
import type { Command, CommandHouse } from './command.ts'
import { withHouse } from './with-house.ts'

const folder = join(import.meta.dirname, '../../docs/reference')

/** Every page that is printed from code: file name in docs/reference -> text. */
export async function referencePages(house: House, { parts }: Pick<CommandHouse, 'parts'>): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['openapi.json', await describeApi(house.app)],
    ['errors.md', errorsPage(house)],
    ['permissions.md', permissionsPage(house)],
    ['config.md', describeConfig()],
    ['dictionary.md', dictionaryPage(house, parts)]
  ])
}

export const docs: Command = {
  name: 'docs',
  summary: 'Prints docs/reference from the code.',
  usage: ['docs'],
  run: (_args, commandHouse) =>
    withHouse(commandHouse, async house => {
      mkdirSync(folder, { recursive: true })
      for (const [name, text] of await referencePages(house, commandHouse)) {
        writeFileSync(join(folder, name), text)
        print(`docs/reference/${name}`)
      }
      return 0
    })
}

const printed = 'Printed from the code by `npm run docs`; a test compares it.'

function errorsPage(house: House): string {
  const rows = Object.entries(house.specs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, spec]) => `| \`${code}\` | ${code === 'internal' ? 500 : statusOf[spec.kind]} | ${spec.title} | ${spec.remedy} |`)
  return `# Errors\n\n${printed}\n\nEvery refusal is \`application/problem+json\` (RFC 9457). \`code\` is stable; \`detail\` says what, where and what to do;\n\`instance\` is the number to name when you ask for help.\n\n| code | status | title | what to do |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

function permissionsPage(house: House): string {
  const rows = Object.entries(house.permissions)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([permission, text]) => `| \`${permission}\` | ${text} |`)
  return `# Permissions\n\n${printed}\n\nA role is a set of these. Which jobs they count for is decided by operational groups.\n\n| permission | allows |\n| --- | --- |\n${rows.join('\n')}\n`
}

function dictionaryPage(house: House, parts: CommandHouse['parts']): string {
  const entries = Object.entries(Object.assign({}, house.dictionary, ...parts.modules.map(m => m.dictionary))) as [
    string,
    { en: string; nl: string; category: string }
  ][]
  const rows = entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([column, d]) => `| \`${column}\` | ${d.category} | ${d.en} | ${d.nl} |`)
  return `# Dictionary\n\n${printed}\n\nEvery column of a tenant's database.\n\n| column | category | English | Nederlands |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}
