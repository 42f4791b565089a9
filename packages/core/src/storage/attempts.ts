import type { Attempts } from '../domain/attempts.js'

/** Where failed attempts are kept. */
export interface AttemptStore {
  /**
   * Replaces what is known under the keys, all at once: nobody else changes any of them in between. `change` gets
   * one record for each key, in order, and returns as many; `null` is none.
   */
  change<T>(keys: readonly string[], change: AttemptChange<T>): Promise<T>
  /** Removes what is forgotten. `now` is UTC milliseconds. */
  prune(now: number): Promise<void>
}

export type AttemptChange<T> = (known: (Attempts | null)[]) => { records: (Attempts | null)[]; result: T }

/** For a single process. What it knows ends with it. */
export class MemoryAttempts implements AttemptStore {
  readonly #records = new Map<string, Attempts>()

  async change<T>(keys: readonly string[], change: AttemptChange<T>): Promise<T> {
    const { records, result } = change(keys.map((key) => this.#records.get(key) ?? null))
    for (const [i, key] of keys.entries()) {
      const record = records[i] ?? null
      if (record === null) this.#records.delete(key)
      else this.#records.set(key, record)
    }
    return result
  }

  async prune(now: number): Promise<void> {
    for (const [key, { forgetAt }] of this.#records) if (forgetAt <= now) this.#records.delete(key)
  }
}
