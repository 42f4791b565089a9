import { orAborted } from './deadline.js'
import { AuthenticationError } from './errors.js'

/** What a sign-in leaves behind, fit to be stored. */
export interface Tokens {
  /** The access token. */
  token: string
  /** When it expires, in UTC milliseconds; unknown of one that came from elsewhere. */
  expiresAt?: number
  /** Where it was asked for: what the next access token is made for. Good once. */
  refreshToken?: string
}

/** Told of all new tokens, and of `undefined` after signing out, so that they can be stored. */
export type OnTokenChange = (token?: string, expiresAt?: number, refreshToken?: string) => void

export interface TokenReply {
  access_token: string
  /** Seconds. */
  expires_in: number
  refresh_token?: string
  user?: unknown
}

/** The tokens of a client, and their exchange for new ones. */
export class TokenKeeper {
  readonly #exchange: (refreshToken: string) => Promise<TokenReply>
  readonly #onChange: OnTokenChange | undefined
  #kept: Partial<Tokens>
  #renewal: Promise<void> | undefined

  constructor(
    kept: Partial<Tokens>,
    exchange: (refreshToken: string) => Promise<TokenReply>,
    onChange: OnTokenChange | undefined,
  ) {
    this.#kept = kept
    this.#exchange = exchange
    this.#onChange = onChange
  }

  get kept(): Partial<Tokens> {
    return this.#kept
  }

  /** Whether they must be, and can be, exchanged before the next call. */
  get areOver(): boolean {
    const { token, expiresAt, refreshToken } = this.#kept
    return (
      refreshToken !== undefined &&
      (token === undefined || Date.now() >= (expiresAt ?? Number.POSITIVE_INFINITY))
    )
  }

  use(tokens: Partial<Tokens>): void {
    this.#kept = tokens
    const { token, expiresAt, refreshToken } = tokens
    this.#onChange?.(token, expiresAt, refreshToken)
  }

  /**
   * Exchanges the refresh token. Whoever asks meanwhile waits for the same exchange: a second one would show a token
   * that was used.
   * @throws {AuthenticationError} `invalid_grant` if it is not good any more; then nobody is signed in.
   */
  renew(signal: AbortSignal): Promise<void> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined
    })
    return orAborted(this.#renewal, signal)
  }

  async #renew(): Promise<void> {
    const { refreshToken = '' } = this.#kept
    // Who has signed out, or in as somebody else, stays so.
    const isStill = () => this.#kept.refreshToken === refreshToken
    try {
      const reply = await this.#exchange(refreshToken)
      if (isStill()) this.use(tokensIn(reply, refreshToken))
    } catch (error) {
      if (error instanceof AuthenticationError && isStill()) this.use({})
      throw error
    }
  }
}

export const tokensIn = (
  { access_token: token, expires_in, refresh_token }: TokenReply,
  before?: string,
): Tokens => {
  const refreshToken = refresh_token ?? before
  return { token, expiresAt: Date.now() + expires_in * 1000, ...(refreshToken && { refreshToken }) }
}
