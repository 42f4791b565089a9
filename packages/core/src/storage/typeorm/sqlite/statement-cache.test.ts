import { expect, it } from 'vitest'
import { StatementCache } from './statement-cache.js'

it('keeps the statements used last, and discards the others once', () => {
  const discarded: string[] = []
  const cache = new StatementCache<string>(2, (statement) => discarded.push(statement))
  cache.add('a', 'A')
  cache.add('b', 'B')

  cache.get('a')
  cache.add('c', 'C')

  expect(discarded).toEqual(['B'])
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['A', undefined, 'C'])
  cache.clear()
  expect(discarded.sort()).toEqual(['A', 'B', 'C'])
})
