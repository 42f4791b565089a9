/** One value bound to a statement, or read from a row. Integers stay within 2^53. */
export type SqlValue = null | number | string | Buffer | number[] | string[] | Buffer[] | boolean
export type SqlRow = Record<string, unknown>

/**
 * One database connection, used by one caller at a time. Statements are prepared once and cached by text.
 * Placeholders are `?` on SQLite and `$1` on PostgreSQL. Errors are the driver's own.
 */
export interface SqlConnection {
  /** Runs a statement and returns its rows (of a SELECT, or of RETURNING). */
  all<Row = SqlRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs a statement and returns how many rows it changed. */
  run(sql: string, values?: readonly unknown[]): Promise<number>
}

/**
 * A database as the store sees it: readers that may run at the same time, and write transactions. On SQLite
 * `write` hands out the one writer in turn; on PostgreSQL, a pooled connection.
 */
export interface SqlDatabase {
  readonly dialect: 'sqlite' | 'postgres'
  /** How many write transactions may run at the same time: 1 on SQLite. */
  readonly writers: number
  /** Runs `work` on a connection for reading. Statements in it see committed data only. */
  read<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T>
  /** Like `read`, but all statements of `work` see one snapshot. */
  snapshot<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T>
  /** Runs `work` in a transaction (`BEGIN IMMEDIATE` on SQLite): committed when it resolves, rolled back when it throws. */
  write<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T>
  /**
   * A number that is another one once another process has written. Only where processes that write to the same
   * database are not expected, but may come: a file of SQLite.
   */
  readonly mark?: (() => Promise<number>) | undefined
  /** What kind of failure a driver's error is, by its code and never by its words. */
  classify(error: unknown): SqlFailure
  close(): Promise<void>
}

export type SqlFailure =
  /** A unique constraint refused the row. */
  | 'unique'
  /** Serialization failure or deadlock: the transaction may be run again. */
  | 'retry'
  /** Lost connection, shutdown, full disk, read-only file: nothing was stored; try later. */
  | 'unavailable'
  | 'other'
