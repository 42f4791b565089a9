import { AppError, illegalArgument } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { newUuid } from '../../domain/uuid.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import {
  type Claims,
  expiresIn,
  type NewToken,
  type TokenKeeper,
  type TokenPrincipal,
} from './access-token.js'
import {
  type Asked,
  badCredentials,
  type Grant,
  type GrantRequest,
  type GrantType,
  type TokenApplication,
} from './grant.js'
import { chosenLifetime, lifetimesOf } from './lifetimes.js'
import type { SignInRecords } from './sign-in-records.js'

const TOKENS = 'tokens'

export interface TokensOptions {
  engine: Engine
  tokens: TokenKeeper
  records: SignInRecords
  /** By `grant_type`. Features may add theirs until the first request. */
  grants: ReadonlyMap<string, GrantType>
  /** Whether administrators must have confirmed their e-mail address. */
  confirmAdmins?: boolean | undefined
  /** Number of the application that keeps administrators. */
  management: number
  /** UTC milliseconds. */
  clock: () => number
  /** Called when tokens of a user were revoked. */
  forget: (app: number) => void
  /** Asks for a second factor, where there is one or must be. @throws {AppError} when it is not there. */
  secondStep?: ((...signIn: Parameters<Tokens['signIn']>) => Promise<void>) | undefined
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
    const { engine, records } = this.#options
    const ttl = this.checkLifetime(app, signingIn)
    const { how, agent, network, revoked = await this.lastRevoked(user) } = signingIn
    if (signingIn.isComplete !== true) {
      this.checkState(user, app)
      await this.#options.secondStep?.(user, app, { ...signingIn, revoked })
    }
    const id = newUuid()
    const place = records.seal({ agent, network })
    const { owner, now } = await engine.transact(user.app, `${kindIn(app)}:${user.uuid}`, (edits) => {
      const owner = edits.find('users', user.uuid)
      if (owner === null) throw badCredentials()
      this.checkState(owner, app)
      const since = edits.tx.dictionary(owner, TOKENS).get('since') ?? null
      if (revoked !== since) throw badCredentials()
      // Signing in comes after what was revoked before, also where a clock stands still.
      const now = Math.max(edits.now, Number(since))
      const until = ttl === null ? null : now + ttl
      records.add(edits, owner, id, { how, created: now, used: now, until, place })
      return { owner, now }
    })
    return this.#issue({ principal: principalOf(user, app), ttl, now, signIn: id }, owner)
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

  /** @throws {AppError} `invalid_grant` when the user, or administrator (`app` is `null`), may not sign in. */
  checkState(
    { object: { disabled, activated, confirmed } }: StoredEntity,
    app: TokenApplication | null,
  ): void {
    if (disabled === true) throw new AppError('invalid_grant', 'user disabled')
    if (activated !== true) throw new AppError('invalid_grant', 'user not activated')
    const mustConfirm =
      app === null
        ? this.#options.confirmAdmins === true
        : app.properties['registration_requires_email_confirmation'] === true
    if (mustConfirm && confirmed !== true)
      throw new AppError('invalid_grant', 'User must be confirmed to authenticate', { status: 403 })
  }

  /** The lifetime of a token that is asked for, in milliseconds. @throws {AppError} `illegal_argument` */
  checkLifetime(app: TokenApplication | null, { ttl }: Asked): number | null {
    return chosenLifetime(ttl, lifetimesOf(app?.properties ?? null))
  }

  /** A token for an organization or application. @throws {AppError} `illegal_argument` */
  grantToClient(client: StoredEntity, ttl: unknown): Promise<Grant> {
    const principal: TokenPrincipal =
      client.collection === 'organizations'
        ? { kind: 'organization', organization: client.uuid }
        : { kind: 'application', app: client.uuid }
    return this.#issue(
      { principal, ttl: this.checkLifetime(null, { ttl }), now: this.#options.clock() },
      client,
    )
  }

  /** A token for a user, without his password: for those who administer the application. */
  grantFor(user: StoredEntity, app: TokenApplication, ttl: unknown): Promise<Grant> {
    const now = this.#options.clock()
    return this.#issue(
      { principal: principalOf(user, app), ttl: this.checkLifetime(app, { ttl }), now },
      user,
    )
  }

  /** Revokes every token that the user holds. */
  async revokeAll(principal: string, user: StoredEntity): Promise<void> {
    await this.#options.engine.transact(user.app, principal, (edits) => this.revokeAllWithin(edits, user))
  }

  /** The same, together with what else the transaction changes. */
  revokeAllWithin(edits: Edits, user: StoredEntity): void {
    const current = edits.get('users', user.uuid)
    edits.tx.setEntry(current, TOKENS, 'since', String(this.#options.clock() + 1))
    edits.tx.setEntry(current, TOKENS, 'kept', null)
    this.#options.records.endAll(edits, current, null)
    edits.afterCommit(() => this.#options.forget(user.app))
  }

  /**
   * Revokes one token, which must be the user's; one that has expired already needs nothing.
   * @throws {AppError} `illegal_argument`, `auth_bad_access_token` as a bad request.
   */
  async revoke(principal: string, user: StoredEntity, token: string): Promise<void> {
    const claims = await this.#claimsOf(token)
    if (claims === null) return
    if (!('uuid' in claims.owner) || claims.owner.uuid !== user.uuid)
      throw illegalArgument('The token belongs to somebody else', 'token')
    const { engine, records, forget } = this.#options
    await engine.transact(user.app, principal, (edits) => {
      records.revoke(edits, edits.get('users', user.uuid), claims.id, claims.expiresAt)
      edits.afterCommit(() => forget(user.app))
    })
  }

  /** @throws {AppError} `service_resource_not_found` */
  async administrator(uuid: string): Promise<StoredEntity> {
    return this.#options.engine.get(this.#options.management, 'users', uuid)
  }

  /** The id of a valid token. */
  async idOf(token: string): Promise<string> {
    return (await this.#options.tokens.verify(token, this.#options.clock())).id
  }

  /** Seconds that a valid token has left. */
  async remaining(token: string): Promise<number> {
    const now = this.#options.clock()
    const { expiresAt } = await this.#options.tokens.verify(token, now)
    return expiresAt === null ? expiresIn(null) : Math.round((expiresAt - now) / 1000)
  }

  async #issue(token: NewToken, owner: StoredEntity): Promise<Grant> {
    const issued = await this.#options.tokens.issue(token)
    return { access_token: issued.token, expires_in: expiresIn(token.ttl), owner }
  }

  async #claimsOf(token: string): Promise<Claims | null> {
    try {
      return await this.#options.tokens.verify(token, this.#options.clock())
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code === 'expired_token') return null
      throw new AppError('auth_bad_access_token', 'The token is not one of ours', { status: 400 })
    }
  }
}

const kindIn = (app: TokenApplication | null): 'admin' | 'user' => (app === null ? 'admin' : 'user')

const principalOf = ({ uuid }: StoredEntity, app: TokenApplication | null): TokenPrincipal =>
  app === null
    ? { kind: 'admin', uuid, username: '' }
    : { kind: 'user', app: app.application.uuid, uuid, username: '' }
