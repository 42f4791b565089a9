import type { OnceOptions } from './call.js'
import { type Place, pathOf, type Ref, segment, segmentOf } from './entity.js'
import { withTag } from './entity-tag.js'
import { type EntigridError, unexpectedReply } from './errors.js'
import { newKey } from './idempotency-key.js'
import type { Json } from './json.js'
import { isRelative } from './operators.js'
import type { EntityOf, MergePatchOf, NameOf, NewOf, PatchOf, Schema, TargetOf, VerbFrom } from './schema.js'
import type { Session } from './session.js'
import type { Method } from './transport.js'
import { conditionOf, type WriteOptions, withVersions } from './write.js'

declare const VALUE: unique symbol

/** Stands for a property of an entity that the same batch makes or reads before. */
export type Reference<V> = { readonly $ref: string; readonly [VALUE]?: V }

/** A body in which references may stand for texts, numbers and booleans, at any depth. */
export type Referring<T> = [Json] extends [T] ? T : ReferringIn<T>
type ReferringIn<T> = T extends string | number | boolean
  ? T | Reference<T>
  : T extends object
    ? { [K in keyof T]: Referring<T[K]> }
    : T

/** The entity that an operation of a batch will result in. */
export class Pending<E, C extends string = string> {
  constructor(
    readonly collection: C,
    /** Name of the operation within its batch. */
    readonly id: string,
  ) {}

  /** A property as it will be by then: text of at most 1,000 characters, a number or a boolean. */
  ref<K extends keyof E & string>(property: K): Reference<NonNullable<E[K]>> {
    return { $ref: `${this.id}.${property}` }
  }
}

/** What came of the operations in what the function of a batch returned. */
export type Settled<T> =
  T extends Pending<infer E> ? E : { [K in keyof T]: T[K] extends Pending<infer E> ? E : T[K] }

type PendingOf<S extends Schema, C extends NameOf<S>> = Pending<EntityOf<S, C>, C>

/** One operation on the wire, as the engine takes it. */
export interface BatchOperation {
  id: string
  method: Method
  path: string
  body?: Json
  ifMatch?: string
}

interface Results {
  results?: { etag?: string; entities: unknown[] }[]
}

/** Operations that are carried out together: all of them, in order, or none. They are sent when all are known. */
export class Batch<S extends Schema> {
  readonly #operations: BatchOperation[] = []
  /** What each operation was asked to write to. */
  readonly #refs: unknown[] = []

  collection<C extends NameOf<S>>(name: C): BatchCollection<S, C> {
    return new BatchCollection(name, (operation, ref) => this.#add(name, operation, ref))
  }

  /** Results in the second entity. */
  connect<C extends NameOf<S>, V extends VerbFrom<S, C>, T extends TargetOf<S, C, V>>(
    from: Place<C> | PendingOf<S, C>,
    verb: V,
    to: Place<T> | PendingOf<S, T>,
  ): PendingOf<S, T> {
    return this.#connection('POST', from, verb, to)
  }

  /** Results in the second entity, also if they were not connected. */
  disconnect<C extends NameOf<S>, V extends VerbFrom<S, C>, T extends TargetOf<S, C, V>>(
    from: Place<C> | PendingOf<S, C>,
    verb: V,
    to: Place<T> | PendingOf<S, T>,
  ): PendingOf<S, T> {
    return this.#connection('DELETE', from, verb, to)
  }

  /** @throws {EntigridError} of the first operation that failed, whose place is its `operation`. */
  async send<T>(
    session: Session,
    application: string,
    made: T,
    options: OnceOptions = {},
  ): Promise<Settled<T>> {
    const { idempotencyKey = newKey(), ...others } = options
    // What is added from now on would never be sent: adding it throws.
    const operations = Object.freeze(this.#operations)
    if (operations.length === 0) return settled(made, new Map())
    const call = {
      method: 'POST',
      path: `${application}/_batch`,
      body: { operations },
      idempotencyKey,
    } as const
    return session.within(others, async (rest) => {
      try {
        const { results = [] } = await session.send<Results>({ ...call, ...rest() })
        if (results.length !== operations.length) throw unexpectedReply(200)
        const entities = results.map(({ entities: [entity], etag }) => withTag(entity, etag))
        return settled(made, new Map(operations.map(({ id }, index) => [id, entities[index]])))
      } catch (error) {
        const { operation = -1 } = error as EntigridError
        const failed = operations[operation]
        if (failed === undefined) throw error
        const write = { path: `${application}/${failed.path}`, ref: this.#refs[operation], mine: failed.body }
        throw await withVersions(session, error, { ...write, ...rest() })
      }
    })
  }

  #connection<T extends NameOf<S>>(
    method: Method,
    from: Place | Pending<unknown>,
    verb: string,
    to: Place | Pending<unknown>,
  ): PendingOf<S, T> {
    const path = `${placeOf(from)}/${segment(verb)}/${placeOf(to)}`
    return this.#add((to instanceof Pending || !('uuid' in to) ? to.collection : to.type) as T, {
      method,
      path,
    })
  }

