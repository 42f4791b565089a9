export interface RememberedOptions {
  /** UTC milliseconds. */
  clock: () => number
  /** How long what was read stays good, in milliseconds: without end where this process alone writes. */
  maxAge: number
}

const MOST = 10_000

/** What was read lately, by key, for what is asked for far more often than it changes: `forget` after a change. */
export class Remembered<V extends {}> {
  readonly #options: RememberedOptions
  #kept = new Map<string, { value: V; readAt: number }>()

  constructor({ clock, maxAge }: RememberedOptions) {
    this.#options = { clock, maxAge }
  }

  forget(): void {
    this.#kept = new Map()
  }

  /** What `read` resolves with, or did lately. `null`, for what is not there, is not remembered. */
  async get<R extends V | null>(key: string, read: () => Promise<R>): Promise<R> {
    const { clock, maxAge } = this.#options
    const known = this.#kept.get(key)
    const now = clock()
    if (known !== undefined && now - known.readAt < maxAge) return known.value as R
    // Taken before reading, so that a change which comes in between lands in a map that is thrown away.
    const kept = this.#kept
    const value = await read()
    if (value === null) return value
    if (kept.size >= MOST) kept.clear()
    kept.set(key, { value: value as V, readAt: now })
    return value
  }
}
