import { DataSource, type EntityManager, EntitySchema } from 'typeorm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../testing/databases.js'
import { SqliteDatabase } from './sqlite-database.js'
import { createSqliteDataSource } from './typeorm-driver.js'

interface Note {
  id: number
  text: string
}
const Note = new EntitySchema<Note>({
  name: 'note',
  columns: { id: { type: 'integer', primary: true, generated: 'increment' }, text: { type: 'text' } },
})

const gate = () => {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

describe.each(['sqlite3', 'better-sqlite3'] as const)('TypeORM on our connections through %s', (driver) => {
  let place: TestDatabase
  let database: SqliteDatabase
  let dataSource: DataSource
  beforeAll(async () => {
    place = await openTestDatabase('sqlite')
    database = await SqliteDatabase.open(place.url.slice('sqlite:'.length), { driver })
    dataSource = createSqliteDataSource(database, { entities: [Note] })
    await dataSource.initialize()
    await dataSource.query(
      'CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE)',
    )
  })
  afterAll(async () => {
    await dataSource.destroy()
    await database.close()
    await place.remove()
  })

  const empty = () => dataSource.query('DELETE FROM note')
  const texts = async () =>
    (await dataSource.getRepository(Note).find({ order: { text: 'ASC' } })).map(({ text }) => text)
  const insert = (manager: EntityManager, text: string) => manager.insert(Note, { text })

  it('saves, finds, builds queries and gives rows their ids', async () => {
    await empty()
    const notes = dataSource.getRepository(Note)

    const saved = await notes.save({ text: 'one' })
    await notes.save({ ...saved, text: 'two' })
    const found = await notes.findOneByOrFail({ id: saved.id })
    const built = await dataSource
      .createQueryBuilder(Note, 'n')
      .where('n.text LIKE :t', { t: 'tw%' })
      .getMany()
    const removed = await notes.delete({ id: saved.id })

    expect(saved.id).toBeGreaterThan(0)
    expect(found.text).toBe('two')
    expect(built).toEqual([{ id: saved.id, text: 'two' }])
    expect(removed.affected).toBe(1)
    expect(await notes.count()).toBe(0)
  })

  it('keeps what a transaction wrote when another one, begun meanwhile, fails', async () => {
    await empty()
    const inserted = gate()

    const kept = dataSource.transaction(async (manager) => {
      await insert(manager, 'kept')
      inserted.open()
      await new Promise(setImmediate)
    })
    await inserted.passed
    const failed = dataSource.transaction(async (manager) => {
      await insert(manager, 'lost')
      throw new Error('changed my mind')
    })

    await kept
    await expect(failed).rejects.toThrow('changed my mind')
    expect(await texts()).toEqual(['kept'])
  })

  it('keeps an insert made outside while a transaction that fails is open', async () => {
    await empty()
    const inserted = gate()
    const failed = dataSource.transaction(async (manager) => {
      await insert(manager, 'lost')
      inserted.open()
      await new Promise(setImmediate)
      throw new Error('changed my mind')
    })
    await inserted.passed

    const outside = insert(dataSource.manager, 'kept')

    await expect(failed).rejects.toThrow('changed my mind')
    await outside
    expect(await texts()).toEqual(['kept'])
  })

  it('shows outsiders only what is committed, and those inside what they wrote', async () => {
    await empty()
    let outside: string[] = []
    let inside = 0

    await dataSource.transaction(async (manager) => {
      await insert(manager, 'new')
      outside = await texts()
      inside = await manager.count(Note)
    })

    expect([outside, inside]).toEqual([[], 1])
    expect(await texts()).toEqual(['new'])
  })

  it('commits 180 of 200 concurrent transactions when 20 fail, and nothing else', async () => {
    await empty()
    const text = (i: number) => String(i).padStart(3, '0')
    const numbers = Array.from({ length: 200 }, (_, i) => i)

    const results = await Promise.allSettled(
      numbers.map((i) =>
        dataSource.transaction(async (manager) => {
          await insert(manager, text(i))
          if (i % 10 === 3) throw new Error('planned')
        }),
      ),
    )

    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(20)
    expect(await texts()).toEqual(numbers.filter((i) => i % 10 !== 3).map(text))
  })

  it('nests transactions: an inner one that fails takes back its own rows only', async () => {
    await empty()

    await dataSource.transaction(async (outer) => {
      await insert(outer, 'outer')
      await outer.transaction((inner) => insert(inner, 'inner'))
      const failing = outer.transaction(async (inner) => {
        await insert(inner, 'inner, failed')
        throw new Error('inner')
      })
      await expect(failing).rejects.toThrow('inner')
    })
    const failing = dataSource.transaction(async (outer) => {
      await outer.transaction((inner) => insert(inner, 'gone with the outer one'))
      throw new Error('outer')
    })

    await expect(failing).rejects.toThrow('outer')
    expect(await texts()).toEqual(['inner', 'outer'])
  })

  it('takes turns with transactions that do not go through TypeORM', async () => {
    await empty()

    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        i % 2 === 0
          ? database.write((c) => c.run('INSERT INTO note (text) VALUES (?)', [`ours ${i}`]))
          : dataSource.transaction((manager) => insert(manager, `theirs ${i}`)),
      ),
    )

    expect(await texts()).toHaveLength(50)
  })

  it('gives up the writer, and what was not committed, when a runner is released', async () => {
    await empty()
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await insert(runner.manager, 'left behind')

    await runner.release()

    await insert(dataSource.manager, 'next')
    expect(await texts()).toEqual(['next'])
    await expect(runner.query('SELECT 1')).rejects.toThrow()
  })

  it('passes on the code of an error, and goes on', async () => {
    await empty()
    await insert(dataSource.manager, 'same')

    const error = await dataSource.transaction((manager) => insert(manager, 'same')).catch((e) => e)

    expect(database.classify(error)).toBe('unique')
    await insert(dataSource.manager, 'other')
    expect(await texts()).toEqual(['other', 'same'])
  })

  it('leaves data sources of others in the process as they are', async () => {
    const theirs = new DataSource({ type: 'better-sqlite3', database: ':memory:' })
    await theirs.initialize()

    expect(await theirs.query('SELECT 1 AS n')).toEqual([{ n: 1 }])
    expect(theirs.driver.constructor.name).toBe('BetterSqlite3Driver')
    await theirs.destroy()
  })
})
