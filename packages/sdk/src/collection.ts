import type { Call, CallOptions, Envelope, OnceOptions } from './call.js'
import { type Ref, segment, segmentOf } from './entity.js'
import { etagOf } from './entity-tag.js'
import { ConflictError, type FieldProblem, NotFoundError, unexpectedReply } from './errors.js'
import { newKey } from './idempotency-key.js'
import { isCounting, isRelative } from './operators.js'
import { type Page, readAll, readPage } from './page.js'
import { Query, type QueryInput, type RawQuery, rawQuery } from './query.js'
import type { EntityOf, MergePatchOf, NameOf, NewOf, PatchOf, QueryableOf, Schema } from './schema.js'
import type { Session } from './session.js'
import { conditionOf, type WriteOptions, writeOne } from './write.js'

/** What became of each of many entities. */
export interface CreatedMany<T> {
  /** In the order of the request, without those that failed. */
  created: T[]
  failed: Failure[]
}

export interface Failure {
  /** Place in the request, from 0. */
  index: number
  code: string
  message: string
  fields?: FieldProblem[]
}

export interface ModifyOptions extends CallOptions {
  /** How often to try at most. Default 10. */
  attempts?: number
}

interface WireFailure {
  index: number
  error: string
  error_description: string
  fields?: FieldProblem[]
}

/** The most that the server changes in one request. */
const MOST = 1000

/** One collection of an application. Every method rejects with an `EntigridError`. */
export class Collection<S extends Schema, C extends NameOf<S>, E = EntityOf<S, C>, Q = QueryableOf<S, C>> {
  readonly #session: Session
  readonly #path: string

  constructor(
    session: Session,
    application: string,
    readonly name: C,
  ) {
    this.#session = session
    this.#path = `${application}/${segment(name)}`
  }

  /** @throws {DuplicateError} if the name, or another unique property, is taken. */
  async create(properties: NewOf<S, C>, options?: OnceOptions): Promise<E> {
    return this.#session.one(this.#post(properties, options))
  }

  /** Creates what can be created; one failing entity does not keep the others out. */
  async createMany(list: readonly NewOf<S, C>[], options?: OnceOptions): Promise<CreatedMany<E>> {
    const call = this.#post(list, options)
    const reply = await this.#session.send<Envelope<E> & { failed?: WireFailure[] }>(call)
    return { created: reply.entities ?? [], failed: (reply.failed ?? []).map(failureOf) }
  }

