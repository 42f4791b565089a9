import { type Claims, expired } from './claims.js'

/** What verified tokens say, to spare the signature check; the least recently used are forgotten. */
export class TokenMemory {
  readonly #size: number
  /** Least recently used first. */
  readonly #known = new Map<string, Claims>()

  constructor(size: number) {
    this.#size = size
  }

  find(token: string): Claims | undefined {
    return this.#known.get(token)
  }

  forget(token: string): void {
    this.#known.delete(token)
  }

  /**
   * Takes note of a token that is used at `now` (UTC milliseconds), and returns what it says.
   * @throws {AppError} `expired_token`
   */
  use(token: string, claims: Claims, now: number): Claims {
    this.#known.delete(token)
    if (claims.expiresAt !== null && now >= claims.expiresAt) throw expired()
    this.#known.set(token, claims)
    if (this.#known.size > this.#size) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    return claims
  }
}
