import { expect, it } from 'vitest'
import { openTestDatabase } from '../../testing/databases.js'
import { openDatabase } from './open-database.js'
import { entitiesById } from './sql.js'

it.each([1, 8, 300])(
  'looks %i entities up by their ids on SQLite, without reading their application',
  async (length) => {
    await using place = await openTestDatabase('memory')
    const database = await openDatabase(place.url, place.options)
    const ids = Array.from({ length }, (_, id) => id)

    const { text, values } = entitiesById('sqlite', 5, ids)
    const plan = await database.read((connection) =>
      connection.all<{ detail: string }>(
        `EXPLAIN QUERY PLAN SELECT e.doc FROM entity e WHERE ${text}`,
        values,
      ),
    )

    await database.close()
    expect(plan.map(({ detail }) => detail)).toEqual(['SEARCH e USING INTEGER PRIMARY KEY (rowid=?)'])
  },
)
