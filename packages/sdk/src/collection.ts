import { type Ref, segment, segmentOf } from './entity.js'
import { type FieldProblem, NotFoundError } from './errors.js'
import { type Page, readAll, readPage } from './page.js'
import { Query, type QueryInput, type RawQuery, rawQuery } from './query.js'
import type { EntityOf, NameOf, NewOf, PatchOf, QueryableOf, Schema } from './schema.js'
import type { Call, CallOptions, Envelope, Session } from './session.js'

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
  readonly #application: string
  readonly #path: string

  constructor(
    session: Session,
    application: string,
    readonly name: C,
  ) {
    this.#session = session
    this.#application = application
    this.#path = `${application}/${segment(name)}`
  }

  /**
   * Never repeated by itself: a lost reply may mean that the entity was created.
   * @throws {DuplicateError} if the name, or another unique property, is taken.
   */
  async create(properties: NewOf<S, C>, options?: CallOptions): Promise<E> {
    return this.#session.one({ ...options, method: 'POST', path: this.#path, body: properties })
  }

  /** Creates what can be created; one failing entity does not keep the others out. */
  async createMany(list: readonly NewOf<S, C>[], options?: CallOptions): Promise<CreatedMany<E>> {
    const call: Call = { ...options, method: 'POST', path: this.#path, body: list }
    const reply = await this.#session.send<Envelope<E> & { failed?: WireFailure[] }>(call)
    return { created: reply.entities ?? [], failed: (reply.failed ?? []).map(failureOf) }
  }

  /** @throws {NotFoundError} `entity_not_found`. */
  async get(ref: Ref, options?: CallOptions): Promise<E> {
    return this.#session.one({ ...options, method: 'GET', path: this.#pathOf(ref) })
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
   * under the uuid or name given, if there is none.
   */
  async update(ref: Ref, patch: PatchOf<S, C>, options?: CallOptions): Promise<E> {
    return this.#session.one({
      ...options,
      method: 'PUT',
      path: this.#pathOf(ref),
      body: patch,
      repeatable: true,
    })
  }

  /** Updates up to 1,000 matches at once and resolves with them. */
  async updateWhere(query: QueryInput<Q, E, E>, patch: PatchOf<S, C>, options?: CallOptions): Promise<E[]> {
    const { ql } = matching(query)
    const call: Call = { ...options, method: 'PUT', path: this.#path, query: { ql }, body: patch }
    try {
      return (await this.#session.send<Envelope<E>>(call)).entities ?? []
    } catch (error) {
      // The server's word for "no match".
      if (error instanceof NotFoundError && error.code === 'service_resource_not_found') return []
      throw error
    }
  }

  /**
   * Resolves with the entity as it was. Where a reply was lost and the request repeated, the second may not find
   * what the first has deleted.
   * @throws {NotFoundError} `service_resource_not_found`.
   */
  async delete(ref: Ref, options?: CallOptions): Promise<E> {
    return this.#session.one({ ...options, method: 'DELETE', path: this.#pathOf(ref), repeatable: true })
  }

  /** Deletes up to `limit` matches, by default 1,000, at once and resolves with them. */
  async deleteWhere(query: QueryInput<Q, E, E>, options?: CallOptions): Promise<E[]> {
    const { ql, limit = MOST } = matching(query)
    const call: Call = { ...options, method: 'DELETE', path: this.#path, query: { ql, limit } }
    return (await this.#session.send<Envelope<E>>(call)).entities ?? []
  }

  /**
   * How many entities there are, or match. The first is one request, to which the caller needs the right to read
   * the application; the second reads all matches, 1,000 at a time.
   */
  async count(query?: QueryInput<Q, E, E>, options?: CallOptions): Promise<number> {
    if (query === undefined) return this.#size(options)
    let count = 0
    const raw = { ...rawQuery(query), limit: MOST }
    for await (const _ of readAll(this.#session, this.#path, raw, options)) count++
    return count
  }

  async #size(options?: CallOptions): Promise<number> {
    const call: Call = { ...options, method: 'GET', path: this.#application }
    const { entities = [] } = await this.#session.send<Envelope<ApplicationEntity>>(call)
    const name = this.name.toLowerCase()
    const collections = Object.values(entities[0]?.metadata?.collections ?? {})
    return collections.find(({ name: plural, type }) => plural === name || type === name)?.count ?? 0
  }

  #pathOf(ref: Ref): string {
    return `${this.#path}/${segmentOf(ref)}`
  }
}

interface ApplicationEntity {
  metadata?: { collections?: Record<string, { name: string; type: string; count: number }> }
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
