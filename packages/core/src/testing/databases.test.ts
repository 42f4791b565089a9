import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../storage/typeorm/open-database.js'
import { openTestDatabase } from './databases.js'

describe.each(['sqlite', 'better-sqlite3', 'memory', 'postgres'] as const)(
  'a test database on %s',
  (name) => {
    it('is empty each time, whatever another one holds', async () => {
      const addCollection = async () => {
        await using place = await openTestDatabase(name)
        const database = await openDatabase(place.url, place.options)
        const before = await database.read((c) => c.all('SELECT name FROM collection'))
        await database.write((c) => c.run("INSERT INTO collection (app_id, id, name) VALUES (1, 1, 'cats')"))
        const after = await database.read((c) => c.all('SELECT name FROM collection'))
        await database.close()
        return [before, after]
      }

      expect(await addCollection()).toEqual([[], [{ name: 'cats' }]])
      expect(await addCollection()).toEqual([[], [{ name: 'cats' }]])
    })
  },
)

it('leaves no schema behind on PostgreSQL', async () => {
  const place = await openTestDatabase('postgres')
  await place.remove()

  const client = new pg.Client({ connectionString: place.url })
  await client.connect()
  const { rows } = await client.query('SELECT nspname FROM pg_namespace WHERE nspname = $1', [
    place.options.schema,
  ])
  await client.end()
  expect(rows).toEqual([])
})
