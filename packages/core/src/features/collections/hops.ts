import { AppError, illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { isUuid } from '../../domain/uuid.js'
import type { Edits } from '../../engine/edits.js'
import { asObject, type Engine, type Hop, type PageRequest } from '../../engine/engine.js'
import type { Listing, QueryWarning, StoredEntity } from '../../storage/store.js'
import {
  type CollectionCall,
  type CollectionResult,
  isObject,
  listed,
  PAGE,
  pageOf,
  queryOf,
  refFor,
} from './call.js'
import type { CollectionPath, HopStep } from './path.js'
import type { Rights } from './rights.js'

/** Entities on one page of connections. */
const CONNECTIONS_PAGE = 1000

/** Paths that go on from an entity: connections and sub-collections. The path itself has been permitted. */
export class Hops {
  readonly #engine: Engine
  readonly #rights: Rights
  /** Called with the collections whose change may have changed what somebody is allowed to do. */
  readonly #changed: (app: CollectionCall['app'], collection: string) => void

  constructor(
    engine: Engine,
    rights: Rights,
    changed: (app: CollectionCall['app'], collection: string) => void,
  ) {
    this.#engine = engine
    this.#rights = rights
    this.#changed = changed
  }

  async get(call: CollectionCall): Promise<CollectionResult> {
    const { path, params } = call
    const last = path.hops.at(-1)!
    const sources = await this.#sources(call, path.hops.length - 1)
    if (last.ref !== null) {
      const [target, source] = await this.#target(call, sources, last)
      return { entities: [target], base: baseOf(source, last), query: queryOf(params) }
    }
    const page = pageOf(last.query, params, last.sub === null ? CONNECTIONS_PAGE : PAGE)
    const listing = await this.#follow(call, sources, path.hops.length - 1, page)
    return { ...listed(listing, page), base: listBase(path, sources), bases: basesOf(listing, sources, last) }
  }

  async analyse(call: CollectionCall): Promise<{ base: string; warnings: readonly QueryWarning[] }> {
    const { app, path, params } = call
    const last = path.hops.at(-1)!
    const sources = await this.#sources(call, path.hops.length - 1)
    const page = pageOf(last.query, params, CONNECTIONS_PAGE)
    const isListing = last.ref === null
    const warnings = isListing ? await this.#engine.analyseConnected(app.id, sources, hopOf(last), page) : []
    return { base: listBase(path, sources), warnings }
  }

  async post(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, body } = call
    const last = writable(path.hops.at(-1)!)
    const source = one(await this.#sources(call, path.hops.length - 1))
    await this.#rights.permitStep(call, 'post', source, last)
    const base = baseOf(source, last)
    const verb = verbOf(last)
    if (last.ref !== null) {
      const target = await this.#hopTarget(call, last)
      this.#rights.permitTarget(call, last, target)
      const owners = await this.#owners(call, last, source, target)
      const entity = await this.#engine.transact(app.id, caller.label, (edits) => {
        const far = edits.get(target.collection, target.uuid)
        join(edits, verb, ends(last, edits.get(source.collection, source.uuid), far), owners)
        return edits.tx.current(far)
      })
      this.#changed(app, last.sub === null ? '' : 'groups')
      return { entities: [entity], base }
    }
    if (last.collection === null)
      throw illegalArgument('Name the entity to connect: a uuid, or a collection and a name')
    const bodies = Array.isArray(body) ? body : [body]
    const empty = bodies.every(
      (item) => item === undefined || (isObject(item) && Object.keys(item).length === 0),
    )
    if (empty) throw resourceNotFound()
    this.#rights.permitCreation(call, 'post', last, last.collection)
    const cleaned = bodies.map((item) => this.#rights.cleaned(call, last.collection!, asObject(item)))
    const entities = await this.#createConnected(call, source, last, cleaned)
    this.#changed(app, last.collection)
    return { entities, base }
  }

  async put(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path } = call
    const last = writable(path.hops.at(-1)!)
    if (last.ref === null) return this.post(call)
    const sources = await this.#sources(call, path.hops.length - 1)
    const source = one(sources)
    await this.#rights.permitStep(call, 'put', source, last)
    const base = baseOf(source, last)
    if (last.collection !== null && !isUuid(last.ref)) {
      const [target] = await this.#target(call, sources, last)
      this.#rights.permitUpdate(call, last, target)
      const body = this.#rights.body(call, target.collection)
      const entity = await this.#engine.put(app.id, caller.label, target.collection, target.uuid, body)
      this.#changed(app, target.collection)
      return { entities: [entity], base }
    }
    const known = await this.#engine.store.getAny(app.id, last.ref.toLowerCase())
    const collection = last.collection ?? known?.collection
    if (collection === undefined || (known !== null && known.collection !== collection))
      throw resourceNotFound()
    if (known === null) this.#rights.permitCreation(call, 'put', last, collection)
    else await this.#permitPut(call, source, last, known)
    const body = this.#rights.body(call, collection)
    const owners = await this.#owners(call, last, source, known)
    const entity = await this.#engine.transact(app.id, caller.label, (edits) => {
      const target = edits.put(collection, last.ref!, body)
      join(edits, verbOf(last), ends(last, edits.get(source.collection, source.uuid), target), owners)
      return edits.tx.current(target)
    })
    this.#changed(app, collection)
    return { entities: [entity], base }
  }

  async remove(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path } = call
    const last = writable(path.hops.at(-1)!)
    const source = one(await this.#sources(call, path.hops.length - 1))
    if (last.ref === null) {
      throw new AppError(
        'unsupported_service_operation',
        'Name the connection to delete: a uuid, or a collection and a name',
      )
    }
    await this.#rights.permitStep(call, 'delete', source, last)
    const target = await this.#hopTarget(call, last)
    await this.#engine.transact(app.id, caller.label, (edits) => {
      const [from, to] = ends(
        last,
        edits.get(source.collection, source.uuid),
        edits.get(target.collection, target.uuid),
      )
      edits.tx.disconnect(from, verbOf(last), to)
    })
    this.#changed(app, last.sub === null ? '' : 'groups')
    // Read again, as its list of connections may be shorter now.
    return {
      entities: [(await this.#engine.store.getAny(app.id, target.uuid)) ?? target],
      base: baseOf(source, last),
    }
  }

  /** A PUT connects and writes: where the connection is there already, the right to write is enough. */
  async #permitPut(
    call: CollectionCall,
    source: StoredEntity,
    step: HopStep,
    target: StoredEntity,
  ): Promise<void> {
    const isThere = (await this.#engine.sourceOf([source], hopOf(step), target)) !== null
    if (!isThere) this.#rights.permitTarget(call, step, target)
    this.#rights.permitUpdate(call, step, target)
  }

  async #createConnected(
    call: CollectionCall,
    source: StoredEntity,
    step: HopStep,
    bodies: readonly JsonObject[],
  ): Promise<StoredEntity[]> {
    const { app, caller } = call
    const create = await this.#engine.prepareMany(step.collection!, bodies)
    const owners = await this.#owners(call, step, source, null)
    return this.#engine.transact(app.id, caller.label, (edits) => {
      const near = edits.get(source.collection, source.uuid)
      return edits.each(create, (created) => {
        const target = created(edits)
        join(edits, verbOf(step), ends(step, near, target), owners)
        return edits.tx.current(target)
      })
    })
  }

  /** Whom an entity that may hang on one only hangs on so far. */
  async #owners(
    { app }: CollectionCall,
    { sub, direction }: HopStep,
    near: StoredEntity,
    far: StoredEntity | null,
  ): Promise<readonly StoredEntity[]> {
    const owned = direction === 'out' ? far : near
    if (sub?.exclusive !== true || owned === null) return []
    const page = { query: queryOf(new Map()), limit: CONNECTIONS_PAGE, cursor: null }
    const hop: Hop = { verb: sub.verb, direction: 'in', collection: null }
    return (await this.#engine.connected(app.id, [owned], hop, page)).items
  }

  /** The entities that the first `steps` hops lead to: one, unless the path leaves out a reference. */
  async #sources(call: CollectionCall, steps: number): Promise<StoredEntity[]> {
    const { app, caller, path } = call
    let current: StoredEntity[]
    if (path.ref === null) {
      const page = pageOf(path.query, new Map(), PAGE)
      current = (await this.#engine.list(app.id, path.collection, page)).items
    } else {
      const found = await this.#engine.find(
        app.id,
        path.collection,
        refFor(path.collection, path.ref, caller),
      )
      if (found === null) throw resourceNotFound()
      current = [found]
    }
    for (const [i, step] of path.hops.slice(0, steps).entries()) {
      if (step.ref !== null) current = [(await this.#target(call, current, step))[0]]
      else current = (await this.#follow(call, current, i, pageOf(step.query, new Map(), PAGE))).items
    }
    return current
  }

  /** Lists what the hop with this index leads to from the sources together, each entity once. */
  async #follow(
    call: CollectionCall,
    sources: readonly StoredEntity[],
    hop: number,
    page: PageRequest,
  ): Promise<Listing> {
    const { app, path } = call
    const step = path.hops[hop]!
    const asked = { ...page, scope: scopeOf(path) }
    return this.#readable(call, step, await this.#engine.connected(app.id, sources, hopOf(step), asked))
  }

  /** Without what the caller may not read. */
  #readable({ app, caller }: CollectionCall, step: HopStep, listing: Listing): Listing {
    const kept = listing.items.map((entity) => this.#rights.mayReadIn(caller, app, step, entity))
    if (kept.every(Boolean)) return listing
    return {
      items: listing.items.filter((_, i) => kept[i]),
      distances: listing.distances?.filter((_, i) => kept[i]) ?? null,
      cursor: listing.cursor,
      ...(listing.sources === undefined ? {} : { sources: listing.sources.filter((_, i) => kept[i]) }),
    }
  }

  /**
   * The far end of a hop, which must be connected, and the source it is connected to.
   * @throws {AppError} `service_resource_not_found`, also for what the caller may not read.
   */
  async #target(
    call: CollectionCall,
    sources: readonly StoredEntity[],
    step: HopStep,
  ): Promise<[StoredEntity, StoredEntity]> {
    const target = await this.#hopTarget(call, step)
    if (!this.#rights.mayReadIn(call.caller, call.app, step, target)) throw resourceNotFound()
    const source = await this.#engine.sourceOf(sources, hopOf(step), target)
    if (source === null) throw resourceNotFound()
    return [target, source]
  }

  async #hopTarget({ app, caller }: CollectionCall, { collection, ref }: HopStep): Promise<StoredEntity> {
    const found =
      collection === null || isUuid(ref!)
        ? await this.#engine.store.getAny(app.id, ref!.toLowerCase())
        : await this.#engine.find(app.id, collection, refFor(collection, ref!, caller))
    if (found === null || (collection !== null && found.collection !== collection)) throw resourceNotFound()
    return found
  }
}

