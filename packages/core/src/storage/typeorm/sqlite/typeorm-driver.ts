import {
  DataSource,
  type DataSourceOptions,
  type MigrationInterface,
  QueryFailedError,
  QueryResult,
  type QueryRunner,
  type ReplicationMode,
} from 'typeorm'
import { AbstractSqliteDriver } from 'typeorm/driver/sqlite-abstract/AbstractSqliteDriver.js'
import { AbstractSqliteQueryRunner } from 'typeorm/driver/sqlite-abstract/AbstractSqliteQueryRunner.js'
import type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel.js'
import { QueryRunnerAlreadyReleasedError } from 'typeorm/error/QueryRunnerAlreadyReleasedError.js'
import { Broadcaster } from 'typeorm/subscriber/Broadcaster.js'
import { BroadcasterResult } from 'typeorm/subscriber/BroadcasterResult.js'
import type { SqlConnection, SqlRow } from '../connection.js'
import type { SqliteConnection } from './sqlite-connection.js'
import type { SqliteDatabase } from './sqlite-database.js'
import { isRead, returnsRows } from './statement-kind.js'

/** What a data source of ours may be told. */
export interface SqliteDataSourceOptions
  extends Pick<DataSourceOptions, 'entities' | 'logging' | 'logger' | 'migrationsTableName'> {
  migrations?: (new () => MigrationInterface)[]
}

/**
 * TypeORM over our own connections, for migrations and small tables. TypeORM 1.x has no driver for the
 * `sqlite3` package, and those it has for SQLite share one connection among all callers, so that the rollback
 * of one takes back the writes of another. Here a transaction holds the writer until it ends. Destroying the
 * data source leaves the database open.
 */
export const createSqliteDataSource = (
  database: SqliteDatabase,
  options: SqliteDataSourceOptions,
): DataSource => new SqliteDataSource(database, options)

class SqliteDataSource extends DataSource {
  constructor(database: SqliteDatabase, options: SqliteDataSourceOptions) {
    // The type makes TypeORM write SQL for SQLite. The driver of that name, which it also makes, is replaced
    // before it does anything; being told that it has its package keeps it from looking for that.
    super({ ...options, type: 'better-sqlite3', database: database.file, driver: {} } as DataSourceOptions)
    this.driver = new SqliteDriver(this, database)
  }
}

class SqliteDriver extends AbstractSqliteDriver {
  readonly connections: SqliteDatabase

  constructor(dataSource: DataSource, connections: SqliteDatabase) {
    super(dataSource)
    this.connections = connections
  }

  override createQueryRunner(mode: ReplicationMode): QueryRunner {
    return new SqliteQueryRunner(this, mode)
  }

  override async connect(): Promise<void> {}

  override async disconnect(): Promise<void> {}
}

class SqliteQueryRunner extends AbstractSqliteQueryRunner {
  override readonly driver: SqliteDriver
  /** Held from the start of a transaction to its end. */
  #writer: SqliteConnection | null = null

  constructor(driver: SqliteDriver, mode: ReplicationMode) {
    super()
    this.driver = driver
    this.dataSource = driver.dataSource
    this.mode = mode
    this.broadcaster = new Broadcaster(this)
  }

  override async startTransaction(isolationLevel?: IsolationLevel): Promise<void> {
    if (this.isReleased) throw new QueryRunnerAlreadyReleasedError()
    this.#writer ??= await this.driver.connections.takeWriter()
    try {
      await super.startTransaction(isolationLevel)
    } catch (error) {
      if (this.transactionDepth === 0) {
        this.isTransactionActive = false
        this.#letGo()
      }
      throw error
    }
  }

  override async commitTransaction(): Promise<void> {
    await super.commitTransaction()
    if (this.transactionDepth === 0) this.#letGo()
  }

  override async rollbackTransaction(): Promise<void> {
    const outermost = this.transactionDepth <= 1
    try {
      await super.rollbackTransaction()
    } finally {
      if (outermost) this.#letGo()
    }
  }

