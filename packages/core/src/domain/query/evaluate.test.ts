import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../json.js'
import type { CompareOp, Filter, Literal } from './ast.js'
import { distanceTo, matches } from './evaluate.js'
import { parseQuery } from './parse.js'

const UUID = '4b9d2c10-6f1b-11ee-8c99-0242ac120002'
const answer = (ql: string, doc: JsonObject): boolean => matches(parseQuery(ql).filter!, doc)

describe('a comparison', () => {
  const doc: JsonObject = {
    uuid: UUID,
    name: 'Fido the Dog',
    age: 5,
    weight: 5.5,
    whole: 7.0,
    good: true,
    code: '5',
    word: 'true',
    tags: ['Red', 'green', 3, ['inner']],
    friends: [{ name: 'Ann', age: 3 }, { name: 'Bob' }],
    address: { City: 'Ulm', geo: { zip: '89073' } },
    'gcm.notifier.id': 'abc',
    nothing: null,
    blank: '',
    greek: 'ΟΔΟΣ ΑΣ',
  }

  it.each<[string, boolean]>([
    // Strings: the whole value, without regard to case; blanks around the literal do not count.
    ["name = 'fido the dog'", true],
    ["NAME = ' FIDO THE DOG '", true],
    ["name = 'fido'", false],
    ["greek = 'οδος ας'", true],
    ["blank = ''", true],
    // Wildcards.
    ["name = 'fid*'", true],
    ["name = '*THE*'", true],
    ["name = 'Fido t*'", true],
    ["name = 'f*d*g'", true],
    ["name = 'f*x*g'", false],
    ["name = '*'", true],
    ["blank = '*'", true],
    ["age = '*'", false],
    ["greek = 'οδ* α*'", true],
    ["greek = 'ΟΔΟΣ*'", true],
    // Order of strings.
    ["name > 'fido'", true],
    ["name < 'FIDP'", true],
    ["name >= 'fido the dog'", true],
    ["name <= 'fido the dof'", false],
    ["name > 'f*'", true],
    // Numbers, whether whole or not.
    ['age = 5', true],
    ['age = 5.0', true],
    ['whole = 7', true],
    ['weight > 5', true],
    ['weight <= 5.5', true],
    ['weight < 5.5', false],
    // Types are strict.
    ["age = '5'", false],
    ['code = 5', false],
    ["code = '5'", true],
    ['good = true', true],
    ['good = false', false],
    ['good > false', true],
    ["good = 'true'", false],
    ["word = 'true'", true],
    ['word = true', false],
    ['age > true', false],
    ["age > 'a'", false],
    // Uuids.
    [`uuid = ${UUID}`, true],
    [`uuid = '${UUID.toUpperCase()}'`, true],
    [`uuid = a${UUID.slice(1)}`, false],
    // Arrays, nested properties, names with dots.
    ["tags = 'RED'", true],
    ['tags = 3', true],
    ['tags > 2', true],
    ["tags = 'inner'", false],
    ["friends.name = 'bob'", true],
    ['friends.age = 3', true],
    ["friends.name = 'eve'", false],
    ["address.city = 'ulm'", true],
    ["address.geo.zip = '89073'", true],
    ["gcm.notifier.id = 'abc'", true],
    ["address = 'ulm'", false],
    // Missing properties.
    ['limit = 5', false],
    ["nothing = 'x'", false],
    ['missing < 5', false],
    ['not missing < 5', true],
    ["not nothing = 'x'", true],
    ['not (missing = 1 or age = 5)', false],
    // A word or more.
    ["name contains 'dog'", true],
    ["name contains 'DO'", false],
    ["name contains 'do*'", true],
    ["name contains '*id*'", true],
    ["name contains 'cat dog'", true],
    ["name contains 'cat, fox'", false],
    ["name contains ''", false],
    ["tags contains 'green'", true],
    ["age contains '5'", false],
    ["friends.name contains 'an*'", true],
    // Logic, also between words and other terms.
    ["name contains 'cat' or age = 5", true],
    ["name contains 'dog' and age = 6", false],
    ["name = 'x*' or weight > 5", true],
    ['age = 1 and age = 2 or age = 5', true],
    ['age = 5 or age = 1 and age = 2', true],
  ])('%s: %s', (ql, expected) => {
    expect(answer(ql, doc)).toBe(expected)
  })

  it('decides by the type of the literal where entities differ in the type of a property', () => {
    expect(answer('x = 41', { x: 41 })).toBe(true)
    expect(answer("x = 'word'", { x: 'word' })).toBe(true)
    expect(answer("x = 'word'", { x: 41 })).toBe(false)
  })

  it('takes subnormal numbers and large ones for what they are', () => {
    expect(answer('x > 0', { x: 5e-324 })).toBe(true)
    expect(answer('x = 0', { x: -0 })).toBe(true)
    expect(answer('x < 1e308', { x: -1.7e308 })).toBe(true)
  })
})

