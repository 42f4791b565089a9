/** Keeps prepared statements by their text: the last used `limit` of them. */
export class StatementCache<T> {
  readonly #statements = new Map<string, T>()
  readonly #limit: number
  readonly #discard: (statement: T) => void

  constructor(limit: number, discard: (statement: T) => void) {
    this.#limit = limit
    this.#discard = discard
  }

  get(sql: string): T | undefined {
    const statement = this.#statements.get(sql)
    // Order of use matters only once something has to go.
    if (statement !== undefined && this.#statements.size === this.#limit) {
      this.#statements.delete(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  add(sql: string, statement: T): void {
    this.#statements.set(sql, statement)
    if (this.#statements.size <= this.#limit) return
    const [oldest, discarded] = this.#statements.entries().next().value as [string, T]
    this.#statements.delete(oldest)
    this.#discard(discarded)
  }

  clear(): void {
    for (const statement of this.#statements.values()) this.#discard(statement)
    this.#statements.clear()
  }
}
