import { describe, expect, it } from 'vitest'
import { composed } from './composition.js'
import { isSameName } from './permission.js'
import { uniqueKey } from './unique-key.js'

describe('composed', () => {
  it.each([
    ['e\u0301', '\u00e9'],
    ['q\u0323\u0307', 'q\u0323\u0307'],
    ['q\u0307\u0323', 'q\u0323\u0307'],
    ['\u1112\u1161\u11ab', '\ud55c'],
    [`e${'\u0301'.repeat(64)}`, `\u00e9${'\u0301'.repeat(63)}`],
    [`e${'\u0301'.repeat(65)}`, `e${'\u0301'.repeat(65)}`],
  ])('makes %j %j', (text, expected) => {
    expect(composed(text)).toBe(expected)
  })

  it('takes no time for marks in an order that is hard to mend', () => {
    const marks = (n: number) => `a${'\u0301'.repeat(n)}${'\u0323'.repeat(n)}`

    // A minute each, if they were put in order.
    expect(composed(marks(250_000))).toHaveLength(500_001)
    expect(uniqueKey(marks(250_000))).toHaveLength(128)
    expect(isSameName(marks(250_000), marks(250_001))).toBe(false)
    expect(composed(`${marks(32)} `.repeat(10_000))).toHaveLength(650_000)
  }, 5000)
})
