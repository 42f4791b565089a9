import { isWithin } from '../../api/permit.js'
import { checkConditions } from '../../domain/entity-tag.js'
import { AppError, illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { Json } from '../../domain/json.js'
import type { Filter } from '../../domain/query/ast.js'
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
import { conditionsOf } from './sight.js'

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
    const filter = this.#rights.permit(edits, call, rightOf(verb))
    if (call.path.hops.length > 0) {
      const near = this.#near(edits, call, options)
      this.#rights.passes(call, filter, near)
      return this.#hops.run(edits, verb, call, { near, filter })
    }
    if (verb === 'post') return this.#post(edits, call, filter, options)
    const { collection, ref } = call.path
    if (ref === null) {
      if (verb === 'put') return this.#create(edits, call, filter, options)
      const message = 'Name the entity by its uuid or name, or the entities by a query'
      throw new AppError('unsupported_service_operation', message)
    }
    return this.#one(edits, verb, call, filter, refFor(collection, ref, call.caller))
  }

  /** Changes one of the entities that a query found. */
  update(
    edits: Edits,
    verb: 'put' | 'patch',
    call: CollectionCall,
    filter: Filter | null,
    entity: StoredEntity,
  ): StoredEntity {
    const body = this.#rights.body(call, entity.collection)
    const updated = edits.update(entity, body, verb === 'patch' ? 'patch' : 'replace')
    this.#rights.remainsWithin(call, filter, updated)
    return updated
  }

  /** Reads one entity by its own path, as the transaction sees it. */
  read(edits: Edits, call: CollectionCall): CollectionResult {
    const filter = this.#rights.permit(edits, call, 'get')
    const { collection, ref, hops } = call.path
    if (ref === null || hops.length > 0)
      throw illegalArgument('Within a batch, read one entity by its own path')
    const entity = this.#get(edits, call, collection, ref)
    if (filter !== null && !isWithin(filter, entity)) throw resourceNotFound()
    checkConditions(conditionsOf(call), entity)
    return { entities: [entity], base: `/${collection}`, isSingle: true }
  }

  /** @throws {AppError} `service_resource_not_found` */
  #get(edits: Edits, call: CollectionCall, collection: string, ref: string): StoredEntity {
    const meant = refFor(collection, ref, call.caller)
    const entity = this.#rights.known(call, meant, edits.get(collection, meant))
    if (entity === null) throw resourceNotFound()
    return entity
  }

  #near(edits: Edits, call: CollectionCall, { near }: WriteOptions): StoredEntity {
    const { path } = call
    if (near != null) return edits.get(near.collection, near.uuid)
    if (path.ref === null || path.hops.length > 1)
      throw illegalArgument(
        'Within a batch, a path takes one step at most: name the entity that it starts at',
      )
    return this.#get(edits, call, path.collection, path.ref)
  }

  #post(edits: Edits, call: CollectionCall, filter: Filter | null, options: WriteOptions): CollectionResult {
    unconditional(call)
    const { path, body } = call
    if (path.ref === null) return this.#create(edits, call, filter, options)
    // Posting to an entity changes nothing; Usergrid re-adds it to its collection and returns it.
    const entity = this.#get(edits, call, path.collection, path.ref)
    this.#rights.within(call, filter, entity)
    if (body !== undefined) asObject(body)
    return { entities: [entity], base: `/${path.collection}`, isSingle: true }
  }

  #one(
    edits: Edits,
    verb: 'put' | 'patch' | 'delete',
    call: CollectionCall,
    filter: Filter | null,
    ref: string,
  ): CollectionResult {
    const { app, caller, path } = call
    const { collection } = path
    const isLimited = filter !== null || caller.hidden?.has(collection) === true
    const known = isLimited ? edits.find(collection, ref) : null
    if (known !== null) {
      if (this.#rights.known(call, ref, known) === null) throw resourceNotFound()
      this.#rights.within(call, filter, known)
    }
    const conditions = conditionsOf(call)
    const entity =
      verb === 'delete'
        ? edits.remove(collection, ref, conditions)
        : edits[verb](collection, ref, this.#rights.body(call, collection), conditions)
    if (verb !== 'delete') this.#rights.remainsWithin(call, filter, entity)
    edits.afterCommit(() => this.#changed(app, collection))
    return { entities: [entity], base: `/${collection}`, isSingle: true }
  }

  #create(
    edits: Edits,
    call: CollectionCall,
    filter: Filter | null,
    { partial = false }: WriteOptions,
  ): CollectionResult {
    unconditional(call)
    const { app, path, body } = call
    const { collection } = path
    edits.afterCommit(() => this.#changed(app, collection))
    const base = `/${collection}`
    if (Array.isArray(body)) {
      checkBatch(body, edits.limits)
      const create = (element: Json) => {
        const created = edits.create(collection, this.#rights.cleaned(call, collection, asObject(element)))
        this.#rights.remainsWithin(call, filter, created)
        return created
      }
      if (!partial) return { entities: edits.each(body, create), base }
      const { created, failed } = createWhatCan(edits, body, create)
      return { entities: created, base, failed }
    }
    const properties = this.#rights.body(call, collection)
    // An empty body creates nothing, unless the type has something to say about what it lacks.
    const { required, prepare } = this.#engine.descriptor(collection)
    if (Object.keys(properties).length === 0 && required.length === 0 && prepare === undefined)
      return { entities: [], base }
    const created = edits.create(collection, properties)
    this.#rights.remainsWithin(call, filter, created)
    return { entities: [created], base, isSingle: true }
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
