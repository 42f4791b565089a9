import { createHash } from 'node:crypto'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  implicitAuthentication,
  None,
  useIdTokenResponseType,
} from 'openid-client'
import { AppError } from '../../domain/errors.js'
import { type Fetch, FetchFailed } from '../outbound/index.js'
import { type Claims, readProfile } from './profile.js'
import type { Profile, Provider } from './types.js'

export interface IssuersOptions {
  fetch: Fetch
  /** Whether issuers may be asked without TLS. */
  allowInsecure: boolean
  /** UTC milliseconds. */
  clock: () => number
  /** Told why somebody could not sign in, for those who run the server. */
  report: (provider: Provider, error: unknown) => void
}

/** What only the server knows of a browser that is at a provider. */
export interface Secrets {
  nonce: string
  verifier: string
}

/** What an ID token is used for: the library keeps the two apart. */
type Use = 'code' | 'token'

/** Seconds that an issuer gets to answer. */
const TIMEOUT = 10
/** Milliseconds that metadata of an issuer are believed. */
const MAX_AGE = 3_600_000
const MAX_KEPT = 1000
/** Of our own making: the library reads tokens from the addresses that browsers come back to. */
const NO_PLACE = 'https://token.invalid/'
const NO_ANSWER: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_MISSING_SERVER_METADATA',
  'OAUTH_INVALID_SERVER_METADATA',
])

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
  async begin(
    provider: Provider,
    callback: string,
    { state, nonce, verifier }: Secrets & { state: string },
  ): Promise<URL> {
    const configuration = await this.#configuration(provider, 'code')
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: callback,
      scope: provider.scopes.join(' '),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const isSafe = url.protocol === 'https:' || (this.#options.allowInsecure && url.protocol === 'http:')
    if (!isSafe) throw unreachable(new Error(`The authorization endpoint ${url.origin} is not https`))
    return url
  }

  /**
   * Who came back from signing in; `returned` is the address, with its query.
   * @throws {AppError} `invalid_request` when the issuer cannot be asked, `auth_unverified_oath`, `expired_token`
   */
  async finish(
    provider: Provider,
    returned: URL,
    { state, nonce, verifier }: Secrets & { state: string },
  ): Promise<Profile> {
    const configuration = await this.#configuration(provider, 'code')
    const claims = await this.#asking(provider, async () => {
      const tokens = await authorizationCodeGrant(configuration, returned, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      return this.#completed(configuration, tokens.claims()!, tokens.access_token)
    })
    return profileOf(claims)
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
    const place = new URL(`${NO_PLACE}#${new URLSearchParams({ id_token: idToken })}`)
    const claims = await this.#asking(provider, () => implicitAuthentication(configuration, place, nonce))
    return { profile: profileOf(claims), expires: claims.exp * 1000 }
  }

  /** Many issuers tell the e-mail address only when they are asked for it (OpenID Connect Core, 5.4). */
  async #completed(
    configuration: Configuration,
    claims: Claims & { sub: string },
    accessToken: string,
  ): Promise<Claims> {
    const isKnown = claims['email'] !== undefined && claims['email_verified'] !== undefined
    if (isKnown || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
    const { sub } = claims
    return { ...(await fetchUserInfo(configuration, accessToken, sub)), ...claims }
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

  async #discover({ issuer, clientId, clientSecret }: Provider, use: Use): Promise<Configuration> {
    const { fetch, allowInsecure } = this.#options
    const authentication = clientSecret === null ? None() : withSecret(clientSecret)
    const configuration = await discovery(new URL(issuer), clientId, {}, authentication, {
      [customFetch]: fetch as CustomFetch,
      timeout: TIMEOUT,
      execute: allowInsecure ? [allowInsecureRequests] : [],
    })
    configuration.timeout = TIMEOUT
    if (use === 'token') useIdTokenResponseType(configuration)
    else enableNonRepudiationChecks(configuration)
    return configuration
  }

  async #asking<T>(provider: Provider, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      this.#options.report(provider, error)
      if (isUnanswered(error)) throw unreachable(error)
      const { code } = error as { code?: unknown }
      if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED')
        throw new AppError('expired_token', 'The ID token is over', { cause: error })
      throw unverified(error)
    }
  }
}

/** The method that OpenID Connect has for a default, unless the issuer says that it knows only the other one. */
const withSecret = (secret: string): ClientAuth => {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest)
  }
}

const isUnanswered = (error: unknown): boolean =>
  error instanceof FetchFailed ||
  (error instanceof ClientError && (error.cause instanceof FetchFailed || NO_ANSWER.has(String(error.code))))

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
