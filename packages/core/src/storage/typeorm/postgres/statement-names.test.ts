import { expect, it } from 'vitest'
import { StatementNames } from './statement-names.js'

it('names a statement once it is seen again, always the same', () => {
  const names = new StatementNames()

  const first = names.of('SELECT 1')
  const second = names.of('SELECT 1')

  expect(first).toBeUndefined()
  expect(second).toMatch(/^.{16}$/)
  expect(names.of('SELECT 1')).toBe(second)
  expect(new Set(['SELECT 2', 'SELECT 2', 'SELECT 1'].map((text) => names.of(text))).size).toBe(3)
})

it('names a bounded number of statements', () => {
  const names = new StatementNames()
  const texts = Array.from({ length: 2000 }, (_, i) => `SELECT ${i}`)

  for (const text of texts) {
    names.of(text)
    names.of(text)
  }

  expect(texts.filter((text) => names.of(text) !== undefined)).toHaveLength(500)
})
