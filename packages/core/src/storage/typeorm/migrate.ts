import { DataSource } from 'typeorm'
import type { SqlDatabase } from './connection.js'
import { migrations } from './migrations/index.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'
import { createSqliteDataSource } from './sqlite/typeorm-driver.js'

const TABLE = 'migrations'
/** Key of the advisory lock under which one process at a time migrates a PostgreSQL database. */
const LOCK = 731_849_205

/** The database was made by a later version than this one. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError'
  constructor(readonly unknown: string) {
    super(`The database was made by a newer Entigrid (it has the migration "${unknown}"): upgrade Entigrid, or use another database`)
  }
}

export interface PostgresPlace {
  url: string
  schema?: string | undefined
}

/**
 * Brings the schema up to date. Any number of processes may do so at once; each migration is a transaction.
 * @throws {NewerSchemaError}
 */
export const migrate = async (database: SqlDatabase, postgres?: PostgresPlace): Promise<void> => {
  const dataSource =
    database instanceof SqliteDatabase
      ? createSqliteDataSource(database, { migrations, migrationsTableName: TABLE })
      : postgresDataSource(postgres!)
  await dataSource.initialize()
  try {
    if (database instanceof SqliteDatabase) await migrateSqlite(dataSource)
    else await migratePostgres(dataSource)
  } finally {
    await dataSource.destroy()
  }
}

const postgresDataSource = ({ url, schema }: PostgresPlace): DataSource =>
  new DataSource({
    type: 'postgres',
    url,
    migrations,
    migrationsTableName: TABLE,
    ...(schema === undefined ? {} : { schema, extra: { options: `-c search_path=${schema}` } }),
  })

/** All pending migrations in one transaction that holds the writer, so that a second process waits and finds them done. */
const migrateSqlite = async (dataSource: DataSource): Promise<void> => {
  const runner = dataSource.createQueryRunner()
  try {
    await runner.startTransaction()
    await runner.query(`CREATE TABLE IF NOT EXISTS ${TABLE} (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp BIGINT NOT NULL, name VARCHAR NOT NULL)`)
    const done = (await runner.query(`SELECT name FROM ${TABLE} ORDER BY id`)) as { name: string }[]
    for (const migration of pending(done)) {
      await migration.up(runner)
      const timestamp = Number(migration.name.slice(-13))
      await runner.query(`INSERT INTO ${TABLE} (timestamp, name) VALUES (?, ?)`, [timestamp, migration.name])
    }
    await runner.commitTransaction()
  } finally {
    await runner.release()
  }
}

const migratePostgres = async (dataSource: DataSource): Promise<void> => {
  const runner = dataSource.createQueryRunner()
  await runner.connect()
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [LOCK])
    await runner.query(`CREATE TABLE IF NOT EXISTS ${TABLE} (id SERIAL PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL)`)
    pending((await runner.query(`SELECT name FROM ${TABLE} ORDER BY id`)) as { name: string }[])
    await dataSource.runMigrations({ transaction: 'each' })
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => undefined)
    await runner.release()
  }
}

const pending = (done: readonly { name: string }[]) => {
  const all = migrations.map((Migration) => new Migration())
  const unknown = done.find(({ name }) => !all.some((migration) => migration.name === name))
  if (unknown !== undefined) throw new NewerSchemaError(unknown.name)
  return all.filter(({ name }) => !done.some((row) => row.name === name))
}
