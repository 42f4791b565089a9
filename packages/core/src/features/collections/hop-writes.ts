import { AppError, illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { Json, JsonObject } from '../../domain/json.js'
import type { Filter } from '../../domain/query/ast.js'
import { both } from '../../domain/query/combine.js'
import { isUuid } from '../../domain/uuid.js'
import type { Edits } from '../../engine/edits.js'
import { asObject, checkBatch } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import {
  type Changed,
  type CollectionCall,
  type CollectionResult,
  isObject,
  refFor,
  unconditional,
  type WriteVerb,
} from './call.js'
import { baseOf } from './hops.js'
import type { HopStep } from './path.js'
import type { Rights } from './rights.js'
import { conditionsOf } from './sight.js'

/** Where a write at the end of a path starts. */
interface Start {
  /** The entity that the last step starts at. */
  near: StoredEntity
  /** What the entity at the end must match, before and after. */
  filter: Filter | null
}

/** Writes at the end of paths that go on from an entity. The path itself has been permitted. */
export class HopWrites {
  readonly #rights: Rights
  readonly #changed: Changed

  constructor(rights: Rights, changed: Changed) {
    this.#rights = rights
    this.#changed = changed
  }

  run(edits: Edits, verb: WriteVerb, call: CollectionCall, from: Start): CollectionResult {
    const { near } = from
    const step = writable(call.path.hops.at(-1)!)
    const isPost = verb === 'post' || (verb === 'put' && step.ref === null)
    if (!isPost && step.ref === null) throw farEndMissing()
    const right = isPost ? 'post' : verb === 'delete' ? 'delete' : 'put'
    // Both decisions are about the entity at the end of the path.
    const filter = both(from.filter, this.#rights.permitStep(edits, call, right, near, step))
    if (isPost) return this.#post(edits, call, { near, filter }, step)
    if (verb === 'delete') return this.#disconnect(edits, call, { near, filter }, step)
    if (verb === 'patch' || (step.collection !== null && !isUuid(step.ref!)))
      return this.#update(edits, verb as 'put' | 'patch', call, { near, filter }, step)
    return this.#put(edits, call, { near, filter }, step, step.ref!)
  }

  #post(edits: Edits, call: CollectionCall, from: Start, step: HopStep): CollectionResult {
    unconditional(call)
    if (step.ref === null) return this.#create(edits, call, from, step)
    const { near, filter } = from
    const target = this.#target(edits, call, step)
    this.#rights.permitTarget(call, step, target)
    this.#rights.within(call, filter, target)
    join(edits, step, near, target)
    edits.afterCommit(() => this.#changed(call.app, step.sub === null ? '' : 'groups'))
    return result(edits, near, step, target)
  }

  #create(edits: Edits, call: CollectionCall, { near, filter }: Start, step: HopStep): CollectionResult {
    const { collection } = step
    if (collection === null) throw targetMissing()
    const bodies = Array.isArray(call.body) ? call.body : [call.body]
    const isEmpty = bodies.every(
      (item) => item === undefined || (isObject(item) && Object.keys(item).length === 0),
    )
    if (isEmpty) throw resourceNotFound()
    checkBatch(bodies, edits.limits)
    const wanted = both(filter, this.#rights.permitCreation(call, 'post', collection))
    const entities = edits.each(bodies, (body) => {
      const cleaned = this.#rights.cleaned(call, collection, asObject(body))
      const created = edits.create(collection, scoped(step, near, cleaned))
      this.#rights.remainsWithin(call, wanted, created)
      join(edits, step, near, created)
      return edits.tx.current(created)
    })
    edits.afterCommit(() => this.#changed(call.app, collection))
    return { entities, base: baseOf(near, step), isSingle: !Array.isArray(call.body) }
  }

  /** Changes what is connected already. */
  #update(
    edits: Edits,
    verb: 'put' | 'patch',
    call: CollectionCall,
    { near, filter }: Start,
    step: HopStep,
  ): CollectionResult {
    const { app, caller } = call
    const target = this.#target(edits, call, step)
    const isShown = this.#rights.mayReadIn(caller, app, step, target)
    if (!isShown || !isJoined(edits, step, near, target)) throw resourceNotFound()
    this.#rights.within(call, filter, target)
    const wanted = both(filter, this.#rights.permitUpdate(call, step, target))
    const body = this.#rights.body(call, target.collection)
    const updated = edits[verb](target.collection, target.uuid, body, conditionsOf(call))
    this.#rights.remainsWithin(call, wanted, updated)
    edits.afterCommit(() => this.#changed(app, target.collection))
    return result(edits, near, step, updated)
  }

  /** Connects and writes: where the connection is there already, the right to write is enough. */
  #put(
    edits: Edits,
    call: CollectionCall,
    { near, filter }: Start,
    step: HopStep,
    ref: string,
  ): CollectionResult {
    const known = edits.getAny(ref)
    const collection = step.collection ?? known?.collection
    if (collection === undefined || (known !== null && known.collection !== collection))
      throw resourceNotFound()
    let own: Filter | null
    if (known === null) own = this.#rights.permitCreation(call, 'put', collection)
    else {
      if (!isJoined(edits, step, near, known)) this.#rights.permitTarget(call, step, known)
      this.#rights.within(call, filter, known)
      own = this.#rights.permitUpdate(call, step, known)
    }
    const given = this.#rights.body(call, collection)
    const body = known === null ? scoped(step, near, given) : given
    const target = edits.put(collection, ref, body, conditionsOf(call))
    this.#rights.remainsWithin(call, both(filter, own), target)
    join(edits, step, near, target)
    edits.afterCommit(() => this.#changed(call.app, collection))
    return result(edits, near, step, target)
  }

  /** A connection may be ended by whoever may not read its far end any more; it is not shown then. */
  #disconnect(edits: Edits, call: CollectionCall, { near, filter }: Start, step: HopStep): CollectionResult {
    unconditional(call)
    const { app, caller } = call
    const target = this.#target(edits, call, step)
    const isShown = this.#rights.mayReadIn(caller, app, step, target)
    if (!isShown && !isJoined(edits, step, near, target)) throw resourceNotFound()
    this.#rights.within(call, filter, target)
    const [from, to] = ends(step, near, target)
    edits.tx.disconnect(from, verbOf(step), to)
    edits.afterCommit(() => this.#changed(app, step.sub === null ? '' : 'groups'))
    return isShown ? result(edits, near, step, target) : { entities: [], base: baseOf(near, step) }
  }

  /** The far end that the path names. */
  #target(edits: Edits, call: CollectionCall, { collection, ref }: HopStep): StoredEntity {
    const meant = refFor(collection, ref!, call.caller)
    const found =
      collection === null || isUuid(ref!)
        ? edits.getAny(ref!)
        : this.#rights.known(call, meant, edits.find(collection, meant))
    if (found === null || (collection !== null && found.collection !== collection)) throw resourceNotFound()
    return found
  }
}

/** A path that ends before it says what is meant. */
export const farEndMissing = (): AppError =>
  new AppError(
    'unsupported_service_operation',
    'Name the far end of the connection: a uuid, or a collection and a name',
  )
export const targetMissing = (): AppError =>
  illegalArgument('Name the entity to connect: a uuid, or a collection and a name')

const result = (edits: Edits, near: StoredEntity, step: HopStep, target: StoredEntity): CollectionResult => ({
  entities: [edits.tx.current(target)],
  base: baseOf(near, step),
  isSingle: true,
})

/** However the property is written: names in one list must not take those of others. */
const scoped = ({ sub }: HopStep, near: StoredEntity, body: JsonObject): JsonObject => {
  if (sub?.scoped !== true) return body
  const isName = (key: string, value: Json): boolean =>
    key.toLowerCase() === 'name' && (typeof value === 'number' || (typeof value === 'string' && value !== ''))
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [key, isName(key, value) ? `${near.uuid}:${value}` : value]),
  )
}

/** Connects. What may hang on one entity only leaves those it hung on. */
const join = (edits: Edits, step: HopStep, near: StoredEntity, far: StoredEntity): void => {
  const verb = verbOf(step)
  const [from, to] = ends(step, near, far)
  const owners = step.sub?.exclusive === true ? edits.tx.sources(verb, to) : []
  for (const owner of owners) if (owner.uuid !== from.uuid) edits.tx.disconnect(owner, verb, to)
  edits.tx.connect(from, verb, to)
}

const isJoined = (edits: Edits, step: HopStep, near: StoredEntity, far: StoredEntity): boolean => {
  const [from, to] = ends(step, near, far)
  return edits.tx.isConnected(from, verbOf(step), to)
}

/** Connections are made and ended from where they start. @throws {AppError} `unsupported_service_operation`. */
export const writable = (step: HopStep): HopStep => {
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
