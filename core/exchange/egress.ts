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
// Two lists: in one, a rule for IPv4 written as IPv6 would hold for every IPv4 address.
const closed4 = new BlockList()
const closed6 = new BlockList()
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
  closed4.addSubnet(net, bits, 'ipv4')
}
for (const [net, bits] of [
  // unspecified, loopback and the old way to write an IPv4 address
  ['::', 96],
  // IPv4 inside IPv6: nobody needs to write it that way
  ['::ffff:0:0', 96],
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
  closed6.addSubnet(net, bits, 'ipv6')
}

/** Whether an address lies in a private, local or otherwise special range, in whatever form it is written. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  // A zone ("fe80::1%eth0") names a network card: only local addresses have one.
  if (family === 0 || address.includes('%')) return true
  if (family === 4) return closed4.check(address, 'ipv4')
  return closed6.check(address, 'ipv6')
}

/** Whether the operator of the service opened this private host and port outright. */
export function isOpened(host: string, port: number, allowPrivate: readonly string[]): boolean {
  const name = plainHost(host)
  return allowPrivate.some(entry => entry.toLowerCase() === `${name}:${port}` || entry.toLowerCase() === `[${name}]:${port}`)
}

/** @throws AdapterError `config` for a host that the settings of the connection do not name */
export function checkHost(host: string, hosts: ReadonlySet<string>): void {
  const name = plainHost(host)
  if (hosts.has(name) || hosts.has(`[${name}]`)) return
  throw new AdapterError('config', `This connection may not call ${name}: its settings name ${[...hosts].join(', ') || 'no host'}.`)
}

const plainHost = (host: string): string => host.toLowerCase().replace(/^\[|\]$/g, '')

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
  checkHost(host, hosts)
  const name = plainHost(host)
  const open = isOpened(name, port, allowPrivate)
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
