import type { Application } from '../../api/caller.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import { isUuid } from '../../domain/uuid.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { type Claims, expiresIn, type TokenKeeper, type TokenPrincipal } from './access-token.js'
import type { SignIn } from './sign-ins.js'

/** Seven days: the default and the longest lifetime of a token, in milliseconds. */
export const MAX_TTL = 604_800_000
const TOKENS = 'tokens'

export interface TokensOptions {
  engine: Engine
  tokens: TokenKeeper
  /** Checks passwords of users, also of the management application. @throws {AppError} `too_many_requests` */
  verify: (signIn: SignIn) => Promise<boolean>
  /** Told of wrong client credentials. @throws {AppError} `too_many_requests` */
  clientFailed: (network: string | undefined) => Promise<void>
  client: (id: string, secret: string) => Promise<StoredEntity | null>
  /** Number of the application that keeps administrators. */
  management: number
  clock: () => number
  /** Called when tokens of a user were revoked. */
  forget: (app: number) => void
}

/** A token as it was granted, and to whom. */
export interface Grant {
  access_token: string
  /** Seconds. */
  expires_in: number
  owner: StoredEntity
}

/** Signing in, and signing out. */
export class Tokens {
  readonly #options: TokensOptions

  constructor(options: TokensOptions) {
    this.#options = options
  }

  /**
   * Grants a token for the parameters of a token request (identity rules 2.2 to 2.4).
   * `app` is `null` at the management endpoint.
   * `network` is where the request comes from.
   * @throws {AppError} `invalid_grant` for every kind of bad credentials, `illegal_argument` for a bad `ttl`,
   * `too_many_requests` after too many failures.
   */
  async grant(
    fields: JsonObject,
    app: { application: Application; properties: JsonObject } | null,
    network?: string,
  ): Promise<Grant> {
    const { grant_type: type } = fields
    if (type === 'client_credentials') return this.#grantClient(fields, network)
    if (type === 'password') return this.#grantPassword(fields, app, network)
    throw badCredentials()
  }

  /** Revokes every token that the user holds. */
  async revokeAll(principal: string, user: StoredEntity): Promise<void> {
    await this.#options.engine.transact(user.app, principal, (edits) => this.revokeAllWithin(edits, user))
  }

