import type { SqlConnection } from '../connection.js'

/** One open connection to a SQLite file, through one of the packages that can drive it. */
export interface SqliteConnection extends SqlConnection {
  /** Runs statements without parameters or results. */
  exec(sql: string): Promise<void>
  close(): Promise<void>
}

export type OpenSqlite = (file: string, options: { readOnly: boolean }) => Promise<SqliteConnection>

export type SqliteDriverName = 'sqlite3' | 'better-sqlite3'

/** Prepared statements that a connection keeps. */
export const MAX_STATEMENTS = 300

/** SQLite has no booleans. */
export const bindable = (values: readonly unknown[]): unknown[] =>
  values.some((value) => typeof value === 'boolean') ? values.map((value) => (typeof value === 'boolean' ? Number(value) : value)) : (values as unknown[])