  /**
   * Creates an entity under a name or uuid of the caller's choice.
   * @throws {ConflictError} `precondition_failed` if there is one already; it is the error's `theirs`.
   */
  async createAs(ref: string, properties: NewOf<S, C>, options?: CallOptions): Promise<E> {
    const call: Call = { ...options, method: 'PUT', path: this.#pathOf(ref), body: properties }
    return writeOne(this.#session, ref, { ...call, ifNoneMatch: '*', repeatable: true })
  }

  /** @throws {NotFoundError} `entity_not_found`. */
  async get(ref: Ref, options?: CallOptions): Promise<E> {
    return this.#session.one({ ...options, method: 'GET', path: this.#pathOf(ref) })
  }

  /** The entity as it is now: the same object if it has not changed, of which only word is sent, or a new one. */
  async refresh(entity: E & { readonly uuid: string }, options?: CallOptions): Promise<E> {
    const call: Call = { ...options, method: 'GET', path: this.#pathOf(entity) }
    const { status, body } = await this.#session.reply<Envelope<E>>({ ...call, ifNoneMatch: etagOf(entity) })
    if (status === 304) return entity
    return body.entities?.[0] ?? failed(status)
  }

  /** A query to keep and extend. */
  query(): Query<Q, E> {
    return new Query<Q, E>()
  }

  /** One page, by default of 10, newest first. */
  async find<R = E>(query?: QueryInput<Q, E, R>, options?: CallOptions): Promise<Page<R>> {
    return readPage<R>(this.#session, this.#path, rawQuery(query), options)
  }

  /** Every match, read page by page; `limit` is the size of a page, by default 100. */
  all<R = E>(query?: QueryInput<Q, E, R>, options?: CallOptions): AsyncGenerator<R, void, undefined> {
    return readAll<R>(this.#session, this.#path, rawQuery(query), options)
  }

  /**
   * Replaces the properties given and leaves the others; objects and arrays are replaced whole. Creates the entity,
   * under the uuid or name given, if there is none. Of an entity that was read by itself, only that state is changed,
   * unless all changes are relative: `inc`, `add`, `addUnique` and `remove`.
   * @throws {ConflictError} `precondition_failed` if it is not in that state any more.
   */
  async update(ref: Ref, changes: PatchOf<S, C>, options?: WriteOptions): Promise<E> {
    return this.#change('PUT', ref, changes, isRelative(changes, 'top'), options)
  }

  /**
   * Merges changes into the entity: objects at every depth, and `null` removes (RFC 7396). Of an entity that was read by
   * itself, only that state is changed, as by `update`.
   * @throws {NotFoundError} `service_resource_not_found`.
   * @throws {ConflictError} `precondition_failed`.
   */
  async patch(ref: Ref, changes: MergePatchOf<S, C>, options?: WriteOptions): Promise<E> {
    return this.#change('PATCH', ref, changes, isRelative(changes, 'any'), options)
  }

  /**
   * Reads an entity, asks for changes of it, and updates it if nobody else has in the meantime; else it begins again.
   * Without changes, nothing is written. Resolves with the entity as it is then.
   * @throws {ConflictError} `precondition_failed` when others came first at each attempt.
   */
  async modify(
    ref: Ref,
    change: (entity: E) => PatchOf<S, C> | undefined | Promise<PatchOf<S, C> | undefined>,
    { attempts = 10, ...options }: ModifyOptions = {},
  ): Promise<E> {
    return this.#session.within(options, async (rest) => {
      let entity: E = await this.get(ref, rest())
      for (let attempt = 1; ; attempt++) {
        const changes = await change(entity)
        if (changes === undefined) return entity
        try {
          return await this.update(entity as E & { uuid: string }, changes, { ...rest(), ifMatch: true })
        } catch (error) {
          if (!(error instanceof ConflictError && error.theirs) || attempt >= attempts) throw error
          entity = error.theirs as E
        }
      }
    })
  }

  /** Updates up to 1,000 matches at once and resolves with them. */
  async updateWhere(query: QueryInput<Q, E, E>, changes: PatchOf<S, C>, options?: CallOptions): Promise<E[]> {
    const { ql } = matching(query)
    const call: Call = { ...options, method: 'PUT', path: this.#path, query: { ql }, body: changes }
    try {
      return (await this.#session.send<Envelope<E>>(call)).entities ?? []
    } catch (error) {
      // The server's word for "no match".
      if (error instanceof NotFoundError && error.code === 'service_resource_not_found') return []
      throw error
    }
  }

  /**
   * Resolves with the entity as it was. With `ifMatch: true`, only the state at hand is deleted. Where a reply was lost
   * and the request repeated, the second may not find what the first has deleted.
   * @throws {NotFoundError} `service_resource_not_found`.
   */
  async delete(ref: Ref, { ifMatch = false, ...options }: WriteOptions = {}): Promise<E> {
    const call: Call = { ...options, method: 'DELETE', path: this.#pathOf(ref), repeatable: true }
    return writeOne(this.#session, ref, { ...call, ifMatch: conditionOf(ref, ifMatch, false) })
  }

  /** Deletes up to `limit` matches, by default 1,000, at once and resolves with them. */
  async deleteWhere(query: QueryInput<Q, E, E>, options?: CallOptions): Promise<E[]> {
    const { ql, limit = MOST } = matching(query)
    const call: Call = { ...options, method: 'DELETE', path: this.#path, query: { ql, limit } }
    return (await this.#session.send<Envelope<E>>(call)).entities ?? []
  }

  /** How many entities there are, or match: one request, of which only the number comes back. */
  async count(query?: QueryInput<Q, E, E>, options?: CallOptions): Promise<number> {
    const raw: RawQuery = { ...rawQuery(query), cursor: undefined, limit: 1, count: 'total' }
    return (await readPage(this.#session, this.#path, raw, options)).total ?? failed(200)
  }

  #post(body: unknown, { idempotencyKey = newKey(), ...options }: OnceOptions = {}): Call {
    return { ...options, method: 'POST', path: this.#path, body, idempotencyKey }
  }

  /** Repeating it is safe under a condition, which fails if it was carried out, or if it does the same again. */
  async #change(
    method: 'PUT' | 'PATCH',
    ref: Ref,
    body: object,
    isRelative: boolean,
    { ifMatch, ...options }: WriteOptions = {},
  ): Promise<E> {
    const condition = conditionOf(ref, ifMatch, !isRelative)
    return writeOne(this.#session, ref, {
      ...options,
      method,
      path: this.#pathOf(ref),
      body,
      ifMatch: condition,
      repeatable: condition !== undefined || !isCounting(body),
    })
  }

  #pathOf(ref: Ref): string {
    return `${this.#path}/${segmentOf(ref)}`
  }
}

/** Blank text would reach more than was meant: to the server it is no query at all. */
const matching = <Q, E>(query: QueryInput<Q, E, E>): RawQuery => {
  const raw = rawQuery(query)
  if (!raw.ql?.trim()) throw new TypeError('A change of many entities needs a query; all are "select *"')
  return raw
}

const failureOf = ({ index, error, error_description, fields }: WireFailure): Failure => ({
  index,
  code: error,
  message: error_description,
  ...(fields && { fields }),
})

const failed = (status: number): never => {
  throw unexpectedReply(status)
}
