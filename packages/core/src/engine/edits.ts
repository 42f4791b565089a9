import { buildEntity, type Entity, mergeProperties } from '../domain/entity.js'
import { entityNotFound, illegalArgument, resourceNotFound } from '../domain/errors.js'
import type { JsonObject } from '../domain/json.js'
import { typeName } from '../domain/names.js'
import { isUuid, newUuid } from '../domain/uuid.js'
import type { AppTransaction, StoredEntity, Transaction } from '../storage/store.js'
import type { Descriptor, Descriptors } from './descriptor.js'

/**
 * Changes of entities inside a transaction, for one application. Whatever a feature does to an entity goes
 * through here, so that the rules of its descriptor hold everywhere.
 */
export class Edits {
  readonly tx: AppTransaction
  readonly #transaction: Transaction
  readonly #descriptors: Descriptors

  constructor(transaction: Transaction, app: number, descriptors: Descriptors) {
    this.#transaction = transaction
    this.#descriptors = descriptors
    this.tx = transaction.app(app)
  }

  /** The same transaction, in another application. */
  in(app: number): Edits {
    return new Edits(this.#transaction, app, this.#descriptors)
  }

  /** UTC milliseconds. */
  get now(): number {
    return this.#transaction.now
  }

  attempt<T>(work: () => T): T {
    return this.#transaction.attempt(work)
  }

  /** Like `items.map(work)`, with far fewer reads. */
  each<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[] {
    return this.#transaction.each(items, work)
  }

  afterCommit(effect: () => void): void {
    this.#transaction.afterCommit(effect)
  }

  /** The entity that a path segment means, or `null`. */
  find(collection: string, ref: string): StoredEntity | null {
    if (isUuid(ref)) return this.tx.get(collection, ref.toLowerCase())
    for (const property of aliasesFor(this.#descriptors.of(collection), ref)) {
      const found = this.tx.find(collection, property, ref)
      if (found !== null) return found
    }
    return null
  }

  /** @throws {AppError} `service_resource_not_found` */
  get(collection: string, ref: string): StoredEntity {
    const entity = this.find(collection, ref)
    if (entity === null) throw resourceNotFound()
    return entity
  }

  create(collection: string, body: JsonObject, { uuid = newUuid(), keepTimes = false } = {}): StoredEntity {
    const descriptor = this.#descriptors.of(collection)
    const type = typeName(collection)
    const withDefaults = mergeProperties(type, { ...descriptor, required: [] }, null, body)
    descriptor.prepare?.(withDefaults, this.now)
    const properties = mergeProperties(type, descriptor, null, Object.fromEntries(withDefaults))
    descriptor.check?.(properties)
    const created = (keepTimes && timeOf(body['created'])) || this.now
    const modified = (keepTimes && timeOf(body['modified'])) || Math.max(created, this.now)
    return this.tx.insert(collection, buildEntity({ uuid, type, created, modified }, properties))
  }

  /** Lays `body` over the entity: given properties are replaced whole, others stay. */
  update(entity: StoredEntity, body: JsonObject): StoredEntity {
    const { uuid, type, created } = entity.object as Entity
    const descriptor = this.#descriptors.of(entity.collection)
    const properties = mergeProperties(type, descriptor, entity.object, body)
    descriptor.check?.(properties)
    return this.tx.replace(entity, buildEntity({ uuid, type, created, modified: this.now }, properties))
  }

  /** Updates the entity, or creates it under the uuid or name that the path gave. */
  put(collection: string, ref: string, body: JsonObject): StoredEntity {
    const found = this.find(collection, ref)
    if (found !== null) return this.update(found, body)
    if (!isUuid(ref)) return this.create(collection, namedBy(this.#descriptors.of(collection), ref, body))
    const uuid = ref.toLowerCase()
    if (this.tx.getAny(uuid) !== null) {
      throw illegalArgument(`Entity ${uuid} is not in the collection "${collection}"`)
    }
    return this.create(collection, body, { uuid, keepTimes: true })
  }

  remove(collection: string, ref: string): StoredEntity {
    const entity = this.get(collection, ref)
    this.tx.remove(entity)
    return entity
  }
}

const MAIL = /^[^\s@]+@[^\s@]+$/

/** The properties to look a reference up by: e-mail addresses are tried as such first. */
export const aliasesFor = ({ alias }: Descriptor, ref: string): readonly string[] =>
  alias.includes('email')
    ? MAIL.test(ref)
      ? ['email', ...alias.filter((name) => name !== 'email')]
      : alias.filter((name) => name !== 'email')
    : alias

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
