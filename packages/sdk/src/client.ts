import { type Asked, type Explanation, type Questioned, readExplanation } from './access.js'
import { Batch, type Settled } from './batch.js'
import type { Call, CallOptions, Envelope, OnceOptions, RequestOptions } from './call.js'
import { Collection } from './collection.js'
import {
  type Entity,
  type Place,
  pathOf,
  type Ref,
  segment,
  segmentOf,
  type UserProperties,
} from './entity.js'
import {
  type ActiveSignIn,
  Entrance,
  type LeaveOptions,
  type SignIn,
  type SignInOptions,
} from './entrance.js'
import { AuthenticationError } from './errors.js'
import { Factors } from './factors.js'
import { Groups } from './groups.js'
import { newKey } from './idempotency-key.js'
import { type Page, readAll, readPage } from './page.js'
import type { UsePasskey } from './passkeys.js'
import type { PendingSignIn } from './providers.js'
import { type QueryInput, rawQuery } from './query.js'
import { Roles } from './roles.js'
import type {
  AnySchema,
  EntityOf,
  NameOf,
  NewOf,
  QueryableOf,
  Schema,
  SourceOf,
  TargetOf,
  VerbFrom,
  VerbTo,
} from './schema.js'
import { Session, type SessionOptions, type Target } from './session.js'
import type { Tokens } from './tokens.js'

export type ClientOptions<S extends Schema = AnySchema> = Target &
  SessionOptions & {
    organization: string
    application: string
    /** Gives types; see `defineSchema`. */
    schema?: S
  }

/** A client of one application. It holds no connection and needs no closing. */
export const createClient = <S extends Schema = AnySchema>(options: ClientOptions<S>): Client<S> =>
  new Client<S>(options, `/${segment(options.organization)}/${segment(options.application)}`)

/** The user collection as the schema declares it, or the built-in one. */
type UserOf<S extends Schema> =
  'users' extends NameOf<S> ? EntityOf<S, 'users'> : Entity<UserProperties, 'users'>

/** Loaded when it is needed: on most pages it never is. */
const providers = () => import('./providers.js')

/** What `signUp` takes: as the schema declares it, or any properties. */
type NewUserOf<S extends Schema> = {
  username: string
  password: string
} & ('users' extends NameOf<S> ? NewOf<S, 'users'> : UserProperties & Record<string, unknown>)

export class Client<S extends Schema> {
  readonly #session: Session
  readonly #path: string
  readonly #entrance: Entrance<UserOf<S>>
  /** Groups of users, and their members. */
  readonly groups: Groups<UserOf<S>>
  /** Roles, who has them, and permission strings. */
  readonly roles: Roles

