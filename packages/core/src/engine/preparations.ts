/** Thrown inside a transaction function that needs the outcome of work that takes time. */
class NotPrepared {
  constructor(
    readonly key: string,
    readonly work: () => Promise<unknown>,
  ) {}
}

type Outcome = { value: unknown } | { error: unknown }

/**
 * Work that a transaction function must not wait for, such as hashing a password: asked for inside it, done between
 * two runs of it, and there in the next. What the work rejects with is thrown where it was asked for.
 */
export class Preparations {
  readonly #outcomes = new Map<string, Outcome>()

  /** The outcome of `work`, known by `key`. */
  get<T>(key: string, work: () => Promise<T>): T {
    const outcome = this.#outcomes.get(key)
    if (outcome === undefined) throw new NotPrepared(key, work)
    if ('error' in outcome) throw outcome.error
    return outcome.value as T
  }

  async prepare(key: string, work: () => Promise<unknown>): Promise<void> {
    try {
      this.#outcomes.set(key, { value: await work() })
    } catch (error) {
      this.#outcomes.set(key, { error })
    }
  }

  /** Runs a transaction until nothing is left to be prepared for it. */
  async supply<T>(run: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await run()
      } catch (error) {
        if (!(error instanceof NotPrepared)) throw error
        await this.prepare(error.key, error.work)
      }
    }
  }
}