describe('within', () => {
  const at = (latitude: number, longitude: number): JsonObject => ({ location: { latitude, longitude } })

  it.each<[string, JsonObject, boolean]>([
    ['location within 500 of 37.77,-122.4', at(37.7701, -122.4001), true],
    ['location within 500 of 37.77,-122.4', at(37.78, -122.4), false],
    ['location within 500 of 37.77,-122.4', { location: 'San Francisco' }, false],
    ['location within 500 of 37.77,-122.4', {}, false],
    ['not location within 500 of 37.77,-122.4', {}, true],
    ['location within 10000 of 37.3236882,-121.9373442', at(37.354108, -121.955236), true],
    ['actor.location within 500 of 1,2', { actor: at(1, 2) }, true],
    ['spot within 1 of 1,2', { spot: { latitude: 1, longitude: 2 } }, true],
    ['spot within 1 of 1,2', { spot: { latitude: 1, longitude: 2, name: 'x' } }, false],
    ['location within 2147483647 of 0,0', at(0, 180), true],
    ['location within 50000000 of 90,0', at(-90, 0), true],
    ['location within 2000 of 90,0', at(89.99, 133), true],
    ['location within 2000 of 0,180', at(0, -179.99), true],
    [
      'stops within 10 of 3,4',
      {
        stops: [
          { latitude: 1, longitude: 2 },
          { latitude: 3, longitude: 4 },
        ],
      },
      true,
    ],
    ["location within 500 of 1,2 and name = 'x'", { ...at(1, 2), name: 'y' }, false],
    ["location within 500 of 9,9 or name = 'y'", { ...at(1, 2), name: 'y' }, true],
  ])('%s of %j: %s', (ql, doc, expected) => {
    expect(answer(ql, doc)).toBe(expected)
  })

  it('measures to the decimetre with the mean radius of the Earth', () => {
    const doc = at(0, (609.78 / 6_371_008.77) * (180 / Math.PI))

    expect(answer('location within 609.7 of 0,0', doc)).toBe(false)
    expect(answer('location within 609.8 of 0,0', doc)).toBe(true)
  })

  it('has a distance: to the nearest point, or none', () => {
    const doc = {
      stops: [
        { latitude: 0, longitude: 1 },
        { latitude: 0, longitude: 3 },
      ],
      name: 'x',
    }

    expect(distanceTo(doc, 'stops', 0, 0)).toBeCloseTo(111_195.08, 1)
    expect(distanceTo(doc, 'stops', 0, 3)).toBe(0)
    expect(distanceTo(doc, 'name', 0, 0)).toBeNull()
    expect(distanceTo(doc, 'location', 0, 0)).toBeNull()
  })
})

