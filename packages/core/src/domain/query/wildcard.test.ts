import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesWildcard } from './wildcard.js'

/** The definition itself: a star takes nothing, or one character more. */
const simple = (pattern: string, text: string): boolean => {
  if (pattern === '') return text === ''
  if (pattern[0] === '*')
    return simple(pattern.slice(1), text) || (text !== '' && simple(pattern, text.slice(1)))
  return text[0] === pattern[0] && simple(pattern.slice(1), text.slice(1))
}

const from = (...units: string[]) =>
  fc.array(fc.constantFrom(...units), { maxLength: 8 }).map((all) => all.join(''))

describe('matchesWildcard', () => {
  it('agrees with the definition', () => {
    fc.assert(
      fc.property(from('a', 'b', '*'), from('a', 'b'), (pattern, text) => {
        expect(matchesWildcard(pattern, text)).toBe(simple(pattern, text))
      }),
      { numRuns: 5000 },
    )
  })

  it('agrees with the definition where pieces are long', () => {
    const piece = fc.tuple(from('a', 'b'), fc.integer({ min: 1, max: 12 })).map(([text, n]) => text.repeat(n))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), fc.array(piece, { maxLength: 8 }), (pieces, texts) => {
        const [pattern, text] = [`*${pieces.join('*')}*`, texts.join('')]
        const spelled = new RegExp(`^${pattern.replaceAll('*', '.*')}$`)
        expect(matchesWildcard(pattern, text)).toBe(spelled.test(text))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['mor*', 'morning', true],
    ['*an*', 'orange', true],
    ['i am*', 'i am the one', true],
    ['a*a', 'a', false],
    ['*', '', true],
    ['.*', 'x', false],
  ])('finds that %s on %s is %s', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected)
  })

  it('is not slowed down by many stars', () => {
    // A backtracking matcher needs more than 2 ** 1000 steps for this and would never come back.
    expect(matchesWildcard(`${'*a'.repeat(1000)}*b`, 'a'.repeat(100_000))).toBe(false)
  })

  it('is not slowed down by a long piece that is almost everywhere', () => {
    const piece = `${'a'.repeat(8000)}b${'a'.repeat(8000)}`
    const text = 'a'.repeat(10_000_000)

    // Comparing the piece at every place takes half a minute.
    expect(matchesWildcard(`*${piece}*`, text)).toBe(false)
    expect(matchesWildcard(`*${piece}*`, text + piece + text)).toBe(true)
  }, 5000)
})
