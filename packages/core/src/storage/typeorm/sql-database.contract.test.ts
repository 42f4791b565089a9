import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase, type TestDatabaseName } from '../../testing/databases.js'
import type { SqlConnection, SqlDatabase } from './connection.js'
import { connectDatabase } from './open-database.js'

/** Lets others do what they can before it resolves. */
const gate = () => {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

const ENGINES: TestDatabaseName[] = ['sqlite', 'better-sqlite3', 'memory', 'postgres']

describe.each(ENGINES)('a database on %s', (name) => {
  let place: TestDatabase
  let database: SqlDatabase
  let table = 0

  beforeAll(async () => {
    place = await openTestDatabase(name)
    const connected = await connectDatabase(place.url, place.options)
    await connected.dataSource.destroy()
    database = connected.database
  })
  afterAll(async () => {
    await database.close()
    await place.remove()
  })

  const $ = (sql: string): string => {
    let n = 0
    return name === 'postgres' ? sql.replace(/\?/g, () => `$${++n}`) : sql
  }
  /** A new table with a key `id` and an integer `n`; statements name it as `t`. */
  const newTable = async () => {
    const t = `t${++table}`
    await database.write((c) => c.run(`CREATE TABLE ${t} (id INTEGER PRIMARY KEY, n BIGINT NOT NULL)`))
    const insert = (c: SqlConnection, id: number, n = id) =>
      c.run($(`INSERT INTO ${t} (id, n) VALUES (?, ?)`), [id, n])
    const ids = (c: SqlConnection) =>
      c.all<{ id: number }>(`SELECT id FROM ${t} ORDER BY id`).then((rows) => rows.map(({ id }) => id))
    return { t, insert, ids, stored: () => database.read(ids) }
  }

  it('keeps what a transaction wrote when another one, begun meanwhile, fails', async () => {
    const { insert, stored } = await newTable()
    const inserted = gate()

    const kept = database.write(async (c) => {
      await insert(c, 1)
      inserted.open()
      await new Promise(setImmediate)
    })
    await inserted.passed
    const failed = database.write(async (c) => {
      await insert(c, 2)
      throw new Error('changed my mind')
    })

    await kept
    await expect(failed).rejects.toThrow('changed my mind')
    expect(await stored()).toEqual([1])
  })

  it('commits 450 of 500 concurrent transactions when 50 fail, and nothing else', async () => {
    const { insert, stored } = await newTable()
    const fails = (i: number) => i % 10 === 3

    const results = await Promise.allSettled(
      Array.from({ length: 500 }, (_, i) =>
        database.write(async (c) => {
          await insert(c, i)
          if (fails(i)) throw new Error('planned')
        }),
      ),
    )

    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(50)
    expect(await stored()).toEqual(Array.from({ length: 500 }, (_, i) => i).filter((i) => !fails(i)))
  })

  it.skipIf(name === 'memory')('lets readers see only what is committed', async () => {
    const { insert, stored } = await newTable()
    const inserted = gate()
    const checked = gate()

    const writing = database.write(async (c) => {
      await insert(c, 1)
      inserted.open()
      await checked.passed
    })
    await inserted.passed
    const during = await stored()
    checked.open()
    await writing

    expect(during).toEqual([])
    expect(await stored()).toEqual([1])
  })

  it.skipIf(name === 'memory')('shows all statements of a snapshot the same state', async () => {
    const { insert, ids, stored } = await newTable()
    await database.write((c) => insert(c, 1))

    const seen = await database.snapshot(async (c) => {
      const before = await ids(c)
      await database.write((other) => insert(other, 2))
      return [before, await ids(c)]
    })

    expect(seen).toEqual([[1], [1]])
    expect(await stored()).toEqual([1, 2])
  })

  it.skipIf(name === 'memory')('refuses to write in a snapshot', async () => {
    const { insert, stored } = await newTable()

    await expect(database.snapshot((c) => insert(c, 1))).rejects.toThrow()

    expect(await stored()).toEqual([])
  })

  it('goes on after a statement that failed, with the same statement', async () => {
    const { insert, stored } = await newTable()
    await database.write((c) => insert(c, 1))

    for (let i = 0; i < 3; i++) {
      await expect(database.write((c) => insert(c, 1))).rejects.toThrow()
      await expect(database.write((c) => c.run('INSERT INTO missing VALUES (1)'))).rejects.toThrow()
      await database.write((c) => insert(c, 10 + i))
    }

    expect(await stored()).toEqual([1, 10, 11, 12])
  })

  it('refuses statements of work that has ended', async () => {
    const { insert, stored } = await newTable()
    const ended: SqlConnection[] = []
    await database.write(async (c) => void ended.push(c))
    await database.read(async (c) => void ended.push(c))

    for (const c of ended) {
      await expect(insert(c, 1)).rejects.toThrow('has ended')
      await expect(c.all('SELECT 1')).rejects.toThrow('has ended')
    }
    expect(await stored()).toEqual([])
  })

  it('carries integers up to 2^53, fractions, text, bytes, booleans and nothing', async () => {
    const t = `t${++table}`
    const bytes = name === 'postgres' ? 'BYTEA' : 'BLOB'
    const real = name === 'postgres' ? 'double precision' : 'REAL'
    await database.write((c) =>
      c.run(
        `CREATE TABLE ${t} (id INTEGER, big BIGINT, real ${real}, txt TEXT, bin ${bytes}, yes INTEGER, none TEXT)`,
      ),
    )
    const values = [1, 2 ** 53 - 1, 0.1, 'naïve \u{1f600}', Buffer.from([0, 1, 255]), 1, null]

    const changed = await database.write((c) =>
      c.run($(`INSERT INTO ${t} VALUES (?, ?, ?, ?, ?, ?, ?)`), values),
    )
    const [row] = await database.read((c) => c.all(`SELECT * FROM ${t}`))
    const found = await database.read((c) =>
      c.all($(`SELECT id FROM ${t} WHERE big = ? AND bin = ?`), [2 ** 53 - 1, values[4]]),
    )

    expect(changed).toBe(1)
    expect(row).toEqual({
      id: 1,
      big: 2 ** 53 - 1,
      real: 0.1,
      txt: values[3],
      bin: values[4],
      yes: 1,
      none: null,
    })
    expect(found).toEqual([{ id: 1 }])
  })

  it('counts rows as numbers', async () => {
    const { t, insert } = await newTable()
    await database.write(async (c) => {
      for (let i = 1; i <= 3; i++) await insert(c, i, 2 ** 40)
    })

    const [row] = await database.read((c) => c.all(`SELECT count(*) AS n, sum(n) AS total FROM ${t}`))

    expect(row).toEqual({ n: 3, total: 3 * 2 ** 40 })
  })

  it('says how many rows a statement changed, also when it returns them', async () => {
    const { t, insert } = await newTable()

    const counts = await database.write(async (c) => {
      for (let i = 1; i <= 3; i++) await insert(c, i)
      return [
        await c.run($(`UPDATE ${t} SET n = ? WHERE id > ?`), [7, 1]),
        await c.run(`DELETE FROM ${t} WHERE id = 1 RETURNING id`),
        await c.run(`DELETE FROM ${t} WHERE id = 99`),
      ]
    })
    const returned = await database.write((c) => c.all(`DELETE FROM ${t} RETURNING id, n`))

    expect(counts).toEqual([2, 1, 0])
    expect(returned).toEqual(
      expect.arrayContaining([
        { id: 2, n: 7 },
        { id: 3, n: 7 },
      ]),
    )
  })

  it('runs more distinct statements than it keeps prepared', async () => {
    const texts = Array.from({ length: 700 }, (_, i) => `SELECT ${i} AS n`)

    const twice = await database.read(async (c) => {
      const rows: unknown[] = []
      for (const text of [...texts, ...texts, ...texts]) rows.push((await c.all<{ n: number }>(text))[0]!.n)
      return rows
    })

    expect(twice).toEqual([...texts, ...texts, ...texts].map((_, i) => i % 700))
  })

  it('keeps statements of one connection in order when nobody awaits them one by one', async () => {
    const { t, insert } = await newTable()
    const steps = Array.from({ length: 40 }, (_, i) => i)

    const [row] = await database.write(async (c) => {
      await insert(c, 1, 0)
      await Promise.all(steps.map((i) => c.run(`UPDATE ${t} SET n = (n * 3 + ${i}) % 1000003`)))
      return c.all(`SELECT n FROM ${t}`)
    })

    expect(row).toEqual({ n: steps.reduce((n, i) => (n * 3 + i) % 1000003, 0) })
  })

  it('tells a taken unique value from other constraints', async () => {
    const { t, insert } = await newTable()
    const t2 = `t${++table}`
    await database.write((c) => c.run(`CREATE TABLE ${t2} (a TEXT UNIQUE, b INTEGER CHECK (b < 5))`))
    await database.write((c) => insert(c, 1))
    await database.write((c) => c.run(`INSERT INTO ${t2} (a) VALUES ('x')`))
    const failure = (sql: string) =>
      database
        .write((c) => c.run(sql))
        .then(
          () => 'none',
          (error) => database.classify(error),
        )

    expect(await failure(`INSERT INTO ${t} VALUES (1, 1)`)).toBe('unique')
    expect(await failure(`INSERT INTO ${t2} (a) VALUES ('x')`)).toBe('unique')
    expect(await failure(`INSERT INTO ${t} VALUES (2, NULL)`)).toBe('other')
    expect(await failure(`INSERT INTO ${t2} (b) VALUES (7)`)).toBe('other')
    expect(await failure('nonsense')).toBe('other')
    expect(database.classify(new Error('mine'))).toBe('other')
    expect(database.classify(undefined)).toBe('other')
  })
})

describe.each(ENGINES)('closing a database on %s', (name) => {
  const openNew = async () => {
    const place = await openTestDatabase(name)
    const { database, dataSource } = await connectDatabase(place.url, place.options)
    await dataSource.destroy()
    return { place, database }
  }

  it('waits for work under way and turns away what comes later', async () => {
    const { place, database } = await openNew()
    const started = gate()
    const events: string[] = []

    const writing = database.write(async (c) => {
      started.open()
      await new Promise(setImmediate)
      await c.all('SELECT 1')
      events.push('written')
    })
    await started.passed
    const closed = database.close().then(() => events.push('closed'))
    const late = await Promise.allSettled([
      database.read((c) => c.all('SELECT 1')),
      database.snapshot((c) => c.all('SELECT 1')),
      database.write((c) => c.all('SELECT 1')),
    ])
    await Promise.all([writing, closed, database.close()])
    await place.remove()

    expect(events).toEqual(['written', 'closed'])
    expect(late.map((result) => result.status === 'rejected' && database.classify(result.reason))).toEqual([
      'unavailable',
      'unavailable',
      'unavailable',
    ])
  })
})
