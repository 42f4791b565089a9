import { createHash } from 'node:crypto'
import { AppError } from '../../domain/errors.js'
import type { Asking, Configuration, Secrets, Use } from './openid.js'
import { type Claims, readProfile } from './profile.js'
import type { Profile, Provider } from './types.js'

export interface IssuersOptions extends Asking {
  /** UTC milliseconds. */
  clock: () => number
  /** Told why somebody could not sign in, for those who run the server. */
  report: (provider: Provider, error: unknown) => void
}

/** Milliseconds that metadata of an issuer are believed. */
const MAX_AGE = 3_600_000
const MAX_KEPT = 1000

const library = () => import('./openid.js')

/**
 * Asks issuers who somebody is. Signatures of ID tokens are always checked, by keys of the very issuer; their
 * algorithm is one that the issuer announces, never one of a shared secret.
 */
export class Issuers {
  readonly #options: IssuersOptions
  readonly #known = new Map<string, { configuration: Promise<Configuration>; readAt: number }>()

  constructor(options: IssuersOptions) {
    this.#options = options
  }

  /** Where a browser goes to sign in. @throws {AppError} `invalid_request` when the issuer cannot be asked. */
  async begin(provider: Provider, callback: string, secrets: Secrets): Promise<URL> {
    const configuration = await this.#configuration(provider, 'code')
    try {
      const url = await (await library()).addressOf(configuration, provider, callback, secrets)
      const isSafe = url.protocol === 'https:' || (this.#options.allowInsecure && url.protocol === 'http:')
      if (!isSafe) throw new Error(`The authorization endpoint at ${url.origin} is not https`)
      return url
    } catch (error) {
      this.#options.report(provider, error)
      throw unreachable(error)
    }
  }

  /**
   * Who came back from signing in; `returned` is the address, with its query.
   * @throws {AppError} `invalid_request` when the issuer cannot be asked, `auth_unverified_oath`, `expired_token`
   */
  async finish(provider: Provider, returned: URL, secrets: Secrets): Promise<Profile> {
    const configuration = await this.#configuration(provider, 'code')
    const { claimsByCode } = await library()
    return profileOf(await this.#asking(provider, () => claimsByCode(configuration, returned, secrets)))
  }

  /**
   * Whom an ID token names that a program on somebody's device got from the issuer, for the `nonce` that it chose;
   * `expires` is when it is over, in UTC milliseconds.
   * @throws {AppError} as `finish`
   */
  async verify(
    provider: Provider,
    idToken: string,
    nonce: string,
  ): Promise<{ profile: Profile; expires: number }> {
    const configuration = await this.#configuration(provider, 'token')
    const { claimsByToken } = await library()
    const claims = await this.#asking(provider, () => claimsByToken(configuration, idToken, nonce))
    return { profile: profileOf(claims), expires: claims.exp * 1000 }
  }

  /** @throws {AppError} `invalid_request` */
  async #configuration(provider: Provider, use: Use): Promise<Configuration> {
    // Whatever differs between two providers keeps what is known of them apart.
    const key = createHash('sha256')
      .update(JSON.stringify([use, provider]))
      .digest('base64url')
    const now = this.#options.clock()
    const known = this.#known.get(key)
    if (known !== undefined && now - known.readAt < MAX_AGE) return known.configuration
    const configuration = this.#discover(provider, use).catch((error: unknown) => {
      if (this.#known.get(key)?.configuration === configuration) this.#known.delete(key)
      this.#options.report(provider, error)
      throw unreachable(error)
    })
    if (this.#known.size >= MAX_KEPT) this.#known.clear()
    this.#known.set(key, { configuration, readAt: now })
    return configuration
  }

  async #discover(provider: Provider, use: Use): Promise<Configuration> {
    return (await library()).discover(provider, use, this.#options)
  }

  async #asking<T>(provider: Provider, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      this.#options.report(provider, error)
      const failure = (await library()).failureOf(error)
      if (failure === 'unanswered') throw unreachable(error)
      if (failure === 'wrong') throw unverified(error)
      throw new AppError('expired_token', 'The ID token is over, or not good yet', { cause: error })
    }
  }
}

const profileOf = (claims: Claims): Profile => {
  const profile = readProfile(claims)
  if (profile === null) throw unverified(new Error('The ID token names nobody'))
  return profile
}

/** Why, is for the log alone: it would tell who answers on which address. */
const unreachable = (cause: unknown): AppError =>
  new AppError('invalid_request', 'The provider cannot be asked at the moment', { cause })

const unverified = (cause: unknown): AppError =>
  new AppError('auth_unverified_oath', 'The provider does not vouch for this sign-in', { cause })
