import type { Log } from '../options.js'

export interface OtherWritersOptions {
  /** See `SqlDatabase.mark`. */
  mark: () => Promise<number>
  /** Forgets whatever is remembered of what the database holds. */
  forget: () => void
  log: Log
}

/** Milliseconds between two looks. */
const EVERY = 1000

/**
 * Notices that another process has written to a SQLite file, such as a command of an operator while the server runs:
 * what this process remembers of users and rights is then read anew.
 */
export class OtherWriters {
  readonly #options: OtherWritersOptions
  readonly #timer: NodeJS.Timeout
  #mark: number | null = null
  #looking: Promise<void> | null = null

  constructor(options: OtherWritersOptions) {
    this.#options = options
    this.#looking = this.#look()
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look()
    }, EVERY).unref()
  }

  /** Resolves when it does not look any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { mark, forget, log } = this.#options
    try {
      const found = await mark()
      if (this.#mark !== null && found !== this.#mark) forget()
      this.#mark = found
    } catch (err) {
      log.warn({ err }, 'it is not known whether another process has written to the database')
    } finally {
      this.#looking = null
    }
  }
}
