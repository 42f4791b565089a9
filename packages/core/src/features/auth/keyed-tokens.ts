import jwt from 'jsonwebtoken'
import { isJsonObject } from '../../domain/json.js'
import { isUuid, newUuid } from '../../domain/uuid.js'
import { AccessTokens, type AccessTokensOptions, checkForm, readSigned } from './access-token.js'
import {
  type Claims,
  checkLifetime,
  claimsFor,
  type IssuedToken,
  type NewToken,
  payloadOf,
  type TokenKeeper,
  unverified,
} from './claims.js'
import type { KeyAlgorithm, PublicKey, SigningKeys } from './signing-keys.js'
import { TokenMemory } from './token-memory.js'

/** `HS256` signs with the installation's secret, the others with a key pair. */
export type SigningAlgorithm = 'HS256' | KeyAlgorithm

export interface KeyedTokensOptions extends AccessTokensOptions {
  keys: SigningKeys
  /** Of new tokens. */
  algorithm: SigningAlgorithm
}

/** How every token begins that is signed with the installation's secret. */
const SECRET_HEADER = `${Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url')}.`

/**
 * Access tokens that are signed with the installation's secret or with a key pair. Both kinds are verified, whichever is
 * made: changing over signs nobody out. A key is used by its own algorithm alone, whatever a token says.
 */
export class KeyedTokens implements TokenKeeper {
  readonly #keys: SigningKeys
  readonly #algorithm: SigningAlgorithm
  readonly #bySecret: AccessTokens
  readonly #memory: TokenMemory
  /** Ids of keys by the headers, encoded, of tokens that were verified. */
  readonly #headers = new Map<string, string>()

  constructor({ keys, algorithm, ...options }: KeyedTokensOptions) {
    this.#keys = keys
    this.#algorithm = algorithm
    this.#bySecret = new AccessTokens(options)
    this.#memory = new TokenMemory(options.remembered ?? 10_000)
  }

  issue(wanted: NewToken): IssuedToken | Promise<IssuedToken> {
    return this.#algorithm === 'HS256' ? this.#bySecret.issue(wanted) : this.#issueByKey(wanted)
  }

  /** Like `AccessTokens.verify`; a promise only for a token by a key that has not been read for a second. */
  verify(token: string, now: number): Claims | Promise<Claims> {
    if (token.startsWith(SECRET_HEADER)) return this.#bySecret.verify(token, now)
    const key = this.#keys.find(this.#headers.get(headerOf(token)) ?? keyIdOf(token))
    return key instanceof Promise
      ? key.then((found) => this.#verifyBy(found, token, now))
      : this.#verifyBy(key, token, now)
  }

  async #issueByKey(wanted: NewToken): Promise<IssuedToken> {
    checkLifetime(wanted.ttl)
    const { kid, algorithm, key } = await this.#keys.current(wanted.ttl)
    const claims = claimsFor(newUuid(), wanted)
    return { token: jwt.sign(payloadOf(claims), key, { algorithm, keyid: kid }), claims }
  }

  #verifyBy(key: PublicKey | null, token: string, now: number): Claims {
    if (key === null) {
      this.#memory.forget(token)
      throw unverified()
    }
    return this.#memory.use(token, this.#memory.find(token) ?? this.#readBy(key, token), now)
  }

  #readBy({ kid, key, algorithm }: PublicKey, token: string): Claims {
    const claims = readSigned(token, key, algorithm)
    this.#headers.set(headerOf(token), kid)
    return claims
  }
}

/** The first part of a token, still encoded. */
const headerOf = (token: string): string => token.slice(0, Math.max(0, token.indexOf('.')))

/** @throws {AppError} `auth_bad_access_token`, `auth_unverified_oath` for a header that names no key of ours. */
const keyIdOf = (token: string): string => {
  checkForm(token)
  try {
    const header: unknown = JSON.parse(Buffer.from(headerOf(token), 'base64url').toString())
    const kid = isJsonObject(header) ? header['kid'] : undefined
    if (typeof kid === 'string' && isUuid(kid)) return kid
  } catch {
    // Falls through to the refusal below.
  }
  throw unverified()
}