  override async release(): Promise<void> {
    if (this.isReleased) return
    if (this.#writer !== null) {
      await this.#writer.all('ROLLBACK').catch(() => undefined)
      this.#letGo()
    }
    this.isReleased = true
    await super.release()
  }

  /** Has no effect inside a transaction: foreign keys can be switched only before one begins. */
  override async beforeMigration(): Promise<void> {
    await this.query('PRAGMA foreign_keys = OFF')
  }

  override async afterMigration(): Promise<void> {
    await this.query('PRAGMA foreign_keys = ON')
  }

  override query<T = unknown>(
    sql: string,
    parameters: unknown[] | undefined,
    structured: true,
  ): Promise<QueryResult<T>>
  override query<T = unknown>(sql: string, parameters?: unknown[]): Promise<T>
  override async query(sql: string, parameters: unknown[] = [], structured = false): Promise<unknown> {
    if (this.isReleased) throw new QueryRunnerAlreadyReleasedError()
    // A deferred BEGIN that reads and then writes fails at once when another process wrote meanwhile.
    const text = sql === 'BEGIN TRANSACTION' ? 'BEGIN IMMEDIATE' : sql
    const { logger } = this.dataSource
    const subscribers = new BroadcasterResult()
    logger.logQuery(text, parameters, this)
    await this.broadcaster.broadcast('BeforeQuery', text, parameters)
    const start = performance.now()
    try {
      const result = await this.#run(text, parameters)
      const took = performance.now() - start
      this.broadcaster.broadcastAfterQueryEvent(
        subscribers,
        text,
        parameters,
        true,
        took,
        result.raw,
        undefined,
      )
      return structured ? result : result.raw
    } catch (error) {
      logger.logQueryError(error as Error, text, parameters, this)
      this.broadcaster.broadcastAfterQueryEvent(
        subscribers,
        text,
        parameters,
        false,
        undefined,
        undefined,
        error,
      )
      throw new QueryFailedError(text, parameters, error as Error)
    } finally {
      await subscribers.wait()
    }
  }

  async #run(sql: string, parameters: unknown[]): Promise<QueryResult> {
    const { connections } = this.driver
    if (this.#writer !== null) return runOn(this.#writer, sql, parameters)
    if (isRead(sql)) return connections.read((reader) => rowsOf(reader, sql, parameters))
    const writer = await connections.takeWriter()
    try {
      return await runOn(writer, sql, parameters)
    } finally {
      connections.giveWriter(writer)
    }
  }

  protected override loadTableRecords(tablePath: string, kind: 'table' | 'index'): Promise<SqlRow[]> {
    const [, table] = this.splitTablePath(tablePath)
    const column = kind === 'table' ? 'name' : 'tbl_name'
    return this.query(`SELECT NULL AS database, * FROM sqlite_master WHERE type = ? AND ${column} = ?`, [
      kind,
      table,
    ])
  }

  protected override loadPragmaRecords(tablePath: string, pragma: string): Promise<SqlRow[]> {
    const [, table] = this.splitTablePath(tablePath)
    return this.query(`PRAGMA ${pragma}("${table.replaceAll('"', '""')}")`)
  }

  #letGo(): void {
    if (this.#writer === null) return
    this.driver.connections.giveWriter(this.#writer)
    this.#writer = null
    this.isTransactionActive = false
    this.transactionDepth = 0
  }
}

const rowsOf = async (
  connection: SqlConnection,
  sql: string,
  parameters: unknown[],
): Promise<QueryResult> => {
  const result = new QueryResult()
  result.records = await connection.all(sql, parameters)
  result.raw = result.records
  return result
}

/** TypeORM takes `raw` of an insert for the generated id. */
const runOn = async (writer: SqliteConnection, sql: string, parameters: unknown[]): Promise<QueryResult> => {
  if (returnsRows(sql)) return rowsOf(writer, sql, parameters)
  const result = new QueryResult()
  const { changes, lastId } = await writer.change(sql, parameters)
  result.affected = changes
  result.raw = lastId
  return result
}