  #add<C extends NameOf<S>>(
    collection: C,
    operation: Omit<BatchOperation, 'id'>,
    ref?: unknown,
  ): PendingOf<S, C> {
    const id = `o${this.#operations.length}`
    this.#operations.push({ id, ...operation })
    this.#refs.push(ref)
    return new Pending(collection, id)
  }
}

type Add<S extends Schema, C extends NameOf<S>> = (
  operation: Omit<BatchOperation, 'id'>,
  ref?: unknown,
) => PendingOf<S, C>

type BatchRef = Ref | Pending<unknown>
type Condition = Pick<WriteOptions, 'ifMatch'>

/** One collection within a batch. Its methods do what those of `Collection` do. */
export class BatchCollection<S extends Schema, C extends NameOf<S>> {
  readonly #path: string
  readonly #add: Add<S, C>

  constructor(name: C, add: Add<S, C>) {
    this.#path = segment(name)
    this.#add = add
  }

  create(properties: Referring<NewOf<S, C>>): PendingOf<S, C> {
    return this.#add({ method: 'POST', path: this.#path, body: properties })
  }

  /** With `ifMatch: true`, the batch is carried out only if the entity at hand is still as it was read. */
  get(ref: BatchRef, { ifMatch }: Condition = {}): PendingOf<S, C> {
    return this.#one('GET', ref, conditionOf(ref, ifMatch, false))
  }

  update(ref: BatchRef, changes: Referring<PatchOf<S, C>>, { ifMatch }: Condition = {}): PendingOf<S, C> {
    const condition = conditionOf(ref, ifMatch, !isRelative(changes, 'top'))
    return this.#one('PUT', ref, condition, changes)
  }

  patch(ref: BatchRef, changes: Referring<MergePatchOf<S, C>>, { ifMatch }: Condition = {}): PendingOf<S, C> {
    const condition = conditionOf(ref, ifMatch, !isRelative(changes, 'any'))
    return this.#one('PATCH', ref, condition, changes)
  }

  delete(ref: BatchRef, { ifMatch }: Condition = {}): PendingOf<S, C> {
    return this.#one('DELETE', ref, conditionOf(ref, ifMatch, false))
  }

  #one(method: Method, ref: BatchRef, ifMatch: string | undefined, body?: unknown): PendingOf<S, C> {
    return this.#add({ method, path: this.#pathOf(ref), body: body as Json, ifMatch }, ref)
  }

  #pathOf(ref: BatchRef): string {
    return `${this.#path}/${ref instanceof Pending ? `$${ref.id}` : segmentOf(ref)}`
  }
}

const placeOf = (place: Place | Pending<unknown>): string =>
  place instanceof Pending ? `${segment(place.collection)}/$${place.id}` : pathOf(place).slice(1)

const settled = <T>(made: T, entities: ReadonlyMap<string, unknown>): Settled<T> => {
  const settle = (value: unknown) => (value instanceof Pending ? entities.get(value.id) : value)
  if (made instanceof Pending || typeof made !== 'object' || made === null) return settle(made) as Settled<T>
  if (Array.isArray(made)) return made.map(settle) as Settled<T>
  return Object.fromEntries(Object.entries(made).map(([key, value]) => [key, settle(value)])) as Settled<T>
}
