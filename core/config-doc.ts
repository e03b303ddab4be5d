import { type SettingDoc, settingDocs } from '../config/settings.ts'

/** The page docs/reference/config.md, printed from the schema of the settings. */
export function describeConfig(): string {
  const lines = [
    '# Settings',
    '',
    'Printed from the code by `npm run docs`; a test compares it.',
    '',
    'All settings are environment variables. An empty value counts as absent. A start with wrong or unknown settings is refused with one',
    'line per problem, all at once. A setting marked *secret* may come from a file instead: write its name with `_FILE` and the path; the',
    'file must not be readable by every user of the machine (files under `/run/secrets` excepted). The same list, ready to fill in, is',
    '[config/example.env](../../config/example.env).'
  ]
  for (const [group, docs] of byGroup()) {
    lines.push('', `## ${group}`, '', '| variable | default | meaning | write |', '| --- | --- | --- | --- |')
    for (const doc of docs) {
      const secret = doc.secret ? ' *Secret.*' : ''
      const byDefault = doc.defaultText ?? `\`${doc.byDefault}\``
      lines.push(`| \`${doc.name}\` | ${byDefault} | ${doc.description}${secret} | ${doc.remedy} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** config/example.env: every setting, commented out, with its default or an example. */
export function exampleEnvironment(): string {
  const lines = [
    '# Settings of Werkvloer, all of them, printed from the code by a test run with WERKVLOER_TEST_WRITE=1.',
    '# Take away the # of what you change.'
  ]
  for (const [group, docs] of byGroup()) {
    lines.push('', `## ${group}`)
    for (const doc of docs) {
      lines.push(
        '',
        ...wrap(doc.description),
        `# Default: ${doc.byDefault}${doc.secret ? `. Secret: may come from a file, ${doc.name}_FILE=/path` : ''}`
      )
      lines.push(`#${doc.name}=${doc.example}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function byGroup(): ReadonlyMap<string, readonly SettingDoc[]> {
  return Map.groupBy(settingDocs(), doc => doc.group)
}

function wrap(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 110) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`# ${word}`)
  }
  return lines
}
