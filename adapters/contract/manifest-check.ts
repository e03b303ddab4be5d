import { Ajv } from 'ajv'
import { exportKinds, importKinds } from './records.ts'
import type { Adapter } from './types.ts'

const id = /^[a-z0-9]+(\.[a-z0-9-]+)+$/
const semver = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/
const secretName = /pass(word|phrase)?$|token|secret|private_?key|api_?key/i

/** What is wrong with an adapter before it may be loaded; sentences, empty when nothing is. */
export function checkManifest(adapter: Adapter): string[] {
  const { manifest } = adapter
  const problems: string[] = []
  const say = (wrong: boolean, sentence: string): void => {
    if (wrong) problems.push(sentence)
  }
  say(manifest.api !== 1, `api ${String(manifest.api)} is not known here; this host speaks 1`)
  say(!id.test(manifest.id), `id "${manifest.id}" must be of the form vendor.product`)
  say(!semver.test(manifest.version), `version "${manifest.version}" is no semantic version`)
  say(JSON.stringify(JSON.parse(JSON.stringify(manifest))) !== JSON.stringify(manifest), 'the manifest is not plain data')
  checkConfig(manifest.config, problems)
  for (const pointer of manifest.egress) {
    const name = pointer.startsWith('/') ? pointer.slice(1) : ''
    say(!Object.hasOwn(manifest.config.properties, name), `egress "${pointer}" names no setting`)
  }
  for (const [kind, capability] of Object.entries(manifest.imports)) {
    say(!(importKinds as readonly string[]).includes(kind), `imports.${kind} is no kind of record`)
    for (const via of capability.via) {
      say(adapter.import?.[via] === undefined, `imports.${kind} comes via ${via}, but import.${via} is missing`)
      say(via === 'file' && !capability.files, `imports.${kind} comes as a file, but no pattern is given`)
      say(via === 'http' && (capability.routes ?? []).length === 0, `imports.${kind} comes by http, but no route is given`)
    }
  }
  for (const [kind, capability] of Object.entries(manifest.exports)) {
    say(!(exportKinds as readonly string[]).includes(kind), `exports.${kind} is no kind of record`)
    say(adapter.export === undefined, `exports.${kind} is declared, but export is missing`)
    say(capability.idempotency === 'lookup' && adapter.lookup === undefined, `exports.${kind} relies on lookup, which is missing`)
    say(capability.confirms === 'async' && manifest.acks === undefined, `exports.${kind} is confirmed later, but acks is missing`)
  }
  return problems
}

function checkConfig(config: Adapter['manifest']['config'], problems: string[]): void {
  const ajv = new Ajv({ strict: true, allErrors: true, validateFormats: false })
  ajv.addVocabulary(['secret'])
  try {
    ajv.compile(config)
  } catch (error) {
    problems.push(`config is no valid schema: ${(error as Error).message}`)
  }
  if (config.additionalProperties !== false) problems.push('config must say additionalProperties: false')
  for (const [name, field] of Object.entries(config.properties)) {
    if (!field.title) problems.push(`config.${name} has no title`)
    if (field.type === 'string' && secretName.test(name) && field.secret !== true) problems.push(`config.${name} looks like a secret and is not marked secret`)
    if (field.default !== undefined && !ajv.validate({ ...field, title: undefined } as object, field.default)) problems.push(`config.${name}: the default is not valid`)
  }
}
