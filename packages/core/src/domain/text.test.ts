import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareText, fold, words } from './text.js'

const text = () => fc.string({ unit: 'binary' })

describe('fold', () => {
  it('ignores case, also where an upper-case letter becomes two', () => {
    expect(fold('ÄrGer İ')).toBe(fold('äRgER i̇'))
  })

  it('gives a beginning of the folded text for a beginning of the text', () => {
    expect(fold('ΟΔΟΣΑ').startsWith(fold('ΟΔΟΣ'))).toBe(true)
  })

  it('changes nothing the second time', () => {
    fc.assert(fc.property(text(), (value) => fold(fold(value)) === fold(value)))
  })
})

describe('compareText', () => {
  it('orders as the bytes of UTF-8 do', () => {
    fc.assert(
      fc.property(text(), text(), (a, b) => {
        const [x, y] = [fold(a), fold(b)]
        expect(Math.sign(compareText(x, y))).toBe(Buffer.compare(Buffer.from(x), Buffer.from(y)))
      }),
    )
  })

  it('puts characters beyond U+FFFF after those below', () => {
    expect(compareText('\uffee', '😀')).toBeLessThan(0)
  })
})

describe('words', () => {
  it('are distinct lower-case runs of letters, digits and marks', () => {
    expect(words("Don't stop: stop_42, ÜBER cafe\u0301!")).toEqual([
      'don',
      't',
      'stop',
      '42',
      'über',
      'cafe\u0301',
    ])
  })

  it('are cut after 64 characters, never inside one', () => {
    expect(words(`${'𝒜'.repeat(70)} x`)).toEqual(['𝒜'.repeat(64), 'x'])
  })
})