/** A second evaluator, written from the rules with other means: every path of a document is listed first. */
const naive = (filter: Filter, doc: JsonObject): boolean => {
  switch (filter.kind) {
    case 'and':
      return filter.items.filter((item) => !naive(item, doc)).length === 0
    case 'or':
      return filter.items.filter((item) => naive(item, doc)).length > 0
    case 'not':
      return !naive(filter.item, doc)
    case 'contains':
      return naiveValues(doc, filter.path).some(
        (value) =>
          typeof value === 'string' &&
          value
            .toLowerCase()
            .split(/[^a-z0-9]+/)
            .some((word) => word !== '' && filter.words.some((pattern) => naivePattern(pattern).test(word))),
      )
    case 'compare':
      return naiveValues(doc, filter.path).some((value) => naiveCompare(value, filter.op, filter.value.value))
    default:
      throw new Error('not generated')
  }
}

const naiveValues = (doc: JsonObject, path: string): Json[] => {
  const listed: [string, Json][] = []
  const list = (name: string, value: Json, inArray: boolean): void => {
    if (Array.isArray(value)) {
      if (!inArray) for (const element of value) list(name, element, true)
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) list(`${name}.${key.toLowerCase()}`, inner, false)
    } else listed.push([name, value])
  }
  list('', doc, false)
  return listed.filter(([name]) => name === `.${path}`).map(([, value]) => value)
}

const naivePattern = (pattern: string): RegExp => new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`)

const naiveCompare = (value: Json, op: CompareOp, wanted: Literal['value']): boolean => {
  if (typeof value !== typeof wanted) return false
  const [x, y] = [value, wanted].map((side) => (typeof side === 'string' ? side.toLowerCase() : side)) as [
    string,
    string,
  ]
  const literal = typeof wanted === 'string' ? y.replace(/^ +| +$/g, '') : y
  if (op === '=' && typeof wanted === 'string') return naivePattern(literal).test(x)
  return {
    '=': x === literal,
    '<': x < literal,
    '<=': x <= literal,
    '>': x > literal,
    '>=': x >= literal,
  }[op]
}

describe('matches', () => {
  const key = fc.constantFrom('a', 'A', 'b', 'a.b', 'c')
  const text = fc.constantFrom('', 'x', 'X', 'y', 'x y', 'xx-y', 'yx', ' x')
  const scalar = fc.oneof(
    text,
    fc.integer({ min: -1, max: 2 }),
    fc.constant(0.5),
    fc.boolean(),
    fc.constant(null),
  )
  const { object } = fc.letrec<{ object: JsonObject; json: Json }>((tie) => ({
    object: fc.dictionary(key, tie('json'), { maxKeys: 4 }),
    json: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      scalar,
      fc.array(tie('json'), { maxLength: 3 }),
      tie('object'),
    ),
  }))
  const path = fc.constantFrom('a', 'b', 'a.b', 'c.a', 'a.b.c')
  const pattern = fc.constantFrom('', 'x', 'x*', '*y', 'x*y', '*', ' X ', 'x y', '**')
  const literal = fc.oneof<fc.Arbitrary<Literal>[]>(
    pattern.map((value) => ({ kind: 'string', value })),
    fc.constantFrom(-1, 0, 0.5, 1).map((value) => ({ kind: 'number', value })),
    fc.boolean().map((value) => ({ kind: 'boolean', value })),
  )
  const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3 },
      fc.record({
        kind: fc.constant('compare' as const),
        path,
        op: fc.constantFrom<CompareOp>('=', '<', '<=', '>', '>='),
        value: literal,
      }),
      fc.record({
        kind: fc.constant('contains' as const),
        path,
        words: fc.array(fc.constantFrom('x', 'y*', '*x', '*'), { maxLength: 2 }),
      }),
      tie('filter').map((item) => ({ kind: 'not' as const, item })),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        items: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
      }),
    ),
  }))

  it('agrees with a naive evaluator', () => {
    let found = 0
    fc.assert(
      fc.property(filter, object, (wanted, doc) => {
        const expected = naive(wanted, doc)
        if (expected) found++
        expect(matches(wanted, doc)).toBe(expected)
      }),
      { numRuns: 10_000 },
    )
    expect(found).toBeGreaterThan(1000)
  })
})
