import type { SqlConnection } from './connection.js'
import { all, type Dialect } from './sql.js'

const SQLITE_BLOCK = 1000

/**
 * Hands out internal ids in the order of creation. SQLite reserves a block now and then; on PostgreSQL each
 * group of transactions draws its own, so that ids of several processes stay in the order of time.
 */
export class IdSource {
  readonly #dialect: Dialect
  #ids: number[] = []

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  get available(): number {
    return this.#ids.length
  }

  take(): number | undefined {
    return this.#ids.shift()
  }

  /**
   * For collections, paths and verbs, which are made between two runs of a transaction function: taken from
   * the far end, so that the next run gives its entities the same ids again.
   */
  takeLast(): number | undefined {
    return this.#ids.pop()
  }

  giveBack(id: number): void {
    this.#ids.unshift(id)
  }

  /** What was reserved in a transaction that was rolled back may be handed out to others. */
  clear(): void {
    this.#ids = []
  }

  async reserve(connection: SqlConnection, count: number): Promise<void> {
    if (this.#ids.length >= count) return
    if (this.#dialect === 'sqlite') {
      const block = Math.max(SQLITE_BLOCK, count)
      const rows = await all<{ next: number }>(connection, this.#dialect, {
        text: `UPDATE sequence SET next = next + ? WHERE name = 'id' RETURNING next`,
        values: [block],
      })
      const first = rows[0]!.next - block
      this.#ids.push(...Array.from({ length: block }, (_, i) => first + i))
      return
    }
    const rows = await all<{ id: number }>(connection, this.#dialect, {
      text: `SELECT nextval('entity_id') AS id FROM generate_series(1, ?::int)`,
      values: [count - this.#ids.length],
    })
    this.#ids.push(...rows.map(({ id }) => id))
  }
}
