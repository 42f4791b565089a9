import { AppError, illegalArgument, resourceNotFound } from '../domain/errors.js'
import type { JsonObject } from '../domain/json.js'
import { typeName } from '../domain/names.js'
import type { Filter, Query } from '../domain/query/ast.js'
import { matches } from '../domain/query/evaluate.js'
import { isQueryable } from '../domain/queryable.js'
import { isUuid } from '../domain/uuid.js'
import { HIDDEN_VERB } from '../domain/verbs.js'
import type {
  CollectionSettings,
  Listing,
  ListRequest,
  QueryWarning,
  Store,
  StoredEntity,
} from '../storage/store.js'
import type { Descriptor, Descriptors } from './descriptor.js'
import { aliasesFor, Edits, missing } from './edits.js'

/** One page of a listing that was asked for with a query. */
export interface PageRequest {
  query: Query
  limit: number
  cursor: string | null
  /** What a cursor belongs to beside the query, when the entity or collection that is listed does not say it. */
  scope?: string | undefined
}

/** What became of each element of a batch: the created entities, and why the others were not. */
export interface Batch {
  created: StoredEntity[]
  failed: { index: number; error: AppError }[]
}

/** Which connections of an entity to follow. */
export interface Hop {
  /** `null` for all verbs. */
  verb: string | null
  direction: 'out' | 'in'
  /** Only entities of this collection. */
  collection: string | null
}

/** Entities that one PUT or DELETE by query changes at most. */
export const MAX_BULK = 1000
/** Elements of one batch. */
export const MAX_BATCH = 1000

/** What is true of entities of every type, in one application. */
export class Engine {
  readonly #store: Store
  readonly #descriptors: Descriptors

  constructor(store: Store, descriptors: Descriptors) {
    this.#store = store
    this.#descriptors = descriptors
  }

  get store(): Store {
    return this.#store
  }

  descriptor(collection: string): Descriptor {
    return this.#descriptors.of(collection)
  }

  typeOf(collection: string): string {
    return typeName(collection)
  }

  /** Names of the built-in collections. */
  get builtIn(): string[] {
    return this.#descriptors.names
  }

