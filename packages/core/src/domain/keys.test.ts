import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeKey,
  invert,
  isCut,
  keyRange,
  MAX_KEY_TEXT_BYTES,
  MISSING,
  prefixRange,
  wildcardPrefix,
} from './keys.js'
import type { CompareOp, Literal } from './query/ast.js'
import { matches } from './query/evaluate.js'
import { fold } from './text.js'

type Value = string | number | boolean

/** Texts that are alike for long, or differ in case only, or hold zeros: where an encoding could go wrong. */
const text = () =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc
      .array(fc.constantFrom('a', 'A', 'b', '\0', '\u0001', '\u0002', 'ä', '\uffff', '😀'), { maxLength: 6 })
      .map((all) => all.join('')),
    fc
      .tuple(
        fc.integer({ min: MAX_KEY_TEXT_BYTES - 6, max: MAX_KEY_TEXT_BYTES + 1 }),
        fc.array(fc.constantFrom('a', 'b', '\0', 'ä', '€', '😀'), { maxLength: 6 }),
      )
      .map(([length, tail]) => 'a'.repeat(length) + tail.join('')),
  )
const number = () =>
  fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.constantFrom(0, -0, 5e-324, -5e-324))
const value = (): fc.Arbitrary<Value> => fc.oneof(text(), number(), fc.boolean())

const rank = (item: Value) => ['number', 'string', 'boolean'].indexOf(typeof item)
const utf8 = (item: string) => Buffer.from(fold(item))

/** Written without keys: the whole texts by their UTF-8. */
const compareValues = (a: Value, b: Value): number => {
  if (rank(a) !== rank(b)) return Math.sign(rank(a) - rank(b))
  if (typeof a === 'string') return Buffer.compare(utf8(a), utf8(b as string))
  return a < b ? -1 : a > b ? 1 : 0
}

describe('encodeKey', () => {
  it('orders keys as values, except that cut texts may share a key', () => {
    fc.assert(
      fc.property(value(), value(), (a, b) => {
        const [keyOfA, keyOfB] = [encodeKey(a), encodeKey(b)]
        const order = Buffer.compare(keyOfA, keyOfB)
        if (order === 0 && isCut(keyOfA)) return
        expect(order).toBe(compareValues(a, b))
      }),
      { numRuns: 3000 },
    )
  })

  it('gives cut texts one key only when they agree in the part that is kept', () => {
    fc.assert(
      fc.property(text(), text(), (a, b) => {
        fc.pre(isCut(encodeKey(a)) && isCut(encodeKey(b)))
        const [x, y] = [utf8(a), utf8(b)].map((bytes) => bytes.subarray(0, MAX_KEY_TEXT_BYTES))
        expect(encodeKey(a).equals(encodeKey(b))).toBe(x!.equals(y!))
      }),
    )
  })

  it('cuts only texts of more bytes than a key holds', () => {
    fc.assert(
      fc.property(text(), (item) => isCut(encodeKey(item)) === utf8(item).length > MAX_KEY_TEXT_BYTES),
    )
  })

  it('puts a cut text after the text that it is cut to', () => {
    const whole = 'x'.repeat(MAX_KEY_TEXT_BYTES)

    expect(Buffer.compare(encodeKey(whole), encodeKey(`${whole}\0`))).toBe(-1)
  })

  it('has one key for both zeros, and for texts that differ in case', () => {
    expect(encodeKey(-0)).toEqual(encodeKey(0))
    expect(encodeKey('ÄPFEL')).toEqual(encodeKey('äpfel'))
  })

  it.each([
    [-1, '10400fffffffffffff'],
    [1, '10bff0000000000000'],
    ['a\0B', '206100ff620001'],
    [false, '30'],
    [true, '31'],
  ])('is stored for %j as %s', (item, hex) => {
    expect(encodeKey(item).toString('hex')).toBe(hex)
  })

  it('takes no number for a cut text', () => {
    expect(isCut(Buffer.from('10c000000000000002', 'hex'))).toBe(false)
  })
})

