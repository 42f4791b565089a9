import type { Attempts } from '../../../domain/attempts.js'
import { unavailable } from '../../../domain/errors.js'
import type { AttemptChange, AttemptStore } from '../../attempts.js'
import type { SqlConnection, SqlDatabase } from '../connection.js'

interface AttemptRow {
  key: string
  failures: number
  locked_until: number
  forget_at: number
}

/** What processes on one PostgreSQL count together: requests, by the library's statements, and failed attempts. */
export class SharedCounts implements AttemptStore {
  readonly #database: SqlDatabase

  constructor(database: SqlDatabase) {
    this.#database = database
  }

  /** As a client of `pg` does. */
  async query({ text, values }: { text: string; values: unknown[] }): Promise<{ rows: unknown[] }> {
    return { rows: await this.#database.write((connection) => connection.all(text, values)) }
  }

  /** @throws {AppError} `unavailable` */
  async change<T>(keys: readonly string[], change: AttemptChange<T>): Promise<T> {
    try {
      return await this.#database.write(async (connection) => {
        const rows = await lockRows(connection, keys)
        const { records, result } = change(keys.map((key) => recordOf(rows.get(key))))
        await store(connection, keys, records)
        return result
      })
    } catch (error) {
      throw ['unavailable', 'retry'].includes(this.#database.classify(error)) ? unavailable(error) : error
    }
  }

  async prune(now: number): Promise<void> {
    await this.#database.write(async (connection) => {
      await connection.run('DELETE FROM rate WHERE expire < $1', [now])
      await connection.run('DELETE FROM attempt WHERE forget_at < $1', [now])
    })
  }
}

/** Makes the rows that are missing, since there is nothing to lock in one that is not there; always in one order. */
const lockRows = async (connection: SqlConnection, keys: readonly string[]) => {
  const rows = await connection.all<AttemptRow>(
    `INSERT INTO attempt (key, failures, locked_until, forget_at)
     SELECT key, 0, 0, 0 FROM unnest($1::text[]) AS key ORDER BY key
     ON CONFLICT (key) DO UPDATE SET failures = attempt.failures
     RETURNING key, failures, locked_until, forget_at`,
    [[...new Set(keys)].sort()],
  )
  return new Map(rows.map((row) => [row.key, row]))
}

const recordOf = (row: AttemptRow | undefined): Attempts | null =>
  row === undefined || row.failures === 0
    ? null
    : { failures: row.failures, lockedUntil: row.locked_until, forgetAt: row.forget_at }

const store = async (
  connection: SqlConnection,
  keys: readonly string[],
  records: readonly (Attempts | null)[],
): Promise<void> => {
  const kept = keys.map((_, i) => records[i] ?? { failures: 0, lockedUntil: 0, forgetAt: 0 })
  await connection.run(
    `UPDATE attempt SET failures = n.failures, locked_until = n.locked_until, forget_at = n.forget_at
     FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (key, failures, locked_until, forget_at)
     WHERE attempt.key = n.key`,
    [
      keys,
      kept.map(({ failures }) => failures),
      kept.map(({ lockedUntil }) => lockedUntil),
      kept.map(({ forgetAt }) => forgetAt),
    ],
  )
}