  /** The same, together with what else the transaction changes. */
  revokeAllWithin(edits: Edits, user: StoredEntity): void {
    this.#mark(edits, user, 'since', String(this.#options.clock() + 1))
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
    await this.#options.engine.transact(user.app, principal, (edits) =>
      this.#mark(edits, user, claims.id, String(claims.expiresAt ?? 0)),
    )
  }

  /** A token for a user, without his password: for those who administer the application. */
  grantFor(
    user: StoredEntity,
    app: { application: Application; properties: JsonObject },
    ttl: unknown,
  ): Promise<Grant> {
    const { max, fallback } = lifetimes(app.properties)
    return this.#issue(
      { kind: 'user', app: app.application.uuid, uuid: user.uuid, username: '' },
      user,
      ttlOf(ttl, max, fallback),
    )
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

  async #grantPassword(
    fields: JsonObject,
    app: { application: Application; properties: JsonObject } | null,
    network: string | undefined,
  ): Promise<Grant> {
    const username = fields['username'] ?? fields['email']
    const { password } = fields
    if (typeof username !== 'string' || typeof password !== 'string') throw badCredentials()
    const { max, fallback } = app === null ? { max: MAX_TTL, fallback: MAX_TTL } : lifetimes(app.properties)
    const ttl = ttlOf(fields['ttl'], max, fallback)
    const home = app === null ? this.#options.management : app.application.id
    const user = await this.#options.engine.find(home, 'users', username)
    const isRight = await this.#options.verify({ app: home, ref: username, user, password, network })
    if (!isRight || user === null) throw badCredentials()
    if (user.object['disabled'] === true) throw new AppError('invalid_grant', 'user disabled')
    if (user.object['activated'] !== true) throw new AppError('invalid_grant', 'user not activated')
    if (app === null) return this.#issue({ kind: 'admin', uuid: user.uuid, username: '' }, user, ttl)
    return this.#issue({ kind: 'user', app: app.application.uuid, uuid: user.uuid, username: '' }, user, ttl)
  }

  async #grantClient(
    { client_id: id, client_secret: secret, ttl }: JsonObject,
    network: string | undefined,
  ): Promise<Grant> {
    if (typeof id !== 'string' || typeof secret !== 'string') throw badCredentials()
    const owner = await this.#options.client(id, secret)
    if (owner === null) {
      await this.#options.clientFailed(network)
      throw badCredentials()
    }
    const lifetime = ttlOf(ttl, MAX_TTL, MAX_TTL)
    return owner.collection === 'organizations'
      ? this.#issue({ kind: 'organization', organization: owner.uuid }, owner, lifetime)
      : this.#issue({ kind: 'application', app: owner.uuid }, owner, lifetime)
  }

  async #issue(principal: TokenPrincipal, owner: StoredEntity, ttl: number | null): Promise<Grant> {
    const { token } = await this.#options.tokens.issue({ principal, ttl, now: this.#options.clock() })
    return { access_token: token, expires_in: expiresIn(ttl), owner }
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

  #mark(edits: Edits, user: StoredEntity, key: string, value: string): void {
    const current = edits.get('users', user.uuid)
    const now = this.#options.clock()
    for (const [id, expires] of edits.tx.dictionary(current, TOKENS)) {
      // A token that ran out by itself need not be remembered as revoked.
      if (isUuid(id) && Number(expires) !== 0 && Number(expires) < now)
        edits.tx.setEntry(current, TOKENS, id, null)
    }
    if (key === 'since') edits.tx.setEntry(current, TOKENS, 'kept', null)
    edits.tx.setEntry(current, TOKENS, key, value)
    edits.afterCommit(() => this.#options.forget(user.app))
  }
}

export const badCredentials = (): AppError => new AppError('invalid_grant', 'invalid username or password')

/** An application's `accesstokenttl` (milliseconds) replaces default and maximum; 0 means that tokens do not expire. */
const lifetimes = (properties: JsonObject): { max: number | null; fallback: number | null } => {
  const set = properties['accesstokenttl']
  if (set === undefined || set === null) return { max: MAX_TTL, fallback: MAX_TTL }
  const own = Number(set)
  return own === 0 ? { max: null, fallback: null } : { max: own, fallback: own }
}

/** A whole number of milliseconds, 0 or more, given as such or as text; `null` for anything else. */
export const readMilliseconds = (value: unknown): number | null => {
  const isText = typeof value === 'string' && /^\s*\d+\s*$/.test(value)
  const milliseconds = isText ? Number(value) : value
  return Number.isSafeInteger(milliseconds) && (milliseconds as number) >= 0 ? (milliseconds as number) : null
}

const ttlOf = (value: unknown, max: number | null, fallback: number | null): number | null => {
  if (value === undefined || value === null || value === '') return fallback
  const ttl = readMilliseconds(value)
  if (ttl === null) throw illegalArgument('ttl must be a number >= 0', 'ttl')
  if (ttl === 0) return fallback
  if (max !== null && ttl > max) {
    throw illegalArgument(`Your token age cannot be more than the maximum age of ${max} milliseconds`, 'ttl')
  }
  return ttl
}

/** The fields of a token request: of its body, else of its query; Basic credentials stand for a client's. */
export const tokenFields = (
  body: unknown,
  query: JsonObject,
  authorization: string | undefined,
): JsonObject => {
  const fields = { ...query, ...(isJsonObject(body) ? body : {}) }
  const basic = /^basic +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (basic === undefined) return fields
  const [id = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':')
  return { ...fields, client_id: id, client_secret: secret.join(':') }
}
