import pg from 'pg'
import type { SqlConnection, SqlDatabase, SqlFailure } from '../connection.js'
import { DatabaseClosedError } from '../database-closed.js'
import { Lease } from '../lease.js'
import { Turns } from '../turns.js'
import { addressOf } from './address.js'
import { codeOf, isUnavailable, PostgresConnection } from './postgres-connection.js'
import { StatementNames } from './statement-names.js'

export interface PostgresOptions {
  /** Connections at most; at least 2. */
  poolSize?: number | undefined
  /** The schema to work in; the role's default one when absent. */
  schema?: string | undefined
  /** Told of connections that broke while idle. */
  onError?: ((error: Error) => void) | undefined
}

const INT8 = 20
const NUMERIC = 1700
const JSON_TYPES = new Set([114, 3802])
const UNIQUE_VIOLATION = '23505'
/** Serialization failure, deadlock, and a lock that was not had in time (`lock_timeout`). */
const RETRY = new Set(['40001', '40P01', '55P03'])
/** A statement was cancelled by an operator or by `statement_timeout`. */
const CANCELLED = '57014'
/** How long (milliseconds) a connection waits for use before it is closed; a new one has nothing prepared. */
const IDLE = 60_000

/** Numbers as numbers, for ours stay below 2^53; JSON as its text. Set per pool, so that host programs keep their own. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8 || oid === NUMERIC) return Number
    if (JSON_TYPES.has(oid)) return (text: string) => text
    return pg.types.getTypeParser(oid, format)
  },
} as pg.CustomTypesConfig

/** A pool of connections to one PostgreSQL database. Transactions may use half of it, so that they can read on the side. */
export class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres'
  readonly writers: number
  readonly #pool: pg.Pool
  readonly #writing: Turns<number>
  readonly #names = new StatementNames()
  readonly #connections = new WeakMap<pg.PoolClient, PostgresConnection>()
  /** Failures of connections rather than of statements. */
  readonly #losses = new WeakSet<Error>()
  #closing: Promise<void> | null = null

  constructor(url: string, { poolSize = 10, schema, onError = () => undefined }: PostgresOptions = {}) {
    const max = Math.max(2, poolSize)
    this.writers = Math.max(1, Math.floor(max / 2))
    this.#writing = new Turns(Array.from({ length: this.writers }, (_, i) => i))
    this.#pool = new pg.Pool({
      ...addressOf(url, schema),
      max,
      types,
      connectionTimeoutMillis: 5000,
      idleTimeoutMillis: IDLE,
      keepAlive: true,
    })
    this.#pool.on('error', onError)
    // At once: a server that goes away right after it let us in would otherwise end the process, by an error that
    // nobody listens to.
    this.#pool.on('connect', (client) => this.#connectionOf(client))
  }

  read<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#use((connection) => leased(connection, work))
  }

  snapshot<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'
    return this.#use((connection) => inTransaction(connection, begin, work))
  }

  write<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED'
    return this.#writing.use(() => this.#use((connection) => inTransaction(connection, begin, work)))
  }

  classify(error: unknown): SqlFailure {
    if (error instanceof DatabaseClosedError) return 'unavailable'
    if (error instanceof Error && this.#losses.has(error)) return 'unavailable'
    const code = codeOf(error)
    if (code === UNIQUE_VIOLATION) return 'unique'
    if (RETRY.has(code)) return 'retry'
    return code === CANCELLED || isUnavailable(error) ? 'unavailable' : 'other'
  }

  /** Waits for work under way, turns away the rest. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([this.#writing.close(), this.#pool.end()]).then(() => undefined)
    return this.#closing
  }

  async #use<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    const connection = this.#connectionOf(client)
    try {
      return await work(connection)
    } finally {
      client.release(connection.lost ?? undefined)
    }
  }

  #connectionOf(client: pg.PoolClient): PostgresConnection {
    let connection = this.#connections.get(client)
    if (connection === undefined) {
      connection = new PostgresConnection(client, this.#names, (error) => this.#losses.add(error))
      this.#connections.set(client, connection)
    }
    return connection
  }

  /** Whatever keeps a connection from being made (no server, no free connection in time), nothing was run. */
  async #connect(): Promise<pg.PoolClient> {
    if (this.#closing !== null) throw new DatabaseClosedError()
    try {
      return await this.#pool.connect()
    } catch (error) {
      this.#losses.add(error as Error)
      throw error
    }
  }
}

const leased = async <T>(
  connection: PostgresConnection,
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
  connection: PostgresConnection,
  begin: string,
  work: (connection: SqlConnection) => Promise<T>,
): Promise<T> => {
  await connection.control(begin)
  try {
    const result = await leased(connection, work)
    if (connection.lost !== null) throw connection.lost
    const { command } = await connection.control('COMMIT')
    // PostgreSQL answers so, without an error, when a statement had failed and `work` went on regardless.
    if (command === 'ROLLBACK')
      throw new Error('The transaction was rolled back: a statement in it had failed')
    return result
  } catch (error) {
    await connection.control('ROLLBACK').catch((failure: Error) => {
      connection.lost ??= failure
    })
    throw error
  }
}
