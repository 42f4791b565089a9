import { expect, it } from 'vitest'
import { item, pairOf, scoreOf, scoreRange } from './items.js'

it('makes items that are stored in about 500 bytes, with their uuid, type and times', () => {
  const given = {
    uuid: '01a20eaa-1268-7576-8d9e-450c151cbcc0',
    type: 'item',
    created: 1795542360252,
    modified: 1795542360252,
  }
  const sizes = Array.from(
    { length: 1000 },
    (_, index) => JSON.stringify({ ...given, ...item(index) }).length,
  )

  const mean = sizes.reduce((sum, size) => sum + size) / sizes.length
  expect(mean).toBeGreaterThan(450)
  expect(mean).toBeLessThan(550)
})

it('never scores two items alike, so that an order by score has one right answer', () => {
  const scores = Array.from({ length: 100_000 }, (_, index) => scoreOf(index))

  expect(new Set(scores).size).toBe(scores.length)
})

it.each([1000, 100_000])('finds about 20 of %i items in a range', (count) => {
  const scores = Array.from({ length: count }, (_, index) => scoreOf(index))

  for (const index of [1, 2, 3, 99]) {
    const { from, to } = scoreRange(index, count)
    const found = scores.filter((score) => score >= from && score < to).length
    expect(found).toBeGreaterThanOrEqual(10)
    expect(found).toBeLessThanOrEqual(40)
  }
})

it('connects no pair twice', () => {
  const pairs = Array.from({ length: 50_000 }, (_, index) => pairOf(index, 1000))

  expect(new Set(pairs.map(({ source, target }) => `${source} ${target}`)).size).toBe(pairs.length)
  expect(pairs.filter(({ source, target }) => source === target)).toEqual([])
})
