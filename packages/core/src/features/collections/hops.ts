import { isAppAdmin } from '../../api/caller.js'
import { isWithin } from '../../api/permit.js'
import { illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { Filter } from '../../domain/query/ast.js'
import { isUuid } from '../../domain/uuid.js'
import type { Engine, Hop, PageRequest } from '../../engine/engine.js'
import type { Listing, QueryWarning, StoredEntity } from '../../storage/store.js'
import {
  type CollectionCall,
  type CollectionResult,
  listed,
  PAGE,
  pageOf,
  queryOf,
  refFor,
  wantsTotal,
} from './call.js'
import type { CollectionPath, HopStep } from './path.js'
import type { Rights } from './rights.js'
import { sightOf } from './sight.js'

/** Entities on one page of connections. */
const CONNECTIONS_PAGE = 1000

/** Reads paths that go on from an entity: connections and sub-collections. The path itself has been permitted. */
export class Hops {
  readonly #engine: Engine
  readonly #rights: Rights

  constructor(engine: Engine, rights: Rights) {
    this.#engine = engine
    this.#rights = rights
  }

  /** What the path leads to must match `filter`; then what leads there must be readable, too. */
  async get(call: CollectionCall, filter: Filter | null): Promise<CollectionResult> {
    const { path, params } = call
    const last = path.hops.at(-1)!
    const sources = this.#passable(call, filter, await this.#sources(call, path.hops.length - 1, filter))
    if (last.ref !== null) {
      const [target, source] = await this.#target(call, sources, last)
      if (filter !== null && !isWithin(filter, target)) throw resourceNotFound()
      return {
        entities: [target],
        base: baseOf(source, last),
        query: queryOf(params, this.#engine.limits),
        isSingle: true,
      }
    }
    const sight = sightOf(call.caller, filter)
    const size = last.sub === null ? CONNECTIONS_PAGE : PAGE
    const page = { ...pageOf(last.query, params, size, this.#engine.limits), sight }
    const listing = await this.#follow(call, sources, path.hops.length - 1, page)
    const total = wantsTotal(params) ? await this.#count(call, sources, last, page) : undefined
    const bases = basesOf(listing, sources, last)
    return { ...listed(listing, page), base: listBase(path, sources), bases, total }
  }

  /** Only what the caller may read is counted, as it is listed. */
  #count(
    { app, caller }: CollectionCall,
    sources: readonly StoredEntity[],
    step: HopStep,
    page: PageRequest,
  ): Promise<number> {
    const mayRead = isAppAdmin(caller, app)
      ? null
      : (entity: StoredEntity) => this.#rights.mayReadIn(caller, app, step, entity)
    return this.#engine.countConnected(app.id, sources, hopOf(step), page, mayRead)
  }

  async analyse(call: CollectionCall): Promise<{ base: string; warnings: readonly QueryWarning[] }> {
    const { app, path, params } = call
    const last = path.hops.at(-1)!
    const sources = await this.#sources(call, path.hops.length - 1, null)
    const page = pageOf(last.query, params, CONNECTIONS_PAGE, this.#engine.limits)
    const isListing = last.ref === null
    const warnings = isListing ? await this.#engine.analyseConnected(app.id, sources, hopOf(last), page) : []
    return { base: listBase(path, sources), warnings }
  }

  /** Sources that the caller may read, where he may reach only some of what they lead to. */
  #passable(
    { app, caller, path }: CollectionCall,
    filter: Filter | null,
    sources: StoredEntity[],
  ): StoredEntity[] {
    if (filter === null) return sources
    const readable = sources.filter((source) => this.#rights.mayRead(caller, app, source))
    const isNamed = (path.hops.at(-2) ?? path).ref !== null
    if (isNamed && readable.length === 0) throw resourceNotFound()
    return readable
  }

  /**
   * The entity that is written to, where the path leads to it in several steps. `filter` is what the path leads to
   * must match.
   */
  async near(call: CollectionCall, filter: Filter | null): Promise<StoredEntity | null> {
    const { path } = call
    const isDirect = path.hops.length === 0 || (path.hops.length === 1 && path.ref !== null)
    return isDirect ? null : one(await this.#sources(call, path.hops.length - 1, filter))
  }

  /** The entities that the first `steps` hops lead to: one, unless the path leaves out a reference. */
  async #sources(call: CollectionCall, steps: number, filter: Filter | null): Promise<StoredEntity[]> {
    const { app, caller, path } = call
    let current: StoredEntity[]
    if (path.ref === null) {
      const page = pageOf(path.query, new Map(), PAGE, this.#engine.limits)
      // Where something is asked about the starts, or only some of what they lead to may be reached, they must be readable.
      const isAll = isAppAdmin(caller, app) || (filter === null && !isAsked(page))
      const isListed = isAll ? undefined : (item: StoredEntity) => this.#rights.mayRead(caller, app, item)
      const sight = { ...sightOf(caller), isListed }
      current = (await this.#engine.list(app.id, path.collection, { ...page, sight })).items
    } else {
      const ref = refFor(path.collection, path.ref, caller)
      const found = this.#rights.known(call, ref, await this.#engine.find(app.id, path.collection, ref))
      if (found === null) throw resourceNotFound()
      this.#rights.passes(call, filter, found)
      current = [found]
    }
    for (const [i, step] of path.hops.slice(0, steps).entries()) {
      if (step.ref !== null) current = [(await this.#target(call, current, step))[0]]
      else
        current = (
          await this.#follow(call, current, i, {
            ...pageOf(step.query, new Map(), PAGE, this.#engine.limits),
            sight: sightOf(caller),
          })
        ).items
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
    const { app, caller, path } = call
    const step = path.hops[hop]!
    // What is asked about others must not show by a page that they fill, or by its cursor.
    const isListed =
      isAppAdmin(caller, app) || !isAsked(page)
        ? undefined
        : (item: StoredEntity) => this.#rights.mayReadIn(caller, app, step, item)
    const sight = { ...(page.sight ?? sightOf(caller)), isListed }
    const asked = { ...page, sight, scope: scopeOf(path) }
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

  async #hopTarget(call: CollectionCall, { collection, ref }: HopStep): Promise<StoredEntity> {
    const { app, caller } = call
    const meant = refFor(collection, ref!, caller)
    const found =
      collection === null || isUuid(ref!)
        ? await this.#engine.store.getAny(app.id, ref!.toLowerCase())
        : this.#rights.known(call, meant, await this.#engine.find(app.id, collection, meant))
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

/** Whether a page depends on what is in the entities. */
const isAsked = ({ query: { filter, direct, sort } }: PageRequest): boolean =>
  filter !== null || direct !== null || sort.length > 0

export const baseOf = (source: StoredEntity, { word }: HopStep): string =>
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

export const hopOf = ({ verb, direction, collection }: HopStep): Hop => ({ verb, direction, collection })
