import type { SqlConnection } from './connection.js'

/** A connection that remembers the failure which ended its transaction, or itself. */
export interface LeasedConnection extends SqlConnection {
  lost: Error | null
}

/**
 * A connection for the time of one piece of work. Afterwards it refuses statements: one that comes late, say
 * from a promise nobody awaited, would otherwise run inside the transaction of whoever has the connection then.
 * It also refuses them after a failure that ended the transaction, where they would be committed one by one.
 */
export class Lease implements SqlConnection {
  readonly #connection: LeasedConnection
  #ended = false

  constructor(connection: LeasedConnection) {
    this.#connection = connection
    connection.lost = null
  }

  all<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    const refusal = this.#refusal()
    return refusal === null ? this.#connection.all<Row>(sql, values) : Promise.reject(refusal)
  }

  run(sql: string, values?: readonly unknown[]): Promise<number> {
    const refusal = this.#refusal()
    return refusal === null ? this.#connection.run(sql, values) : Promise.reject(refusal)
  }

  end(): void {
    this.#ended = true
  }

  #refusal(): Error | null {
    return this.#ended
      ? new Error('This connection was given back: the work it was for has ended')
      : this.#connection.lost
  }
}
