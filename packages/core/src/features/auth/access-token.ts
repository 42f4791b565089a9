import { createSecretKey, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import type { Principal } from '../../api/principal.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import { isUuid, newUuid } from '../../domain/uuid.js'
import { deriveKey } from './secret-box.js'

/**
 * Whom a token was issued to. Names are left out, for they may change hands while the token lives: look up
 * the account's present one.
 */
export type TokenOwner =
  | { kind: 'user'; app: string; uuid: string }
  | { kind: 'admin'; uuid: string }
  | { kind: 'application'; app: string }
  | { kind: 'organization'; organization: string }
  | { kind: 'sysadmin' }

/** Those who can hold a token. */
export type TokenPrincipal = Exclude<Principal, { kind: 'guest' | 'system' }>

/** What a valid token says. */
export interface Claims {
  readonly id: string
  readonly owner: TokenOwner
  /** UTC milliseconds. */
  readonly issuedAt: number
  /** UTC milliseconds, exclusive; `null` for a token that does not expire. */
  readonly expiresAt: number | null
  /** Milliseconds from issue to expiry, exactly as asked for. */
  readonly ttl: number | null
  /** Id of the sign-in that it comes from, with which it ends. */
  readonly signIn: string | null
}

export interface NewToken {
  principal: TokenPrincipal
  signIn?: string | undefined
  /** Milliseconds; `null` for no expiry. */
  ttl: number | null
  /** UTC milliseconds. */
  now: number
}

export interface IssuedToken {
  token: string
  claims: Claims
}

/**
 * What Usergrid says of a token that never expires: 2^63 milliseconds in seconds, 9223372036854775, written as
 * the nearest number that JavaScript has.
 */
export const NEVER_EXPIRES_IN = 9_223_372_036_854_776

/** The reply's `expires_in`: whole seconds, from the lifetime asked for and not from the time that is left. */
export const expiresIn = (ttl: number | null): number =>
  ttl === null ? NEVER_EXPIRES_IN : Math.round(ttl / 1000)

/** Issues tokens and knows what they say. */
export interface TokenKeeper {
  /** @throws {AppError} `illegal_argument` for a lifetime that is not a positive whole number. */
  issue(token: NewToken): IssuedToken | Promise<IssuedToken>
  /**
   * What the token says at the time `now` (UTC milliseconds). Whether it was revoked is not known here.
   * @throws {AppError} `auth_unverified_oath` for anything we did not issue, `expired_token` once it is over.
   */
  verify(token: string, now: number): Claims | Promise<Claims>
}

/** @throws {AppError} `illegal_argument` for a lifetime that is not a positive whole number. */
export const checkLifetime = (ttl: number | null): void => {
  if (ttl !== null && !(Number.isSafeInteger(ttl) && ttl > 0))
    throw illegalArgument('ttl must be a whole number of milliseconds above 0', 'ttl')
}

const ISSUER = 'entigrid'
const ALGORITHM = 'HS256'
const MANAGEMENT = 'management'
/** Ours have about 400. */
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
  readonly #remembered: number
  /** Least recently used first. */
  readonly #verified = new Map<string, Claims>()

  constructor({ secret, remembered = 10_000 }: AccessTokensOptions) {
    this.#key = createSecretKey(deriveKey(secret, 'access token'))
    this.#remembered = remembered
  }

  /** @throws {AppError} `illegal_argument` for a lifetime that is not a positive whole number. */
  issue({ principal, ttl, now, signIn }: NewToken): IssuedToken {
    checkLifetime(ttl)
    const owner = ownerOf(principal)
    const payload = {
      kind: owner.kind,
      at: now,
      iat: Math.floor(now / 1000),
      ...(ttl === null ? {} : { ttl, exp: Math.ceil((now + ttl) / 1000) }),
      ...(signIn === undefined ? {} : { sid: signIn }),
    }
    const id = newUuid()
    const token = jwt.sign(payload, this.#key, {
      algorithm: ALGORITHM,
      issuer: ISSUER,
      audience: audienceOf(owner),
      subject: subjectOf(owner),
      jwtid: id,
    })
    return { token, claims: claimsOf(id, owner, now, ttl, signIn ?? null) }
  }

  /**
   * What the token says at the time `now` (UTC milliseconds). Whether it was revoked is not known here.
   * @throws {AppError} `auth_bad_access_token` for what has not the form of a token, `auth_unverified_oath` for
   * one that we did not issue, `expired_token` once it is over.
   */
  verify(token: string, now: number): Claims {
    if (token.length > MAX_TOKEN_LENGTH || !FORM.test(token)) throw corrupt()
    const claims = this.#verified.get(token) ?? this.#read(token)
    this.#verified.delete(token)
    if (claims.expiresAt !== null && now >= claims.expiresAt) throw expired()
    this.#remember(token, claims)
    return claims
  }

  #remember(token: string, claims: Claims): void {
    this.#verified.set(token, claims)
    if (this.#verified.size <= this.#remembered) return
    const [oldest] = this.#verified.keys()
    if (oldest !== undefined) this.#verified.delete(oldest)
  }

  #read(token: string): Claims {
    try {
      // Expiry is ours to judge: the library rounds to seconds and would look at its own clock.
      const payload = jwt.verify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        ignoreExpiration: true,
      })
      return parsePayload(payload as unknown)
    } catch (cause) {
      throw unverified(cause)
    }
  }
}

