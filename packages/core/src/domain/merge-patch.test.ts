import { describe, expect, it } from 'vitest'
import type { Json } from './json.js'
import { mergePatch } from './merge-patch.js'

describe('mergePatch', () => {
  // The cases of RFC 7396, appendix A, whose target is an object's property.
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j patched with %j is %j', (before, patch, after) => {
    expect(mergePatch('p', before, patch)).toEqual(after)
  })

  it('removes by null', () => {
    expect(mergePatch('p', { a: 'foo' }, null)).toBeUndefined()
  })

  it('applies operators at any depth', () => {
    const before = { views: { today: 4, total: 10 }, tags: ['a'] }
    const patch = { views: { today: { $unset: true }, total: { $inc: 1 } }, tags: { $addUnique: ['a', 'b'] } }

    expect(mergePatch('p', before, patch)).toEqual({ views: { total: 11 }, tags: ['a', 'b'] })
    expect(() => mergePatch('p', before, { views: { total: { $add: [1] } } })).toThrow(
      expect.objectContaining({ fields: [expect.objectContaining({ field: 'p.views.total' })] }),
    )
  })

  it('takes names of object prototypes for what they are', () => {
    const patch = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ) as Json

    const merged = mergePatch('p', {}, patch)

    expect(Object.keys(merged as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
})
