import { existsSync } from 'node:fs'
import type { SqlConnection, SqlDatabase, SqlFailure } from '../connection.js'
import { Turns } from '../turns.js'
import { openBetterSqlite3 } from './better-sqlite3-connection.js'
import type { SqliteConnection, SqliteDriverName } from './sqlite-connection.js'
import { openSqlite3 } from './sqlite3-connection.js'

export interface SqliteOptions {
  driver?: SqliteDriverName
  /** `full` survives a power cut; `normal` may lose the last commits then, never consistency. */
  synchronous?: 'full' | 'normal'
  /** Connections for reading. */
  readers?: number
}

const MEMORY = ':memory:'
const UNAVAILABLE = new Set(['FULL', 'IOERR', 'READONLY', 'CANTOPEN', 'CORRUPT', 'NOTADB', 'MISUSE', 'PERM', 'NOMEM'])

/**
 * A SQLite file in WAL mode: one connection writes, in turns; a few others read, each used by one caller at
 * a time. A database in memory has a single connection for both.
 */
export class SqliteDatabase implements SqlDatabase {
  readonly dialect = 'sqlite'
  readonly writers = 1
  readonly #writer: Turns<SqliteConnection>
  readonly #readers: Turns<SqliteConnection>
  readonly #connections: readonly SqliteConnection[]
  #closed = false

  private constructor(writer: SqliteConnection, readers: readonly SqliteConnection[]) {
    this.#connections = [...readers, writer]
    this.#writer = new Turns([writer])
    this.#readers = readers.length === 0 ? this.#writer : new Turns(readers)
  }

  /** `file` is a path, or `:memory:`. */
  static async open(file: string, { driver = 'sqlite3', synchronous = 'full', readers = 4 }: SqliteOptions = {}): Promise<SqliteDatabase> {
    const open = driver === 'sqlite3' ? openSqlite3 : openBetterSqlite3
    const isNew = file === MEMORY || !existsSync(file)
    const writer = await open(file, { readOnly: false })
    // The page size counts only before the first page is written, and larger pages store the index better.
    if (isNew) await writer.exec('PRAGMA page_size = 8192')
    await writer.exec(
      `PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};
       PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -65536; PRAGMA foreign_keys = ON`,
    )
    const others: SqliteConnection[] = []
    for (let i = 0; file !== MEMORY && i < readers; i++) {
      const reader = await open(file, { readOnly: true })
      await reader.exec('PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -65536')
      others.push(reader)
    }
    return new SqliteDatabase(writer, others)
  }

  read<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#readers.use(work)
  }

  snapshot<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#readers.use((connection) => inTransaction(connection, 'BEGIN', work))
  }

  write<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#writer.use((connection) => inTransaction(connection, 'BEGIN IMMEDIATE', work))
  }

  /** The writer for as long as it is held: for transactions that others begin and end. */
  holdWriter(): Promise<{ thing: SqliteConnection; giveBack: () => void }> {
    return this.#writer.take()
  }

  classify(error: unknown): SqlFailure {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
    const kind = code.replace(/^SQLITE_/, '').split('_')[0]!
    if (kind === 'CONSTRAINT') return 'unique'
    if (kind === 'BUSY' || kind === 'LOCKED') return 'retry'
    return UNAVAILABLE.has(kind) || this.#closed ? 'unavailable' : 'other'
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const connection of this.#connections) await connection.close()
  }
}

const inTransaction = async <T>(
  connection: SqliteConnection,
  begin: string,
  work: (connection: SqlConnection) => Promise<T>,
): Promise<T> => {
  await connection.run(begin)
  try {
    const result = await work(connection)
    await connection.run('COMMIT')
    return result
  } catch (error) {
    // A full disk may have ended the transaction by itself.
    await connection.run('ROLLBACK').catch(() => undefined)
    throw error
  }
}
