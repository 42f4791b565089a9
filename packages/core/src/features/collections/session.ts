import type { Application, Caller } from '../../api/caller.js'
import type { Params } from '../../api/url.js'
import type { Entity } from '../../domain/entity.js'
import { documentTag, readConditions } from '../../domain/entity-tag.js'
import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { readAskedPath, readMethod } from './asking.js'
import { type BatchOperation, readOperations } from './batch.js'
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
  /** `total` asks for the number of all matches, not only of the page's. */
  count?: 'total'
}

/** What a write is conditional on; entity tags come from `entityTagOf`. */
export interface WriteConditions {
  /** An entity tag, or `*` for any entity that is there. */
  ifMatch?: string
  /** `*` for none. */
  ifNoneMatch?: string
}

/**
 * The tag of an entity as it was read, for `ifMatch`: it changes with every change of the entity. Take it before
 * you change the object.
 */
export const entityTagOf = (entity: Entity): string => documentTag(entity)

/** One page. */
export interface EntityPage {
  entities: Entity[]
  /** Absent on the last page. */
  cursor?: string
  /** Number of all matches, where it was asked for. */
  total?: number
}

/** What an operation of a batch came to. */
export interface OperationOutcome {
  id?: string
  entities: Entity[]
}

export interface SessionDoors {
  engine: Engine
  collections: Collections
  paths: PathReader
}

/**
 * An application's entities in process, for one caller. The same rights are checked as over HTTP, by the
 * same code, and the same errors are thrown as `AppError`.
 */
export class Session {
  readonly #engine: Engine
  readonly #collections: Collections
  readonly #paths: PathReader
  readonly #app: Application
  readonly #caller: () => Promise<Caller>

  constructor({ engine, collections, paths }: SessionDoors, app: Application, caller: () => Promise<Caller>) {
    this.#engine = engine
    this.#collections = collections
    this.#paths = paths
    this.#app = app
    this.#caller = caller
  }

  /** @throws {AppError} `duplicate_unique_property_exists`, `required_property_not_found`, `unauthorized`. */
  async create(collection: string, properties: JsonObject): Promise<Entity> {
    return first(await this.#collections.write('post', await this.#at([collection], {}, properties)))
  }

  /** Stores what can be stored; `failed` tells which elements could not, by index. */
  async createMany(
    collection: string,
    bodies: readonly JsonObject[],
  ): Promise<{ created: Entity[]; failed: { index: number; error: AppError }[] }> {
    const { entities, failed = [] } = await this.#collections.write(
      'post',
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
  async put(
    collection: string,
    ref: string,
    properties: JsonObject,
    conditions: WriteConditions = {},
  ): Promise<Entity> {
    const call = await this.#at([collection, ref], {}, properties, conditions)
    return first(await this.#collections.write('put', call))
  }

  /** Merges a patch into the entity (RFC 7396). @throws {AppError} `service_resource_not_found`, `precondition_failed`. */
  async patch(
    collection: string,
    ref: string,
    patch: JsonObject,
    conditions: WriteConditions = {},
  ): Promise<Entity> {
    const call = await this.#at([collection, ref], {}, patch, conditions)
    return first(await this.#collections.write('patch', call))
  }

  /** Returns the entity as it was. @throws {AppError} `service_resource_not_found`, `precondition_failed`. */
  async remove(collection: string, ref: string, conditions: WriteConditions = {}): Promise<Entity> {
    const call = await this.#at([collection, ref], {}, undefined, conditions)
    return first(await this.#collections.write('delete', call))
  }

  /**
   * Carries out operations together: all of them or none, in order, each seeing those before it.
   * @throws {AppError} of the first operation that fails, whose place is its `operation`.
   */
  async batch(operations: readonly BatchOperation[]): Promise<OperationOutcome[]> {
    // A copy, so that what the caller changes later does not reach the store.
    const checked = readOperations(
      structuredClone({ operations }) as unknown as JsonObject,
      this.#collections.limits,
    )
    const caller = await this.#caller()
    const results = await this.#collections.batch(this.#app, caller, checked, (_, work) => work())
    return results.map(({ id, entities }) => ({
      ...(id === undefined ? {} : { id }),
      entities: entities.map(toEntity),
    }))
  }

  /** Connects, or moves an existing connection to the front; returns the target. */
  async connect(source: EntityRef, verb: string, target: EntityRef): Promise<Entity> {
    return first(
      await this.#collections.write('post', await this.#at([...pathOf(source), verb, ...pathOf(target)])),
    )
  }

  /** Creates entities, 1,000 at most, and connects the source to each; all of them or none. @throws {AppError} like `create`. */
  async createConnected(
    source: EntityRef,
    verb: string,
    collection: string,
    bodies: readonly JsonObject[],
  ): Promise<Entity[]> {
    const { entities } = await this.#collections.write(
      'post',
      await this.#at([...pathOf(source), verb, collection], {}, [...bodies]),
    )
    return entities.map(toEntity)
  }

  /** Quiet when there was no such connection. */
  async disconnect(source: EntityRef, verb: string, target: EntityRef): Promise<void> {
    await this.#collections.write('delete', await this.#at([...pathOf(source), verb, ...pathOf(target)]))
  }

  /** What the source is connected to by a verb, latest first. */
  async connected(source: EntityRef, verb: string, options: ListOptions = {}): Promise<EntityPage> {
    return page(await this.#collections.get(await this.#at([...pathOf(source), verb], options)))
  }

  /** What is connected to the target by a verb, latest first. */
  async connecting(target: EntityRef, verb: string, options: ListOptions = {}): Promise<EntityPage> {
    return page(await this.#collections.get(await this.#at([...pathOf(target), 'connecting', verb], options)))
  }

  /**
   * Whether a request would be allowed; it is not carried out. `path` is below the application, as in a URL.
   * False also where the rights depend on an entity that is not there, or that the caller may not read.
   * @throws {AppError} `illegal_argument`, `not_found` where no entities are.
   */
  async can(method: string, path: string): Promise<boolean> {
    const asked = readMethod(method)
    const segments = readAskedPath(path, this.#collections.limits)
    const caller = await this.#caller()
    const { refusal } = await this.#collections.ask(this.#app, caller, asked, segments, { all: false })
    return refusal === null
  }

  async #at(
    path: readonly string[],
    options: ListOptions = {},
    body?: JsonObject | JsonObject[],
    conditions: WriteConditions = {},
  ): Promise<CollectionCall> {
    const segments = path.map((text) => ({ text, query: null }))
    return {
      app: this.#app,
      caller: await this.#caller(),
      path: await this.#engine.look(this.#app.id, (reads) => this.#paths.read(reads, segments)),
      params: paramsOf(options),
      body,
      conditions: readConditions(conditions),
    }
  }
}

const paramsOf = ({ ql, limit, cursor, count }: ListOptions): Params => {
  const params = new Map<string, string[]>()
  if (ql !== undefined) params.set('ql', [ql])
  if (limit !== undefined) params.set('limit', [String(limit)])
  if (cursor !== undefined) params.set('cursor', [cursor])
  if (count !== undefined) params.set('count', [count])
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

const page = ({ entities, cursor, total }: CollectionResult): EntityPage => ({
  entities: entities.map(toEntity),
  ...(cursor == null ? {} : { cursor }),
  ...(total === undefined ? {} : { total }),
})
