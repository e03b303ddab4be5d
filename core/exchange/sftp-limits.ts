import { isIPv6 } from 'node:net'
import type { Clock } from '../clock.ts'

/** Failures that cost nothing: a person mistypes, an agent offers a wrong key first. */
const freeFailures = 5
const firstPauseSeconds = 1
const longestPauseSeconds = 300
const forgetSeconds = 900
const mostAddresses = 10_000

/** Remembers failed sign-ins per address and says how long that address has to wait. */
export interface FailureLog {
  /** Seconds for which connections from this address are not accepted; 0 when they are. */
  pauseOf(address: string): number
  failed(address: string, weight: number): void
  succeeded(address: string): void
}

/**
 * Back-off per address (an IPv6 site counts as one): after five failures each further one doubles the pause up to five minutes.
 * By address and not by user name, so that nobody can lock a customer's ERP out by guessing under its name.
 */
export function failureLog(clock: Clock): FailureLog {
  const known = new Map<string, { failures: number; until: number; last: number }>()
  const now = (): number => clock.now().getTime() / 1000
  return {
    pauseOf(address) {
      const entry = known.get(site(address))
      return entry === undefined ? 0 : Math.max(0, entry.until - now())
    },
    failed(address, weight) {
      const key = site(address)
      const at = now()
      const before = known.get(key)
      const failures = (before !== undefined && at - before.last < forgetSeconds ? before.failures : 0) + weight
      const over = failures - freeFailures
      const pause = over <= 0 ? 0 : Math.min(longestPauseSeconds, firstPauseSeconds * 2 ** Math.min(over, 10))
      // Written last, so the map's order is by age and the oldest goes first.
      known.delete(key)
      known.set(key, { failures, until: at + pause, last: at })
      if (known.size > mostAddresses)
        for (const old of known.keys()) {
          known.delete(old)
          break
        }
    },
    succeeded(address) {
      known.delete(site(address))
    }
  }
}

/** An address as we count it: IPv4 whole (also inside IPv6), IPv6 by its /64. */
export function site(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const full = tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return full
    .slice(0, 4)
    .map(part => part.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}

/** Sockets that have not signed in yet, at most `most`; when one more comes, somebody who waited longest goes. */
export interface Waiting<S> {
  add(socket: S, address: string): S | undefined
  remove(socket: S): void
  readonly size: number
}

/**
 * A flood from one address must not push out the sign-ins of others: the one who goes is the oldest of the address that holds most.
 */
export function waitingRoom<S>(most: number): Waiting<S> {
  const waiting = new Map<S, string>()
  return {
    add(socket, address) {
      waiting.set(socket, site(address))
      if (waiting.size <= most) return undefined
      const counts = new Map<string, number>()
      for (const at of waiting.values()) counts.set(at, (counts.get(at) ?? 0) + 1)
      let busiest = ''
      for (const [at, count] of counts) if (count > (counts.get(busiest) ?? 0)) busiest = at
      for (const [oldest, at] of waiting) {
        if (at !== busiest) continue
        waiting.delete(oldest)
        return oldest
      }
      return undefined
    },
    remove: socket => void waiting.delete(socket),
    get size() {
      return waiting.size
    }
  }
}
