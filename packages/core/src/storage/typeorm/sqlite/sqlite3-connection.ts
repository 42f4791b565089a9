import sqlite3 from 'sqlite3'
import { bindable, MAX_STATEMENTS, type OpenSqlite, type SqliteConnection } from './sqlite-connection.js'

/** Over the `sqlite3` package: statements run on its threads, so that the event loop is never held up. */
class Sqlite3Connection implements SqliteConnection {
  readonly #database: sqlite3.Database
  /** By text; least recently used first. */
  readonly #statements = new Map<string, sqlite3.Statement>()

  constructor(database: sqlite3.Database) {
    this.#database = database
  }

  all<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const statement = this.#statement(sql, reject)
      statement.all(bindable(values), (error: Error | null, rows: unknown) => {
        // A statement that failed would go on holding its snapshot.
        if (error) statement.reset(() => reject(error))
        else resolve(rows as Row[])
      })
    })
  }

  run(sql: string, values: readonly unknown[] = []): Promise<number> {
    return new Promise((resolve, reject) => {
      const statement = this.#statement(sql, reject)
      statement.run(bindable(values), function (this: sqlite3.RunResult, error: Error | null) {
        if (error) statement.reset(() => reject(error))
        else resolve(this.changes)
      })
    })
  }

  exec(sql: string): Promise<void> {
    return new Promise((resolve, reject) => this.#database.exec(sql, (error) => (error ? reject(error) : resolve())))
  }

  async close(): Promise<void> {
    for (const statement of this.#statements.values()) statement.finalize()
    this.#statements.clear()
    return new Promise((resolve, reject) => this.#database.close((error) => (error ? reject(error) : resolve())))
  }

  #statement(sql: string, reject: (error: Error) => void): sqlite3.Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) {
      this.#statements.delete(sql)
      this.#statements.set(sql, known)
      return known
    }
    const statement = this.#database.prepare(sql, (error: Error | null) => {
      if (!error) return
      this.#statements.delete(sql)
      reject(error)
    })
    this.#statements.set(sql, statement)
    if (this.#statements.size > MAX_STATEMENTS) {
      const [oldest] = this.#statements
      this.#statements.delete(oldest![0])
      oldest![1].finalize()
    }
    return statement
  }
}

export const openSqlite3: OpenSqlite = (file, { readOnly }) =>
  new Promise((resolve, reject) => {
    const mode = readOnly ? sqlite3.OPEN_READONLY : sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE
    const database = new sqlite3.Database(file, mode, (error) => {
      if (error) reject(error)
      else resolve(new Sqlite3Connection(database))
    })
  })
