import type { Sql } from './sql.js'

const LOCK = 731_849_207

/**
 * For PostgreSQL, where requests with the same idempotency key may race: whoever looks for a kept reply first holds
 * this lock to its commit, and the others find the reply. Without it, they would go on and fail on what the first
 * has stored, such as a unique value. Those that ask for several keys lock them in one order.
 */
export const replyLock = (app: number, keys: readonly string[]): Sql => ({
  text: `SELECT pg_advisory_xact_lock(?::int, h) FROM (
    SELECT DISTINCT hashtext(?::text || ' ' || k) AS h FROM unnest(?::text[]) AS k ORDER BY h) AS hashes`,
  values: [LOCK, String(app), keys],
})