  constructor(options: Target & SessionOptions, path: string) {
    this.#session = new Session(options, path)
    this.#path = path
    this.#entrance = new Entrance(this.#session, path)
    this.groups = new Groups(this.#session, path)
    this.roles = new Roles(this.#session, path)
  }

  /** Makes no request: a collection is there as soon as it has an entity. */
  collection<C extends NameOf<S>>(name: C): Collection<S, C> {
    return new Collection(this.#session, this.#path, name)
  }

  /**
   * Connects two entities and resolves with the second. Connecting them again moves the connection to the front.
   * @throws {NotFoundError} `service_resource_not_found` if either is missing.
   */
  async connect<C extends NameOf<S>, V extends VerbFrom<S, C>, T extends TargetOf<S, C, V>>(
    from: Place<C>,
    verb: V,
    to: Place<T>,
    { idempotencyKey = newKey(), ...options }: OnceOptions = {},
  ): Promise<EntityOf<S, T>> {
    const path = this.#verb(from, verb) + pathOf(to)
    return this.#session.one({ ...options, method: 'POST', path, idempotencyKey })
  }

  /** Resolves with the second entity, also if they were not connected; `undefined` if the caller may not read it. */
  async disconnect<C extends NameOf<S>, V extends VerbFrom<S, C>, T extends TargetOf<S, C, V>>(
    from: Place<C>,
    verb: V,
    to: Place<T>,
    options?: CallOptions,
  ): Promise<EntityOf<S, T> | undefined> {
    const path = this.#verb(from, verb) + pathOf(to)
    const call: Call = { ...options, method: 'DELETE', path, repeatable: true }
    return (await this.#session.send<Envelope<EntityOf<S, T>>>(call)).entities?.[0]
  }

  /**
   * Carries out operations together: all of them, in order, or none. `work` says which, and may refer to the results of
   * those before; what it returns comes back with entities in place of pending ones, be it one, an array or an object of
   * them. There are at most 100 operations.
   * @throws {EntigridError} of the first operation that failed, whose place, from 0, is its `operation`.
   */
  async batch<const T>(work: (tx: Batch<S>) => T | Promise<T>, options?: OnceOptions): Promise<Settled<T>> {
    const tx = new Batch<S>()
    return tx.send(this.#session, this.#path, await work(tx), options)
  }

  /** One page of what an entity is connected to, latest connection first. */
  async connected<C extends NameOf<S>, V extends VerbFrom<S, C>, R = EntityOf<S, TargetOf<S, C, V>>>(
    from: Place<C>,
    verb: V,
    query?: QueryInput<QueryableOf<S, TargetOf<S, C, V>>, EntityOf<S, TargetOf<S, C, V>>, R>,
    options?: CallOptions,
  ): Promise<Page<R>> {
    return readPage<R>(this.#session, this.#verb(from, verb), rawQuery(query), options)
  }

  /** One page of the entities that are connected to this one, latest connection first. */
  async connecting<C extends NameOf<S>, V extends VerbTo<S, C>, R = EntityOf<S, SourceOf<S, C, V>>>(
    to: Place<C>,
    verb: V,
    query?: QueryInput<QueryableOf<S, SourceOf<S, C, V>>, EntityOf<S, SourceOf<S, C, V>>, R>,
    options?: CallOptions,
  ): Promise<Page<R>> {
    return readPage<R>(this.#session, this.#verb(to, verb, '/connecting'), rawQuery(query), options)
  }

  /** `connected`, all pages. */
  allConnected<C extends NameOf<S>, V extends VerbFrom<S, C>, R = EntityOf<S, TargetOf<S, C, V>>>(
    from: Place<C>,
    verb: V,
    query?: QueryInput<QueryableOf<S, TargetOf<S, C, V>>, EntityOf<S, TargetOf<S, C, V>>, R>,
    options?: CallOptions,
  ): AsyncGenerator<R, void, undefined> {
    return readAll<R>(this.#session, this.#verb(from, verb), rawQuery(query), options)
  }

  /** `connecting`, all pages. */
  allConnecting<C extends NameOf<S>, V extends VerbTo<S, C>, R = EntityOf<S, SourceOf<S, C, V>>>(
    to: Place<C>,
    verb: V,
    query?: QueryInput<QueryableOf<S, SourceOf<S, C, V>>, EntityOf<S, SourceOf<S, C, V>>, R>,
    options?: CallOptions,
  ): AsyncGenerator<R, void, undefined> {
    return readAll<R>(this.#session, this.#verb(to, verb, '/connecting'), rawQuery(query), options)
  }

  /** The access token in use. Setting it is the way to go on with one that was stored. */
  get token(): string | undefined {
    return this.#session.tokens.token
  }

  set token(token: string | undefined) {
    this.tokens = token === undefined ? {} : { token }
  }

  /** When the token of the last sign-in expires, in UTC milliseconds. */
  get tokenExpiresAt(): number | undefined {
    return this.#session.tokens.expiresAt
  }

  /** All that a sign-in leaves behind. Setting them is the way to go on with what another tab has stored. */
  get tokens(): Partial<Tokens> {
    return this.#session.tokens
  }

  set tokens(tokens: Partial<Tokens>) {
    this.#session.useTokens(tokens)
  }

  /**
   * Makes a user; `signIn` comes next, where the application asks for no confirmation.
   * @throws {DuplicateError} if the username or e-mail address is taken. {ValidationError} for a weak password.
   */
  signUp(
    user: NewUserOf<S>,
    { idempotencyKey = newKey(), ...options }: OnceOptions = {},
  ): Promise<UserOf<S>> {
    const path = `${this.#path}/users`
    return this.#session.one({ ...options, method: 'POST', path, body: user, idempotencyKey })
  }

  /**
   * Signs a user in, resolves with the user, and keeps the tokens for all later calls of this client.
   * @throws {AuthenticationError} `invalid_grant` if the user is unknown, the password wrong, or the user not active.
   * @throws {SecondFactorRequired} to go on with. {SecondFactorEnrolmentRequired} where the user must set up one.
   */
  signIn({ ttl, refresh, ...proof }: SignIn, options?: CallOptions): Promise<UserOf<S>> {
    return this.#entrance.enter({ grant_type: 'password', ...proof }, { ttl, refresh, ...options })
  }

  /** Signs in whoever `use` finds a passkey of. */
  signInWithPasskey(use: UsePasskey, options?: SignInOptions): Promise<UserOf<S>> {
    return this.#entrance.enterWithPasskey(use, options)
  }

  /**
   * Begins to sign in with a provider of the application: send the browser to the `url`. It comes back to
   * `redirectUri`, which the application must know, and there `exchangeCode` goes on.
   */
  async signInWith(provider: string, { redirectUri }: { redirectUri: string }): Promise<PendingSignIn> {
    const start = `${this.#session.baseUrl}${this.#path}/auth/${segment(provider)}/start`
    return (await providers()).beginAt(start, redirectUri)
  }

  /**
   * The same on a page of the server itself, `authorize`, which asks for password and second factor. `clientId` is that of
   * the application.
   */
  async signInOnPage({
    redirectUri,
    clientId,
  }: {
    redirectUri: string
    clientId: string
  }): Promise<PendingSignIn> {
    const start = `${this.#session.baseUrl}${this.#path}/authorize`
    return (await providers()).beginAt(start, redirectUri, { response_type: 'code', client_id: clientId })
  }

  /**
   * Signs in with what the browser has come back with, at the address it is at then.
   * @throws {AuthenticationError} `state_mismatch`, `invalid_grant`, or what the provider refused with.
   */
  async exchangeCode(address: string, pending: PendingSignIn, options?: SignInOptions): Promise<UserOf<S>> {
    const returned = (await providers()).grantOf(address, pending)
    if ('refusal' in returned) throw new AuthenticationError(returned.refusal)
    return this.#entrance.enter(returned.grant, options)
  }

  /** Signs in with an ID token that a provider's own library got, for the `nonce` that it was asked with. */
  signInWithIdToken(
    provider: string,
    { idToken, nonce }: { idToken: string; nonce: string },
    options?: SignInOptions,
  ): Promise<UserOf<S>> {
    const path = `${this.#path}/auth/${segment(provider)}`
    return this.#entrance.enter({ id_token: idToken, nonce }, options, path)
  }

  /** Ends the sign-in on the server, with `everywhere` all of the user, and forgets the tokens in any case. */
  signOut(options?: LeaveOptions): Promise<void> {
    return this.#entrance.leave(options)
  }

  /** Where the user is signed in. */
  signIns(options?: CallOptions): Promise<ActiveSignIn[]> {
    return this.#entrance.signIns(options)
  }

  /** Ends one of them, with its tokens, at once. */
  endSignIn(id: string, options?: CallOptions): Promise<void> {
    return this.#entrance.end(id, options)
  }

  /**
   * Ends all other sign-ins of the user.
   * @throws {AuthenticationError} `auth_invalid_username_or_password` if the old password is wrong.
   */
  changePassword(oldPassword: string, newPassword: string, options?: CallOptions): Promise<void> {
    return this.#entrance.changePassword(oldPassword, newPassword, options)
  }

  /** Has a mail with a link sent, to choose a new password by; resolves also where nobody has that address. */
  requestPasswordReset(
    email: string,
    { captcha, ...options }: CallOptions & { captcha?: string } = {},
  ): Promise<void> {
    return this.#entrance.requestPasswordReset(email, captcha, options)
  }

  /** Sets a new password with the uuid and token of such a link, in a page of your own. @throws {ValidationError} */
  resetPassword(user: string, token: string, password: string, options?: CallOptions): Promise<void> {
    return this.#entrance.resetPassword(user, token, password, options)
  }

  /** The second factors of whoever is signed in. */
  get factors(): Factors {
    return this.#entrance.factors
  }

  /** Those of another user, which administrators of the application may see and remove. */
  factorsOf(user: Ref): Factors {
    return new Factors(this.#session, `${this.#path}/users/${segmentOf(user)}`)
  }

  /** The user who is signed in. */
  me(options?: CallOptions): Promise<UserOf<S>> {
    return this.#session.one({ ...options, method: 'GET', path: `${this.#path}/users/me` })
  }

  /**
   * Whether this client may do something, which is not done. `at` is an entity, or a path below the application as
   * `request` takes it. False also where that depends on an entity that is not there.
   * @throws {ValidationError} for what no permission string decides about.
   */
  async can(method: Asked, at: Questioned, options?: CallOptions): Promise<boolean> {
    return (await this.explain(method, at, options)).allowed
  }

  /**
   * Why this client may do something or not; for administrators of the application, why the `user` may: a username,
   * e-mail address or uuid, or `guest`.
   * @throws {PermissionError} for others who ask about a user.
   */
  explain(
    method: Asked,
    at: Questioned,
    { user, ...options }: CallOptions & { user?: string } = {},
  ): Promise<Explanation> {
    return readExplanation(this.#session, this.#path, { method, at, user }, options)
  }

  /**
   * Any other request to the application, resolving with the body of the reply. `path` begins with a slash, is
   * percent-encoded, and is relative to the application.
   */
  request<T = Envelope>(method: Call['method'], path: string, options?: RequestOptions): Promise<T> {
    return this.#session.send<T>({ ...options, method, path: this.#path + path })
  }

  #verb(place: Place, verb: string, direction = ''): string {
    return `${this.#path}${pathOf(place)}${direction}/${segment(verb)}`
  }
}
