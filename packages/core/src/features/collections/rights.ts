import { type Application, type Caller, isAppAdmin } from '../../api/caller.js'
import { denied, isPermitted, isWithin, permit, permitSome, reachIn } from '../../api/permit.js'
import { resourceNotFound } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { PathSegments, Verb } from '../../domain/permission.js'
import type { Filter } from '../../domain/query/ast.js'
import { isUuid } from '../../domain/uuid.js'
import { asObject, type Engine } from '../../engine/engine.js'
import type { Reads } from '../../engine/reads.js'
import type { StoredEntity } from '../../storage/store.js'
import { type CollectionCall, refFor } from './call.js'
import { gatePath, type KnownEntities, ownPath, spellingsOf } from './gate-path.js'
import type { HopStep } from './path.js'
import { knownBy } from './sight.js'

/** A right to a path. */
export interface Permitted {
  /** What the path leads to must match it. */
  filter: Filter | null
  /** Entities on the path, in order, where they had to be looked up. */
  known: KnownEntities | null
}

const WHOLLY: Permitted = { filter: null, known: null }

/** What a caller may do on the way along a path. Whoever administers the application may do everything. */
export class Rights {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /**
   * The decision about the path of a request: the filter that what it leads to must match, `null` for all of it.
   * Spellings that permission strings may use are looked up only when the path as typed is not allowed.
   * @throws {AppError} `unauthorized`.
   */
  permit(reads: Reads, call: CollectionCall, verb: Verb): Filter | null {
    return this.permitted(reads, call, verb).filter
  }

