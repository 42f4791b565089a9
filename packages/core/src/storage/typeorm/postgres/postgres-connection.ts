import type { PoolClient, QueryResult } from 'pg'
import type { LeasedConnection } from '../lease.js'
import { Turns } from '../turns.js'
import type { StatementNames } from './statement-names.js'

/**
 * Shutdown, lost connection, out of disk or memory, a server that became read-only, a connection that was closed
 * since its transaction took too long: SQLSTATE classes and codes.
 */
const UNAVAILABLE = /^(57P|08|53|58|25006|25P03|25P04)/
const SYSTEM_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])

export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''

export const isUnavailable = (error: unknown): boolean => {
  const code = codeOf(error)
  return UNAVAILABLE.test(code) || SYSTEM_ERRORS.has(code)
}

/** One client of the pool; one statement is in flight at a time. */
export class PostgresConnection implements LeasedConnection {
  readonly #client: Turns<PoolClient>
  readonly #names: StatementNames
  readonly #onLost: (error: Error) => void
  /** Set when the connection cannot be used any more: then the pool must not have it back. */
  lost: Error | null = null
  /** Like `lost`, but for good: a new lease begins with a clean slate, also on a connection that just broke. */
  #isBroken = false

  constructor(client: PoolClient, names: StatementNames, onLost: (error: Error) => void) {
    this.#client = new Turns([client])
    this.#names = names
    this.#onLost = onLost
    // Without a listener, a connection that breaks while it is in use would end the process.
    client.on('error', (error) => this.#lose(error))
    client.on('end', () => this.#lose(new Error('The connection to PostgreSQL was closed')))
  }

  async all<Row>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return (await this.#query(text, values)).rows as Row[]
  }

  async run(text: string, values?: readonly unknown[]): Promise<number> {
    return (await this.#query(text, values)).rowCount ?? 0
  }

  /** Runs `BEGIN` and its like. */
  control(text: string): Promise<QueryResult> {
    return this.#client.use((client) => client.query(text)).catch(this.#failed)
  }

  #query(text: string, values: readonly unknown[] = []): Promise<QueryResult> {
    const query = { name: this.#names.of(text), text, values: values as unknown[] }
    return this.#client.use((client) => client.query(query)).catch(this.#failed)
  }

  /** The driver's own errors about lost connections have no code, and are known by the connection being lost. */
  readonly #failed = (error: Error): never => {
    if (isUnavailable(error) || (this.#isBroken && codeOf(error) === '')) this.#lose(error)
    throw error
  }

  #lose(error: Error): void {
    this.lost ??= error
    this.#isBroken = true
    this.#onLost(error)
  }
}
