import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm'
import { describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../testing/databases.js'
import { MIGRATIONS_TABLE, migrate, NewerSchemaError, pendingMigrations } from './migrate.js'
import { createPostgresDataSource } from './postgres/postgres-data-source.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'
import { createSqliteDataSource } from './sqlite/typeorm-driver.js'

class One1700000000001 implements MigrationInterface {
  readonly name = 'One1700000000001'
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE one (a INTEGER)')
    await runner.query('INSERT INTO one VALUES (1)')
  }
  async down(): Promise<void> {}
}
class Two1700000000002 implements MigrationInterface {
  readonly name = 'Two1700000000002'
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE two (a INTEGER)')
  }
  async down(): Promise<void> {}
}
class Broken1700000000003 implements MigrationInterface {
  readonly name = 'Broken1700000000003'
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE three (a INTEGER)')
    await runner.query('INSERT INTO nowhere VALUES (1)')
  }
  async down(): Promise<void> {}
}
type Migrations = (new () => MigrationInterface)[]

const NAMES = ['One1700000000001', 'Two1700000000002']

describe.each(['sqlite', 'better-sqlite3', 'postgres'] as const)('migrating on %s', (name) => {
  /** What one process would have: connections of its own. */
  const connect = async (place: TestDatabase, migrations: Migrations) => {
    const options = { migrations, migrationsTableName: MIGRATIONS_TABLE }
    const file = await (name === 'postgres'
      ? null
      : SqliteDatabase.open(place.url.slice('sqlite:'.length), { driver: place.options.sqliteDriver }))
    const dataSource =
      file === null
        ? createPostgresDataSource(place.url, { ...options, schema: place.options.schema })
        : createSqliteDataSource(file, options)
    await dataSource.initialize()
    const close = async () => {
      await dataSource.destroy()
      await file?.close()
    }
    return { dataSource, [Symbol.asyncDispose]: close }
  }
  const tables = async (dataSource: DataSource) => {
    const found: string[] = []
    for (const table of ['one', 'two', 'three']) {
      await dataSource.query(`SELECT * FROM ${table}`).then(
        () => found.push(table),
        () => undefined,
      )
    }
    return found
  }

  it('runs what is pending, once, and says what it ran', async () => {
    await using place = await openTestDatabase(name)
    await using first = await connect(place, [One1700000000001])
    await using later = await connect(place, [One1700000000001, Two1700000000002])

    expect(await pendingMigrations(first.dataSource)).toEqual(['One1700000000001'])
    expect(await migrate(first.dataSource)).toEqual(['One1700000000001'])
    expect(await migrate(first.dataSource)).toEqual([])
    expect(await pendingMigrations(later.dataSource)).toEqual(['Two1700000000002'])
    expect(await migrate(later.dataSource)).toEqual(['Two1700000000002'])
    expect(await tables(later.dataSource)).toEqual(['one', 'two'])
  })

  // better-sqlite3 waits without letting go of the event loop, on which here the one it waits for has to go on.
  const itWaiting = it.skipIf(name === 'better-sqlite3')
  itWaiting('succeeds for everybody when several start at once, and runs each migration once', async () => {
    await using place = await openTestDatabase(name)
    await using one = await connect(place, [One1700000000001, Two1700000000002])
    await using two = await connect(place, [One1700000000001, Two1700000000002])
    await using three = await connect(place, [One1700000000001, Two1700000000002])

    const ran = await Promise.all([one, two, three].map(({ dataSource }) => migrate(dataSource)))

    expect(ran.flat().sort()).toEqual(NAMES)
    expect(await one.dataSource.query('SELECT a FROM one')).toEqual([{ a: 1 }])
    const recorded = (await one.dataSource.query(`SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY id`)) as {
      name: string
    }[]
    expect(recorded.map((row) => row.name)).toEqual(NAMES)
  })

  it('refuses a database that a newer version has migrated, and leaves it alone', async () => {
    await using place = await openTestDatabase(name)
    await using newer = await connect(place, [One1700000000001, Two1700000000002])
    await using older = await connect(place, [One1700000000001])
    await migrate(newer.dataSource)

    const failure = await migrate(older.dataSource).catch((error) => error)

    expect(failure).toBeInstanceOf(NewerSchemaError)
    expect(failure.message).toMatch(
      /^[^\n]*"Two1700000000002"[^\n]*upgrade Entigrid, or use another database$/,
    )
    await expect(pendingMigrations(older.dataSource)).rejects.toThrow(NewerSchemaError)
    expect(await tables(older.dataSource)).toEqual(['one', 'two'])
  })

  it('keeps the migrations before one that fails, and nothing of that one', async () => {
    await using place = await openTestDatabase(name)
    await using broken = await connect(place, [One1700000000001, Broken1700000000003])
    await using repaired = await connect(place, [One1700000000001, Two1700000000002])

    await expect(migrate(broken.dataSource)).rejects.toThrow('nowhere')

    expect(await tables(broken.dataSource)).toEqual(['one'])
    expect(await pendingMigrations(broken.dataSource)).toEqual(['Broken1700000000003'])
    expect(await migrate(repaired.dataSource)).toEqual(['Two1700000000002'])
  })
})
