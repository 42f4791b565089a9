import { setImmediate } from 'node:timers'
import { DatabaseClosedError } from '../database-closed.js'
import { endsTransaction, type OpenSqlite, type SqliteConnection } from './sqlite-connection.js'
import { StatementCache } from './statement-cache.js'

interface Statement {
  /** Whether it has rows for an answer. */
  readonly reader: boolean
  all(values: readonly unknown[]): unknown[]
  run(values: readonly unknown[]): { changes: number; lastInsertRowid: number }
}

interface Database {
  prepare(sql: string): Statement
  close(): void
}

type DatabaseClass = new (file: string, options: { readonly: boolean; timeout: number }) => Database

const MAX_STATEMENTS = 300
/** How long (milliseconds) statements may follow each other before timers and sockets get their turn. */
const MAX_HOLD = 5

/**
 * Over the optional `better-sqlite3` package: less work per statement, but all of it on the event loop, which
 * it therefore gives up from time to time.
 */
class BetterSqlite3Connection implements SqliteConnection {
  readonly #database: Database
  readonly #statements = new StatementCache<Statement>(MAX_STATEMENTS, () => undefined)
  #closed = false
  #heldSince = 0
  lost: Error | null = null

  constructor(database: Database) {
    this.#database = database
  }

  all<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    return this.#settle(() => {
      const statement = this.#prepare(sql)
      if (statement.reader) return statement.all(bindable(values)) as Row[]
      statement.run(bindable(values))
      return []
    })
  }

  run(sql: string, values?: readonly unknown[]): Promise<number> {
    return this.#settle(() => this.#change(sql, values).changes)
  }

  change(sql: string, values?: readonly unknown[]): Promise<{ changes: number; lastId: number }> {
    return this.#settle(() => this.#change(sql, values))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#statements.clear()
    this.#database.close()
  }

  #change(sql: string, values?: readonly unknown[]): { changes: number; lastId: number } {
    const statement = this.#prepare(sql)
    if (statement.reader) return { changes: statement.all(bindable(values)).length, lastId: 0 }
    const { changes, lastInsertRowid } = statement.run(bindable(values))
    return { changes, lastId: lastInsertRowid }
  }

  #prepare(sql: string): Statement {
    if (this.#closed) throw new DatabaseClosedError()
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.add(sql, statement)
    }
    return statement
  }

  /** Promises alone never let a timer fire or a socket be read. */
  #settle<T>(work: () => T): Promise<T> {
    let result: Promise<T>
    try {
      result = Promise.resolve(work())
    } catch (error) {
      if (error instanceof Error && endsTransaction(error)) this.lost = error
      result = Promise.reject(error)
    }
    const now = performance.now()
    if (now - this.#heldSince < MAX_HOLD) return result
    this.#heldSince = now
    result.catch(() => undefined)
    return new Promise((resolve) => setImmediate(() => resolve(result)))
  }
}

/** The package takes no booleans, and stores whole numbers as reals unless they are bigints. */
const bindable = (values: readonly unknown[] = []): unknown[] =>
  values.map((value) => {
    if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
    if (typeof value === 'boolean') return value ? 1n : 0n
    if (typeof value === 'bigint') throw new TypeError('A bigint cannot be bound: use a number within 2^53')
    return value === undefined ? null : value
  })

/** @throws {Error} when the package is not installed. */
export const openBetterSqlite3: OpenSqlite = async (file, { readOnly }) => {
  const Class = await load()
  return new BetterSqlite3Connection(new Class(file, { readonly: readOnly, timeout: 5000 }))
}

const load = async (): Promise<DatabaseClass> => {
  const name: string = 'better-sqlite3'
  try {
    return ((await import(name)) as { default: DatabaseClass }).default
  } catch (cause) {
    throw new Error('The SQLite driver better-sqlite3 is not installed: run npm install better-sqlite3', {
      cause,
    })
  }
}
