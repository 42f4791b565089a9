import { createHash } from 'node:crypto'
import pg from 'pg'
import type { SqlConnection, SqlDatabase, SqlFailure } from '../connection.js'

export interface PostgresOptions {
  /** Connections at most. */
  poolSize?: number
  /** The schema to work in; the role's default one when absent. */
  schema?: string | undefined
  /** Told of connections that broke while idle. */
  onError?: (error: Error) => void
}

const INT8 = 20
const NUMERIC = 1700
const JSON_TYPES = new Set([114, 3802])
const UNIQUE_VIOLATION = '23505'
const RETRY = new Set(['40001', '40P01'])
/** Shutdown, lost connection, out of disk or memory, read-only: SQLSTATE classes and codes. */
const UNAVAILABLE = /^(57P|08|53|25006|58)/
const SYSTEM_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENOENT'])

/** Numbers as numbers, for ours stay below 2^53; JSON as its text. Set per pool, so that host programs keep their own. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8 || oid === NUMERIC) return Number
    if (JSON_TYPES.has(oid)) return (text: string) => text
    return pg.types.getTypeParser(oid, format)
  },
} as pg.CustomTypesConfig

const names = new Map<string, string>()

/** Statements are prepared under a name, once per connection. */
const nameOf = (text: string): string => {
  let name = names.get(text)
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 16)
    if (names.size > 5000) names.clear()
    names.set(text, name)
  }
  return name
}

class PostgresConnection implements SqlConnection {
  readonly #client: pg.PoolClient

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  async all<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.#client.query({ name: nameOf(text), text, values: values as unknown[] })
    return rows as Row[]
  }

  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    const { rowCount } = await this.#client.query({ name: nameOf(text), text, values: values as unknown[] })
    return rowCount ?? 0
  }
}

/** A pool of connections to one PostgreSQL database. */
export class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres'
  readonly writers: number
  readonly #pool: pg.Pool
  #closed = false

  constructor(url: string, { poolSize = 10, schema, onError = () => undefined }: PostgresOptions = {}) {
    // Readers keep the other half, so that a transaction which must read on the side never waits for itself.
    this.writers = Math.max(1, Math.floor(poolSize / 2))
    this.#pool = new pg.Pool({
      connectionString: url,
      max: poolSize,
      connectionTimeoutMillis: 5000,
      types,
      ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
    })
    this.#pool.on('error', onError)
  }

  read<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#use((client) => work(new PostgresConnection(client)))
  }

  snapshot<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#use((client) => inTransaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work))
  }

  write<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#use((client) => inTransaction(client, 'BEGIN', work))
  }

  classify(error: unknown): SqlFailure {
    if (!(error instanceof Error)) return 'other'
    const code = 'code' in error ? String(error.code) : ''
    if (code === UNIQUE_VIOLATION) return 'unique'
    if (RETRY.has(code)) return 'retry'
    if (UNAVAILABLE.test(code) || SYSTEM_ERRORS.has(code)) return 'unavailable'
    // The driver's own errors about connections have no code; a statement's always has one.
    return code === '' && (this.#closed || isConnectionError(error)) ? 'unavailable' : 'other'
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pool.end()
  }

  async #use<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    try {
      return await work(client)
    } catch (error) {
      if (this.classify(error) === 'unavailable') broken = error as Error
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }
}

const isConnectionError = (error: Error): boolean =>
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool)/.test(error.message)

const inTransaction = async <T>(client: pg.PoolClient, begin: string, work: (connection: SqlConnection) => Promise<T>): Promise<T> => {
  await client.query(begin)
  try {
    const result = await work(new PostgresConnection(client))
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}
