import { type Application, type Caller, isAppAdmin } from '../../api/caller.js'
import { isPermitted, permit } from '../../api/permit.js'
import { param, type Params } from '../../api/url.js'
import { AppError, illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { Json, JsonObject } from '../../domain/json.js'
import { readLimit } from '../../domain/page.js'
import type { Verb } from '../../domain/permission.js'
import { decodeQuery, parseQuery } from '../../domain/query/parse.js'
import type { Query } from '../../domain/query/ast.js'
import { isUuid } from '../../domain/uuid.js'
import { asObject, type Batch, type Engine, type Hop } from '../../engine/engine.js'
import type { Listing, StoredEntity } from '../../storage/store.js'
import { gatePath, type KnownEntities, ownPath } from './gate-path.js'
import type { CollectionPath, HopStep } from './path.js'

/** Entities on one page of a sub-collection or collection, and on one of connections. */
const PAGE = 10
const CONNECTIONS_PAGE = 1000

/** One request on collections, ready to be carried out. */
export interface CollectionCall {
  app: Application
  caller: Caller
  path: CollectionPath
  params: Params
  body: Json | undefined
}

/** What a request came to: entities, and the path they were reached by. */
export interface CollectionResult {
  entities: readonly StoredEntity[]
  distances?: Listing['distances']
  cursor?: string | null
  query?: Query
  /** Path of the collection: `/dogs`, `/users/U/likes`. */
  base: string
  /** A listing of a root collection tells its page's size. */
  isRootListing?: boolean
  failed?: Batch['failed']
}

interface Page {
  query: Query
  limit: number
  cursor: string | null
}

/** Reading and writing entities by path: the heart of the API. Rights are checked before anything is looked up for the reply. */
export class Collections {
  readonly #engine: Engine
  /** Called when a write may have changed what somebody is allowed to do. */
  readonly #onRightsChanged: (app: number) => void

  constructor(engine: Engine, onRightsChanged: (app: number) => void) {
    this.#engine = engine
    this.#onRightsChanged = onRightsChanged
  }

  async get(call: CollectionCall): Promise<CollectionResult> {
    const { app, path } = call
    await this.#permit(call, 'get')
    if (path.hops.length > 0) return this.#getHops(call)
    if (path.ref === null) {
      const page = pageOf(path.query, call.params, PAGE)
      const listing = await this.#engine.list(app.id, path.collection, page)
      return { ...listed(listing, page), base: `/${path.collection}`, isRootListing: path.query === null }
    }
    const ref = this.#ref(path.collection, path.ref, call.caller)
    const query = queryOf(call.params)
    return { entities: [await this.#engine.get(app.id, path.collection, ref)], base: `/${path.collection}`, query }
  }

  async post(call: CollectionCall): Promise<CollectionResult> {
    const { path, body } = call
    await this.#permit(call, 'post')
    if (path.hops.length > 0) return this.#postHops(call)
    if (path.ref === null) return this.#create(call)
    // Posting to an entity changes nothing; Usergrid re-adds it to its collection and returns it.
    const entity = await this.#find(call, path.collection, path.ref)
    if (body !== undefined) asObject(body)
    return { entities: [entity], base: `/${path.collection}` }
  }

  async put(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, params } = call
    await this.#permit(call, 'put')
    if (path.hops.length > 0) return this.#putHops(call)
    const base = `/${path.collection}`
    if (path.ref !== null) {
      const ref = this.#ref(path.collection, path.ref, caller)
      const entity = await this.#engine.put(app.id, caller.label, path.collection, ref, this.#body(call, path.collection))
      this.#changed(app, path.collection)
      return { entities: [entity], base }
    }
    const asked = path.query ?? params
    if (textOf(asked) === undefined) return this.#create(call)
    const entities = await this.#engine.updateWhere(app.id, caller.label, path.collection, queryOf(asked), this.#body(call, path.collection))
    this.#changed(app, path.collection)
    return { entities, base }
  }

  async remove(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, params } = call
    await this.#permit(call, 'delete')
    if (path.hops.length > 0) return this.#removeHops(call)
    const base = `/${path.collection}`
    if (path.ref !== null) {
      const entity = await this.#engine.remove(app.id, caller.label, path.collection, this.#ref(path.collection, path.ref, caller))
      this.#changed(app, path.collection)
      return { entities: [entity], base }
    }
    const asked = path.query ?? params
    if (!['limit', 'cursor'].some((name) => param(asked, name) !== undefined) && !textOf(asked)?.trim()) {
      throw new AppError('unsupported_service_operation', 'To delete entities of a collection give ql, limit or cursor; to empty it use _clear')
    }
    const page = pageOf(path.query, params, PAGE)
    const entities = await this.#engine.removeWhere(app.id, caller.label, path.collection, page)
    this.#changed(app, path.collection)
    return { entities, base }
  }

  // Root collections

  async #create(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, body } = call
    const base = `/${path.collection}`
    if (Array.isArray(body)) {
      const bodies = body.map((element) => (isObject(element) ? this.#cleaned(call, path.collection, element) : element))
      const { created, failed } = await this.#engine.createMany(app.id, caller.label, path.collection, bodies)
      this.#changed(app, path.collection)
      return { entities: created, base, failed }
    }
    const properties = this.#body(call, path.collection)
    // An empty body creates nothing, unless the type has something to say about what it lacks.
    const { required, prepare } = this.#engine.descriptor(path.collection)
    if (Object.keys(properties).length === 0 && required.length === 0 && prepare === undefined) return { entities: [], base }
    const entity = await this.#engine.create(app.id, caller.label, path.collection, properties)
    this.#changed(app, path.collection)
    return { entities: [entity], base }
  }

  // Hops

  async #getHops(call: CollectionCall): Promise<CollectionResult> {
    const { path, params } = call
    const last = path.hops.at(-1)!
    const sources = await this.#sources(call, path.hops.length - 1)
    const base = this.#base(sources, last)
    if (last.ref !== null) {
      const target = await this.#target(call, sources, last)
      return { entities: [target], base, query: queryOf(params) }
    }
    const page = pageOf(last.query, params, last.sub === null ? CONNECTIONS_PAGE : PAGE)
    const listing = await this.#follow(call, sources, last, page)
    return { ...listed(listing, page), base }
  }

  async #postHops(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, body } = call
    const last = path.hops.at(-1)!
    const source = this.#one(await this.#sources(call, path.hops.length - 1))
    const base = this.#base([source], last)
    const verb = verbOf(last)
    if (last.ref !== null) {
      const target = await this.#hopTarget(call, last)
      this.#permitTarget(call, target)
      const entity = await this.#engine.transact(app.id, caller.label, (edits) => {
        const [from, to] = ends(last, edits.get(source.collection, source.uuid), edits.get(target.collection, target.uuid))
        edits.tx.connect(from, verb, to)
        return edits.tx.current(last.direction === 'out' ? to : from)
      })
      this.#changed(app, last.sub === null ? '' : 'groups')
      return { entities: [entity], base }
    }
    if (last.collection === null) throw illegalArgument('Name the entity to connect: a uuid, or a collection and a name')
    const bodies = Array.isArray(body) ? body : [body]
    const empty = bodies.every((item) => item === undefined || (isObject(item) && Object.keys(item).length === 0))
    if (empty) throw resourceNotFound()
    const entities = await this.#createConnected(call, source, last, bodies.map((item) => this.#cleaned(call, last.collection!, asObject(item))))
    this.#changed(app, last.collection)
    return { entities, base }
  }

  async #putHops(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path } = call
    const last = path.hops.at(-1)!
    const sources = await this.#sources(call, path.hops.length - 1)
    const base = this.#base(sources, last)
    if (last.ref === null) return this.#postHops(call)
    const source = this.#one(sources)
    if (last.collection !== null && !isUuid(last.ref)) {
      const target = await this.#target(call, sources, last)
      const entity = await this.#engine.put(app.id, caller.label, target.collection, target.uuid, this.#body(call, target.collection))
      return { entities: [entity], base }
    }
    const known = await this.#engine.store.getAny(app.id, last.ref.toLowerCase())
    const collection = known?.collection ?? last.collection
    if (collection === null) throw resourceNotFound()
    this.#permitTarget(call, known)
    const body = this.#body(call, collection)
    const entity = await this.#engine.transact(app.id, caller.label, (edits) => {
      const target = edits.put(collection, last.ref!, body)
      const [from, to] = ends(last, edits.get(source.collection, source.uuid), target)
      edits.tx.connect(from, verbOf(last), to)
      return edits.tx.current(target)
    })
    this.#changed(app, collection)
    return { entities: [entity], base }
  }

  async #removeHops(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path } = call
    const last = path.hops.at(-1)!
    const source = this.#one(await this.#sources(call, path.hops.length - 1))
    const base = this.#base([source], last)
    if (last.ref === null) {
      throw new AppError('unsupported_service_operation', 'Name the connection to delete: a uuid, or a collection and a name')
    }
    const target = await this.#hopTarget(call, last)
    await this.#engine.transact(app.id, caller.label, (edits) => {
      const [from, to] = ends(last, edits.get(source.collection, source.uuid), edits.get(target.collection, target.uuid))
      edits.tx.disconnect(from, verbOf(last), to)
    })
    this.#changed(app, last.sub === null ? '' : 'groups')
    // Read again, as its list of connections may be shorter now.
    return { entities: [(await this.#engine.store.getAny(app.id, target.uuid)) ?? target], base }
  }

  async #createConnected({ app, caller }: CollectionCall, source: StoredEntity, step: HopStep, bodies: readonly JsonObject[]): Promise<StoredEntity[]> {
    const create = await this.#engine.prepareMany(step.collection!, bodies)
    return this.#engine.transact(app.id, caller.label, (edits) => {
      const near = edits.get(source.collection, source.uuid)
      return edits.each(create, (created) => {
        const target = created(edits)
        const [from, to] = ends(step, near, target)
        edits.tx.connect(from, verbOf(step), to)
        return edits.tx.current(target)
      })
    })
  }

  /** The entities that the first `steps` hops lead to: one, unless the path leaves out a reference. */
  async #sources(call: CollectionCall, steps: number): Promise<StoredEntity[]> {
    const { app, path } = call
    let current: StoredEntity[]
    if (path.ref === null) {
      const page = pageOf(path.query, new Map(), PAGE)
      current = (await this.#engine.list(app.id, path.collection, page)).items as StoredEntity[]
    } else current = [await this.#find(call, path.collection, path.ref)]
    for (const step of path.hops.slice(0, steps)) {
      if (step.ref !== null) current = [await this.#target(call, current, step)]
      else current = [...(await this.#follow(call, current, step, pageOf(step.query, new Map(), PAGE))).items]
    }
    return current
  }

  /** Lists what a hop leads to. The lists of several sources are joined, each entity once. */
  async #follow(call: CollectionCall, sources: readonly StoredEntity[], step: HopStep, page: Page): Promise<Listing> {
    const lists = await Promise.all(sources.map((source) => this.#engine.connected(call.app.id, source, hopOf(step), page)))
    const [only] = lists
    if (lists.length === 1 && only !== undefined) return this.#readable(call, only)
    const items = new Map(lists.flatMap((list) => list.items).map((entity) => [entity.uuid, entity]))
    return this.#readable(call, { items: [...items.values()].slice(0, page.limit), distances: null, cursor: null })
  }

  /** Without what the caller may not read by its own path. */
  #readable({ app, caller }: CollectionCall, listing: Listing): Listing {
    if (isAppAdmin(caller, app)) return listing
    const kept = listing.items.map((entity) => this.#mayRead(caller, app, entity))
    if (kept.every(Boolean)) return listing
    return {
      items: listing.items.filter((_, i) => kept[i]),
      distances: listing.distances?.filter((_, i) => kept[i]) ?? null,
      cursor: listing.cursor,
    }
  }

  /** The far end of a hop, which must be connected. @throws {AppError} `service_resource_not_found`. */
  async #target(call: CollectionCall, sources: readonly StoredEntity[], step: HopStep): Promise<StoredEntity> {
    const target = await this.#hopTarget(call, step)
    for (const source of sources) if (await this.#engine.isConnected(source, hopOf(step), target)) return target
    throw resourceNotFound()
  }

  async #hopTarget({ app, caller }: CollectionCall, { collection, ref }: HopStep): Promise<StoredEntity> {
    const found =
      collection === null || isUuid(ref!)
        ? await this.#engine.store.getAny(app.id, ref!.toLowerCase())
        : await this.#engine.find(app.id, collection, this.#ref(collection, ref!, caller))
    if (found === null || (collection !== null && found.collection !== collection)) throw resourceNotFound()
    return found
  }

  #one(sources: readonly StoredEntity[]): StoredEntity {
    const [source] = sources
    if (source === undefined) throw resourceNotFound()
    return source
  }

  #base(sources: readonly StoredEntity[], { word }: HopStep): string {
    const [source] = sources
    return source === undefined ? `/${word}` : `/${source.collection}/${source.uuid}/${word}`
  }

  async #find({ app, caller }: CollectionCall, collection: string, ref: string): Promise<StoredEntity> {
    const found = await this.#engine.find(app.id, collection, this.#ref(collection, ref, caller))
    if (found === null) throw resourceNotFound()
    return found
  }

  /** `me` is the app user whose token was presented. @throws {AppError} `service_resource_not_found` without one. */
  #ref(collection: string, ref: string, { principal }: Caller): string {
    if (collection !== 'users' || ref.toLowerCase() !== 'me') return ref
    if (principal.kind !== 'user') throw resourceNotFound()
    return principal.uuid
  }

  // Rights

  /**
   * One decision for the whole path. Spellings that permission strings may use are looked up only when the
   * path as typed is not allowed.
   */
  async #permit(call: CollectionCall, verb: Verb): Promise<void> {
    const { app, caller, path } = call
    if (isAppAdmin(caller, app)) return
    const aliases = this.#aliases
    for (const step of path.hops) this.#permitMembership(call, verb, step)
    if (isPermitted(caller, app, { verb, path: gatePath(path, caller, aliases) })) return
    permit(caller, app, { verb, path: gatePath(path, caller, aliases, await this.#known(call)) })
  }

  /** Joining a group or role takes a right on the group's or role's own path, whichever way it is written. */
  #permitMembership({ app, caller, path }: CollectionCall, verb: Verb, step: HopStep): void {
    const inverse = step.sub?.inverse
    if (verb === 'get' || inverse === undefined || step !== path.hops.at(-1)) return
    const own = { collection: step.sub!.collection, ref: step.ref, query: null, hops: [{ ...step, word: inverse, collection: path.collection, ref: path.ref }] }
    permit(caller, app, { verb, path: gatePath(own, caller, this.#aliases) })
  }

  /** A connection may be made only to what the caller may read. */
  #permitTarget({ app, caller }: CollectionCall, target: StoredEntity | null): void {
    if (target !== null && !this.#mayRead(caller, app, target)) throw resourceNotFound()
  }

  #mayRead(caller: Caller, app: Application, entity: StoredEntity): boolean {
    return isPermitted(caller, app, { verb: 'get', path: ownPath(entity, caller, this.#aliases) })
  }

  /** Whether connections of a verb may be shown in an entity's metadata. */
  mayFollow(caller: Caller, app: Application, entity: StoredEntity, verb: string, direction: 'out' | 'in'): boolean {
    const path = [...ownPath(entity, caller, this.#aliases), ...(direction === 'out' ? [[verb]] : [['connecting'], [verb]])]
    return isPermitted(caller, app, { verb: 'get', path })
  }

  readonly #aliases = (collection: string): readonly string[] => this.#engine.descriptor(collection).alias

  async #known({ app, caller, path }: CollectionCall): Promise<KnownEntities> {
    const find = async (collection: string | null, ref: string | null): Promise<StoredEntity | null> => {
      if (ref === null) return null
      if (collection === 'users' && ref.toLowerCase() === 'me') return caller.self === null ? null : this.#engine.store.getAny(app.id, caller.self.uuid)
      if (collection === null || isUuid(ref)) return this.#engine.store.getAny(app.id, ref.toLowerCase())
      return this.#engine.find(app.id, collection, ref)
    }
    return Promise.all([find(path.collection, path.ref), ...path.hops.map(({ collection, ref }) => find(collection, ref))])
  }

  // Bodies

  #body(call: CollectionCall, collection: string): JsonObject {
    const { body } = call
    if (body === undefined) return {}
    return this.#cleaned(call, collection, asObject(body))
  }

  /** Without the properties that only administrators may write. */
  #cleaned({ app, caller }: CollectionCall, collection: string, body: JsonObject): JsonObject {
    const { adminOnly } = this.#engine.descriptor(collection)
    if (adminOnly.length === 0 || isAppAdmin(caller, app)) return body
    return Object.fromEntries(Object.entries(body).filter(([key]) => !adminOnly.includes(key.toLowerCase())))
  }

  #changed(app: Application, collection: string): void {
    if (collection === 'users' || collection === 'groups' || collection === 'roles') this.#onRightsChanged(app.id)
  }
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

const hopOf = ({ verb, direction, collection }: HopStep): Hop => ({ verb, direction, collection })

/** @throws {AppError} `illegal_argument` where a path says `connections` but no verb. */
const verbOf = ({ verb }: HopStep): string => {
  if (verb === null) throw illegalArgument('Name the verb of the connection')
  return verb
}

const ends = ({ direction }: HopStep, near: StoredEntity, far: StoredEntity): [from: StoredEntity, to: StoredEntity] =>
  direction === 'out' ? [near, far] : [far, near]

const textOf = (params: Params): string | undefined => param(params, 'ql') ?? param(params, 'q') ?? param(params, 'query')

const queryOf = (params: Params): Query => parseQuery(decodeQuery(textOf(params) ?? ''))

const pageOf = (own: Params | null, params: Params, fallback: number): Page => {
  const asked = own === null || own.size === 0 ? params : own
  const cursor = param(asked, 'cursor') ?? null
  return { query: queryOf(asked), limit: readLimit(param(asked, 'limit'), fallback), cursor: cursor === '' ? null : cursor }
}

const listed = ({ items, distances, cursor }: Listing, { query }: Page): Omit<CollectionResult, 'base'> => ({
  entities: items,
  distances,
  cursor,
  query,
})

