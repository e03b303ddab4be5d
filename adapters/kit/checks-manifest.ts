import { type ConfigField, checkManifest } from '../contract/index.ts'
import { type Check, deliver, deliveredKinds, expect, expectSame, exportedKinds, pulledKinds } from './check.ts'
import type { Subject } from './erp.ts'
import { openHost, SettingsRefused } from './harness.ts'
import { sampleExport, sampleImports } from './samples.ts'

const isSecret = (problem: string): boolean => problem.includes('looks like a secret')
const isConfig = (problem: string): boolean => problem.startsWith('config') && !isSecret(problem)
const isHandler = (problem: string): boolean => / is missing$|, but |relies on/.test(problem)
const isEgress = (problem: string): boolean => problem.startsWith('egress')

const problemsOf = ({ adapter }: Subject, of: (problem: string) => boolean): string[] => checkManifest(adapter).filter(of)

export const manifestChecks: readonly Check[] = [
  {
    id: 'K01',
    title: 'the manifest is plain data with a lasting id and a version',
    async run(subject) {
      const other = problemsOf(subject, problem => !isSecret(problem) && !isConfig(problem) && !isHandler(problem) && !isEgress(problem))
      expectSame(other, [], 'the manifest is not in order')
    }
  },
  {
    id: 'K02',
    title: 'settings are a strict schema with titles and valid defaults',
    async run(subject) {
      expectSame(problemsOf(subject, isConfig), [], 'the settings are not in order')
      openHost(subject)
    }
  },
  {
    id: 'K03',
    title: 'settings that look like a secret are marked secret',
    run: async subject => expectSame(problemsOf(subject, isSecret), [], 'secrets would be shown')
  },
  {
    id: 'K04',
    title: 'only hosts that the settings name are called',
    async run(subject) {
      expectSame(problemsOf(subject, isEgress), [], 'egress is not in order')
      const host = openHost(subject)
      for (const kind of deliveredKinds(subject)) await host.receive(deliver(subject, kind, sampleImports(kind, 2)))
      for (const kind of pulledKinds(subject)) await host.pull(kind)
      for (const kind of exportedKinds(subject)) host.enqueue(kind, sampleExport(kind, 1, 'WO0001'), `WO-${kind}`)
      await host.run()
      for await (const _ of subject.adapter.check?.(host.ctx) ?? []);
      expectSame(host.blocked, [], 'the adapter calls a host that no setting names')
    }
  },
  {
    id: 'K05',
    title: 'kinds and handlers agree',
    run: async subject => expectSame(problemsOf(subject, isHandler), [], 'the manifest promises what the code does not have')
  },
  {
    id: 'K06',
    title: 'wrong settings are refused before any code runs',
    skip: ({ adapter }) => (Object.keys(adapter.manifest.config.properties).length > 0 ? undefined : 'this adapter has no settings'),
    async run(subject) {
      const { config } = subject.adapter.manifest
      for (const [name, value] of wrongSettings(subject)) {
        const given: Record<string, unknown> = { ...subject.options.config, [name]: value }
        if (value === undefined) delete given[name]
        const refused = attempt(() => openHost({ ...subject, options: { ...subject.options, config: given as never } }))
        expect(
          refused,
          `the setting "${name}" may be ${JSON.stringify(value) ?? 'absent'}; ${config.properties[name]?.title ?? 'it does not exist'}`
        )
      }
    }
  }
]

function attempt(act: () => unknown): boolean {
  try {
    act()
    return false
  } catch (error) {
    return error instanceof SettingsRefused
  }
}

/** Each setting missing, of another type, out of its range; and one that nobody knows. */
function wrongSettings({ adapter }: Subject): [string, unknown][] {
  const { egress, config } = adapter.manifest
  const { properties, required = [] } = config
  const wrong = Object.entries(properties).flatMap(([name, field]): [string, unknown][] => [
    [name, { an: 'object' }],
    [name, field.type === 'string' ? 17 : 'text'],
    ...(required.includes(name) && field.default === undefined ? [[name, undefined] as [string, unknown]] : []),
    ...outOfRange(field).map((value): [string, unknown] => [name, value]),
    // What is called must be an address: a slip of the pen may not become a call to somebody else.
    ...(egress.includes(`/${name}`) ? [[name, 'no address'] as [string, unknown]] : [])
  ])
  return [...wrong, ['kit_no_such_setting', 'x']]
}

function outOfRange(field: ConfigField): unknown[] {
  if (field.type === 'boolean') return []
  if (field.type === 'string')
    return [...(field.enum ? ['kit-none-of-these'] : []), ...(field.maxLength === undefined ? [] : ['x'.repeat(field.maxLength + 1)])]
  return [...(field.minimum === undefined ? [] : [field.minimum - 1]), ...(field.maximum === undefined ? [] : [field.maximum + 1])]
}