describe('composite keys', () => {
  const component = (item: Value | null, descending: boolean) =>
    item === null ? MISSING : descending ? invert(encodeKey(item)) : encodeKey(item)

  it('order by the first component, then the second, each in its direction and with the missing last', () => {
    const short = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer({ min: -2, max: 2 }),
      fc.constantFrom('', 'a', 'a\0', 'a\0\0', 'a\u0001', 'ab'),
    )
    const row = fc.tuple(short, short)
    fc.assert(
      fc.property(row, row, fc.tuple(fc.boolean(), fc.boolean()), (a, b, directions) => {
        const key = (items: (Value | null)[]) =>
          Buffer.concat(items.map((item, at) => component(item, directions[at]!)))
        let expected = 0
        for (let at = 0; at < 2 && expected === 0; at++) {
          const [x, y] = [a[at]!, b[at]!]
          if (x === null || y === null) expected = Number(x === null) - Number(y === null)
          else expected = directions[at] ? compareValues(y, x) : compareValues(x, y)
        }
        expect(Buffer.compare(key(a), key(b))).toBe(expected)
      }),
      { numRuns: 3000 },
    )
  })

  it('end below FF', () => {
    for (const descending of [false, true]) {
      for (const item of [null, 0, 'ÿ', '', true]) expect(component(item, descending)[0]).toBeLessThan(0xff)
    }
  })
})

const literal = (item: Value): Literal =>
  typeof item === 'string'
    ? { kind: 'string', value: item }
    : typeof item === 'number'
      ? { kind: 'number', value: item }
      : { kind: 'boolean', value: item }

const isIn = (key: Buffer, range: ReturnType<typeof keyRange>): boolean => {
  const { from, fromInclusive, to, toInclusive } = range
  const [low, high] = [
    from === null ? 1 : Buffer.compare(key, from),
    to === null ? -1 : Buffer.compare(key, to),
  ]
  return (fromInclusive ? low >= 0 : low > 0) && (toInclusive ? high <= 0 : high < 0)
}

describe('keyRange', () => {
  const op = fc.constantFrom<CompareOp>('=', '<', '<=', '>', '>=')

  it('holds every value that satisfies the comparison, and no other when it is exact', () => {
    fc.assert(
      fc.property(op, value(), value(), (operator, wanted, item) => {
        const range = keyRange(operator, literal(wanted))
        const found = isIn(encodeKey(item), range)
        const satisfied = matches(
          { kind: 'compare', path: 'p', op: operator, value: literal(wanted) },
          { p: item },
        )
        if (satisfied) expect(found).toBe(true)
        if (range.exact) expect(found).toBe(satisfied)
      }),
      { numRuns: 5000 },
    )
  })

  it('is exact unless the text is cut or has wildcards', () => {
    expect(keyRange('<', literal('a*')).exact).toBe(true)
    expect(keyRange('=', literal('a*')).exact).toBe(false)
    expect(keyRange('>', literal('a'.repeat(201))).exact).toBe(false)
  })

  it.each<[CompareOp, string]>([
    ['>', 'z'],
    ['>=', 'z'],
    ['<', 'a'],
    ['<=', 'a'],
    ['=', 'm'],
  ])('finds with %s a text that shares its cut key with the literal', (operator, end) => {
    const start = 'x'.repeat(MAX_KEY_TEXT_BYTES)

    expect(isIn(encodeKey(start + end), keyRange(operator, literal(`${start}m`)))).toBe(true)
  })

  it('does not count the blanks around a text', () => {
    expect(keyRange('=', literal('  a '))).toEqual(keyRange('=', literal('a')))
  })

  it('finds a bare uuid as the text that it is', () => {
    const uuid = '4b9d2c10-6f1b-11ee-8c99-0242ac120002'

    expect(keyRange('=', { kind: 'uuid', value: uuid }).from).toEqual(encodeKey(uuid.toUpperCase()))
  })
})

describe('prefixRange', () => {
  it('holds exactly the texts with that beginning, while it fits a key', () => {
    const short = fc
      .array(fc.constantFrom('a', 'B', '\0', '\u0001', 'ÿ', '😀'), { maxLength: 4 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(short, short, (prefix, item) => {
        const found = isIn(encodeKey(item), {
          ...prefixRange(prefix),
          fromInclusive: true,
          toInclusive: false,
          exact: true,
        })
        expect(found).toBe(fold(item).startsWith(fold(prefix)))
      }),
      { numRuns: 2000 },
    )
  })

  it('holds no numbers and no booleans', () => {
    const { from, to } = prefixRange('')

    for (const item of [-1, 1e300, true]) {
      expect(Buffer.compare(from, encodeKey(item)) <= 0 && Buffer.compare(encodeKey(item), to) < 0).toBe(
        false,
      )
    }
  })
})

describe('wildcardPrefix', () => {
  it.each([
    ['abc*', 'abc'],
    ['a*c*', 'a'],
    ['*', ''],
    ['abc', null],
  ])('of %s is %j', (pattern, prefix) => {
    expect(wildcardPrefix(pattern)).toBe(prefix)
  })
})
