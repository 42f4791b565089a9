import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { SqlDatabase } from './connection.js'
import { migrate } from './migrate.js'
import { PostgresDatabase } from './postgres/postgres-database.js'
import type { SqliteDriverName } from './sqlite/sqlite-connection.js'
import { SqliteDatabase } from './sqlite/sqlite-database.js'

export interface DatabaseOptions {
  sqliteDriver?: SqliteDriverName | undefined
  synchronous?: 'full' | 'normal' | undefined
  /** Reading connections to a SQLite file. */
  readers?: number | undefined
  /** Connections to PostgreSQL at most. */
  poolSize?: number | undefined
  /** PostgreSQL schema to work in. */
  schema?: string | undefined
  onError?: ((error: Error) => void) | undefined
}

/**
 * Opens a database by its URL and brings its schema up to date: `sqlite:./data/entigrid.db`,
 * `sqlite::memory:`, `postgres://...`.
 * @throws {NewerSchemaError} and errors of one line that say what to do.
 */
export const openDatabase = async (url: string, options: DatabaseOptions = {}): Promise<SqlDatabase> => {
  if (/^postgres(ql)?:\/\//.test(url)) return openPostgres(url, options)
  if (url.startsWith('sqlite:')) return openSqlite(url.slice('sqlite:'.length), options)
  throw new Error(`The database URL "${url.split(':')[0]}:..." is not understood: use sqlite:./file.db, sqlite::memory: or postgres://...`)
}

const openPostgres = async (url: string, { poolSize, schema, onError }: DatabaseOptions): Promise<SqlDatabase> => {
  const database = new PostgresDatabase(url, { ...(poolSize && { poolSize }), schema, ...(onError && { onError }) })
  try {
    await migrate(database, { url, schema })
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

const openSqlite = async (path: string, options: DatabaseOptions): Promise<SqlDatabase> => {
  const file = path === ':memory:' ? path : resolve(path)
  const { sqliteDriver: driver, synchronous, readers } = options
  let database: SqliteDatabase
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
    database = await SqliteDatabase.open(file, {
      ...(driver && { driver }),
      ...(synchronous && { synchronous }),
      ...(readers && { readers }),
    })
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes('not installed')) throw cause
    throw new Error(`The database file ${file} cannot be opened: check that its folder exists and can be written to`, { cause })
  }
  try {
    await migrate(database)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
