import { bindable, MAX_STATEMENTS, type OpenSqlite, type SqliteConnection } from './sqlite-connection.js'

interface Statement {
  readonly reader: boolean
  all(...values: unknown[]): unknown[]
  run(...values: unknown[]): { changes: number }
}

interface Database {
  prepare(sql: string): Statement
  exec(sql: string): unknown
  close(): unknown
}

type DatabaseClass = new (file: string, options: { readonly: boolean }) => Database

/** Over the optional `better-sqlite3` package: less work per statement, all of it on the event loop. */
class BetterSqlite3Connection implements SqliteConnection {
  readonly #database: Database
  readonly #statements = new Map<string, Statement>()

  constructor(database: Database) {
    this.#database = database
  }

  async all<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const statement = this.#statement(sql)
    if (statement.reader) return statement.all(...bindable(values)) as Row[]
    statement.run(...bindable(values))
    return []
  }

  async run(sql: string, values: readonly unknown[] = []): Promise<number> {
    const statement = this.#statement(sql)
    return statement.reader ? statement.all(...bindable(values)).length : statement.run(...bindable(values)).changes
  }

  async exec(sql: string): Promise<void> {
    this.#database.exec(sql)
  }

  async close(): Promise<void> {
    this.#statements.clear()
    this.#database.close()
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) statement = this.#database.prepare(sql)
    else this.#statements.delete(sql)
    this.#statements.set(sql, statement)
    if (this.#statements.size > MAX_STATEMENTS) this.#statements.delete(this.#statements.keys().next().value as string)
    return statement
  }
}

/** @throws {Error} when the package is not installed. */
export const openBetterSqlite3: OpenSqlite = async (file, { readOnly }) => {
  const name = 'better-sqlite3'
  let Class: DatabaseClass
  try {
    Class = ((await import(name)) as { default: DatabaseClass }).default
  } catch (cause) {
    throw new Error('The SQLite driver "better-sqlite3" is not installed: run npm install better-sqlite3', { cause })
  }
  return new BetterSqlite3Connection(new Class(file, { readonly: readOnly }))
}
