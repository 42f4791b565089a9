import { type Asked, type Explanation, type Questioned, readExplanation } from './access.js'
import { Batch, type Settled } from './batch.js'
import type { Call, CallOptions, Envelope, OnceOptions, RequestOptions } from './call.js'
import { Collection } from './collection.js'
import { type Entity, type Place, pathOf, segment, type UserProperties } from './entity.js'
import { newKey } from './idempotency-key.js'
import { type Page, readAll, readPage } from './page.js'
import { type QueryInput, rawQuery } from './query.js'
import type {
  AnySchema,
  EntityOf,
  NameOf,
  QueryableOf,
  Schema,
  SourceOf,
  TargetOf,
  VerbFrom,
  VerbTo,
} from './schema.js'
import { Session, type SessionOptions, type Target } from './session.js'

export type ClientOptions<S extends Schema = AnySchema> = Target &
  SessionOptions & {
    organization: string
    application: string
    /** Gives types; see `defineSchema`. */
    schema?: S
  }

/** A client of one application. It holds no connection and needs no closing. */
export const createClient = <S extends Schema = AnySchema>(options: ClientOptions<S>): Client<S> =>
  new Client<S>(new Session(options), `/${segment(options.organization)}/${segment(options.application)}`)

export interface SignIn {
  /** Username or e-mail address. */
  username: string
  password: string
  /** Milliseconds the token lives; at most, and by default, what the application allows. */
  ttl?: number
}

/** The user collection as the schema declares it, or the built-in one. */
type UserOf<S extends Schema> =
  'users' extends NameOf<S> ? EntityOf<S, 'users'> : Entity<UserProperties, 'users'>

export class Client<S extends Schema> {
  readonly #session: Session
  readonly #path: string

  constructor(session: Session, path: string) {
    this.#session = session
    this.#path = path
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
    return this.#session.token
  }

  set token(token: string | undefined) {
    this.#session.useToken(token)
  }

  /** When the token of the last sign-in expires, in UTC milliseconds. */
  get tokenExpiresAt(): number | undefined {
    return this.#session.expiresAt
  }

  /**
   * Signs a user in, resolves with the user, and keeps the token for all later calls of this client.
   * @throws {AuthenticationError} `invalid_grant` if the user is unknown, the password wrong, or the user not active.
   */
  async signIn({ username, password, ttl }: SignIn, options?: CallOptions): Promise<UserOf<S>> {
    const credentials = { grant_type: 'password', username, password, ttl }
    return (await this.#session.signIn(`${this.#path}/token`, credentials, options)).user as UserOf<S>
  }

  /** Forgets the token; with `everywhere`, ends all tokens of the user on the server first. */
  async signOut({
    everywhere = false,
    ...options
  }: CallOptions & { everywhere?: boolean } = {}): Promise<void> {
    try {
      if (everywhere) await this.request('PUT', '/users/me/revoketokens', options)
    } finally {
      this.#session.useToken(undefined)
    }
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