  /** Runs changes together. `work` is synchronous and may run more than once, see `Store.transact`. */
  transact<T>(app: number, principal: string | null, work: (edits: Edits) => T): Promise<T> {
    return this.#store.transact(principal, (transaction) =>
      work(new Edits(transaction, app, this.#descriptors)),
    )
  }

  /** The entity that a path segment means, or `null`. */
  async find(app: number, collection: string, ref: string): Promise<StoredEntity | null> {
    if (isUuid(ref)) return this.#store.get(app, collection, ref.toLowerCase())
    for (const property of aliasesFor(this.descriptor(collection), ref)) {
      const found = await this.#store.find(app, collection, property, ref)
      if (found !== null) return found
    }
    return null
  }

  /** @throws {AppError} `entity_not_found`, or `service_resource_not_found` for a user by name. */
  async get(app: number, collection: string, ref: string): Promise<StoredEntity> {
    const entity = await this.find(app, collection, ref)
    if (entity === null) throw missing(this.descriptor(collection), ref)
    return entity
  }

  /** @throws {AppError} `query_too_broad`, `illegal_argument` for a foreign cursor. */
  async list(app: number, collection: string, page: PageRequest): Promise<Listing> {
    if (page.query.direct !== null) return this.#direct(app, collection, page.query.direct)
    return this.#store.list(app, collection, await this.#listRequest(app, collection, page))
  }

  async #listRequest(
    app: number,
    collection: string,
    { query, limit, cursor }: PageRequest,
  ): Promise<ListRequest> {
    return { ...(await this.#visible(app, collection, query)), limit, cursor, scope: collection }
  }

  /** What the settings of a collection leave out is neither found nor sorted by. */
  async #visible(
    app: number,
    collection: string | null,
    { filter, sort }: Query,
  ): Promise<Pick<ListRequest, 'filter' | 'sort'>> {
    const info = collection === null ? null : await this.#store.collectionInfo(app, collection)
    const settings = info?.settings ?? null
    return {
      filter: visibleFilter(filter, settings),
      sort: sort.filter(({ path }) => isQueryable(settings?.fields, path)),
    }
  }

  /** What a hop leads to, from one entity or from several: then each far end is listed once. */
  async connected(
    app: number,
    source: StoredEntity | readonly StoredEntity[],
    hop: Hop,
    { query, limit, cursor, scope = uuidsOf(source) }: PageRequest,
  ): Promise<Listing> {
    const asked = await this.#visible(app, hop.collection, query)
    const request = { ...hop, ...asked, source, limit, cursor, scope: hopScope(scope, hop) }
    if (query.direct === null) return this.#store.connected(app, request)
    const { items } = await this.#direct(app, hop.collection, query.direct)
    return this.#store.connected(app, { ...request, among: items })
  }

  /** What would be slow about `list`. */
  async analyse(app: number, collection: string, page: PageRequest): Promise<QueryWarning[]> {
    const request = await this.#listRequest(app, collection, page)
    return page.query.direct === null ? this.#store.analyse(app, collection, request) : []
  }

  /** What would be slow about `connected`. */
  async analyseConnected(
    app: number,
    sources: readonly StoredEntity[],
    hop: Hop,
    { query, limit, cursor }: PageRequest,
  ): Promise<QueryWarning[]> {
    const asked = await this.#visible(app, hop.collection, query)
    const request = { ...hop, ...asked, source: sources, limit, cursor, scope: '' }
    return query.direct === null ? this.#store.analyseConnected(app, request) : []
  }

  /** Which of the sources a hop leads from to the other entity, or `null` if none. */
  async sourceOf(
    sources: readonly StoredEntity[],
    hop: Hop,
    other: StoredEntity,
  ): Promise<StoredEntity | null> {
    const page = { filter: null, sort: [], limit: 1, cursor: null, scope: '' }
    const request = { ...hop, ...page, source: sources, collection: null, among: [other] }
    const found = (await this.#store.connected(other.app, request)).sources?.[0]
    return sources.find(({ id }) => id === found) ?? null
  }

  async create(
    app: number,
    principal: string | null,
    collection: string,
    body: JsonObject,
  ): Promise<StoredEntity> {
    const secured = await this.#secure(collection, body)
    return this.transact(app, principal, (edits) => this.#created(edits, collection, body, secured))
  }

  /** Elements that cannot be created are reported and do not keep the others from being stored. */
  async createMany(
    app: number,
    principal: string | null,
    collection: string,
    bodies: readonly unknown[],
  ): Promise<Batch> {
    checkBatch(bodies)
    const prepared = await Promise.all(
      bodies.map(async (body) => {
        try {
          return { body: asObject(body), secured: await this.#secure(collection, body as JsonObject) }
        } catch (error) {
          return { error: callerError(error) }
        }
      }),
    )
    return this.transact(app, principal, (edits) => {
      const batch: Batch = { created: [], failed: [] }
      edits.each(prepared, (element, index) => {
        try {
          if ('error' in element) throw element.error
          batch.created.push(
            edits.attempt(() => this.#created(edits, collection, element.body, element.secured)),
          )
        } catch (error) {
          batch.failed.push({ index, error: callerError(error) })
        }
      })
      return batch
    })
  }

  /** For entities that are created within a larger transaction: does what must come before it. */
  async prepareMany(
    collection: string,
    bodies: readonly JsonObject[],
  ): Promise<((edits: Edits) => StoredEntity)[]> {
    checkBatch(bodies)
    return Promise.all(
      bodies.map(async (body) => {
        const secured = await this.#secure(collection, body)
        return (edits: Edits) => this.#created(edits, collection, body, secured)
      }),
    )
  }

  /** Updates the entity, or creates it under the uuid or name given. */
  async put(
    app: number,
    principal: string | null,
    collection: string,
    ref: string,
    body: JsonObject,
  ): Promise<StoredEntity> {
    const secured =
      this.descriptor(collection).secure === undefined
        ? null
        : await this.#secureNew(app, collection, ref, body)
    return this.transact(app, principal, (edits) => {
      const isNew = edits.find(collection, ref) === null
      const entity = edits.put(collection, ref, body)
      if (isNew) secured?.(edits, entity)
      return entity
    })
  }

  remove(app: number, principal: string | null, collection: string, ref: string): Promise<StoredEntity> {
    return this.transact(app, principal, (edits) => edits.remove(collection, ref))
  }

  /** Lays `body` over every match, together. @throws {AppError} `service_resource_not_found` when nothing matches. */
  async updateWhere(
    app: number,
    principal: string | null,
    collection: string,
    query: Query,
    body: JsonObject,
  ): Promise<StoredEntity[]> {
    const { filter } = await this.#visible(app, collection, query)
    const { items } = await this.list(app, collection, { query, limit: MAX_BULK, cursor: null })
    const updated = await this.transact(app, principal, (edits) =>
      edits.each(this.#still(edits, collection, filter, items), (entity) => edits.update(entity, body)),
    )
    if (updated.length === 0) throw resourceNotFound()
    return updated
  }

  /** Removes the matches of one page, together; returns what was removed. */
  async removeWhere(
    app: number,
    principal: string | null,
    collection: string,
    page: PageRequest,
  ): Promise<StoredEntity[]> {
    const { filter } = await this.#visible(app, collection, page.query)
    const { items } = await this.list(app, collection, page)
    return this.transact(app, principal, (edits) => {
      const entities = this.#still(edits, collection, filter, items)
      edits.each(entities, (entity) => edits.tx.remove(entity))
      return entities
    })
  }

  async #secure(collection: string, body: JsonObject): Promise<Secured> {
    return (await this.descriptor(collection).secure?.(body)) ?? null
  }

  async #secureNew(app: number, collection: string, ref: string, body: JsonObject): Promise<Secured> {
    return (await this.find(app, collection, ref)) === null ? this.#secure(collection, body) : null
  }

  #created(edits: Edits, collection: string, body: JsonObject, secured: Secured): StoredEntity {
    const entity = edits.create(collection, body)
    secured?.(edits, entity)
    return entity
  }

  /** Those that are still there and still match, now that nobody else can change them. */
  #still(
    edits: Edits,
    collection: string,
    filter: Filter | null,
    items: readonly StoredEntity[],
  ): StoredEntity[] {
    const current = edits.each(items, ({ uuid }) => edits.tx.get(collection, uuid))
    return current.filter(
      (entity) => entity !== null && (filter === null || matches(filter, entity.object)),
    ) as StoredEntity[]
  }

  /** Of any collection, entities are known by their uuids alone. */
  async #direct(app: number, collection: string | null, refs: readonly string[]): Promise<Listing> {
    const uuids = refs.filter(isUuid)
    const names = collection === null ? [] : refs.filter((ref) => !isUuid(ref))
    const byUuid = await this.#store.getMany(
      app,
      uuids.map((uuid) => uuid.toLowerCase()),
    )
    const byName =
      collection === null
        ? []
        : await this.#store.findMany(app, collection, this.descriptor(collection).alias[0] ?? 'name', names)
    const found = new Map<string, StoredEntity | null>()
    for (const [i, uuid] of uuids.entries())
      found.set(
        uuid,
        collection === null || byUuid[i]?.collection === collection ? (byUuid[i] ?? null) : null,
      )
    for (const [i, name] of names.entries()) found.set(name, byName[i] ?? null)
    const items = refs.map((ref) => found.get(ref) ?? null).filter((item) => item !== null)
    return {
      items: [...new Map(items.map((item) => [item.id, item])).values()],
      distances: null,
      cursor: null,
    }
  }
}

