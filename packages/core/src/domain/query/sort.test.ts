import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../json.js'
import { encodeKey } from '../keys.js'
import { parseQuery } from './parse.js'
import { compareBy } from './sort.js'

const sorted = (values: Json[], ql: string): Json[] =>
  values
    .map((x) => ({ x }))
    .sort(compareBy(parseQuery(ql).sort))
    .map(({ x }) => x)

describe('compareBy', () => {
  const values: Json[] = [true, 'b', 3, null, 'A', false, -1, 'a']

  it('puts numbers before texts before booleans, and missing values last', () => {
    expect(sorted(values, 'order by x')).toEqual([-1, 3, 'A', 'a', 'b', false, true, null])
  })

  it('reverses that when descending, with missing values last all the same', () => {
    expect(sorted(values, 'order by x desc')).toEqual([true, false, 'b', 'A', 'a', 3, -1, null])
  })

  it('sorts an array by its smallest value, or by its largest when descending', () => {
    const arrays: Json[] = [[3, 'z'], 2, [9, 1], [], [{ y: 0 }]]

    expect(sorted(arrays, 'order by x')).toEqual([[9, 1], 2, [3, 'z'], [], [{ y: 0 }]])
    expect(sorted(arrays, 'order by x desc')).toEqual([[3, 'z'], [9, 1], 2, [], [{ y: 0 }]])
  })

  it('goes on to the next property where one does not decide', () => {
    const docs = [
      { a: 1, b: { c: 1 } },
      { a: 2, b: { c: 5 } },
      { a: 1, b: { c: 2 } },
    ]

    docs.sort(compareBy(parseQuery('order by A, b.c desc').sort))

    expect(docs.map(({ b }) => b.c)).toEqual([2, 1, 5])
  })

  it('leaves documents that do not differ as they are', () => {
    expect(compareBy(parseQuery('order by x').sort)({ x: 'A', y: 1 }, { x: 'a', y: 2 })).toBe(0)
    expect(compareBy(parseQuery('order by x').sort)({}, {})).toBe(0)
    expect(compareBy([])({ x: 1 }, { x: 2 })).toBe(0)
  })

  it('sorts a place by its distance from an origin', () => {
    const places = [10, 5, 7].map((latitude) => ({ location: { latitude, longitude: 0 } }))
    const origin = { path: 'location', latitude: 6.5, longitude: 0 }
    const order = (ql: string) =>
      [{ location: 'nowhere' }, ...places]
        .sort(compareBy(parseQuery(ql).sort, origin))
        .map(({ location }) => location)

    const nearest = [places[2], places[1], places[0]].map((place) => place!.location)
    expect(order('order by location')).toEqual([...nearest, 'nowhere'])
    expect(order('order by location desc')).toEqual([...nearest.toReversed(), 'nowhere'])
  })

  it('is the order of index keys', () => {
    const scalar = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.double({ noNaN: true }),
      fc.boolean(),
    )
    fc.assert(
      fc.property(scalar, scalar, fc.boolean(), (a, b, descending) => {
        const order = compareBy([{ path: 'x', descending }])({ x: a }, { x: b })
        const keys = Buffer.compare(encodeKey(a), encodeKey(b))
        expect(Math.sign(order) + 0).toBe((descending ? -keys : keys) + 0)
      }),
    )
  })
})
