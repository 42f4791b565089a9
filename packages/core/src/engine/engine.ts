import { AppError, illegalArgument, resourceNotFound } from '../domain/errors.js'
import { isJsonObject, type JsonObject } from '../domain/json.js'
import type { Limits } from '../domain/limits.js'
import { typeName } from '../domain/names.js'
import type { Query } from '../domain/query/ast.js'
import { both } from '../domain/query/combine.js'
import { matches } from '../domain/query/evaluate.js'
import { isUuid } from '../domain/uuid.js'
import { HIDDEN_VERB } from '../domain/verbs.js'
import type { Listing, ListRequest, QueryWarning, Store, StoredEntity } from '../storage/store.js'
import type { Descriptor, Descriptors } from './descriptor.js'
import { Edits, missing, securedKey } from './edits.js'
import { Preparations } from './preparations.js'
import { aliasesFor, Reads, spellings } from './reads.js'
import { ALL_SIGHT, reachable, type Sight, visibleIn, visibleInAll } from './visible.js'

/** One page of a listing that was asked for with a query. */
export interface PageRequest {
  query: Query
  limit: number
  cursor: string | null
  /** What a cursor belongs to beside the query, when the entity or collection that is listed does not say it. */
  scope?: string | undefined
  /** What the asker may see; everything when absent. */
  sight?: Sight | undefined
}

type Asked = Pick<PageRequest, 'query' | 'sight'>

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

