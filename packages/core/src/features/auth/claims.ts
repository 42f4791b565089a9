import type { Principal } from '../../api/principal.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import { isUuid } from '../../domain/uuid.js'

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
  /** Who had it made for the owner, as in the change log; `null` where he signed in himself. */
  readonly actor: string | null
}

export interface NewToken {
  principal: TokenPrincipal
  signIn?: string | undefined
  actor?: string | undefined
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

const MANAGEMENT = 'management'

// Usergrid's client for Node tells the two apart.
export const corrupt = (): AppError =>
  new AppError('auth_bad_access_token', 'Unable to authenticate due to corrupt access token')
export const unverified = (cause?: unknown): AppError =>
  new AppError('auth_unverified_oath', 'Unable to authenticate OAuth credentials', { cause })
export const expired = (): AppError =>
  new AppError('expired_token', 'Unable to authenticate due to expired access token')

/** What a new token is to say; `id` is its own. */
export const claimsFor = (id: string, { principal, ttl, now, signIn, actor }: NewToken): Claims =>
  claimsOf({
    id,
    owner: ownerOf(principal),
    issuedAt: now,
    ttl,
    signIn: signIn ?? null,
    actor: actor ?? null,
  })

export const claimsOf = (said: Omit<Claims, 'expiresAt'>): Claims =>
  Object.freeze({
    id: said.id,
    owner: Object.freeze(said.owner),
    issuedAt: said.issuedAt,
    expiresAt: said.ttl === null ? null : said.issuedAt + said.ttl,
    ttl: said.ttl,
    signIn: said.signIn,
    actor: said.actor,
  })

const ISSUER = 'entigrid'

/** The payload of a JWT (RFC 7519, 8693) that says this. */
export const payloadOf = ({ id, owner, issuedAt, ttl, signIn, actor }: Claims): JsonObject => ({
  iss: ISSUER,
  aud: audienceOf(owner),
  sub: subjectOf(owner),
  jti: id,
  kind: owner.kind,
  at: issuedAt,
  iat: Math.floor(issuedAt / 1000),
  ...(ttl === null ? {} : { ttl, exp: dueOf(issuedAt, ttl) }),
  ...(signIn === null ? {} : { sid: signIn }),
  ...(actor === null ? {} : { act: { sub: actor } }),
})

/** Whole seconds. */
const dueOf = (issuedAt: number, ttl: number): number => Math.ceil((issuedAt + ttl) / 1000)

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

/**
 * What a payload says. The signature vouches for it; its form is checked so that no later version is misread.
 * @throws {TypeError}
 */
export const parsePayload = (payload: unknown): Claims => {
  if (!isJsonObject(payload)) throw new TypeError('The payload is no object')
  const { iss, jti, at, ttl = null, exp, sid = null, act = null } = payload
  if (iss !== ISSUER) throw new TypeError('The token is of another issuer')
  const owner = readOwner(payload)
  if (typeof jti !== 'string' || !isUuid(jti)) throw new TypeError('The token has no id')
  if (sid !== null && !(typeof sid === 'string' && isUuid(sid))) throw new TypeError('The sign-in has no id')
  const actor = isJsonObject(act) ? act['sub'] : act
  if (actor !== null && typeof actor !== 'string') throw new TypeError('The actor has no name')
  if (!isTime(at) || (ttl !== null && !isTime(ttl))) throw new TypeError('The token has no time of issue')
  if (exp !== (ttl === null ? undefined : dueOf(at, ttl)))
    throw new TypeError('The expiry and the lifetime disagree')
  return claimsOf({ id: jti, owner, issuedAt: at, ttl, signIn: sid, actor })
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
