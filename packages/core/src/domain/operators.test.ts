import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from './json.js'
import { applyOperator, isOperator } from './operators.js'

const apply = (before: Json | undefined, operation: object) =>
  applyOperator('p', before, operation as { $inc: 1; $add: 1; $addUnique: 1; $remove: 1; $unset: 1 })

describe('operators', () => {
  it.each<[Json | undefined, object, Json | undefined]>([
    [undefined, { $inc: 3 }, 3],
    [2, { $inc: -5 }, -3],
    [0.5, { $inc: 0.25 }, 0.75],
    [undefined, { $add: ['a', 'a'] }, ['a', 'a']],
    [['a'], { $add: 'b' }, ['a', 'b']],
    [['a'], { $add: [['b']] }, ['a', ['b']]],
    [
      ['a', { b: [1], c: 2 }],
      { $addUnique: ['a', { c: 2, b: [1] }, 'd', 'd'] },
      ['a', { b: [1], c: 2 }, 'd'],
    ],
    [[1, '1', null, 1, [2]], { $remove: [1, [2], null] }, ['1']],
    [undefined, { $remove: [1] }, undefined],
    ['anything', { $unset: true }, undefined],
    [undefined, { $unset: true }, undefined],
  ])('%j with %j is %j', (before, operation, after) => {
    expect(apply(before, operation)).toEqual(after)
  })

  it.each<[Json | undefined, object, string]>([
    ['2', { $inc: 1 }, 'needs a number'],
    [null, { $inc: 1 }, 'needs a number'],
    [2, { $inc: '1' }, 'takes a number'],
    [Number.MAX_VALUE, { $inc: Number.MAX_VALUE }, 'greatest number'],
    [{}, { $add: [1] }, 'needs an array'],
    ['a', { $addUnique: [1] }, 'needs an array'],
    [1, { $remove: [1] }, 'needs an array'],
    [1, { $unset: 1 }, 'takes true'],
  ])('%j with %j is refused: %s', (before, operation, message) => {
    expect(() => apply(before, operation)).toThrow(
      expect.objectContaining({
        code: 'illegal_argument',
        message: expect.stringContaining(message),
        fields: [{ field: 'p', message: expect.any(String) }],
      }),
    )
  })

  it.each<[Json]>([
    [{}],
    [{ $inc: 1, $add: 2 }],
    [{ inc: 1 }],
    [{ toString: 1 }],
    [[{ $inc: 1 }]],
    ['$inc'],
    [null],
  ])('%j is a value', (value) => {
    expect(isOperator(value)).toBe(false)
  })

  it('adds each value once, whatever is added', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), (before, items) => {
        const once = apply(before as Json, { $addUnique: items }) as Json[]
        expect(apply(once, { $addUnique: items })).toEqual(once)
        expect(once.slice(0, before.length)).toEqual(before)
        for (const item of items) expect(apply(once, { $remove: [item] })).not.toContainEqual(item)
      }),
    )
  })
})
