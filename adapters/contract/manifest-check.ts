import { mappingProblems } from './mapping-check.ts'
import { type ExportKind, exportKinds, type ImportKind, importKinds } from './records.ts'
import { settingsValidator } from './settings.ts'
import type { Adapter, ConfigSchema, ExportCapability, ImportCapability, Manifest, Via } from './types.ts'

const id = /^[a-z0-9]+(\.[a-z0-9-]+)+$/
const semver = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/
const secretName = /pass(word|phrase|code)|token|secret|credential|(private|api|access|shared).?key|^key$/i
const routeName = /^[a-z0-9]+(-[a-z0-9]+)*$/
const known = {
  via: ['file', 'http', 'pull'],
  mode: ['delta', 'snapshot'],
  idempotency: ['native', 'lookup', 'deterministic-file', 'none'],
  confirms: ['sync', 'async'],
  orderedBy: ['workOrder', 'article', 'none']
} as const

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
  say(!isPlain(manifest), 'the manifest is not plain data')
  say(!Number.isInteger(manifest.configVersion) || manifest.configVersion < 1, 'configVersion must be a whole number from 1')
  for (const [name, value] of [
    ['displayName', manifest.displayName],
    ['vendor.name', manifest.vendor.name],
    ['erp.product', manifest.erp.product]
  ]) {
    say(!value, `${name} is empty`)
  }
  problems.push(...configProblems(manifest.config))
  for (const pointer of manifest.egress) {
    const field = pointer.startsWith('/') ? manifest.config.properties[pointer.slice(1)] : undefined
    say(field === undefined, `egress "${pointer}" names no setting`)
    say(field !== undefined && (field.type !== 'string' || field.secret === true), `egress "${pointer}" must be a text that is no secret`)
  }
  problems.push(...importProblems(adapter), ...exportProblems(adapter), ...ackProblems(adapter))
  const kinds = { imports: Object.keys(manifest.imports) as ImportKind[], exports: Object.keys(manifest.exports) as ExportKind[] }
  if (manifest.mapping) problems.push(...mappingProblems(manifest.mapping, kinds).map(problem => `mapping.${problem}`))
  return problems
}

const isPlain = (manifest: Manifest): boolean => {
  const plain = (value: unknown): boolean =>
    value === null ||
    ['string', 'boolean'].includes(typeof value) ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (Array.isArray(value) ? value.every(plain) : isObject(value) && Object.values(value).every(plain))
  return plain(manifest)
}
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
const among = (choices: readonly string[], value: string): boolean => choices.includes(value)

function importProblems({ manifest, import: handlers }: Adapter): string[] {
  const problems: string[] = []
  for (const [kind, capability] of Object.entries(manifest.imports) as [string, ImportCapability][]) {
    const at = `imports.${kind}`
    if (!among(importKinds, kind)) problems.push(`${at} is no kind of record`)
    if (capability.via.length === 0) problems.push(`${at} does not say how it comes`)
    if (capability.mode.length === 0) problems.push(`${at} does not say whether it is delta or snapshot`)
    for (const mode of capability.mode) if (!among(known.mode, mode)) problems.push(`${at}: "${mode}" is no mode`)
    problems.push(...wayProblems(at, capability, handlers))
  }
  const claimed = Object.values(manifest.imports).flatMap(capability => capability.files?.pattern ?? [])
  for (const pattern of new Set(claimed.filter((one, index) => claimed.indexOf(one) !== index)))
    problems.push(`two kinds come in files called "${pattern}"`)
  return problems
}

function wayProblems(
  at: string,
  capability: {
    readonly via: readonly Via[]
    readonly files?: { readonly pattern: string }
    readonly routes?: readonly string[]
    readonly schedule?: ImportCapability['schedule']
  },
  handlers: Adapter['import']
): string[] {
  const problems: string[] = []
  for (const via of capability.via) {
    if (!among(known.via, via)) problems.push(`${at}: "${via}" is no way in`)
    else if (handlers?.[via] === undefined) problems.push(`${at} comes via ${via}, but import.${via} is missing`)
    if (via === 'file' && !capability.files?.pattern) problems.push(`${at} comes as a file, but no pattern is given`)
    if (via === 'http' && (capability.routes ?? []).length === 0) problems.push(`${at} comes by http, but no route is given`)
  }
  for (const route of capability.routes ?? []) {
    if (!routeName.test(route)) problems.push(`${at}: the route "${route}" may have small letters, digits and single hyphens only`)
  }
  const { schedule } = capability
  if (schedule && schedule.defaultSeconds < schedule.minSeconds) problems.push(`${at}: the default interval is shorter than the shortest`)
  return problems
}

function exportProblems(adapter: Adapter): string[] {
  const { manifest } = adapter
  const problems: string[] = []
  for (const [kind, capability] of Object.entries(manifest.exports) as [string, ExportCapability][]) {
    const at = `exports.${kind}`
    if (!among(exportKinds, kind)) problems.push(`${at} is no kind of record`)
    if (!among(known.idempotency, capability.idempotency)) problems.push(`${at}: "${capability.idempotency}" is no idempotency`)
    if (!among(known.confirms, capability.confirms)) problems.push(`${at}: "${capability.confirms}" is no way to confirm`)
    if (!among(known.orderedBy, capability.orderedBy)) problems.push(`${at}: "${capability.orderedBy}" is no order`)
    if (adapter.export === undefined) problems.push(`${at} is declared, but export is missing`)
    if (capability.idempotency === 'lookup' && adapter.lookup === undefined) problems.push(`${at} relies on lookup, which is missing`)
    if (capability.confirms === 'async' && manifest.acks === undefined) problems.push(`${at} is confirmed later, but acks is missing`)
  }
  if (adapter.export !== undefined && Object.keys(manifest.exports).length === 0) problems.push('export is there, but no kind is declared')
  return problems
}

function ackProblems({ manifest, import: handlers }: Adapter): string[] {
  const { acks } = manifest
  if (!acks) return []
  const taken = Object.values(manifest.imports).flatMap(capability => capability.routes ?? [])
  const clash = (acks.routes ?? []).filter(route => taken.includes(route))
  return [...wayProblems('acks', acks, handlers), ...clash.map(route => `acks: the route "${route}" belongs to a kind of record`)]
}

function configProblems(config: ConfigSchema): string[] {
  const problems: string[] = []
  if (config.additionalProperties !== false) problems.push('config must say additionalProperties: false')
  for (const name of config.required ?? [])
    if (!Object.hasOwn(config.properties, name)) problems.push(`config requires "${name}", which does not exist`)
  for (const [name, field] of Object.entries(config.properties)) {
    if (!field.title) problems.push(`config.${name} has no title`)
    const text = field.type === 'string'
    if (text && secretName.test(name) && field.secret !== true) problems.push(`config.${name} looks like a secret and is not marked secret`)
    if (text && field.secret === true && field.default !== undefined) problems.push(`config.${name} is a secret with a default`)
  }
  try {
    const validate = settingsValidator(config)
    const defaults = Object.entries(config.properties).flatMap(([name, field]) =>
      field.default === undefined ? [] : [[name, field.default] as const]
    )
    validate(Object.fromEntries(defaults))
    for (const error of validate.errors ?? []) {
      if (error.instancePath !== '') problems.push(`config.${error.instancePath.slice(1)}: the default is not valid`)
    }
  } catch (error) {
    problems.push(`config is no valid schema: ${(error as Error).message}`)
  }
  return problems
}
