import { expect, it } from 'vitest'
import { addressOf } from './address.js'

it('leaves the URL alone and asks for the schema beside it', () => {
  const url = 'postgres://ann:p%40ss@db:5432/app?sslmode=disable'

  expect(addressOf(url, undefined)).toEqual({ connectionString: url })
  expect(addressOf(url, 'tenant_1')).toEqual({ connectionString: url, options: '-c search_path=tenant_1' })
})

it('keeps options that the URL has', () => {
  const address = addressOf('postgres://db/app?options=-c%20statement_timeout%3D5s&sslmode=disable', 's')

  expect(address).toEqual({
    connectionString: 'postgres://db/app?sslmode=disable',
    options: '-c statement_timeout=5s -c search_path=s',
  })
})

it.each(['', 'A', '1a', 'a b', 'a;drop', 'a"b', 'x'.repeat(64)])('refuses the schema name "%s"', (schema) => {
  expect(() => addressOf('postgres://db/app', schema)).toThrow('cannot be used')
})