/** What is written hangs on one entity. @throws {AppError} `service_resource_not_found`, `illegal_argument` for several. */
const one = (sources: readonly StoredEntity[]): StoredEntity => {
  const [source, ...others] = sources
  if (source === undefined) throw resourceNotFound()
  if (others.length > 0) throw illegalArgument('The path leads to several entities: name the one to write to')
  return source
}

const baseOf = (source: StoredEntity, { word }: HopStep): string =>
  `/${source.collection}/${source.uuid}/${word}`

/** The path of a list: its one source's, or with `all` in place of each reference that the path leaves out. */
const listBase = (path: CollectionPath, sources: readonly StoredEntity[]): string => {
  const [source, ...others] = sources
  if (source !== undefined && others.length === 0) return baseOf(source, path.hops.at(-1)!)
  const steps = path.hops.map(({ word, ref }) => `${word}/${ref ?? 'all'}`)
  return `/${[path.collection, path.ref ?? 'all', ...steps].join('/').replace(/\/all$/, '')}`
}

/** Each item by the path of the source it hangs on, where there are several. */
const basesOf = (
  { items, sources: ids }: Listing,
  sources: readonly StoredEntity[],
  step: HopStep,
): string[] | undefined => {
  if (sources.length < 2 || ids === undefined) return undefined
  const byId = new Map(sources.map((source) => [source.id, source]))
  return items.map(({ collection }, i) => {
    const source = byId.get(ids[i] ?? 0)
    return source === undefined ? `/${collection}` : baseOf(source, step)
  })
}

