import type { SqlConnection, SqlDatabase } from '../storage/typeorm/connection.js'
import type { WrapDatabase } from './databases.js'

/** Counts the statements that an engine, or a store, sends to its database. */
export class StatementCounter {
  /** Texts of the statements since `reset`. */
  readonly texts: string[] = []

  readonly wrap: WrapDatabase = (database) => new CountedDatabase(database, this.texts)

  /** The statements that `work` causes. */
  async during(work: () => Promise<unknown>): Promise<string[]> {
    this.texts.length = 0
    await work()
    return [...this.texts]
  }
}

class CountedDatabase implements SqlDatabase {
  readonly #database: SqlDatabase
  readonly #texts: string[]

  constructor(database: SqlDatabase, texts: string[]) {
    this.#database = database
    this.#texts = texts
  }

  get dialect() {
    return this.#database.dialect
  }

  get writers() {
    return this.#database.writers
  }

  read<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#database.read((connection) => work(counted(connection, this.#texts)))
  }

  snapshot<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#database.snapshot((connection) => work(counted(connection, this.#texts)))
  }

  write<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#database.write((connection) => work(counted(connection, this.#texts)))
  }

  classify(error: unknown) {
    return this.#database.classify(error)
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

const counted = (connection: SqlConnection, texts: string[]): SqlConnection => ({
  all: (sql, values) => {
    texts.push(sql)
    return connection.all(sql, values)
  },
  run: (sql, values) => {
    texts.push(sql)
    return connection.run(sql, values)
  },
})
