import type { LeasedConnection } from '../lease.js'

/** One open connection to a SQLite database, through one of the packages that can drive it. */
export interface SqliteConnection extends LeasedConnection {
  /** Runs a statement that changes rows; `lastId` is the rowid of the row inserted last. */
  change(sql: string, values?: readonly unknown[]): Promise<{ changes: number; lastId: number }>
  close(): Promise<void>
}

export type SqliteDriverName = 'sqlite3' | 'better-sqlite3'

export type OpenSqlite = (file: string, options: { readOnly: boolean }) => Promise<SqliteConnection>

/** `SQLITE_BUSY` of `SQLITE_BUSY_SNAPSHOT`; an empty string for an error that is not SQLite's. */
export const primaryCode = (error: unknown): string =>
  /^SQLITE_[A-Z]+/.exec(
    typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '',
  )?.[0] ?? ''

const ENDS_TRANSACTION = new Set(['SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_NOMEM'])

/** Whether SQLite may have rolled back by itself (https://sqlite.org/lang_transaction.html). */
export const endsTransaction = (error: Error): boolean => ENDS_TRANSACTION.has(primaryCode(error))