/** What the cursors of a path belong to that may start from several entities, which may change between pages. */
const scopeOf = ({ collection, ref, query, hops }: CollectionPath): string | undefined => {
  if (ref !== null && hops.slice(0, -1).every((step) => step.ref !== null)) return undefined
  return JSON.stringify([
    collection,
    ref,
    [...(query ?? [])],
    hops.map((step) => [step.word, step.ref, [...(step.query ?? [])]]),
  ])
}

const hopOf = ({ verb, direction, collection }: HopStep): Hop => ({ verb, direction, collection })

/** Connects. What may hang on one entity only leaves those it hung on. */
const join = (
  edits: Edits,
  verb: string,
  [from, to]: [StoredEntity, StoredEntity],
  owners: readonly StoredEntity[],
): void => {
  for (const { collection, uuid } of owners) {
    const owner = uuid === from.uuid ? null : edits.find(collection, uuid)
    if (owner !== null) edits.tx.disconnect(owner, verb, to)
  }
  edits.tx.connect(from, verb, to)
}

/** Connections are made and ended from where they start. @throws {AppError} `unsupported_service_operation`. */
const writable = (step: HopStep): HopStep => {
  if (step.sub !== null || step.direction === 'out') return step
  throw new AppError('unsupported_service_operation', 'Write a connection from the entity that it starts at')
}

/** @throws {AppError} `illegal_argument` where a path says `connections` but no verb. */
const verbOf = ({ verb }: HopStep): string => {
  if (verb === null) throw illegalArgument('Name the verb of the connection')
  return verb
}

const ends = (
  { direction }: HopStep,
  near: StoredEntity,
  far: StoredEntity,
): [from: StoredEntity, to: StoredEntity] => (direction === 'out' ? [near, far] : [far, near])
