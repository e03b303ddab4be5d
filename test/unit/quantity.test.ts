import fc from 'fast-check'
import t from 'tap'
import { add, compare, fromScaled, isZero, negate, parseQuantity, quantity, ratio, subtract, sum, toScaled } from '../../core/quantity.ts'

const amounts = fc.bigInt({ min: -999_999_999_999n, max: 999_999_999_999n }).map(fromScaled)

t.test('quantity: tenths add up without a float in between', async t => {
  t.equal(add('0.1', '0.2'), '0.3')
  t.equal(subtract('0.3', '0.1'), '0.2')
  t.equal(sum(['0.1', '0.1', '0.1', '-0.3']), '0')
})

t.test('quantity: what is no quantity is undefined, not a guess', async t => {
  for (const text of ['', '1e3', '0x10', ' 1', '1 ', '1,5', '.5', '5.', '1.1234567', '1234567890123', 'NaN', '+1', '--1', '١']) {
    t.equal(parseQuantity(text), undefined, JSON.stringify(text))
  }
  t.throws(() => quantity('many'), /not a quantity/)
})

t.test('quantity: equal amounts are equal text', async t => {
  t.equal(parseQuantity('1.500000'), '1.5')
  t.equal(parseQuantity('-0'), '0')
  t.equal(parseQuantity('007'), '7')
  t.equal(parseQuantity('999999999999.999999'), '999999999999.999999')
})

t.test('quantity: adding and taking away again changes nothing', async t => {
  t.doesNotThrow(() =>
    fc.assert(fc.property(amounts, amounts, (a, b) => subtract(add(a, b), b) === a && compare(add(a, b), b) === compare(a, '0')))
  )
  t.doesNotThrow(() => fc.assert(fc.property(amounts, a => isZero(add(a, negate(a))) && fromScaled(toScaled(a)) === a)))
})

t.test('quantity: a ratio is rounded half away from zero at the sixth digit', async t => {
  t.equal(ratio('10', 1n, 3n), '3.333333')
  t.equal(ratio('1', 1n, 2_000_000n), '0.000001')
  t.equal(ratio('-1', 1n, 2_000_000n), '-0.000001')
  t.equal(ratio('1', 1n, 3_000_000n), '0')
  t.throws(() => ratio('1', 1n, 0n), /divided by zero/)
})
