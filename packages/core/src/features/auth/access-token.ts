import { createSecretKey, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { newUuid } from '../../domain/uuid.js'
import {
  type Claims,
  checkLifetime,
  claimsFor,
  corrupt,
  type IssuedToken,
  type NewToken,
  parsePayload,
  payloadOf,
  type TokenKeeper,
  unverified,
} from './claims.js'
import { deriveKey } from './secret-box.js'
import { TokenMemory } from './token-memory.js'

const ALGORITHM = 'HS256'
/** Ours have about 400, with an RSA signature 700. */
const MAX_TOKEN_LENGTH = 2048
const FORM = /^[\w-]+\.[\w-]+\.[\w-]*$/

export interface AccessTokensOptions {
  /** The installation's secret, of at least 32 bytes; the signing key is derived from it. */
  secret: Buffer
  /** How many verified tokens are remembered, to spare the signature check. */
  remembered?: number
}

/** Issues and verifies access tokens that carry what they say: JWT (RFC 7519), signed with HS256 and nothing else. */
export class AccessTokens implements TokenKeeper {
  readonly #key: KeyObject
  readonly #memory: TokenMemory

  constructor({ secret, remembered = 10_000 }: AccessTokensOptions) {
    this.#key = createSecretKey(deriveKey(secret, 'access token'))
    this.#memory = new TokenMemory(remembered)
  }

  /** @throws {AppError} `illegal_argument` for a lifetime that is not a positive whole number. */
  issue(wanted: NewToken): IssuedToken {
    checkLifetime(wanted.ttl)
    const claims = claimsFor(newUuid(), wanted)
    return { token: jwt.sign(payloadOf(claims), this.#key, { algorithm: ALGORITHM }), claims }
  }

  /**
   * What the token says at the time `now` (UTC milliseconds). Whether it was revoked is not known here.
   * @throws {AppError} `auth_bad_access_token` for what has not the form of a token, `auth_unverified_oath` for
   * one that we did not issue, `expired_token` once it is over.
   */
  verify(token: string, now: number): Claims {
    const claims = this.#memory.find(token) ?? readSigned(token, this.#key, ALGORITHM)
    return this.#memory.use(token, claims, now)
  }
}

/** @throws {AppError} `auth_bad_access_token` for what has not the form of a signed token. */
export const checkForm = (token: string): void => {
  if (token.length > MAX_TOKEN_LENGTH || !FORM.test(token)) throw corrupt()
}

/**
 * What a token says that this key signed by this algorithm, over or not.
 * @throws {AppError} `auth_bad_access_token`, `auth_unverified_oath`
 */
export const readSigned = (token: string, key: KeyObject, algorithm: jwt.Algorithm): Claims => {
  checkForm(token)
  try {
    // Expiry is ours to judge: the library rounds to seconds and would look at its own clock.
    return parsePayload(jwt.verify(token, key, { algorithms: [algorithm], ignoreExpiration: true }))
  } catch (cause) {
    throw unverified(cause)
  }
}
