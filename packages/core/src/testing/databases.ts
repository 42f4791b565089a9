import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { SqlDatabase } from '../storage/typeorm/connection.js'
import type { DatabaseOptions } from '../storage/typeorm/open-database.js'

/** The databases that tests run on, for `describe.each`. */
export const DATABASES = ['sqlite', 'postgres'] as const

/** Every way to store, for tests of storage itself. */
export const ALL_DATABASES = [...DATABASES, 'better-sqlite3'] as const

/** `better-sqlite3` is the other driver for SQLite; `memory` is a SQLite without a file. */
export type TestDatabaseName = (typeof DATABASES)[number] | 'better-sqlite3' | 'memory'

/** What is used in place of the database: for tests that watch its statements, or take its space. */
export type WrapDatabase = (database: SqlDatabase) => SqlDatabase

/** A place for one test's data: pass `url` and `options` to `openDatabase` or `openApp`. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly options: DatabaseOptions
  /** Removes the data. Close what uses it first. */
  remove(): Promise<void>
}

/**
 * A new, empty database: a temporary file, or a schema of its own in the PostgreSQL server that
 * `ENTIGRID_TEST_POSTGRES_URL` names.
 */
export const openTestDatabase = async (name: TestDatabaseName): Promise<TestDatabase> => {
  if (name === 'postgres') return postgresSchema()
  if (name === 'memory') return place('sqlite::memory:', {}, async () => undefined)
  const folder = await mkdtemp(join(tmpdir(), 'entigrid-test-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  const driver = name === 'better-sqlite3' ? { sqliteDriver: name } : {}
  // Survives the end of a process, not a loss of power, and need not wait for the disk.
  return place(`sqlite:${join(folder, 'test.db')}`, { synchronous: 'normal', ...driver }, remove)
}

const place = (url: string, options: DatabaseOptions, remove: () => Promise<void>): TestDatabase => ({
  url,
  options,
  remove,
  [Symbol.asyncDispose]: remove,
})

const postgresSchema = async (): Promise<TestDatabase> => {
  const url = process.env.ENTIGRID_TEST_POSTGRES_URL
  if (url === undefined)
    throw new Error(
      'No PostgreSQL for tests: run them with npm test, or set ENTIGRID_TEST_POSTGRES_URL to a server they may use',
    )
  const schema = `t_${randomBytes(8).toString('hex')}`
  await runOnce(url, `CREATE SCHEMA ${schema}`)
  return place(url, { schema, poolSize: 6 }, () => runOnce(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`))
}

const runOnce = async (url: string, sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
