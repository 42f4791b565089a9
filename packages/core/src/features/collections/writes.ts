import { checkConditions, NO_CONDITIONS } from '../../domain/entity-tag.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import type { Json } from '../../domain/json.js'
import type { Edits } from '../../engine/edits.js'
import { asObject, type Batch, checkBatch, type Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import {
  type Changed,
  type CollectionCall,
  type CollectionResult,
  refFor,
  rightOf,
  unconditional,
  type WriteVerb,
} from './call.js'
import { HopWrites } from './hop-writes.js'
import type { Rights } from './rights.js'

export interface WriteOptions {
  /** The entity that the last step of the path starts at, where the path does not name it. */
  near?: StoredEntity | null
  /** Elements of an array that cannot be created are reported, and do not keep the others from being stored. */
  partial?: boolean
}

/**
 * Writes of entities by path, each within a transaction: rights are asked about what the transaction sees, so that
 * nothing can change between the question and the deed.
 */
export class Writes {
  readonly #engine: Engine
  readonly #rights: Rights
  readonly #changed: Changed
  readonly #hops: HopWrites

  constructor(engine: Engine, rights: Rights, changed: Changed) {
    this.#engine = engine
    this.#rights = rights
    this.#changed = changed
    this.#hops = new HopWrites(rights, changed)
  }

  /** @throws {AppError} `unauthorized`, `precondition_failed` and whatever the entities object to. */
  run(edits: Edits, verb: WriteVerb, call: CollectionCall, options: WriteOptions = {}): CollectionResult {
    this.#rights.permit(edits, call, rightOf(verb))
    if (call.path.hops.length > 0) return this.#hops.run(edits, verb, call, this.#near(edits, call, options))
    if (verb === 'post') return this.#post(edits, call, options)
    const { collection, ref } = call.path
    if (ref === null) {
      if (verb === 'put') return this.#create(edits, call, options)
      const message = 'Name the entity by its uuid or name, or the entities by a query'
      throw new AppError('unsupported_service_operation', message)
    }
    return this.#one(edits, verb, call, refFor(collection, ref, call.caller))
  }

  /** Reads one entity by its own path, as the transaction sees it. */
  read(edits: Edits, call: CollectionCall): CollectionResult {
    this.#rights.permit(edits, call, 'get')
    const { collection, ref, hops } = call.path
    if (ref === null || hops.length > 0)
      throw illegalArgument('Within a batch, read one entity by its own path')
    const entity = edits.get(collection, refFor(collection, ref, call.caller))
    checkConditions(call.conditions ?? NO_CONDITIONS, entity)
    return { entities: [entity], base: `/${collection}`, isSingle: true }
  }

  #near(edits: Edits, { path, caller }: CollectionCall, { near }: WriteOptions): StoredEntity {
    if (near != null) return edits.get(near.collection, near.uuid)
    if (path.ref === null || path.hops.length > 1)
      throw illegalArgument(
        'Within a batch, a path takes one step at most: name the entity that it starts at',
      )
    return edits.get(path.collection, refFor(path.collection, path.ref, caller))
  }

  #post(edits: Edits, call: CollectionCall, options: WriteOptions): CollectionResult {
    unconditional(call)
    const { path, caller, body } = call
    if (path.ref === null) return this.#create(edits, call, options)
    // Posting to an entity changes nothing; Usergrid re-adds it to its collection and returns it.
    const entity = edits.get(path.collection, refFor(path.collection, path.ref, caller))
    if (body !== undefined) asObject(body)
    return { entities: [entity], base: `/${path.collection}`, isSingle: true }
  }

  #one(edits: Edits, verb: 'put' | 'patch' | 'delete', call: CollectionCall, ref: string): CollectionResult {
    const { app, path, conditions } = call
    const { collection } = path
    const entity =
      verb === 'delete'
        ? edits.remove(collection, ref, conditions)
        : edits[verb](collection, ref, this.#rights.body(call, collection), conditions)
    edits.afterCommit(() => this.#changed(app, collection))
    return { entities: [entity], base: `/${collection}`, isSingle: true }
  }

  #create(edits: Edits, call: CollectionCall, { partial = false }: WriteOptions): CollectionResult {
    unconditional(call)
    const { app, path, body } = call
    const { collection } = path
    edits.afterCommit(() => this.#changed(app, collection))
    const base = `/${collection}`
    if (Array.isArray(body)) {
      checkBatch(body, edits.limits)
      const create = (element: Json) =>
        edits.create(collection, this.#rights.cleaned(call, collection, asObject(element)))
      if (!partial) return { entities: edits.each(body, create), base }
      const { created, failed } = createWhatCan(edits, body, create)
      return { entities: created, base, failed }
    }
    const properties = this.#rights.body(call, collection)
    // An empty body creates nothing, unless the type has something to say about what it lacks.
    const { required, prepare } = this.#engine.descriptor(collection)
    if (Object.keys(properties).length === 0 && required.length === 0 && prepare === undefined)
      return { entities: [], base }
    return { entities: [edits.create(collection, properties)], base, isSingle: true }
  }
}

const createWhatCan = (
  edits: Edits,
  bodies: readonly Json[],
  create: (body: Json) => StoredEntity,
): Batch => {
  const batch: Batch = { created: [], failed: [] }
  edits.each(bodies, (body, index) => {
    try {
      batch.created.push(edits.attempt(() => create(body)))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      batch.failed.push({ index, error })
    }
  })
  return batch
}
