import { AppError, illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { newUuid } from '../../domain/uuid.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { type Claims, expiresIn, type NewToken, type TokenKeeper, type TokenPrincipal } from './claims.js'
import {
  type Asked,
  badCredentials,
  type Grant,
  type GrantRequest,
  type GrantType,
  type TokenApplication,
} from './grant.js'
import { chosenLifetime, endOf, lifetimesOf, renewedLifetime } from './lifetimes.js'
import type { RefreshState, RefreshTokens } from './refresh-tokens.js'
import { deadToken, renewWithin } from './renewal.js'
import type { SignInRecord, SignInRecords } from './sign-in-records.js'

const TOKENS = 'tokens'

export interface TokensOptions {
  engine: Engine
  tokens: TokenKeeper
  records: SignInRecords
  refreshTokens: RefreshTokens
  /** Told when a refresh token was used twice, and its sign-in therefore ended. */
  replayed: (user: StoredEntity, signIn: string) => void
  /** By `grant_type`. Features may add theirs until the first request. */
  grants: ReadonlyMap<string, GrantType>
  /** Number of the application that keeps administrators. */
  management: number
  /** UTC milliseconds. */
  clock: () => number
  /** Called when tokens of a user were revoked. */
  forget: (app: number) => void
  /** Asks for a second factor, where there is one or must be. @throws {AppError} when it is not there. */
  secondStep?: ((...signIn: Parameters<Tokens['signIn']>) => Promise<void>) | undefined
  /** Whether a sign-in may still be renewed without a second factor. @throws {AppError} when it may not. */
  renewing?: ((user: StoredEntity, app: TokenApplication | null) => Promise<void>) | undefined
}

/** How somebody signs in who has proved who he is. */
export interface SigningIn extends Asked {
  /** What he proved it with: `password`, `passkey`, the name of a provider. */
  how: string
  /** What `lastRevoked` said before the proof was looked at: later it proves nothing. */
  revoked?: string | null
  /** What came with the request: a second factor may be in it. */
  fields?: JsonObject
  /** Whether a second factor was proved, or what was proved is as good as two. */
  isComplete?: boolean
}

/** A sign-in as its user sees it. */
export interface ShownSignIn {
  id: string
  how: string
  /** UTC milliseconds. */
  created: number
  /** UTC milliseconds: when he signed in, or last renewed his tokens. */
  used: number
  /** The header `User-Agent`, if there was one. */
  device?: string
  /** IPv4 address, or the network of an IPv6 address; absent where he signed in in process. */
  address?: string
}

/** Signing in, and signing out. */
export class Tokens {
  readonly #options: TokensOptions

  constructor(options: TokensOptions) {
    this.#options = options
  }

  /**
   * Grants a token for a token request (identity rules 2.2 to 2.4).
   * @throws {AppError} `invalid_grant` for every kind of bad credentials, `illegal_argument` for a bad `ttl`,
   * `too_many_requests` after too many failures.
   */
  async grant(request: GrantRequest): Promise<Grant> {
    const type = request.fields['grant_type']
    const granting = typeof type === 'string' ? this.#options.grants.get(type) : undefined
    if (granting === undefined) throw badCredentials()
    return granting(request, this)
  }

  /**
   * Signs in a user, or an administrator (`app` is `null`), who has proved who he is: what every grant for one ends
   * in. Makes the record of the sign-in, and its first token.
   * @throws {AppError} `invalid_grant` when he may not sign in, `illegal_argument` for a bad `ttl`;
   * `second_factor_required`, `second_factor_enrolment_required` unless it is complete.
   */
  async signIn(user: StoredEntity, app: TokenApplication | null, signingIn: SigningIn): Promise<Grant> {
    const { engine, records, refreshTokens } = this.#options
    const ttl = this.checkLifetime(app, signingIn)
    const { how, agent, network, refresh = false, revoked = await this.lastRevoked(user) } = signingIn
    if (signingIn.isComplete !== true) {
      this.checkState(user)
      await this.#options.secondStep?.(user, app, { ...signingIn, revoked })
    }
    const id = newUuid()
    const place = records.seal({ agent, network })
    const token = refresh ? refreshTokens.first({ user: user.uuid, signIn: id }) : null
    const signedIn = await engine.transact(user.app, labelOf(user.uuid, app), (edits) => {
      const owner = edits.find('users', user.uuid)
      if (owner === null) throw badCredentials()
      this.checkState(owner)
      const since = edits.tx.dictionary(owner, TOKENS).get('since') ?? null
      if (revoked !== since) throw badCredentials()
      // Signing in comes after what was revoked before, also where a clock stands still.
      const now = Math.max(edits.now, Number(since))
      const record: SignInRecord = { how, created: now, used: now, until: endOf(now, ttl), place }
      if (token !== null) record.refresh = refreshTokens.begin(token, ttl, now)
      records.add(edits, owner, id, record)
      return { owner, now, refresh: record.refresh }
    })
    return this.#begin({ ...signedIn, ttl, token, signIn: id }, app)
  }

  /**
   * Exchanges a refresh token for a new one and an access token. One that was exchanged before ends the sign-in, with
   * all that came from it.
   * @throws {AppError} `invalid_grant` for anything that is not a good one, or when the user may not sign in any more;
   * `illegal_argument` for a bad `ttl`; `second_factor_enrolment_required` when one is asked of him since.
   */
  async renew(presented: unknown, app: TokenApplication | null, asked: Asked): Promise<Grant> {
    const { engine, records, refreshTokens, management, forget, replayed, renewing } = this.#options
    const named = refreshTokens.read(presented)
    if (named === null) throw deadToken()
    const home = app === null ? management : app.application.id
    const user = await engine.store.get(home, 'users', named.user)
    if (user !== null) await renewing?.(user, app)
    const renewed = await engine.transact(home, labelOf(named.user, app), (edits) =>
      renewWithin(edits, { records, refreshTokens, check: (user) => this.checkState(user) }, named, {
        token: presented as string,
        ttl: (first) => renewedLifetime(asked, first, lifetimesOf(app?.properties ?? null)),
      }),
    )
    if ('replayed' in renewed) {
      forget(home)
      replayed(renewed.replayed, named.signIn)
      throw deadToken()
    }
    return this.#begin({ ...renewed, signIn: named.signIn }, app)
  }

  /** When a user signed in whose valid token this is, in UTC milliseconds; `null` when it comes from no sign-in. */
  async signedInAt(user: StoredEntity, token: string): Promise<number | null> {
    const { engine, tokens, records, clock } = this.#options
    const { signIn } = await tokens.verify(token, clock())
    if (signIn === null) return null
    const found = (await records.of(engine, user, clock())).find(([id]) => id === signIn)
    return found === undefined ? null : found[1].created
  }

  /** When all tokens of a user were last revoked. */
  async lastRevoked(user: StoredEntity): Promise<string | null> {
    return (await this.#options.engine.store.dictionary(user, TOKENS)).get('since') ?? null
  }

  /** The same within a transaction, with what it has changed. */
  lastRevokedWithin(edits: Edits, user: StoredEntity): string | null {
    return edits.tx.dictionary(user, TOKENS).get('since') ?? null
  }

  /**
   * For what takes its time between looking at a token and writing: whether it was revoked meanwhile, asked within the
   * transaction that writes.
   */
  async stillGood(token: string): Promise<(edits: Edits, user: StoredEntity) => boolean> {
    const { id, issuedAt, signIn } = await this.claims(token)
    return (edits, user) => {
      const known = edits.tx.dictionary(user, TOKENS)
      const isRevoked = known.has(id) || (signIn !== null && known.has(signIn))
      return !isRevoked && (issuedAt >= Number(known.get('since') ?? 0) || known.get('kept') === id)
    }
  }

  /** @throws {AppError} `invalid_grant` when the user, or administrator, may not sign in. */
  checkState({ object: { disabled, activated, confirmed } }: StoredEntity): void {
    if (disabled === true) throw new AppError('invalid_grant', 'user disabled')
    // Of those who had to follow the link of a mail, and have not. Whoever had not to has no such property.
    if (confirmed === false)
      throw new AppError('invalid_grant', 'User must be confirmed to authenticate', { status: 403 })
    if (activated !== true) throw new AppError('invalid_grant', 'user not activated')
  }

  /** The lifetime of a token that is asked for, in milliseconds. @throws {AppError} `illegal_argument` */
  checkLifetime(app: TokenApplication | null, { ttl }: Asked): number | null {
    return chosenLifetime(ttl, lifetimesOf(app?.properties ?? null))
  }

  /** UTC milliseconds. */
  get now(): number {
    return this.#options.clock()
  }

  /**
   * A token for an organization or application whose secret was looked at after `started` (UTC milliseconds).
   * @throws {AppError} `illegal_argument`, `invalid_grant` when the secret was renewed meanwhile
   */
  async grantToClient(client: StoredEntity, ttl: unknown, started: number): Promise<Grant> {
    const principal: TokenPrincipal =
      client.collection === 'organizations'
        ? { kind: 'organization', organization: client.uuid }
        : { kind: 'application', app: client.uuid }
    const since = Number(await this.lastRevoked(client))
    if (since > started + 1) throw badCredentials()
    const now = Math.max(started, since)
    return this.#issue({ principal, ttl: this.checkLifetime(null, { ttl }), now }, client)
  }

  /**
   * A token for a user, without his password: for those who administer the application. It names the `actor` who had it
   * made, and cannot be renewed.
   */
  grantFor(user: StoredEntity, app: TokenApplication, ttl: unknown, actor: string): Promise<Grant> {
    const { now } = this
    return this.#issue(
      { principal: principalOf(user, app), ttl: this.checkLifetime(app, { ttl }), now, actor },
      user,
    )
  }

  /** Revokes every token that the user holds. */
  async revokeAll(principal: string, user: StoredEntity): Promise<void> {
    await this.#options.engine.transact(user.app, principal, (edits) => this.revokeAllWithin(edits, user))
  }

  /** The same, together with what else the transaction changes. */
  revokeAllWithin(edits: Edits, user: StoredEntity): void {
    this.#options.records.revokeAll(edits, edits.get('users', user.uuid), null)
    edits.afterCommit(() => this.#options.forget(user.app))
  }

  /**
   * Revokes one token, which must be the user's, and with it the sign-in that it comes from, also when the token itself
   * is over.
   * @throws {AppError} `illegal_argument`, `auth_bad_access_token` as a bad request.
   */
  async revoke(principal: string, user: StoredEntity, token: string): Promise<void> {
    const named = this.#options.refreshTokens.read(token) ?? (await this.#ownerOf(token))
    if (named.user !== user.uuid) throw illegalArgument('The token belongs to somebody else', 'token')
    const { engine, records, forget } = this.#options
    await engine.transact(user.app, principal, (edits) => {
      const current = edits.get('users', user.uuid)
      const isEnded = named.signIn !== null && records.end(edits, current, named.signIn)
      if (!isEnded && 'id' in named) records.revoke(edits, current, named.id, named.expiresAt)
      edits.afterCommit(() => forget(user.app))
    })
  }

  /** Where a user is signed in, the latest use first. */
  async signIns(user: StoredEntity): Promise<ShownSignIn[]> {
    const { engine, records, clock } = this.#options
    return (await records.of(engine, user, clock())).map(([id, { how, created, used, place }]) => {
      const { agent, network } = records.open(place)
      return {
        ...{ id, how, created, used },
        ...(agent === undefined ? {} : { device: agent }),
        ...(network === undefined ? {} : { address: network }),
      }
    })
  }

  /** Ends a sign-in with all its tokens, at once. @throws {AppError} `service_resource_not_found` */
  async endSignIn(principal: string, user: StoredEntity, id: string): Promise<void> {
    const { engine, records, forget } = this.#options
    await engine.transact(user.app, principal, (edits) => {
      if (!records.end(edits, edits.get('users', user.uuid), id)) throw resourceNotFound()
      edits.afterCommit(() => forget(user.app))
    })
  }

  /** @throws {AppError} `service_resource_not_found` */
  async administrator(uuid: string): Promise<StoredEntity> {
    return this.#options.engine.get(this.#options.management, 'users', uuid)
  }

  /** What a valid token says. */
  async claims(token: string): Promise<Claims> {
    return this.#options.tokens.verify(token, this.#options.clock())
  }

  /** Seconds that a valid token has left. */
  async remaining(token: string): Promise<number> {
    const now = this.#options.clock()
    const { expiresAt } = await this.#options.tokens.verify(token, now)
    return expiresAt === null ? expiresIn(null) : Math.round((expiresAt - now) / 1000)
  }

  /** The tokens of a sign-in that was written down. */
  async #begin(
    { owner, ttl, now, signIn, token, refresh }: Begun,
    app: TokenApplication | null,
  ): Promise<Grant> {
    const granted = await this.#issue({ principal: principalOf(owner, app), ttl, now, signIn }, owner)
    if (token === null || refresh === undefined) return granted
    const left = Math.floor((refresh.expires - now) / 1000)
    return { ...granted, refresh_token: token, refresh_expires_in: left }
  }

  async #issue(token: NewToken, owner: StoredEntity): Promise<Grant> {
    const issued = await this.#options.tokens.issue(token)
    return { access_token: issued.token, expires_in: expiresIn(token.ttl), owner }
  }

  async #ownerOf(token: string): Promise<Claims & { user: string | null }> {
    try {
      // At a time when none was over.
      const claims = await this.#options.tokens.verify(token, 0)
      return { ...claims, user: 'uuid' in claims.owner ? claims.owner.uuid : null }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      throw new AppError('auth_bad_access_token', 'The token is not one of ours', { status: 400 })
    }
  }
}

/** What a transaction made of a sign-in. */
interface Begun {
  owner: StoredEntity
  signIn: string
  /** Of its access token, in milliseconds. */
  ttl: number | null
  now: number
  /** Its refresh token, if it has one. */
  token: string | null
  refresh: RefreshState | undefined
}

/** How a user, or an administrator (`app` is `null`), is written to the change log. */
const labelOf = (uuid: string, app: TokenApplication | null): string =>
  `${app === null ? 'admin' : 'user'}:${uuid}`

const principalOf = ({ uuid }: StoredEntity, app: TokenApplication | null): TokenPrincipal =>
  app === null
    ? { kind: 'admin', uuid, username: '' }
    : { kind: 'user', app: app.application.uuid, uuid, username: '' }
