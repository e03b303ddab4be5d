import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { AdapterError, type Manifest, TransportError } from '../../adapters/contract/index.ts'

/** Host names that a connection may call: those that its settings name at the manifest's egress pointers. */
export function allowedHosts(manifest: Manifest, config: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const hosts = new Set<string>()
  for (const pointer of manifest.egress) {
    const value = config[pointer.slice(1)]
    if (typeof value !== 'string' || value === '') continue
    hosts.add(URL.canParse(value) && value.includes('://') ? new URL(value).hostname.toLowerCase() : value.toLowerCase())
  }
  return hosts
}

// IANA special-purpose registries (RFC 6890): nothing of these is a customer's ERP on the internet.
const closed = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4]
] as const) {
  closed.addSubnet(net, bits, 'ipv4')
}
for (const [net, bits] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8]
] as const) {
  closed.addSubnet(net, bits, 'ipv6')
}

/** Whether an address lies in a private, local or otherwise special range; IPv4 inside IPv6 is looked through. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1]
  if (mapped !== undefined) return isPrivateAddress(mapped)
  const family = isIP(address)
  if (family === 0) return true
  // ::ffff:0:0/96 in hexadecimal form, and the old ::a.b.c.d, are IPv4 as well: none of them is needed.
  if (family === 6 && /^(::ffff:|::(\d{1,3}\.){3})/i.test(address)) return true
  return closed.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * The address to connect to: resolved once and checked here, so that a name which answers differently a moment later changes nothing.
 * @param allowPrivate `host:port` that the operator of the service opened outright
 * @throws AdapterError `config` for a host that the connection may not call; TransportError for a name that has no address
 */
export async function resolveTarget(
  host: string,
  port: number,
  hosts: ReadonlySet<string>,
  allowPrivate: readonly string[]
): Promise<{ address: string; family: 4 | 6 }> {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  if (!hosts.has(name) && !hosts.has(`[${name}]`)) {
    throw new AdapterError('config', `This connection may not call ${name}: its settings name ${[...hosts].join(', ') || 'no host'}.`)
  }
  const open = allowPrivate.includes(`${name}:${port}`)
  let found: readonly { address: string; family: number }[]
  try {
    found = isIP(name) ? [{ address: name, family: isIP(name) }] : await lookup(name, { all: true, verbatim: true })
  } catch (cause) {
    throw new TransportError('none', `The name ${name} has no address.`, cause)
  }
  const usable = found.find(entry => open || !isPrivateAddress(entry.address))
  if (!usable) throw new AdapterError('config', `${name} leads into a private network, which is not open for this connection.`)
  return { address: usable.address, family: usable.family === 6 ? 6 : 4 }
}
