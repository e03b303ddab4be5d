import t from 'tap'
import { addressGroup, type Guess, waitSeconds } from '../../modules/authz/brake-rules.ts'

const now = Date.parse('2026-03-02T08:00:00Z')
const ago = (seconds: number, parts: Partial<Guess> = {}): Guess => ({
  at: now - seconds * 1000,
  account: true,
  address: true,
  known: false,
  ...parts
})
const many = (count: number, parts: Partial<Guess> = {}, from = 100): Guess[] =>
  Array.from({ length: count }, (_, i) => ago(from + i, parts))
const wait = (guesses: Guess[], lastIn: number | null = null): number => waitSeconds({ guesses, lastIn }, now)

t.test('brake: three wrong guesses are free, then the pause doubles up to five minutes', async t => {
  t.equal(wait([]), 0)
  t.equal(wait([ago(0), ago(0)]), 0)
  t.equal(wait([ago(0), ago(0), ago(0)]), 2)
  t.equal(wait([ago(0), ago(0), ago(0), ago(0)]), 4)
  t.equal(wait([ago(3), ago(4), ago(5), ago(6)]), 1, 'three seconds of the four are over')
  t.equal(wait([ago(4), ago(4), ago(5), ago(6)]), 0)
  t.equal(wait(many(9, {}, 0)), 128)
  t.equal(wait([...many(9, { known: true }, 0)], now - 7_200_000), 128, 'also where the account came in before')
})

t.test('brake: coming in from an address starts its row anew', async t => {
  const guesses = [ago(10, { known: true }), ago(11, { known: true }), ago(100), ago(101), ago(102), ago(103)]
  t.equal(wait(guesses, now - 50_000), 0)
})

t.test('brake: an account takes ten guesses an hour from new addresses together, until the oldest is an hour old', async t => {
  const elsewhere = many(10, { address: false }, 600)
  t.equal(wait(elsewhere), 3_600 - 609)
  t.equal(wait(elsewhere.slice(1)), 0)
  t.equal(wait(elsewhere, now - 86_400_000), 0, 'an address that is known to the account is not closed by it')
})

t.test('brake: a known address has ten guesses an hour of its own, so that an account takes twenty at most', async t => {
  const known = many(10, { known: true }, 600)
  t.equal(wait(known, now - 86_400_000), 3_600 - 609)
  t.equal(wait(known.slice(1), now - 86_400_000), 0)
  t.equal(wait(known, null), 0, 'guesses from a known address do not close new ones')
})

t.test('brake: an address takes a hundred guesses an hour at accounts it does not know', async t => {
  const spray = many(100, { account: false }, 60)
  t.equal(wait(spray), 3_600 - 159)
  t.equal(wait(spray.slice(1)), 0)
  t.equal(wait(spray, now - 86_400_000), 0, 'whoever works there goes on')
})

t.test('brake: what counts as one address', async t => {
  t.equal(addressGroup('192.0.2.7'), '192.0.2.7')
  t.equal(addressGroup('::ffff:192.0.2.7'), '192.0.2.7')
  t.equal(addressGroup('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  t.equal(addressGroup('2001:0DB8:1:2::9'), '2001:db8:1:2::/64')
  t.equal(addressGroup('2001:db8::1'), '2001:db8:0:0::/64')
  t.equal(addressGroup('fe80::1%eth0'), 'fe80:0:0:0::/64')
  t.equal(addressGroup('::1'), '0:0:0:0::/64')
})
