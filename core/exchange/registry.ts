import { type Adapter, checkManifest } from '../../adapters/contract/index.ts'

/** The adapters of this house by id. */
export type AdapterRegistry = ReadonlyMap<string, Adapter>

/** Majors of the adapter interface that this host runs. */
const apis: readonly number[] = [1]

/**
 * Checks all adapters once, at the start: a duplicate id, an unknown interface version or a manifest that does not fit its code stops
 * the start with a list of what is wrong.
 * @throws Error
 */
export function adapterRegistry(adapters: readonly (Adapter | Adapter<never>)[]): AdapterRegistry {
  const registry = new Map<string, Adapter>()
  const problems: string[] = []
  for (const given of adapters) {
    const adapter = given as unknown as Adapter
    const { id, api } = adapter.manifest
    if (registry.has(id)) problems.push(`adapter ${id}: there are two of this id`)
    if (!apis.includes(api)) problems.push(`adapter ${id}: interface version ${api} is not known here; this host runs ${apis.join(', ')}`)
    else problems.push(...checkManifest(adapter).map(problem => `adapter ${id}: ${problem}`))
    registry.set(id, adapter)
  }
  if (problems.length > 0) throw new Error(`adapters cannot be used: ${problems.join('; ')}`)
  return registry
}
