import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible'

/** Counts points under keys that are forgotten after a while. */
export interface Ledger {
  /** Adds points and resolves with all that were booked under the key. Rejects when the store cannot be reached. */
  book(key: string, points: number): Promise<number>
}

/** Runs a statement, as a client of `pg` does. */
export interface RateClient {
  query(statement: { text: string; values: unknown[] }): Promise<{ rows: unknown[] }>
}

export interface LedgerOptions {
  /** Seconds that keys are remembered; they must outlast the windows named in them. */
  seconds: number
  /** Where several processes share a database; `null` keeps the counts in this process. */
  client: RateClient | null
}

/**
 * The library decides nothing here but when a key may be forgotten, by the clock of the machine: which window a key
 * belongs to is in the key, by the clock of the engine.
 */
export const openLedger = ({ seconds, client }: LedgerOptions): Ledger => {
  const options = { keyPrefix: '', points: Number.MAX_SAFE_INTEGER, duration: seconds }
  const limiter =
    client === null
      ? new RateLimiterMemory(options)
      : new RateLimiterPostgres({
          ...options,
          storeClient: client,
          storeType: 'client',
          tableName: 'rate',
          tableCreated: true,
          clearExpiredByTimeout: false,
        })
  return { book: async (key, points) => (await limiter.penalty(key, points)).consumedPoints }
}
