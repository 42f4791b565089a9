import type { SqlConnection, SqlDatabase, SqlFailure } from '../connection.js'
import { DatabaseClosedError } from '../database-closed.js'
import { Lease } from '../lease.js'
import { Turns } from '../turns.js'
import { openBetterSqlite3 } from './better-sqlite3-connection.js'
import { primaryCode, type SqliteConnection, type SqliteDriverName } from './sqlite-connection.js'
import { openSqlite3 } from './sqlite3-connection.js'

export interface SqliteOptions {
  driver?: SqliteDriverName | undefined
  /** `full` survives a power cut; `normal` may lose the last commits then, never consistency. */
  synchronous?: 'full' | 'normal' | undefined
  /** Connections for reading. */
  readers?: number | undefined
}

export const MEMORY = ':memory:'
const UNIQUE = new Set([
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  'SQLITE_CONSTRAINT_ROWID',
])
const UNAVAILABLE = new Set(
  ['FULL', 'IOERR', 'READONLY', 'CANTOPEN', 'CORRUPT', 'NOTADB', 'MISUSE', 'PERM', 'NOMEM', 'PROTOCOL'].map(
    (name) => `SQLITE_${name}`,
  ),
)

/**
 * A SQLite file in WAL mode: one connection writes, in turns; a few others read, each used by one caller at a
 * time. A database in memory has one connection for both, so there a reader waits for the writer: work that
 * has a connection must not ask for another.
 */
export class SqliteDatabase implements SqlDatabase {
  readonly dialect = 'sqlite'
  readonly writers = 1
  readonly file: string
  readonly mark: (() => Promise<number>) | undefined
  readonly #writer: Turns<SqliteConnection>
  readonly #readers: Turns<SqliteConnection>
  readonly #connections: readonly SqliteConnection[]
  #closing: Promise<void> | null = null

  private constructor(file: string, writer: SqliteConnection, readers: readonly SqliteConnection[]) {
    this.file = file
    this.#connections = [...readers, writer]
    this.#writer = new Turns([writer])
    this.#readers = readers.length === 0 ? this.#writer : new Turns(readers)
    // What is in memory is of this process alone.
    this.mark = file === MEMORY ? undefined : () => this.#writer.use(versionOf)
  }

  /** `file` is a path, or `:memory:`. */
  static async open(file: string, options: SqliteOptions = {}): Promise<SqliteDatabase> {
    const { driver = 'sqlite3', synchronous = 'full', readers = 4 } = options
    const open = driver === 'sqlite3' ? openSqlite3 : openBetterSqlite3
    const opened: SqliteConnection[] = []
    try {
      const writer = await open(file, { readOnly: false })
      opened.push(writer)
      await prepareWriter(writer, synchronous)
      for (let i = 0; file !== MEMORY && i < Math.max(1, readers); i++) {
        const reader = await open(file, { readOnly: true })
        opened.push(reader)
        await prepareReader(reader)
      }
      return new SqliteDatabase(file, writer, opened.slice(1))
    } catch (error) {
      await Promise.allSettled(opened.map((connection) => connection.close()))
      throw error
    }
  }

  read<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#readers.use((connection) => leased(connection, work))
  }

  snapshot<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#readers.use((connection) => inTransaction(connection, 'BEGIN', work))
  }

  write<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#writer.use((connection) => inTransaction(connection, 'BEGIN IMMEDIATE', work))
  }

  /** The writer itself, until it is given back: for transactions that somebody else begins and ends. */
  takeWriter(): Promise<SqliteConnection> {
    return this.#writer.take()
  }

  giveWriter(writer: SqliteConnection): void {
    this.#writer.give(writer)
  }

  classify(error: unknown): SqlFailure {
    if (error instanceof DatabaseClosedError) return 'unavailable'
    const primary = primaryCode(error)
    if (primary === 'SQLITE_CONSTRAINT')
      return UNIQUE.has((error as { code: string }).code) ? 'unique' : 'other'
    if (primary === 'SQLITE_BUSY' || primary === 'SQLITE_LOCKED') return 'retry'
    return UNAVAILABLE.has(primary) ? 'unavailable' : 'other'
  }

  /** Waits for work under way, turns away the rest. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all(
      this.#readers === this.#writer ? [this.#writer.close()] : [this.#readers.close(), this.#writer.close()],
    )
    for (const connection of this.#connections) await connection.close()
  }
}

const prepareWriter = async (writer: SqliteConnection, synchronous: 'full' | 'normal'): Promise<void> => {
  await writer.all('PRAGMA busy_timeout = 5000')
  // Counts only before the first page of a new file is written; larger pages store the index better.
  await writer.all('PRAGMA page_size = 8192')
  await writer.all('PRAGMA journal_mode = WAL')
  await writer.all(`PRAGMA synchronous = ${synchronous}`)
  await writer.all('PRAGMA wal_autocheckpoint = 8000')
  await writer.all('PRAGMA cache_size = -65536')
  await writer.all('PRAGMA foreign_keys = ON')
}

/** Grows when another connection has committed; readers of this process do not. */
const versionOf = async (writer: SqliteConnection): Promise<number> => {
  const [row] = await writer.all<{ data_version: number }>('PRAGMA data_version')
  return row!.data_version
}

/** How much of the file readers map at most; what lies behind it is read as usual. */
const MAPPED_BYTES = 2 ** 30

const prepareReader = async (reader: SqliteConnection): Promise<void> => {
  await reader.all('PRAGMA busy_timeout = 5000')
  await reader.all('PRAGMA query_only = ON')
  await reader.all('PRAGMA cache_size = -65536')
  // Pages that the system has in memory are read where they are: up to a third less work for a point read.
  await reader.all(`PRAGMA mmap_size = ${MAPPED_BYTES}`)
}

const leased = async <T>(
  connection: SqliteConnection,
  work: (connection: SqlConnection) => Promise<T>,
): Promise<T> => {
  const lease = new Lease(connection)
  try {
    return await work(lease)
  } finally {
    lease.end()
  }
}

const inTransaction = async <T>(
  connection: SqliteConnection,
  begin: string,
  work: (connection: SqlConnection) => Promise<T>,
): Promise<T> => {
  await connection.all(begin)
  try {
    const result = await leased(connection, work)
    if (connection.lost !== null) throw connection.lost
    await connection.all('COMMIT')
    return result
  } catch (error) {
    // SQLite may have ended the transaction by itself; then there is nothing left to roll back.
    await connection.all('ROLLBACK').catch(() => undefined)
    throw error
  }
}
