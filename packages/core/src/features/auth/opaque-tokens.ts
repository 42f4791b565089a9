import { randomBytes } from 'node:crypto'
import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import { Remembered, type RememberedOptions } from '../../engine/remembered.js'
import {
  type Claims,
  checkLifetime,
  claimsOf,
  corrupt,
  expired,
  type IssuedToken,
  type NewToken,
  ownerOf,
  type TokenKeeper,
  type TokenOwner,
} from './claims.js'
import { hashOpaqueToken, isOpaqueToken, newOpaqueToken } from './opaque-token.js'

const COLLECTION = 'tokens'
export interface OpaqueTokensOptions extends RememberedOptions {
  engine: Engine
  /** Number of the application that keeps them. */
  home: number
}

/**
 * Tokens of 63 characters that say nothing, as Usergrid's clients expect them in compatibility mode. What they
 * mean is stored under their hash.
 */
export class OpaqueTokens implements TokenKeeper {
  readonly #options: OpaqueTokensOptions
  readonly #known: Remembered<Claims>

  constructor(options: OpaqueTokensOptions) {
    this.#options = options
    this.#known = new Remembered(options)
  }

  async issue({ principal, ttl, now, signIn, actor }: NewToken): Promise<IssuedToken> {
    checkLifetime(ttl)
    const token = newOpaqueToken(randomBytes)
    const { engine, home } = this.#options
    const stored = await engine.create(home, null, COLLECTION, {
      name: hashOpaqueToken(token),
      owner: { ...ownerOf(principal) },
      issuedAt: now,
      ttl: ttl ?? 0,
      expiresAt: ttl === null ? 0 : now + ttl,
      ...(signIn === undefined ? {} : { signIn }),
      ...(actor === undefined ? {} : { actor }),
    })
    return { token, claims: read(stored.object) }
  }

  async verify(token: string, now: number): Promise<Claims> {
    if (!isOpaqueToken(token)) throw corrupt()
    const hash = hashOpaqueToken(token)
    const claims = await this.#known.get(hash, () => this.#read(hash))
    if (claims.expiresAt !== null && now >= claims.expiresAt) throw expired()
    return claims
  }

  /** Forgets tokens that ran out; returns how many. `now` is UTC milliseconds. */
  async removeExpired(now: number): Promise<number> {
    const { engine, home } = this.#options
    const over = {
      kind: 'compare',
      path: 'expiresat',
      op: '<',
      value: { kind: 'number', value: now },
    } as const
    const set = { kind: 'compare', path: 'expiresat', op: '>', value: { kind: 'number', value: 0 } } as const
    const query = {
      projection: null,
      filter: { kind: 'and' as const, items: [over, set] },
      direct: null,
      sort: [],
    }
    let removed = 0
    for (;;) {
      const batch = await engine.removeWhere(home, null, COLLECTION, { query, limit: 500, cursor: null })
      removed += batch.length
      if (batch.length < 500) return removed
    }
  }

  forget(): void {
    this.#known.forget()
  }

  async #read(hash: string): Promise<Claims> {
    const { engine, home } = this.#options
    const stored = await engine.store.find(home, COLLECTION, 'name', hash)
    if (stored === null) throw new AppError('auth_invalid', 'Unable to authenticate')
    return read(stored.object)
  }
}

const read = ({ uuid, owner, issuedAt, ttl, signIn, actor }: JsonObject): Claims =>
  claimsOf({
    id: String(uuid),
    owner: owner as unknown as TokenOwner,
    issuedAt: Number(issuedAt),
    ttl: ttl === 0 ? null : Number(ttl),
    signIn: signIn === undefined ? null : String(signIn),
    actor: actor === undefined ? null : String(actor),
  })
