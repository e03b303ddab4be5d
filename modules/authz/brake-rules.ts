/** One wrong guess of the last hour, at this account or from this address. */
export interface Guess {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly account: boolean
  readonly address: boolean
  /** Somebody had come in with this account from this address before. */
  readonly known: boolean
}

export interface Past {
  /** Newest first. */
  readonly guesses: readonly Guess[]
  /** The last time this account came in from this address, milliseconds since 1970; null: never. */
  readonly lastIn: number | null
}

export const windowSeconds = 3_600
const free = 3
const longestWait = 300
/** An account takes 10 wrong guesses an hour from all addresses that are new to it, and 10 from one that is known. */
const mostPerAccount = 10
/** An address takes 100 an hour at accounts that do not know it: one guess at each of a thousand accounts ends here. */
const mostPerAddress = 100

/**
 * Seconds until the next guess may be made; 0: now. From the fourth wrong guess in a row on, account and address together wait
 * 2, 4, 8 … 300 seconds. Nobody is locked out for good, and an address from which somebody came in before is not closed by what
 * others do elsewhere (security check A4).
 */
export function waitSeconds({ guesses, lastIn }: Past, now: number): number {
  const known = lastIn !== null
  const pair = guesses.filter(guess => guess.account && guess.address)
  const inRow = pair.filter(guess => lastIn === null || guess.at >= lastIn)
  const newest = inRow[0]
  const pause = !newest || inRow.length < free ? 0 : newest.at / 1000 + Math.min(longestWait, 2 ** (inRow.length - free + 1)) - now / 1000
  const atAccount = known ? pair : guesses.filter(guess => guess.account && !guess.known)
  const fromAddress = known ? [] : guesses.filter(guess => guess.address && !guess.known)
  const wait = Math.max(pause, untilBelow(mostPerAccount, atAccount, now), untilBelow(mostPerAddress, fromAddress, now))
  return Math.max(0, Math.ceil(wait))
}

/** Seconds until fewer than `most` of these are younger than the window. */
function untilBelow(most: number, guesses: readonly Guess[], now: number): number {
  const first = guesses[most - 1]
  return first ? first.at / 1000 + windowSeconds - now / 1000 : 0
}

/** An IPv6 client has a whole /64 to itself, so that is what counts; a mapped IPv4 address counts as what it is. */
export function addressGroup(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  if (mapped?.[1]) return mapped[1]
  if (!ip.includes(':')) return ip
  const [head = '', tail] = ip.toLowerCase().split('%')[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups =
    tail === undefined ? left : [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right]
  return `${groups
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
