import { describe, expect, it } from 'vitest'
import { checkDepth } from './json-depth.js'
import { DEFAULT_LIMITS, LIMIT_NAMES, LIMITS, limitsOf } from './limits.js'

describe('the table of limits', () => {
  it('has a sensible default, a bound for it and words in every row', () => {
    for (const name of LIMIT_NAMES) {
      const { fallback, most, unit, meaning } = LIMITS[name]
      expect([name, fallback > 0 && fallback <= most]).toEqual([name, true])
      expect([name, unit !== '' && meaning.length > 10]).toEqual([name, true])
    }
  })

  it('lays what is given over the defaults', () => {
    expect(limitsOf({ body: 10, sortKeys: undefined as unknown as number })).toEqual({
      ...DEFAULT_LIMITS,
      body: 10,
    })
  })

  it.each([
    [{ body: 0 }, 'The limit "body" must be a whole number from 1 to 268435456, not 0'],
    [{ depth: 101 }, 'The limit "depth" must be a whole number from 1 to 100, not 101'],
    [{ url: 1.5 }, 'The limit "url" must be a whole number'],
    [{ pageSize: '5' as unknown as number }, 'The limit "pageSize" must be a whole number'],
    [{ toString: 5 }, 'There is no limit "toString"'],
  ])('refuses %j', (given: object, message) => {
    expect(() => limitsOf(given)).toThrow(message)
  })
})

/** Arrays within each other. */
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))

describe('checkDepth', () => {
  it('lets through what is nested as deep as allowed, and no deeper', () => {
    expect(() => checkDepth(nested(64), 64)).not.toThrow()
    expect(() => checkDepth({ a: [{ b: null }] }, 3)).not.toThrow()
    expect(() => checkDepth(nested(65), 64)).toThrow('nested deeper than 64 levels')
    expect(() => checkDepth(nested(100_000), 64)).toThrow('nested deeper than 64 levels')
  })
})