// Usergrid's client for Node tells the two apart.
export const corrupt = (): AppError =>
  new AppError('auth_bad_access_token', 'Unable to authenticate due to corrupt access token')
export const unverified = (cause?: unknown): AppError =>
  new AppError('auth_unverified_oath', 'Unable to authenticate OAuth credentials', { cause })
export const expired = (): AppError =>
  new AppError('expired_token', 'Unable to authenticate due to expired access token')

const claimsOf = (
  id: string,
  owner: TokenOwner,
  issuedAt: number,
  ttl: number | null,
  signIn: string | null,
): Claims =>
  Object.freeze({
    id,
    owner: Object.freeze(owner),
    issuedAt,
    expiresAt: ttl === null ? null : issuedAt + ttl,
    ttl,
    signIn,
  })

export const ownerOf = (principal: TokenPrincipal): TokenOwner => {
  switch (principal.kind) {
    case 'user':
      return { kind: 'user', app: principal.app, uuid: principal.uuid }
    case 'admin':
      return { kind: 'admin', uuid: principal.uuid }
    case 'application':
      return { kind: 'application', app: principal.app }
    case 'organization':
      return { kind: 'organization', organization: principal.organization }
    case 'sysadmin':
      return { kind: 'sysadmin' }
  }
}

const audienceOf = (owner: TokenOwner): string => ('app' in owner ? owner.app : MANAGEMENT)

const subjectOf = (owner: TokenOwner): string => {
  if ('uuid' in owner) return owner.uuid
  if (owner.kind === 'application') return owner.app
  return owner.kind === 'organization' ? owner.organization : owner.kind
}

/** The signature vouches for the payload; its form is checked so that no later version is misread. */
const parsePayload = (payload: unknown): Claims => {
  if (!isJsonObject(payload)) throw new TypeError('The payload is no object')
  const { jti, at, ttl = null, exp, sid = null } = payload
  const owner = readOwner(payload)
  if (typeof jti !== 'string' || !isUuid(jti)) throw new TypeError('The token has no id')
  if (sid !== null && !(typeof sid === 'string' && isUuid(sid))) throw new TypeError('The sign-in has no id')
  if (!isTime(at) || (ttl !== null && !isTime(ttl))) throw new TypeError('The token has no time of issue')
  const due = ttl === null ? undefined : Math.ceil((at + ttl) / 1000)
  if (exp !== due) throw new TypeError('The expiry and the lifetime disagree')
  return claimsOf(jti, owner, at, ttl, sid)
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const readOwner = ({ kind, aud, sub }: JsonObject): TokenOwner => {
  if (typeof aud !== 'string' || typeof sub !== 'string') throw new TypeError('The token has no owner')
  const owner = ownerNamed(kind, aud, sub)
  if (owner === null || audienceOf(owner) !== aud || subjectOf(owner) !== sub)
    throw new TypeError('The owner and the audience disagree')
  return owner
}

const ownerNamed = (kind: unknown, aud: string, sub: string): TokenOwner | null => {
  switch (kind) {
    case 'user':
      return aud === MANAGEMENT ? null : { kind, app: aud, uuid: sub }
    case 'admin':
      return { kind, uuid: sub }
    case 'application':
      return aud === MANAGEMENT ? null : { kind, app: aud }
    case 'organization':
      return { kind, organization: sub }
    case 'sysadmin':
      return { kind }
    default:
      return null
  }
}