const EVERYTHING: Query = { projection: null, filter: null, direct: null, sort: [] }
const PAGE = 1000

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

  get limits(): Limits {
    return this.#descriptors.limits
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
  transact<T>(
    app: number,
    principal: string | null,
    work: (edits: Edits) => T,
    preparations = new Preparations(),
  ): Promise<T> {
    return preparations.supply(() =>
      this.#store.transact(principal, (transaction) =>
        work(new Edits(transaction, app, this.#descriptors, preparations)),
      ),
    )
  }

  /**
   * Does what must be done before entities with these bodies can be created, all of it at once. Without this a
   * transaction does it for one entity after the other.
   */
  async prepare(app: number, collection: string, bodies: readonly unknown[]): Promise<Preparations> {
    const preparations = new Preparations()
    const { secure } = this.descriptor(collection)
    if (secure === undefined) return preparations
    const objects = bodies.filter(isJsonObject)
    await Promise.all(
      objects.map((body) => preparations.prepare(securedKey(app, collection, body), () => secure(body, app))),
    )
    return preparations
  }

  /** Runs `work`, a pure function of what it looks up, outside a transaction; at once where that is nothing. */
  look<T>(app: number, work: (reads: Reads) => T): T | Promise<T> {
    return this.#store.look(app, (lookup) => work(new Reads(lookup, this.#descriptors)))
  }

  /** The entity that a path segment means, or `null`. */
  async find(app: number, collection: string, ref: string): Promise<StoredEntity | null> {
    if (isUuid(ref)) return this.#store.get(app, collection, ref.toLowerCase())
    const descriptor = this.descriptor(collection)
    for (const property of aliasesFor(descriptor, ref))
      for (const name of spellings(descriptor, property, ref)) {
        const found = await this.#store.find(app, collection, property, name)
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
    if (page.query.direct !== null) return this.#direct(app, collection, page.query.direct, page.sight)
    return this.#store.list(app, collection, await this.#listRequest(app, collection, page))
  }

  async #listRequest(
    app: number,
    collection: string,
    { query, limit, cursor, sight }: PageRequest,
  ): Promise<ListRequest> {
    const asked = await this.#visible(app, collection, query, sight)
    return { ...asked, limit, cursor, scope: collection, isListed: sight?.isListed }
  }

  /** What may be asked of a collection, or of all of an application's, by their settings and by who asks. */
  async #visible(
    app: number,
    collection: string | null,
    query: Query,
    { within, hidden }: Sight = ALL_SIGHT,
  ): Promise<Pick<ListRequest, 'filter' | 'sort' | 'within'>> {
    if (query.filter === null && query.sort.length === 0 && within === null)
      return { filter: null, sort: [], within }
    if (collection === null)
      return { ...visibleInAll(query, await this.#store.settings(app), hidden), within }
    const settings = (await this.#store.collectionInfo(app, collection))?.settings ?? null
    return { ...visibleIn(query, collection, settings, hidden), within: reachable(within, settings) }
  }

  /** What a hop leads to, from one entity or from several: then each far end is listed once. */
  async connected(
    app: number,
    source: StoredEntity | readonly StoredEntity[],
    hop: Hop,
    { query, limit, cursor, scope = uuidsOf(source), sight }: PageRequest,
  ): Promise<Listing> {
    const asked = await this.#visible(app, hop.collection, query, sight)
    const own = { source, limit, cursor, scope: hopScope(scope, hop), isListed: sight?.isListed }
    const request = { ...hop, ...asked, ...own }
    if (query.direct === null) return this.#store.connected(app, request)
    const { items } = await this.#direct(app, hop.collection, query.direct, sight)
    return this.#store.connected(app, { ...request, among: items })
  }

  /** All that a hop leads to, the newest connection first, however many there are. */
  async everyConnected(app: number, source: StoredEntity, hop: Hop): Promise<StoredEntity[]> {
    const items: StoredEntity[] = []
    let cursor: string | null = null
    do {
      const page: Listing = await this.connected(app, source, hop, { query: EVERYTHING, limit: PAGE, cursor })
      items.push(...page.items)
      cursor = page.cursor
    } while (cursor !== null)
    return items
  }

  /** How many entities match. @throws {AppError} `query_too_broad` */
  async count(app: number, collection: string, { query, sight }: Asked): Promise<number> {
    if (query.direct !== null) return (await this.#direct(app, collection, query.direct, sight)).items.length
    const { filter, within } = await this.#visible(app, collection, query, sight)
    return this.#store.count(app, collection, filter, within)
  }

  /**
   * How many of the entities that a hop leads to match, and are accepted by `mayRead` where that is given; each
   * counts once. @throws {AppError} `query_too_broad`
   */
  async countConnected(
    app: number,
    source: StoredEntity | readonly StoredEntity[],
    hop: Hop,
    { query, sight }: Asked,
    mayRead: ((entity: StoredEntity) => boolean) | null = null,
  ): Promise<number> {
    const { filter, within = null } = await this.#visible(app, hop.collection, query, sight)
    const request = { ...hop, source, filter, within }
    if (query.direct === null) return this.#store.countConnected(app, request, mayRead)
    const { items } = await this.#direct(app, hop.collection, query.direct, sight)
    return this.#store.countConnected(app, { ...request, among: items }, mayRead)
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

  create(app: number, principal: string | null, collection: string, body: JsonObject): Promise<StoredEntity> {
    return this.transact(app, principal, (edits) => edits.create(collection, body))
  }

  /**
   * Changes every match, together. `asked.sight` says also which matches may be changed.
   * @throws {AppError} `service_resource_not_found` when nothing matches.
   */
  async updateWhere(
    app: number,
    principal: string | null,
    collection: string,
    asked: Asked,
    update: (edits: Edits, entity: StoredEntity) => StoredEntity,
  ): Promise<StoredEntity[]> {
    const visible = await this.#visible(app, collection, asked.query, asked.sight)
    const page = { ...asked, limit: this.limits.bulkEntities, cursor: null }
    const { items } = await this.list(app, collection, page)
    const updated = await this.transact(app, principal, (edits) =>
      edits.each(this.#still(edits, collection, visible, items), (entity) => update(edits, entity)),
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
    const visible = await this.#visible(app, collection, page.query, page.sight)
    const { items } = await this.list(app, collection, page)
    return this.transact(app, principal, (edits) => {
      const entities = this.#still(edits, collection, visible, items)
      edits.each(entities, (entity) => edits.tx.remove(entity))
      return entities
    })
  }

  /** Those that are still there and still match, now that nobody else can change them. */
  #still(
    edits: Edits,
    collection: string,
    { filter, within = null }: Pick<ListRequest, 'filter' | 'within'>,
    items: readonly StoredEntity[],
  ): StoredEntity[] {
    const wanted = both(filter, within)
    const current = edits.each(items, ({ uuid }) => edits.tx.get(collection, uuid))
    return current.filter(
      (entity) => entity !== null && (wanted === null || matches(wanted, entity.object)),
    ) as StoredEntity[]
  }

  /** Of any collection, entities are known by their uuids alone, as they are where their name is hidden. */
  async #direct(
    app: number,
    collection: string | null,
    refs: readonly string[],
    { within, hidden, isListed }: Sight = ALL_SIGHT,
  ): Promise<Listing> {
    const uuids = refs.filter(isUuid)
    const [alias = 'name'] = collection === null ? [] : this.descriptor(collection).alias
    const isNamed = collection !== null && hidden?.get(collection)?.hides(alias) !== true
    const names = isNamed ? refs.filter((ref) => !isUuid(ref)) : []
    const byUuid = await this.#store.getMany(
      app,
      uuids.map((uuid) => uuid.toLowerCase()),
    )
    const byName = collection === null ? [] : await this.#store.findMany(app, collection, alias, names)
    const found = new Map<string, StoredEntity | null>()
    for (const [i, uuid] of uuids.entries())
      found.set(
        uuid,
        collection === null || byUuid[i]?.collection === collection ? (byUuid[i] ?? null) : null,
      )
    for (const [i, name] of names.entries()) found.set(name, byName[i] ?? null)
    const items = refs
      .map((ref) => found.get(ref) ?? null)
      .filter((item) => item !== null)
      .filter((item) => (within === null || matches(within, item.object)) && (isListed?.(item) ?? true))
    return {
      items: [...new Map(items.map((item) => [item.id, item])).values()],
      distances: null,
      cursor: null,
    }
  }
}

/** @throws {AppError} `illegal_argument` for too many elements. */
export const checkBatch = ({ length }: readonly unknown[], { batchEntities }: Limits): void => {
  if (length > batchEntities) throw illegalArgument(`A batch has at most ${batchEntities} elements`)
}

/** @throws {AppError} `illegal_argument` when a body or an element of a batch is no JSON object. */
export const asObject = (body: unknown): JsonObject => {
  if (isJsonObject(body)) return body
  throw new AppError('illegal_argument', 'An entity is written as a JSON object')
}

const uuidsOf = (source: StoredEntity | readonly StoredEntity[]): string =>
  'uuid' in source ? source.uuid : source.map(({ uuid }) => uuid).join()

const hopScope = (scope: string, { direction, verb, collection }: Hop): string =>
  `${scope}/${direction}/${verb ?? '*'}/${collection ?? '*'}`

export const isVisibleVerb = (verb: string): boolean => !verb.startsWith(HIDDEN_VERB)