type Secured = Awaited<ReturnType<NonNullable<Descriptor['secure']>>>

const checkBatch = ({ length }: readonly unknown[]): void => {
  if (length > MAX_BATCH) throw illegalArgument(`A batch has at most ${MAX_BATCH} elements`)
}

const callerError = (error: unknown): AppError => {
  if (error instanceof AppError) return error
  throw error
}

/** @throws {AppError} `illegal_argument` when a body or an element of a batch is no JSON object. */
export const asObject = (body: unknown): JsonObject => {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as JsonObject
  throw new AppError('illegal_argument', 'An entity is written as a JSON object')
}

const uuidsOf = (source: StoredEntity | readonly StoredEntity[]): string =>
  'uuid' in source ? source.uuid : source.map(({ uuid }) => uuid).join()

const hopScope = (scope: string, { direction, verb, collection }: Hop): string =>
  `${scope}/${direction}/${verb ?? '*'}/${collection ?? '*'}`

const NEVER: Filter = { kind: 'or', items: [] }

/** Comparisons with properties that the collection's settings leave out match nothing. */
const visibleFilter = (filter: Filter | null, settings: CollectionSettings | null): Filter | null => {
  if (filter === null || settings?.fields === undefined || settings.fields === 'all') return filter
  if (settings.fields === 'none') return NEVER
  if ('items' in filter) {
    return { ...filter, items: filter.items.map((item) => visibleFilter(item, settings) as Filter) }
  }
  if (filter.kind === 'not') return { kind: 'not', item: visibleFilter(filter.item, settings) as Filter }
  return isQueryable(settings.fields, filter.path) ? filter : NEVER
}

export const isVisibleVerb = (verb: string): boolean => !verb.startsWith(HIDDEN_VERB)
