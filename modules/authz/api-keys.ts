import { newId, type OpaqueToken, type TxCtx } from '../../core/index.ts'
import { insertApiKey, revokeApiKey } from './api-key-store.ts'
import { refuse } from './errors.ts'
import { mayPlace } from './groups.ts'
import { mayGive } from './roles.ts'
import type { Services } from './users.ts'

export interface NewApiKey {
  readonly name: string
  readonly permissions: readonly string[]
  readonly groupIds: readonly string[]
  /** Exact; none: any. */
  readonly addresses: readonly string[]
  readonly days: number
}

/** A key never does more than whoever makes it: neither in permissions nor in jobs. @returns its id */
export async function createApiKey(tx: TxCtx, services: Services, token: OpaqueToken, wanted: NewApiKey): Promise<string> {
  mayGive(tx, wanted.permissions, services.catalogue())
  await mayPlace(tx, wanted.groupIds)
  const addresses = wanted.addresses.map(canonical)
  const id = newId()
  await services.directory.add({ kind: 'api_key', lookup: token.lookup, tenantId: tx.tenant.id })
  await insertApiKey(tx, {
    id,
    name: wanted.name,
    lookup: token.lookup,
    digest: token.digest,
    permissions: [...wanted.permissions],
    group_ids: [...wanted.groupIds],
    addresses,
    expires_at: new Date(tx.clock.now().getTime() + wanted.days * 86_400_000).toISOString()
  })
  await services.journal.append(tx, {
    act: 'api_key.create',
    subject: 'authz.api_key',
    subjectId: id,
    data: { permissions: [...wanted.permissions], groups: [...wanted.groupIds] }
  })
  return id
}

const ipv4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/

/** The one form in which an address is compared with that of a request. */
function canonical(given: string, index: number): string {
  const address = given.replace(/^::ffff:(?=\d+\.)/i, '')
  if (ipv4.test(address)) return address
  const url = /^[0-9a-f:.]+$/i.test(address) && address.includes(':') ? URL.parse(`http://[${address}]`) : null
  if (!url) {
    throw refuse('address_invalid', `"${address}" is no IP address.`, {
      errors: [{ pointer: `/addresses/${index}`, detail: 'is no IP address' }]
    })
  }
  return url.hostname.slice(1, -1)
}

/** @returns the lookup, which the directory may forget after the commit */
export async function endApiKey(tx: TxCtx, { journal }: Services, id: string): Promise<string> {
  const gone = await revokeApiKey(tx, id)
  if (!gone) throw refuse('api_key_unknown', 'There is no such key, or it is revoked already.')
  await journal.append(tx, { act: 'api_key.revoke', subject: 'authz.api_key', subjectId: id })
  return gone.lookup
}
