import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { deriveKey } from './secret-box.js'

/** What a sign-in remembers of its refresh token; beside hashes only times, in UTC milliseconds. */
export interface RefreshState {
  /** Of the token that is good now. */
  hash: string
  /** Of the one before it. */
  previous: string | null
  /** When that was exchanged. */
  rotated: number
  /** When the good one is over, unless it is exchanged. */
  expires: number
  /** The lifetime of access tokens, in milliseconds, as it was asked for; `null` for no end. */
  ttl: number | null
}

/** Whom a refresh token names. */
export interface RefreshOwner {
  user: string
  signIn: string
}

const PREFIX = 'cnQt'
const FORM = /^cnQt[\w-]{86}$/
const UUID_BYTES = 16
const NONCE_BYTES = 16
const DAY = 86_400_000
const LIFETIME = 30 * DAY
/** Of all tokens that come from one sign-in. */
const FAMILY = 365 * DAY
/** How long (milliseconds) after an exchange a second one of the same token is taken for a race of two tabs. */
const GRACE = 10_000

/**
 * Refresh tokens: `cnQt` and 64 bytes in base64url, which are the uuids of user and sign-in, 16 bytes by chance, and a
 * MAC over all of it. By the MAC a token that was ours can be told from one that somebody made up, so that nobody
 * ends another's sign-in by guessing. The successor of a token is a function of it: however often it is exchanged at
 * once, there is one.
 */
export class RefreshTokens {
  readonly #key: Buffer

  constructor(secret: Buffer) {
    this.#key = deriveKey(secret, 'refresh tokens')
  }

  /** The first token of a sign-in. */
  first(owner: RefreshOwner): string {
    return this.#make(owner, randomBytes(NONCE_BYTES))
  }

  begin(token: string, ttl: number | null, now: number): RefreshState {
    return { hash: hashOf(token), previous: null, rotated: now, expires: now + LIFETIME, ttl }
  }

  /** Whom a token is for; `null` for anything that never was one of ours. */
  read(token: unknown): RefreshOwner | null {
    if (typeof token !== 'string' || !FORM.test(token)) return null
    const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url')
    const signed = bytes.subarray(0, -NONCE_BYTES)
    const isOurs = timingSafeEqual(this.#mac('token', signed), bytes.subarray(-NONCE_BYTES))
    if (!isOurs) return null
    return {
      user: toUuid(bytes.subarray(0, UUID_BYTES)),
      signIn: toUuid(bytes.subarray(UUID_BYTES, 2 * UUID_BYTES)),
    }
  }

  /**
   * Exchanges a token that `read` knows; `created` is when its sign-in was. `null` for one that was exchanged before:
   * somebody else has it, too.
   */
  exchange(
    state: RefreshState,
    token: string,
    { created, now }: { created: number; now: number },
  ): { state: RefreshState; token: string } | null {
    const owner = this.read(token)
    if (owner === null) return null
    const next = this.#make(owner, this.#mac('successor', Buffer.from(token)))
    const hash = hashOf(token)
    if (hash === state.previous && now - state.rotated < GRACE) return { state, token: next }
    if (hash !== state.hash) return null
    const expires = Math.min(now + LIFETIME, created + FAMILY)
    return { state: { ...state, hash: hashOf(next), previous: hash, rotated: now, expires }, token: next }
  }

  #make({ user, signIn }: RefreshOwner, nonce: Buffer): string {
    const signed = Buffer.concat([fromUuid(user), fromUuid(signIn), nonce])
    return PREFIX + Buffer.concat([signed, this.#mac('token', signed)]).toString('base64url')
  }

  #mac(purpose: string, bytes: Buffer): Buffer {
    return createHmac('sha256', this.#key)
      .update(purpose)
      .update('\0')
      .update(bytes)
      .digest()
      .subarray(0, NONCE_BYTES)
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

const fromUuid = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')

const toUuid = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
