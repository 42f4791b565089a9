import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTestDatabase } from '../../testing/databases.js'
import { connectDatabase, openDatabase } from './open-database.js'

const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entigrid-open-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
const failureOf = async (url: string, options = {}): Promise<string> => {
  const failure = await openDatabase(url, options).catch((error: Error) => error)
  return failure instanceof Error ? failure.message : 'none'
}

describe('opening a database by its URL', () => {
  it('makes the folders of a SQLite file, and finds the data again', async () => {
    await using place = await newFolder()
    const url = `sqlite:${join(place.folder, 'a', 'b', 'test.db')}`

    const first = await openDatabase(url)
    await first.write((c) => c.run("INSERT INTO collection (app_id, id, name) VALUES (1, 1, 'cats')"))
    await first.close()
    const again = await openDatabase(url, {
      sqliteDriver: 'better-sqlite3',
      synchronous: 'normal',
      readers: 1,
    })
    const rows = await again.read((c) => c.all('SELECT name FROM collection'))
    await again.close()

    expect(rows).toEqual([{ name: 'cats' }])
    expect(existsSync(join(place.folder, 'a', 'b', 'test.db-wal'))).toBe(false)
  })

  it('makes the PostgreSQL schema, also when several ask for it at once', async () => {
    await using place = await openTestDatabase('postgres')
    await place.remove()

    const databases = await Promise.all([1, 2, 3].map(() => openDatabase(place.url, place.options)))

    for (const database of databases) {
      expect(await database.read((c) => c.all('SELECT count(*) AS n FROM collection'))).toEqual([{ n: 0 }])
      await database.close()
    }
  })

  it.each(['sqlite', 'postgres'] as const)('can leave the schema as it is: %s', async (name) => {
    await using place = await openTestDatabase(name)

    const { database, dataSource } = await connectDatabase(place.url, place.options)
    const found = await database.read((c) => c.all('SELECT * FROM collection')).catch(() => 'no table')
    await dataSource.destroy()
    await database.close()

    expect(found).toBe('no table')
  })

  it.each(['mysql://localhost/x', 'sqlite', 'sqlite:', './data.db', '', 'http://localhost'])(
    'says which URLs there are, given "%s"',
    async (url) => {
      expect(await failureOf(url)).toMatch(/^Not a database URL [^\n]*: use sqlite:[^\n]*postgres:[^\n]*$/)
    },
  )

  it('never repeats a password', async () => {
    expect(await failureOf('postgress://ann:secret@localhost/app')).not.toContain('secret')
    expect(await failureOf('postgres://ann:secret@127.0.0.1:1/app')).not.toContain('secret')
    expect(await failureOf('postgres://ann:sec/ret@127.0.0.1:1/app')).not.toContain('ret@')
  })

  it('says in one line where there is no PostgreSQL', async () => {
    expect(await failureOf('postgres://ann@127.0.0.1:1/app')).toMatch(
      /^PostgreSQL cannot be reached at 127\.0\.0\.1:1\/app \(ECONNREFUSED\): [^\n]+$/,
    )
  })

  it('names a file that cannot be used, in one line', async () => {
    await using place = await newFolder()
    const text = join(place.folder, 'text.db')
    await writeFile(text, 'this is not a database, '.repeat(100))
    const oneLine = (file: string, code: string) =>
      expect.stringMatching(new RegExp(`^The database file ${file} cannot be used \\(${code}\\): [^\\n]+$`))

    for (const sqliteDriver of ['sqlite3', 'better-sqlite3'] as const) {
      expect(await failureOf(`sqlite:${place.folder}`, { sqliteDriver })).toEqual(
        oneLine(place.folder, 'SQLITE_CANTOPEN'),
      )
      expect(await failureOf(`sqlite:${text}`, { sqliteDriver })).toEqual(oneLine(text, 'SQLITE_NOTADB'))
      const inside = join(text, 'a.db')
      expect(await failureOf(`sqlite:${inside}`, { sqliteDriver })).toEqual(
        oneLine(inside, '(EEXIST|ENOTDIR)'),
      )
    }
  })
})
