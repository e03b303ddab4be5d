import { type Clock, type Ctx, type Journal, refuse, sha256, withTx } from '../../core/index.ts'
import { guessesOf, insertAttempt, lockAccount, settleAttempt, slowedBefore } from './attempt-store.ts'
import { addressGroup, type Guess, waitSeconds, windowSeconds } from './brake-rules.ts'

/** Blind indexes: neither what was typed nor the address is kept in plain text. */
export interface Guesser {
  readonly account: Buffer
  readonly address: Buffer
}

export const guesser = (ctx: Ctx, account: Buffer, ip: string): Guesser => ({
  account,
  address: ctx.tenant.keys.blind(addressGroup(ip), 'sign-in.address')
})

/**
 * Takes one of the guesses that this account and address have left, before any password is looked at: fifty guesses at the same
 * moment are counted one after the other. It counts as wrong until `settleAttempt` says otherwise.
 * @returns the number of the attempt
 * @throws Refusal too_many_requests with Retry-After
 */
export async function takeGuess(ctx: Ctx, journal: Journal, who: Guesser): Promise<string> {
  const taken = await withTx(ctx, async tx => {
    await lockAccount(tx, who.account)
    const wait = waitSeconds(await guessesOf(tx, who, windowSeconds), tx.clock.now().getTime())
    if (wait === 0) return { seq: await insertAttempt(tx, who, 'failed') }
    // Said once per account, address and hour: the row of a flood of guesses would only help the flood.
    if (!(await slowedBefore(tx, who, windowSeconds))) {
      const seq = await insertAttempt(tx, who, 'slowed')
      await journal.append(tx, { act: 'session.slowed', subject: 'authz.sign_in_attempt', subjectId: seq, data: { waitSeconds: wait } })
    }
    return { wait }
  })
  if ('wait' in taken) throw tooMany(taken.wait)
  return taken.seq
}

export { settleAttempt }

const tooMany = (wait: number) =>
  refuse('too_many_requests', 'Too many wrong tries. Wait as long as Retry-After says, then try again.', { retryAfterSeconds: wait })

/**
 * The same brake for customers that do not exist, so that they cannot be told from those that do. Kept in memory, since there is no
 * database to keep it in; a second server counts for itself.
 */
export function strangersBrake(clock: Clock): (given: { customer: string; username: string; ip: string }) => void {
  const most = 10_000
  let seen: { at: number; account: string; address: string }[] = []
  return ({ customer, username, ip }) => {
    const now = clock.now().getTime()
    const account = sha256(`${customer}\n${username.normalize('NFKC').trim().toLowerCase()}`).toString('base64')
    // Real customers count addresses each for themselves, so this does too.
    const address = sha256(`${customer}\n${addressGroup(ip)}`).toString('base64')
    seen = seen.filter(guess => guess.at > now - windowSeconds * 1000).slice(-most)
    const guesses: Guess[] = seen
      .filter(guess => guess.account === account || guess.address === address)
      .map(guess => ({ at: guess.at, account: guess.account === account, address: guess.address === address, known: false }))
      .reverse()
    const wait = waitSeconds({ guesses, lastIn: null }, now)
    if (wait > 0) throw tooMany(wait)
    seen.push({ at: now, account, address })
  }
}
