import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { DataSource } from 'typeorm'
import type { SqlDatabase } from './connection.js'
import { DatabaseError } from './database-error.js'
import { MIGRATIONS_TABLE, migrate } from './migrate.js'
import { migrations } from './migrations/index.js'
import { createPostgresDataSource } from './postgres/postgres-data-source.js'
import { PostgresDatabase } from './postgres/postgres-database.js'
import { fileTrouble } from './sqlite/file-trouble.js'
import type { SqliteDriverName } from './sqlite/sqlite-connection.js'
import { MEMORY, SqliteDatabase } from './sqlite/sqlite-database.js'
import { createSqliteDataSource } from './sqlite/typeorm-driver.js'

export interface DatabaseOptions {
  sqliteDriver?: SqliteDriverName | undefined
  synchronous?: 'full' | 'normal' | undefined
  /** Reading connections to a SQLite file. */
  readers?: number | undefined
  /** Connections to PostgreSQL at most. */
  poolSize?: number | undefined
  /** PostgreSQL schema to work in; made if it does not exist. */
  schema?: string | undefined
  /** Told of PostgreSQL connections that broke while idle. */
  onError?: ((error: Error) => void) | undefined
}

/** A database, and TypeORM on it. Each is closed on its own, the data source first. */
export interface ConnectedDatabase {
  database: SqlDatabase
  dataSource: DataSource
}

/**
 * Opens a database by its URL and brings its schema up to date: `sqlite:./data/entigrid.db`,
 * `sqlite::memory:`, `postgres://...`.
 * @throws {NewerSchemaError} and {DatabaseError}
 */
export const openDatabase = async (url: string, options: DatabaseOptions = {}): Promise<SqlDatabase> => {
  const { database, dataSource } = await connectDatabase(url, options)
  try {
    await migrate(dataSource)
    await dataSource.destroy()
    return database
  } catch (error) {
    await dataSource.destroy().catch(() => undefined)
    await database.close()
    throw database instanceof SqliteDatabase ? fileTrouble(database.file, error) : error
  }
}

/** Like `openDatabase`, but leaves the schema as it is. */
export const connectDatabase = async (
  url: string,
  options: DatabaseOptions = {},
): Promise<ConnectedDatabase> => {
  if (/^postgres(ql)?:\/\//.test(url)) return connectPostgres(url, options)
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length)
    return connectSqlite(url.slice('sqlite:'.length), options)
  const scheme = /^[a-z0-9+.-]*:/i.exec(url)?.[0] ?? ''
  throw new DatabaseError(
    `Not a database URL (it begins with "${scheme}"): use sqlite:./data/entigrid.db, sqlite::memory:, or postgres://user@host/database`,
  )
}

const connectPostgres = async (url: string, options: DatabaseOptions): Promise<ConnectedDatabase> => {
  if (!URL.canParse(url)) {
    throw new DatabaseError(
      'The PostgreSQL URL cannot be read: use postgres://user:password@host:5432/database, with special characters percent-encoded',
    )
  }
  const { schema, poolSize, onError } = options
  const database = new PostgresDatabase(url, { schema, poolSize, onError })
  try {
    if (schema !== undefined) await makeSchema(database, schema)
    const dataSource = createPostgresDataSource(url, {
      schema,
      onError,
      migrations,
      migrationsTableName: MIGRATIONS_TABLE,
    })
    await dataSource.initialize()
    return { database, dataSource }
  } catch (error) {
    await database.close()
    if (database.classify(error) === 'other') throw error
    const { host, pathname } = new URL(url)
    const cause = error as Error & { code?: string }
    throw new DatabaseError(
      `PostgreSQL cannot be reached at ${host || 'its socket'}${pathname} (${cause.code ?? cause.message}): check that it runs and that the database URL is right`,
      { cause },
    )
  }
}

/** Whoever may not create schemas may still use one that is there. */
const makeSchema = async (database: PostgresDatabase, schema: string): Promise<void> => {
  const exists = async (): Promise<boolean> => {
    const rows = await database.read((c) => c.all('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]))
    return rows.length > 0
  }
  if (await exists()) return
  try {
    await database.read((c) => c.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`))
  } catch (error) {
    // Another process may have made it at the same time.
    if (!(await exists())) throw error
  }
}

const connectSqlite = async (path: string, options: DatabaseOptions): Promise<ConnectedDatabase> => {
  const file = path === MEMORY ? path : resolve(path)
  const { sqliteDriver, synchronous, readers } = options
  const database = await openFile(file, () =>
    SqliteDatabase.open(file, { driver: sqliteDriver, synchronous, readers }),
  )
  const dataSource = createSqliteDataSource(database, { migrations, migrationsTableName: MIGRATIONS_TABLE })
  await dataSource.initialize()
  return { database, dataSource }
}

const openFile = async (file: string, open: () => Promise<SqliteDatabase>): Promise<SqliteDatabase> => {
  try {
    if (file !== MEMORY) await mkdir(dirname(file), { recursive: true })
    return await open()
  } catch (cause) {
    const { code } = cause as { code?: unknown }
    if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) throw fileTrouble(file, cause)
    throw new DatabaseError(
      `The database file ${file} cannot be used (${code}): check that its folder can be written to, or set another one`,
      { cause },
    )
  }
}
