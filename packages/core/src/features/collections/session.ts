import type { Application, Caller } from '../../api/caller.js'
import type { Params } from '../../api/url.js'
import type { Entity } from '../../domain/entity.js'
import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { collectionName } from '../../domain/names.js'
import type { StoredEntity } from '../../storage/store.js'
import type { CollectionResult, Collections } from './collections.js'
import type { HopStep } from './path.js'

/** Names an entity: by its collection and its uuid or name, or by itself. */
export type EntityRef = { collection: string; ref: string } | Entity

export interface ListOptions {
  /** In the query language: `where age > 3 order by name`. */
  ql?: string
  /** 10 by default, 1,000 for connections; 1,000 at most. */
  limit?: number
  /** From the page before. */
  cursor?: string
}

/** One page. */
export interface EntityPage {
  entities: Entity[]
  /** Absent on the last page. */
  cursor?: string
}

/**
 * An application's entities in process, for one caller. The same rights are checked as over HTTP, by the
 * same code, and the same errors are thrown as `AppError`.
 */
export class Session {
  readonly #collections: Collections
  readonly #app: Application
  readonly #caller: () => Promise<Caller>

  constructor(collections: Collections, app: Application, caller: () => Promise<Caller>) {
    this.#collections = collections
    this.#app = app
    this.#caller = caller
  }

  /** @throws {AppError} `duplicate_unique_property_exists`, `required_property_not_found`, `unauthorized`. */
  async create(collection: string, properties: JsonObject): Promise<Entity> {
    return first(await this.#collections.post(await this.#call(collection, null, properties)))
  }

  /** Stores what can be stored; `failed` tells which elements could not, by index. */
  async createMany(
    collection: string,
    bodies: readonly JsonObject[],
  ): Promise<{ created: Entity[]; failed: { index: number; error: AppError }[] }> {
    const { entities, failed = [] } = await this.#collections.post(await this.#call(collection, null, [...bodies]))
    return { created: entities.map(toEntity), failed }
  }

  /** @throws {AppError} `entity_not_found` */
  async get(collection: string, ref: string): Promise<Entity> {
    return first(await this.#collections.get(await this.#call(collection, ref)))
  }

  /** Like `get`, with `null` for what is not there. */
  async find(collection: string, ref: string): Promise<Entity | null> {
    try {
      return await this.get(collection, ref)
    } catch (error) {
      if (error instanceof AppError && error.status === 404) return null
      throw error
    }
  }

  async list(collection: string, options: ListOptions = {}): Promise<EntityPage> {
    return page(await this.#collections.get(await this.#call(collection, null, undefined, [], options)))
  }

  /** Lays the given properties over the entity, or creates it under that name. */
  async put(collection: string, ref: string, properties: JsonObject): Promise<Entity> {
    return first(await this.#collections.put(await this.#call(collection, ref, properties)))
  }

  /** Returns the entity as it was. @throws {AppError} `service_resource_not_found`. */
  async remove(collection: string, ref: string): Promise<Entity> {
    return first(await this.#collections.remove(await this.#call(collection, ref)))
  }

  /** Connects, or moves an existing connection to the front; returns the target. */
  async connect(source: EntityRef, verb: string, target: EntityRef): Promise<Entity> {
    return first(await this.#collections.post(await this.#hop(source, hopTo(verb, target))))
  }

  /** Creates entities, 1,000 at most, and connects the source to each; all of them or none. @throws {AppError} like `create`. */
  async createConnected(source: EntityRef, verb: string, collection: string, bodies: readonly JsonObject[]): Promise<Entity[]> {
    const from = nameOf(source)
    const hop = { ...hopFrom(verb, 'out'), collection: collectionName(collection) }
    const { entities } = await this.#collections.post(await this.#call(from.collection, from.ref, [...bodies], [hop]))
    return entities.map(toEntity)
  }

  /** Quiet when there was no such connection. */
  async disconnect(source: EntityRef, verb: string, target: EntityRef): Promise<void> {
    await this.#collections.remove(await this.#hop(source, hopTo(verb, target)))
  }

  /** What the source is connected to by a verb, latest first. */
  async connected(source: EntityRef, verb: string, options: ListOptions = {}): Promise<EntityPage> {
    return page(await this.#collections.get(await this.#hop(source, hopFrom(verb, 'out'), options)))
  }

  /** What is connected to the target by a verb, latest first. */
  async connecting(target: EntityRef, verb: string, options: ListOptions = {}): Promise<EntityPage> {
    return page(await this.#collections.get(await this.#hop(target, hopFrom(verb, 'in'), options)))
  }

  #hop(from: EntityRef, hop: HopStep, options: ListOptions = {}) {
    const { collection, ref } = nameOf(from)
    return this.#call(collection, ref, undefined, [hop], options)
  }

  async #call(collection: string, ref: string | null, body?: JsonObject | JsonObject[], hops: HopStep[] = [], options: ListOptions = {}) {
    const path = { collection: collectionName(collection), ref, query: null, hops }
    return { app: this.#app, caller: await this.#caller(), path, params: paramsOf(options), body }
  }
}

const paramsOf = ({ ql, limit, cursor }: ListOptions): Params => {
  const params = new Map<string, string[]>()
  if (ql !== undefined) params.set('ql', [ql])
  if (limit !== undefined) params.set('limit', [String(limit)])
  if (cursor !== undefined) params.set('cursor', [cursor])
  return params
}

const nameOf = (entity: EntityRef): { collection: string; ref: string } => {
  if ('uuid' in entity && 'type' in entity) return { collection: collectionName(String(entity.type)), ref: String(entity.uuid) }
  const { collection, ref } = entity as { collection: string; ref: string }
  return { collection: collectionName(collection), ref }
}

const hopTo = (verb: string, target: EntityRef): HopStep => ({ ...hopFrom(verb, 'out'), ...nameOf(target) })

const hopFrom = (verb: string, direction: 'out' | 'in'): HopStep => ({
  word: direction === 'out' ? verb.toLowerCase() : 'connecting',
  verb: verb.toLowerCase(),
  direction,
  sub: null,
  collection: null,
  ref: null,
  query: null,
})

const toEntity = ({ object }: StoredEntity): Entity => structuredClone(object) as Entity

const first = ({ entities }: CollectionResult): Entity => {
  const [entity] = entities
  if (entity === undefined) throw new AppError('illegal_argument', 'An entity needs at least one property')
  return toEntity(entity)
}

const page = ({ entities, cursor }: CollectionResult): EntityPage => ({
  entities: entities.map(toEntity),
  ...(cursor == null ? {} : { cursor }),
})
