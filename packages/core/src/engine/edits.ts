import { buildEntity, type Entity, type MergeMode, mergeProperties } from '../domain/entity.js'
import { type Conditions, checkConditions, NO_CONDITIONS } from '../domain/entity-tag.js'
import { entityNotFound, illegalArgument, resourceNotFound } from '../domain/errors.js'
import type { JsonObject } from '../domain/json.js'
import { checkDepth } from '../domain/json-depth.js'
import { checkSize } from '../domain/limits.js'
import { typeName } from '../domain/names.js'
import { isUuid, newUuid } from '../domain/uuid.js'
import type { AppTransaction, StoredEntity, Transaction } from '../storage/store.js'
import type { Descriptor, Descriptors } from './descriptor.js'
import type { Preparations } from './preparations.js'
import { Reads } from './reads.js'

/**
 * Changes of entities inside a transaction, for one application. Whatever a feature does to an entity goes
 * through here, so that the rules of its descriptor hold everywhere.
 */
export class Edits extends Reads {
  readonly tx: AppTransaction
  readonly #app: number
  readonly #transaction: Transaction
  readonly #preparations: Preparations

  constructor(transaction: Transaction, app: number, descriptors: Descriptors, preparations: Preparations) {
    const tx = transaction.app(app)
    super(tx, descriptors)
    this.tx = tx
    this.#app = app
    this.#transaction = transaction
    this.#preparations = preparations
  }

  /** The same transaction, in another application. */
  in(app: number): Edits {
    return new Edits(this.#transaction, app, this.descriptors, this.#preparations)
  }

  /** UTC milliseconds. */
  get now(): number {
    return this.#transaction.now
  }

  /** Who changes, as it goes to the change log. */
  get principal(): string | null {
    return this.#transaction.principal
  }

  attempt<T>(work: () => T): T {
    return this.#transaction.attempt(work)
  }

  afterCommit(effect: () => void): void {
    this.#transaction.afterCommit(effect)
  }

  create(collection: string, body: JsonObject, { uuid = newUuid(), keepTimes = false } = {}): StoredEntity {
    checkDepth(body, this.limits.depth)
    const descriptor = this.descriptors.of(collection)
    const { secure } = descriptor
    const app = this.#app
    const secured =
      secure && this.#preparations.get(securedKey(app, collection, body), () => secure(body, app))
    const type = typeName(collection)
    const withDefaults = mergeProperties(type, { ...descriptor, required: [] }, null, body)
    descriptor.prepare?.(withDefaults, this.now)
    const properties = mergeProperties(type, descriptor, null, Object.fromEntries(withDefaults))
    descriptor.check?.(properties, null)
    const created = (keepTimes && timeOf(body['created'])) || this.now
    const modified = (keepTimes && timeOf(body['modified'])) || Math.max(created, this.now)
    const entity = this.tx.insert(collection, buildEntity({ uuid, type, created, modified }, properties))
    secured?.(this, entity)
    if (keepTimes) descriptor.succeed?.(this, entity)
    return this.#fitting(this.tx.current(entity))
  }

  /** Lays `body` over the entity: given properties are replaced whole, or merged as a patch; others stay. */
  update(entity: StoredEntity, body: JsonObject, mode: MergeMode = 'replace'): StoredEntity {
    checkDepth(body, this.limits.depth)
    const { uuid, type, created } = entity.object as Entity
    const descriptor = this.descriptors.of(entity.collection)
    const properties = mergeProperties(type, descriptor, entity.object, body, mode)
    descriptor.amend?.(properties, entity, this)
    descriptor.check?.(properties, entity.object)
    return this.#fitting(
      this.tx.replace(entity, buildEntity({ uuid, type, created, modified: this.now }, properties)),
    )
  }

  /**
   * Updates the entity, or creates it under the uuid or name that the path gave.
   * @throws {AppError} `precondition_failed`
   */
  put(
    collection: string,
    ref: string,
    body: JsonObject,
    conditions: Conditions = NO_CONDITIONS,
  ): StoredEntity {
    const found = this.find(collection, ref)
    checkConditions(conditions, found)
    if (found !== null) return this.update(found, body)
    if (!isUuid(ref)) return this.create(collection, namedBy(this.descriptors.of(collection), ref, body))
    const uuid = ref.toLowerCase()
    if (this.tx.getAny(uuid) !== null) {
      throw illegalArgument(`Entity ${uuid} is not in the collection "${collection}"`)
    }
    return this.create(collection, body, { uuid, keepTimes: true })
  }

  /** Merges `body` into the entity (RFC 7396). @throws {AppError} `service_resource_not_found`, `precondition_failed`. */
  patch(
    collection: string,
    ref: string,
    body: JsonObject,
    conditions: Conditions = NO_CONDITIONS,
  ): StoredEntity {
    const entity = this.get(collection, ref)
    checkConditions(conditions, entity)
    return this.update(entity, body, 'patch')
  }

  /** @throws {AppError} `service_resource_not_found`, `precondition_failed` */
  remove(collection: string, ref: string, conditions: Conditions = NO_CONDITIONS): StoredEntity {
    const entity = this.get(collection, ref)
    checkConditions(conditions, entity)
    this.tx.remove(entity)
    return entity
  }

  /** @throws {AppError} `payload_too_large`, which undoes the transaction, or this attempt of it. */
  #fitting(entity: StoredEntity): StoredEntity {
    checkSize(entity.doc, this.limits.entitySize)
    return entity
  }
}

/** Under which what a descriptor's `secure` makes of a body is prepared. */
export const securedKey = (app: number, collection: string, body: JsonObject): string =>
  `secure ${app} ${collection} ${JSON.stringify(body)}`

/** A body for an entity that a PUT creates: the name in the path counts, in the body's spelling if they agree. */
const namedBy = ({ alias, required }: Descriptor, ref: string, body: JsonObject): JsonObject => {
  // A user put under an unknown word needs its own username; the word becomes the display name.
  const property = required.includes('username') ? 'name' : (alias[0] ?? 'name')
  const given = body[property]
  // What can be no name is left to be refused.
  const isWrong = given !== null && !['undefined', 'string', 'number'].includes(typeof given)
  const same = typeof given === 'string' && given.toLowerCase() === ref.toLowerCase()
  return same || isWrong ? body : { ...body, [property]: ref }
}

const timeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined

/** For reads outside a transaction: the code differs by what was asked for (data rules, "Which 404?"). */
export const missing = (descriptor: Descriptor, ref: string): Error =>
  isUuid(ref) || descriptor.collection !== 'users' ? entityNotFound(ref, isUuid(ref)) : resourceNotFound()