  /** The same, with the entities that had to be looked up for it. */
  permitted(reads: Reads, call: CollectionCall, verb: Verb): Permitted {
    const { app, caller, path } = call
    if (isAppAdmin(caller, app)) return WHOLLY
    if (isPermitted(caller, app, { verb, path: gatePath(path, caller, this.#aliases) })) return WHOLLY
    const known = this.knownOn(reads, call)
    const spelled = gatePath(path, caller, this.#aliases, known)
    return { filter: permitSome(caller, app, { verb, path: spelled }), known }
  }

  /** Whether the right to a path is a right to the entity at its end. */
  reaches(reads: Reads, call: CollectionCall, verb: Verb, end: StoredEntity): boolean {
    return isPermitted(call.caller, call.app, { verb, path: this.spelled(reads, call) }, end)
  }

  /**
   * That an entity is among those that a right is for. Whoever may read it is told that he may do no more.
   * @throws {AppError} `unauthorized`, or `service_resource_not_found` as for what does not exist.
   */
  within(
    { app, caller }: Pick<CollectionCall, 'app' | 'caller'>,
    filter: Filter | null,
    entity: StoredEntity,
  ): void {
    if (filter === null || isWithin(filter, entity)) return
    throw this.mayRead(caller, app, entity) ? denied(caller) : resourceNotFound()
  }

  /** The same of an entity as it was just written. @throws {AppError} `unauthorized`, which undoes it. */
  remainsWithin(
    { caller }: Pick<CollectionCall, 'caller'>,
    filter: Filter | null,
    entity: StoredEntity,
  ): void {
    if (filter !== null && !isWithin(filter, entity)) throw denied(caller)
  }

  /** What leads on to some entities only must be something that the caller may read. @throws {AppError} `service_resource_not_found` */
  passes({ app, caller }: CollectionCall, filter: Filter | null, source: StoredEntity): void {
    if (filter !== null && !this.mayRead(caller, app, source)) throw resourceNotFound()
  }

  /** The path of a request in all spellings that permission strings may use. */
  spelled(reads: Reads, call: CollectionCall): PathSegments {
    return gatePath(call.path, call.caller, this.#aliases, this.knownOn(reads, call))
  }

  /**
   * The decision about what is written at the end of a path, where that is not the path as it was asked for:
   * some lists are decided about by their other end (who is in a group, by a right on the group's own path), and
   * at the end of several steps it is the last entity's own path that counts. Resolves to the filter that the entity
   * at the end must match.
   * @throws {AppError} `unauthorized`
   */
  permitStep(
    reads: Reads,
    { app, caller, path }: CollectionCall,
    verb: Verb,
    near: StoredEntity,
    step: HopStep,
  ): Filter | null {
    const { sub, collection, ref, word } = step
    const inverse = sub?.inverse
    if (isAppAdmin(caller, app) || (inverse === undefined && path.hops.length === 1)) return null
    const here = spellingsOf(near, caller, this.#aliases)
    const there = ref === null ? [] : [this.#spellings(reads, caller, collection, ref)]
    if (inverse === undefined) {
      const type = sub === null && collection !== null ? [[collection, '']] : []
      return permitSome(caller, app, { verb, path: [[near.collection], here, [word], ...type, ...there] })
    }
    // A new group has no members to decide about, and no rights to give.
    if (ref === null) return permitSome(caller, app, { verb, path: [[sub!.collection]] })
    permit(caller, app, { verb, path: [[sub!.collection], ...there, [inverse], here] }, near)
    return null
  }

  /**
   * A connection may be made only to what the caller may read, and an existing entity may join a list that
   * gives the right to write it only where the caller has that right already.
   * @throws {AppError} `service_resource_not_found`, as for what does not exist.
   */
  permitTarget({ app, caller }: CollectionCall, { sub }: HopStep, target: StoredEntity): void {
    const mayJoin =
      sub?.gives === 'put' ? this.#may('put', caller, app, target) : this.mayRead(caller, app, target)
    if (!mayJoin) throw resourceNotFound()
  }

  /**
   * Writing what a connection leads to takes the right to write it, unless the list it is in gives that right. Returns
   * the filter that the entity must match afterwards, too.
   */
  permitUpdate({ app, caller }: CollectionCall, { sub }: HopStep, target: StoredEntity): Filter | null {
    if (sub?.gives === 'put') return null
    const access = { verb: 'put', path: ownPath(target, caller, this.#aliases) } as const
    const filter = permitSome(caller, app, access)
    permit(caller, app, access, target)
    return filter
  }

  /**
   * Users, groups and roles carry rights: to make one by way of a connection, or in a list, takes the right to make one.
   * Resolves to the filter that it must match.
   */
  permitCreation({ app, caller }: CollectionCall, verb: Verb, collection: string): Filter | null {
    if (!('permissions' in this.#engine.descriptor(collection).sets)) return null
    return permitSome(caller, app, { verb, path: [[collection]] })
  }

  mayRead(caller: Caller, app: Application, entity: StoredEntity): boolean {
    return this.#may('get', caller, app, entity)
  }

  /** Whether an entity may be shown in the list that a step leads to. */
  mayReadIn(caller: Caller, app: Application, { sub }: HopStep, entity: StoredEntity): boolean {
    return sub?.gives !== undefined || this.mayRead(caller, app, entity)
  }

  /** Whether connections of a verb may be shown in an entity's metadata. */
  mayFollow(
    caller: Caller,
    app: Application,
    entity: StoredEntity,
    verb: string,
    direction: 'out' | 'in',
  ): boolean {
    const path = [
      ...ownPath(entity, caller, this.#aliases),
      ...(direction === 'out' ? [[verb]] : [['connecting'], [verb]]),
    ]
    return reachIn(caller, app, { verb: 'get', path }) !== 'none'
  }

  /** The body as an object, without the properties that only administrators may write. */
  body({ app, caller, body = {} }: CollectionCall, collection: string): JsonObject {
    return this.cleaned({ app, caller }, collection, asObject(body))
  }

  cleaned(
    { app, caller }: { app: Application; caller: Caller },
    collection: string,
    body: JsonObject,
  ): JsonObject {
    const { adminOnly } = this.#engine.descriptor(collection)
    if (adminOnly.length === 0 || isAppAdmin(caller, app)) return body
    return Object.fromEntries(Object.entries(body).filter(([key]) => !adminOnly.includes(key.toLowerCase())))
  }

  #may(verb: Verb, caller: Caller, app: Application, entity: StoredEntity): boolean {
    return isPermitted(caller, app, { verb, path: ownPath(entity, caller, this.#aliases) }, entity)
  }

  /** What a reference found, as far as the caller may know it by that. */
  known<E extends StoredEntity | null>(
    { caller }: Pick<CollectionCall, 'caller'>,
    ref: string,
    entity: E,
  ): E | null {
    return entity === null ? null : knownBy(caller, this.#aliases(entity.collection), ref, entity)
  }

  readonly #aliases = (collection: string): readonly string[] => this.#engine.descriptor(collection).alias

  #spellings(reads: Reads, caller: Caller, collection: string | null, ref: string): PathSegments[number] {
    const entity = this.#lookUp(reads, caller, collection, ref)
    return entity === null ? [ref] : spellingsOf(entity, caller, this.#aliases)
  }

  /** The entities that a path names, in order: the root's and each hop's, as far as the caller may know them by that. */
  knownOn(reads: Reads, { caller, path }: CollectionCall): KnownEntities {
    return reads.each([path, ...path.hops], ({ collection, ref }) =>
      ref === null ? null : this.#lookUp(reads, caller, collection, ref),
    )
  }

  #lookUp(reads: Reads, caller: Caller, collection: string | null, ref: string): StoredEntity | null {
    const isUser = caller.principal.kind === 'user' && caller.self !== null
    if (!isUser && collection === 'users' && ref.toLowerCase() === 'me') return null
    const meant = refFor(collection, ref, caller)
    if (collection === null || isUuid(meant)) return reads.getAny(meant)
    return this.known({ caller }, meant, reads.find(collection, meant))
  }
}
