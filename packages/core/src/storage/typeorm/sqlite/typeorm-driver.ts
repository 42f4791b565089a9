import { DataSource, type DataSourceOptions, QueryFailedError, type QueryRunner, QueryResult, type ReplicationMode } from 'typeorm'
import { AbstractSqliteDriver } from 'typeorm/driver/sqlite-abstract/AbstractSqliteDriver.js'
import { AbstractSqliteQueryRunner } from 'typeorm/driver/sqlite-abstract/AbstractSqliteQueryRunner.js'
import { Broadcaster } from 'typeorm/subscriber/Broadcaster.js'
import type { SqlConnection, SqlRow } from '../connection.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** What a data source of ours may be told. */
export type SqliteDataSourceOptions = Pick<DataSourceOptions, 'entities' | 'migrations' | 'migrationsTableName' | 'logging'>

const READS = /^\s*(select|explain|values|with|pragma)\b/i
const RETURNS = /\breturning\b/i

/**
 * TypeORM over our own connections, for migrations and small tables. TypeORM 1.x has no driver for the
 * `sqlite3` package, and its others share one connection among all callers, so that one's rollback takes
 * back another's writes; here a transaction holds the writer until it ends, and everybody else waits.
 */
export const createSqliteDataSource = (database: SqliteDatabase, options: SqliteDataSourceOptions): DataSource => {
  // The options name a driver that TypeORM knows, with something in place of its package, which is never used.
  const dataSource = new DataSource({ ...options, type: 'better-sqlite3', database: 'entigrid', driver: {} } as DataSourceOptions)
  Object.defineProperty(dataSource, 'driver', { value: new SqliteDriver(dataSource, database) })
  return dataSource
}

class SqliteDriver extends AbstractSqliteDriver {
  readonly sqliteDatabase: SqliteDatabase

  constructor(dataSource: DataSource, database: SqliteDatabase) {
    super(dataSource)
    this.sqliteDatabase = database
  }

  override createQueryRunner(_mode: ReplicationMode): QueryRunner {
    return new SqliteQueryRunner(this)
  }

  protected override async createDatabaseConnection(): Promise<unknown> {
    return this.sqliteDatabase
  }

  /** The connections are the store's to close. */
  override async disconnect(): Promise<void> {}
}

class SqliteQueryRunner extends AbstractSqliteQueryRunner {
  override readonly driver: SqliteDriver
  /** The writer, while a transaction of this runner is open. */
  #held: { thing: SqlConnection; giveBack: () => void } | null = null

  constructor(driver: SqliteDriver) {
    super()
    this.driver = driver
    this.dataSource = driver.dataSource
    this.broadcaster = new Broadcaster(this)
  }

  override async startTransaction(): Promise<void> {
    this.#held ??= await this.driver.sqliteDatabase.holdWriter()
    try {
      await super.startTransaction()
    } catch (error) {
      this.#letGo()
      throw error
    }
  }

  override async commitTransaction(): Promise<void> {
    await super.commitTransaction()
    this.#letGo()
  }

  override async rollbackTransaction(): Promise<void> {
    try {
      await super.rollbackTransaction()
    } finally {
      this.#letGo()
    }
  }

  override async release(): Promise<void> {
    if (this.isTransactionActive) await this.rollbackTransaction()
    await super.release()
  }

  override async beforeMigration(): Promise<void> {
    await this.query('PRAGMA foreign_keys = OFF')
  }

  override async afterMigration(): Promise<void> {
    await this.query('PRAGMA foreign_keys = ON')
  }

  override query<T = unknown>(sql: string, parameters: unknown[] | undefined, structured: true): Promise<QueryResult<T>>
  override query<T = unknown>(sql: string, parameters?: unknown[]): Promise<T>
  override async query(sql: string, parameters: unknown[] = [], structured = false): Promise<unknown> {
    // A deferred BEGIN may fail at its first write, whatever the busy timeout says.
    const text = sql === 'BEGIN TRANSACTION' ? 'BEGIN IMMEDIATE' : sql
    try {
      const result = await this.#run(text, parameters)
      return structured ? result : result.raw
    } catch (error) {
      throw new QueryFailedError(text, parameters, error as Error)
    }
  }

  override async loadTableRecords(tablePath: string, kind: 'table' | 'index'): Promise<SqlRow[]> {
    const [, table] = this.splitTablePath(tablePath)
    const column = kind === 'table' ? 'name' : 'tbl_name'
    return this.query(`SELECT NULL AS database, * FROM sqlite_master WHERE type = ? AND ${column} = ?`, [kind, table])
  }

  override async loadPragmaRecords(tablePath: string, pragma: string): Promise<SqlRow[]> {
    const [, table] = this.splitTablePath(tablePath)
    return this.query(`PRAGMA ${pragma}("${String(table).replaceAll('"', '""')}")`)
  }

  async #run(sql: string, parameters: unknown[]): Promise<QueryResult> {
    const { sqliteDatabase } = this.driver
    const on = async (connection: SqlConnection): Promise<QueryResult> => {
      const result = new QueryResult()
      if (READS.test(sql) || RETURNS.test(sql)) {
        result.records = await connection.all(sql, parameters)
        result.raw = result.records
      } else result.affected = await connection.run(sql, parameters)
      return result
    }
    if (this.#held !== null) return on(this.#held.thing)
    if (/^\s*(select|with)\b/i.test(sql)) return sqliteDatabase.read(on)
    const { thing, giveBack } = await sqliteDatabase.holdWriter()
    return on(thing).finally(giveBack)
  }

  #letGo(): void {
    if (this.transactionDepth > 0) return
    this.#held?.giveBack()
    this.#held = null
  }
}
