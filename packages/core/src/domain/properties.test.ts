import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from './json.js'
import { encodeKey } from './keys.js'
import {
  geoEntries,
  indexEntries,
  MAX_DEPTH,
  MAX_INDEX_ENTRIES,
  MAX_PATH_LENGTH,
  MAX_WORDS,
  readPath,
  wordEntries,
} from './properties.js'

const nested = (depth: number, leaf: Json): JsonObject =>
  depth === 1 ? { x: leaf } : { x: nested(depth - 1, leaf) }

const document = (): fc.Arbitrary<JsonObject> => {
  const key = fc.constantFrom('a', 'A', 'b', 'a.b', 'B.a', 'metadata', '__proto__', 'Σ', 'aΣ', '')
  const { object } = fc.letrec<{ object: JsonObject; json: Json }>((tie) => ({
    object: fc.dictionary(key, tie('json'), { maxKeys: 4 }),
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json>(null, 1, 2, -0, 0, 'x', 'X', 'Two words', true),
      fc.array(tie('json'), { maxLength: 3 }),
      tie('object'),
    ),
  }))
  return object
}

describe('indexEntries', () => {
  it('are the scalars at every depth, under dotted lower-case paths', () => {
    const entries = indexEntries({
      Name: 'Rex',
      address: { City: 'Ulm', geo: { Zone: 7 } },
      good: true,
      none: null,
    })

    expect(entries).toEqual([
      { path: 'name', value: 'Rex' },
      { path: 'address.city', value: 'Ulm' },
      { path: 'address.geo.zone', value: 7 },
      { path: 'good', value: true },
    ])
  })

  it('hold each element of an array, also inside objects of an array, but no array in an array', () => {
    const entries = indexEntries({
      tags: ['a', 1, null, ['b'], { deep: 'c' }],
      friends: [{ name: 'x' }, { name: 'y' }],
    })

    expect(entries).toEqual([
      { path: 'tags', value: 'a' },
      { path: 'tags', value: 1 },
      { path: 'tags.deep', value: 'c' },
      { path: 'friends.name', value: 'x' },
      { path: 'friends.name', value: 'y' },
    ])
  })

  it('keep the first of values with the same key', () => {
    const entries = indexEntries({ tags: ['A', 'a', 1, 1, true, '1', -0, 0], 'x.y': 'q', x: { y: 'Q' } })

    expect(entries.map(({ value }) => value)).toEqual(['A', 1, true, '1', -0, 'q'])
  })

  it('leave out top-level metadata only', () => {
    expect(indexEntries({ metadata: { path: '/a' }, Metadata: 1, a: { metadata: 2 } })).toEqual([
      { path: 'a.metadata', value: 2 },
    ])
  })

  it('stop at a number, a depth and a path length', () => {
    const many = { all: Array.from({ length: MAX_INDEX_ENTRIES + 50 }, (_, index) => index) }
    const long = 'p'.repeat(MAX_PATH_LENGTH + 1)

    expect(indexEntries(many)).toHaveLength(MAX_INDEX_ENTRIES)
    expect(indexEntries(nested(MAX_DEPTH, 1))).toHaveLength(1)
    expect(indexEntries(nested(MAX_DEPTH + 1, 1))).toEqual([])
    expect(indexEntries({ [long]: 1, a: { [long.slice(2)]: 2 } })).toEqual([])
  })

  it('survive a document nested ten thousand deep', () => {
    let doc: JsonObject = {}
    for (let depth = 0; depth < 10_000; depth++) doc = { a: [doc] }

    expect(indexEntries(doc)).toEqual([])
    expect(readPath(doc, 'a.'.repeat(100) + 'a')).toEqual([])
  })
})

describe('readPath', () => {
  it.each<[string, string, JsonObject, Json[]]>([
    ['ignores case', 'home.city', { Home: { CITY: 'Ulm' } }, ['Ulm']],
    ['reads names with dots', 'gcm.notifier.id', { 'gcm.notifier.id': 'x' }, ['x']],
    ['reads names with dots inside objects', 'a.b.c', { a: { 'b.c': 1 }, 'a.b': { c: 2 } }, [1, 2]],
    [
      'reads through arrays',
      'friends.name',
      { friends: [{ name: 'x' }, { age: 1 }, { name: ['y', 'z'] }] },
      ['x', 'y', 'z'],
    ],
    ['gives objects', 'a', { a: [{ b: 1 }, 2] }, [{ b: 1 }, 2]],
    ['gives no nulls and no arrays in arrays', 'a', { a: [null, [1], 2] }, [2]],
    ['does not see metadata', 'metadata.path', { metadata: { path: '/x' } }, []],
    ['does not see inherited properties', 'constructor', {}, []],
  ])('%s', (_, path, doc, values) => {
    expect(readPath(doc, path)).toEqual(values)
  })

  it('agrees with the index on every document and path', () => {
    const identity = (path: string, value: string | number | boolean) =>
      `${path} ${encodeKey(value).toString('hex')}`
    fc.assert(
      fc.property(document(), (doc) => {
        const entries = indexEntries(doc)
        const indexed = new Set(entries.map(({ path, value }) => identity(path, value)))
        const read = [...new Set(entries.map(({ path }) => path)), 'a', 'a.b', 'b.a.b', 'metadata.a'].flatMap(
          (path) =>
            readPath(doc, path).flatMap((value) =>
              typeof value === 'object' ? [] : [identity(path, value)],
            ),
        )
        expect(indexed.size).toBe(entries.length)
        expect(new Set(read)).toEqual(indexed)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('wordEntries', () => {
  it('are the distinct words of each path with strings', () => {
    const entries = wordEntries({ Title: 'The cat, the dog', tags: ['Cat food', 'dog'], n: 5, none: '...' })

    expect(entries).toEqual([
      { path: 'title', words: ['the', 'cat', 'dog'] },
      { path: 'tags', words: ['cat', 'food', 'dog'] },
    ])
  })

  it('stop at a number over all paths', () => {
    const text = Array.from({ length: MAX_WORDS - 1 }, (_, index) => `w${index}`).join(' ')

    const entries = wordEntries({ a: text, b: 'one two', c: 'three' })

    expect(entries.map(({ words }) => words.length)).toEqual([MAX_WORDS - 1, 1])
  })
})

describe('geoEntries', () => {
  it('are locations with coordinates, and other properties with nothing but coordinates', () => {
    const entries = geoEntries({
      location: { latitude: 1, longitude: 2, accuracy: 5 },
      actor: { Location: { latitude: 3, longitude: 4 } },
      spot: { latitude: 5, longitude: 6 },
      other: { latitude: 5, longitude: 6, name: 'x' },
      stops: [
        { latitude: 7, longitude: 8 },
        { latitude: 9, longitude: 10 },
      ],
    })

    expect(entries).toEqual([
      { path: 'location', latitude: 1, longitude: 2 },
      { path: 'actor.location', latitude: 3, longitude: 4 },
      { path: 'spot', latitude: 5, longitude: 6 },
      { path: 'stops', latitude: 7, longitude: 8 },
      { path: 'stops', latitude: 9, longitude: 10 },
    ])
  })

  it('leave out places that are not on the globe and plain strings', () => {
    expect(geoEntries({ location: { latitude: 91, longitude: 0 }, a: { location: 'Berlin' } })).toEqual([])
  })
})
