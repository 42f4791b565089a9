import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SqliteDatabase, type SqliteOptions } from './sqlite-database.js'

let folder: string
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entigrid-sqlite-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const newFile = () => join(folder, `${++files}.db`)

describe.each(['sqlite3', 'better-sqlite3'] as const)('a SQLite file through %s', (driver) => {
  const open = (file: string, options: SqliteOptions = {}) =>
    SqliteDatabase.open(file, { driver, ...options })
  const setting = async (database: SqliteDatabase, name: string) => {
    const writer = await database.takeWriter()
    const [row] = await writer.all<Record<string, unknown>>(`PRAGMA ${name}`)
    database.giveWriter(writer)
    return Object.values(row!)[0]
  }

  it('is durable, in WAL mode and with large pages', async () => {
    const full = await open(newFile())
    const normal = await open(newFile(), { synchronous: 'normal' })

    expect(await setting(full, 'page_size')).toBe(8192)
    expect(await setting(full, 'journal_mode')).toBe('wal')
    expect(await setting(full, 'wal_autocheckpoint')).toBe(8000)
    expect(await setting(full, 'foreign_keys')).toBe(1)
    expect(await setting(full, 'synchronous')).toBe(2)
    expect(await setting(normal, 'synchronous')).toBe(1)
    await Promise.all([full.close(), normal.close()])
  })

  it('can be opened as a new file by several at once', async () => {
    const file = newFile()

    const databases = await Promise.all([open(file), open(file), open(file)])

    await Promise.all(databases.map((database) => database.close()))
  })

  it('uses as many readers at the same time as it has, each for one caller', async () => {
    const database = await open(newFile(), { readers: 3 })
    let reading = 0
    let most = 0

    await Promise.all(
      Array.from({ length: 12 }, () =>
        database.read(async (c) => {
          most = Math.max(most, ++reading)
          await c.all('SELECT 1')
          await new Promise(setImmediate)
          reading--
        }),
      ),
    )
    await database.close()

    expect(most).toBe(3)
  })

  it('stores nothing of a transaction that the disk has no room for, and goes on', async () => {
    const database = await open(newFile())
    await database.write((c) => c.run('CREATE TABLE t (a TEXT)'))
    const writer = await database.takeWriter()
    await writer.all('PRAGMA max_page_count = 10')
    database.giveWriter(writer)
    const statements: string[] = []

    const failure = await database
      .write(async (c) => {
        await c.run("INSERT INTO t VALUES ('small')")
        await c.run('INSERT INTO t VALUES (?)', ['x'.repeat(200_000)]).catch(() => statements.push('full'))
        // The transaction is over: without it, this row would be stored on its own.
        await c.run("INSERT INTO t VALUES ('late')").catch(() => statements.push('refused'))
      })
      .catch((error) => database.classify(error))
    const after = await database.read((c) => c.all('SELECT a FROM t'))
    await database.write((c) => c.run("INSERT INTO t VALUES ('next')"))
    const afterNext = await database.read((c) => c.all('SELECT a FROM t'))
    await database.close()

    expect(statements).toEqual(['full', 'refused'])
    expect(failure).toBe('unavailable')
    expect(after).toEqual([])
    expect(afterNext).toEqual([{ a: 'next' }])
  })

  it('says that a transaction may be tried again when another process holds the file', async () => {
    const file = newFile()
    const [one, other] = [await open(file), await open(file)]
    const writer = await other.takeWriter()
    await writer.all('PRAGMA busy_timeout = 1')
    other.giveWriter(writer)

    const failure = await one.write(() =>
      other.write((c) => c.all('SELECT 1')).catch((error) => other.classify(error)),
    )
    await Promise.all([one.close(), other.close()])

    expect(failure).toBe('retry')
  })

  it('sees the newest state after a statement that found the file held by another process', async () => {
    const file = newFile()
    const [one, other] = [await open(file), await open(file)]
    await one.write((c) => c.run('CREATE TABLE t (a)'))
    const writer = await one.takeWriter()
    await writer.all('PRAGMA busy_timeout = 1')

    await other.write(async (c) => {
      await c.run('INSERT INTO t VALUES (1)')
      await expect(writer.run('INSERT INTO t VALUES (?)', [2])).rejects.toThrow()
    })
    const seen = await writer.all('SELECT a FROM t')
    one.giveWriter(writer)
    await one.write((c) => c.run('INSERT INTO t VALUES (?)', [3]))
    await Promise.all([one.close(), other.close()])

    expect(seen).toEqual([{ a: 1 }])
  })

  it('rejects a folder in place of a file, a missing folder', async () => {
    const codes: unknown[] = []
    for (const file of [folder, join(folder, 'missing', 'a.db')]) {
      codes.push(await open(file).catch((error) => error.code ?? error.message))
    }

    expect(codes[0]).toBe('SQLITE_CANTOPEN')
    expect(String(codes[1])).toMatch(/CANTOPEN|directory does not exist/)
  })

  it('refuses a bigint, which a driver would store as nothing', async () => {
    const database = await open(newFile())

    await expect(database.read((c) => c.all('SELECT ?', [1n]))).rejects.toThrow('bigint')
    expect(await database.read((c) => c.all('SELECT ? AS a', [1]))).toEqual([{ a: 1 }])
    await database.close()
  })

  it('takes whole numbers for integers', async () => {
    const database = await open(newFile())

    const rows = await database.read((c) => c.all('SELECT typeof(?) AS a, typeof(?) AS b', [7, 0.5]))
    await database.close()

    expect(rows).toEqual([{ a: 'integer', b: 'real' }])
  })

  it('lets timers fire while transactions follow each other without a pause', async () => {
    const database = await open(newFile())
    let fired = false
    const timer = setTimeout(() => {
      fired = true
    }, 1)

    for (let i = 0; i < 100_000 && !fired; i++) await database.write((c) => c.all('SELECT 1'))
    clearTimeout(timer)
    await database.close()

    expect(fired).toBe(true)
  })
})

it('keeps databases in memory apart', async () => {
  const [one, other] = await Promise.all([SqliteDatabase.open(':memory:'), SqliteDatabase.open(':memory:')])

  await one.write((c) => c.run('CREATE TABLE t (a)'))

  expect(await one.snapshot((c) => c.all('SELECT * FROM t'))).toEqual([])
  await expect(other.read((c) => c.all('SELECT * FROM t'))).rejects.toThrow('no such table')
  await Promise.all([one.close(), other.close()])
})
