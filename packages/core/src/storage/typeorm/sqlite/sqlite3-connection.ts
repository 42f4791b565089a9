import sqlite3 from 'sqlite3'
import { DatabaseClosedError } from '../database-closed.js'
import { endsTransaction, type OpenSqlite, type SqliteConnection } from './sqlite-connection.js'
import { StatementCache } from './statement-cache.js'
import { returnsRows } from './statement-kind.js'

/** SQLITE_OPEN_EXRESCODE: without it a taken unique value and a missing required one have the same code. */
const OPEN_EXTENDED_CODES = 0x02000000
const MAX_STATEMENTS = 300
const NO_VALUES: readonly unknown[] = []

interface Prepared {
  readonly statement: sqlite3.Statement
  readonly returnsRows: boolean
}

/** Extended codes that the package has no name for. */
const CONSTRAINT_NAMES = new Map([
  [1555, 'SQLITE_CONSTRAINT_PRIMARYKEY'],
  [2067, 'SQLITE_CONSTRAINT_UNIQUE'],
  [2579, 'SQLITE_CONSTRAINT_ROWID'],
])
const PRIMARY_NAMES = new Map(
  (
    [
      'BUSY',
      'LOCKED',
      'READONLY',
      'IOERR',
      'CORRUPT',
      'CANTOPEN',
      'CONSTRAINT',
      'ERROR',
      'ABORT',
      'AUTH',
    ] as const
  ).map((name) => [sqlite3[name], `SQLITE_${name}`]),
)

/** Gives an error with an extended code its name, which is `UNKNOWN` to the package. */
const named = (error: Error & { code?: string; errno?: number }): Error => {
  if (error.code !== 'UNKNOWN' || error.errno === undefined) return error
  error.code = CONSTRAINT_NAMES.get(error.errno) ?? PRIMARY_NAMES.get(error.errno & 0xff) ?? 'SQLITE_ERROR'
  error.message = error.message.replace(/^UNKNOWN/, error.code)
  return error
}

/**
 * Over the `sqlite3` package, whose statements run on its threads, so that the event loop is never held up.
 * One statement is in flight at a time: more would only occupy threads that wait for each other.
 */
class Sqlite3Connection implements SqliteConnection {
  readonly #database: sqlite3.Database
  readonly #statements = new StatementCache<Prepared>(MAX_STATEMENTS, ({ statement }) => statement.finalize())
  readonly #waiting: (() => void)[] = []
  #busy = false
  #closed = false
  lost: Error | null = null

  constructor(database: sqlite3.Database) {
    this.#database = database
  }

  all<Row>(sql: string, values: readonly unknown[] = NO_VALUES): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.#withStatement(sql, values, reject, ({ statement }) => {
        statement.all(values, (error: Error | null, rows: Row[]) => {
          if (error) return this.#fail(statement, error, reject)
          this.#next()
          resolve(rows)
        })
      })
    })
  }

  async run(sql: string, values?: readonly unknown[]): Promise<number> {
    return (await this.change(sql, values)).changes
  }

  change(sql: string, values: readonly unknown[] = NO_VALUES): Promise<{ changes: number; lastId: number }> {
    return new Promise((resolve, reject) => {
      this.#withStatement(sql, values, reject, (prepared) => {
        const { statement } = prepared
        // `run` stops at the first row and would leave the statement open.
        if (prepared.returnsRows) {
          statement.all(values, (error: Error | null, rows: unknown[]) => {
            if (error) return this.#fail(statement, error, reject)
            this.#next()
            resolve({ changes: rows.length, lastId: 0 })
          })
          return
        }
        const done = (error: Error | null) => {
          if (error) return this.#fail(statement, error, reject)
          const { changes, lastID } = statement as sqlite3.RunResult
          this.#next()
          resolve({ changes, lastId: lastID })
        }
        statement.run(values, done)
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inTurn(() => {
        this.#closed = true
        this.#statements.clear()
        this.#database.close((error) => {
          this.#next()
          if (error) reject(error)
          else resolve()
        })
      })
    })
  }

  #withStatement(
    sql: string,
    values: readonly unknown[],
    reject: (error: Error) => void,
    work: (prepared: Prepared) => void,
  ): void {
    this.#inTurn(() => {
      const refusal = this.#closed ? new DatabaseClosedError() : wrongValue(values)
      if (refusal !== null) {
        this.#next()
        return reject(refusal)
      }
      const known = this.#statements.get(sql)
      if (known !== undefined) return work(known)
      const statement = this.#database.prepare(sql, (error: Error | null) => {
        if (error) {
          this.#next()
          return reject(named(error))
        }
        const prepared = { statement, returnsRows: returnsRows(sql) }
        this.#statements.add(sql, prepared)
        work(prepared)
      })
    })
  }

  /** A statement that failed is reset before anything else runs, so that it cannot go on holding a snapshot. */
  #fail(statement: sqlite3.Statement, failure: Error, reject: (error: Error) => void): void {
    const error = named(failure)
    if (endsTransaction(error)) this.lost = error
    statement.reset(() => {
      this.#next()
      reject(error)
    })
  }

  #inTurn(work: () => void): void {
    if (this.#busy) this.#waiting.push(work)
    else {
      this.#busy = true
      work()
    }
  }

  #next(): void {
    const work = this.#waiting.shift()
    if (work === undefined) this.#busy = false
    else work()
  }
}

/** The package would bind a bigint as NULL without a word. */
const wrongValue = (values: readonly unknown[]): Error | null => {
  for (const value of values) {
    if (typeof value === 'bigint') return new TypeError('A bigint cannot be bound: use a number within 2^53')
  }
  return null
}

export const openSqlite3: OpenSqlite = (file, { readOnly }) =>
  new Promise((resolve, reject) => {
    const mode = readOnly ? sqlite3.OPEN_READONLY : sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE
    const database = new sqlite3.Database(
      file,
      mode | sqlite3.OPEN_FULLMUTEX | OPEN_EXTENDED_CODES,
      (error) => {
        if (error) reject(named(error))
        else resolve(new Sqlite3Connection(database))
      },
    )
  })
