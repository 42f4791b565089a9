import type { Application, Caller } from '../../api/caller.js'
import type { Params } from '../../api/url.js'
import type { Entity } from '../../domain/entity.js'
import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import type { CollectionCall, CollectionResult } from './call.js'
import type { Collections } from './collections.js'
import type { PathReader } from './path.js'

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
  readonly #paths: PathReader
  readonly #app: Application
  readonly #caller: () => Promise<Caller>

  constructor(
    { collections, paths }: { collections: Collections; paths: PathReader },
    app: Application,
    caller: () => Promise<Caller>,
  ) {
    this.#collections = collections
    this.#paths = paths
    this.#app = app
    this.#caller = caller
  }

  /** @throws {AppError} `duplicate_unique_property_exists`, `required_property_not_found`, `unauthorized`. */
  async create(collection: string, properties: JsonObject): Promise<Entity> {
    return first(await this.#collections.post(await this.#at([collection], {}, properties)))
  }

  /** Stores what can be stored; `failed` tells which elements could not, by index. */
  async createMany(
    collection: string,
    bodies: readonly JsonObject[],
  ): Promise<{ created: Entity[]; failed: { index: number; error: AppError }[] }> {
    const { entities, failed = [] } = await this.#collections.post(
      await this.#at([collection], {}, [...bodies]),
    )
    return { created: entities.map(toEntity), failed }
  }

  /** @throws {AppError} `entity_not_found` */
  async get(collection: string, ref: string): Promise<Entity> {
    return first(await this.#collections.get(await this.#at([collection, ref])))
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
    return page(await this.#collections.get(await this.#at([collection], options)))
  }

  /** Lays the given properties over the entity, or creates it under that name. */
  async put(collection: string, ref: string, properties: JsonObject): Promise<Entity> {
    return first(await this.#collections.put(await this.#at([collection, ref], {}, properties)))
  }

  /** Returns the entity as it was. @throws {AppError} `service_resource_not_found`. */
  async remove(collection: string, ref: string): Promise<Entity> {
    return first(await this.#collections.remove(await this.#at([collection, ref])))
  }

  /** Connects, or moves an existing connection to the front; returns the target. */
  async connect(source: EntityRef, verb: string, target: EntityRef): Promise<Entity> {
    return first(await this.#collections.post(await this.#at([...pathOf(source), verb, ...pathOf(target)])))
  }

  /** Creates entities, 1,000 at most, and connects the source to each; all of them or none. @throws {AppError} like `create`. */
  async createConnected(
    source: EntityRef,
    verb: string,
    collection: string,
    bodies: readonly JsonObject[],
  ): Promise<Entity[]> {
    const { entities } = await this.#collections.post(
      await this.#at([...pathOf(source), verb, collection], {}, [...bodies]),
    )
    return entities.map(toEntity)
  }

  /** Quiet when there was no such connection. */
  async disconnect(source: EntityRef, verb: string, target: EntityRef): Promise<void> {
    await this.#collections.remove(await this.#at([...pathOf(source), verb, ...pathOf(target)]))
  }

  /** What the source is connected to by a verb, latest first. */
  async connected(source: EntityRef, verb: string, options: ListOptions = {}): Promise<EntityPage> {
    return page(await this.#collections.get(await this.#at([...pathOf(source), verb], options)))
  }

  /** What is connected to the target by a verb, latest first. */
  async connecting(target: EntityRef, verb: string, options: ListOptions = {}): Promise<EntityPage> {
    return page(await this.#collections.get(await this.#at([...pathOf(target), 'connecting', verb], options)))
  }

  async #at(
    path: readonly string[],
    options: ListOptions = {},
    body?: JsonObject | JsonObject[],
  ): Promise<CollectionCall> {
    const segments = path.map((text) => ({ text, query: null }))
    return {
      app: this.#app,
      caller: await this.#caller(),
      path: await this.#paths.read(this.#app.id, segments),
      params: paramsOf(options),
      body,
    }
  }
}

const paramsOf = ({ ql, limit, cursor }: ListOptions): Params => {
  const params = new Map<string, string[]>()
  if (ql !== undefined) params.set('ql', [ql])
  if (limit !== undefined) params.set('limit', [String(limit)])
  if (cursor !== undefined) params.set('cursor', [cursor])
  return params
}

const pathOf = (entity: EntityRef): [collection: string, ref: string] =>
  'uuid' in entity && 'type' in entity
    ? [String(entity.type), String(entity.uuid)]
    : [String(entity['collection']), String(entity['ref'])]

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
