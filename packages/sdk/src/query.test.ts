import { describe, expect, it } from 'vitest'
import type { SystemProperties } from './entity.js'
import type { Untyped } from './json.js'
import { Query, rawQuery } from './query.js'

const query = () => new Query<Untyped & SystemProperties, unknown>()

describe('query text', () => {
  it('joins conditions, selection and order', () => {
    const { ql } = query()
      .select('name', 'age')
      .where('age', '>', 2)
      .contains('motto', 'bite*')
      .orderBy('age', 'desc')
      .orderBy('name')

    expect(ql).toBe("select name, age where age > 2 and motto contains 'bite*' order by age desc, name asc")
  })

  it('is "select *" without any condition', () => {
    expect(query().ql).toBe('select *')
  })

  it('puts groups in parentheses, at any depth', () => {
    const { ql } = query()
      .where('breed', '=', 'corgi')
      .anyOf((q) =>
        q.where('age', '<', 2).allOf((q) => q.where('age', '>', 10).not((q) => q.where('ill', '=', true))),
      )

    expect(ql).toBe("select * where breed = 'corgi' and (age < 2 or (age > 10 and not (ill = true)))")
  })

  it('writes distances with the latitude first', () => {
    expect(query().within('location', 10_000, 37.25, -121.5).ql).toBe(
      'select * where location within 10000 of 37.25,-121.5',
    )
  })

  it.each([
    ["O'Hara", "'O\\'Hara'"],
    ['C:\\dogs\\', "'C:\\\\dogs\\\\'"],
    ["\\' or uuid > '", "'\\\\\\' or uuid > \\''"],
    ['100%27', "'100\\u002527'"],
    ['ed+test@example.org', "'ed+test@example.org'"],
    ['žluťoučký\nkůň', "'žluťoučký\nkůň'"],
    ['', "''"],
    [-0.5, '-0.5'],
    [1e21, '1e21'],
    [5e-324, '5e-324'],
    [false, 'false'],
  ])('writes the value %j as %s', (value, literal) => {
    expect(query().where('a', '=', value).ql).toBe(`select * where a = ${literal}`)
  })

  it.each([undefined, null, Number.NaN, Number.POSITIVE_INFINITY, {}, ['a'], Symbol.iterator])(
    'refuses the value %s, which the language cannot write',
    (value) => {
      expect(() => query().where('a', '=', value as never)).toThrow(TypeError)
    },
  )

  it.each(['', 'a b', "a' or b", '1a', 'a)', 'a,b'])('refuses the path "%s"', (path) => {
    expect(() => query().where(path, '=', 1)).toThrow(TypeError)
    expect(() => query().contains(path, 'x')).toThrow(TypeError)
    expect(() => query().within(path, 1, 2, 3)).toThrow(TypeError)
    expect(() => query().orderBy(path)).toThrow(TypeError)
    expect(() => query().select(path)).toThrow(TypeError)
  })

  it('refuses operators, directions and limits that are none', () => {
    expect(() => query().where('a', '= 1 or b =' as never, 1)).toThrow(TypeError)
    expect(() => query().orderBy('a', 'asc, b' as never)).toThrow(TypeError)
    expect(() => query().limit(0)).toThrow(TypeError)
    expect(() => query().limit(1.5)).toThrow(TypeError)
  })

  it('refuses a group without conditions, which would find everything', () => {
    expect(() => query().anyOf((q) => q)).toThrow(TypeError)
    expect(() => query().not((q) => q)).toThrow(TypeError)
  })
})

describe('a query', () => {
  it('stays as it is when another is made from it', () => {
    const old = query().where('age', '>', 10)

    old.where('breed', '=', 'corgi').limit(3)

    expect(old.raw()).toEqual({ ql: 'select * where age > 10' })
  })

  it('carries limit and cursor beside the text', () => {
    expect(query().limit(5).cursor('abc').raw()).toEqual({ ql: 'select *', limit: 5, cursor: 'abc' })
  })

  it('can be given as a function, ready made, as the wire has it, or not at all', () => {
    const old = query().where('age', '>', 10)

    expect(rawQuery((q: typeof old) => q.where('age', '>', 10))).toEqual(old.raw())
    expect(rawQuery(old)).toEqual(old.raw())
    expect(rawQuery({ ql: 'age > 10', limit: 2 })).toEqual({ ql: 'age > 10', limit: 2 })
    expect(rawQuery(undefined)).toEqual({})
  })
})
