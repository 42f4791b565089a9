import type { Application, Caller } from '../../api/caller.js'
import { denied, isWithin } from '../../api/permit.js'
import type { ApiReply } from '../../api/request.js'
import { param, type Segment } from '../../api/url.js'
import { AppError } from '../../domain/errors.js'
import type { Limits } from '../../domain/limits.js'
import type { Filter } from '../../domain/query/ast.js'
import { type Edits, missing } from '../../engine/edits.js'
import { checkBatch, type Engine } from '../../engine/engine.js'
import type { Preparations } from '../../engine/preparations.js'
import type { QueryWarning, StoredEntity } from '../../storage/store.js'
import { type Asked, type AskedMethod, Asking } from './asking.js'
import { type BatchOperation, BatchRun, type OperationResult } from './batch.js'
import {
  type CollectionCall,
  type CollectionResult,
  isObject,
  listed,
  PAGE,
  pageOf,
  queryOf,
  refFor,
  rightOf,
  textOf,
  unconditional,
  type WriteVerb,
  wantsTotal,
} from './call.js'
import { Hops } from './hops.js'
import { once, type Repeatable } from './once.js'
import type { PathReader } from './path.js'
import { type Permitted, Rights } from './rights.js'
import { shownTo, sightOf } from './sight.js'
import { Writes } from './writes.js'

/** Reading and writing entities by path: the heart of the API. Rights are checked before anything is looked up for the reply. */
export class Collections {
  readonly #engine: Engine
  readonly #rights: Rights
  readonly #hops: Hops
  readonly #writes: Writes
  readonly #asking: Asking
  readonly #paths: PathReader
  /** Called when a write may have changed what somebody is allowed to do. */
  readonly #onRightsChanged: (app: number) => void

  constructor(engine: Engine, paths: PathReader, onRightsChanged: (app: number) => void) {
    this.#engine = engine
    this.#rights = new Rights(engine)
    this.#hops = new Hops(engine, this.#rights)
    this.#writes = new Writes(engine, this.#rights, (app, collection) => this.#changed(app, collection))
    this.#asking = new Asking(engine, this.#rights, this.#hops)
    this.#paths = paths
    this.#onRightsChanged = onRightsChanged
  }

  get limits(): Limits {
    return this.#engine.limits
  }

  async get(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller } = call
    const permitted = await this.#engine.look(app.id, (reads) => this.#rights.permitted(reads, call, 'get'))
    return shownTo(caller, await this.#read(call, permitted))
  }

  async #read(call: CollectionCall, { filter, known }: Permitted): Promise<CollectionResult> {
    const { app, caller, path, params } = call
    if (path.hops.length > 0) return this.#hops.get(call, filter)
    const base = `/${path.collection}`
    if (path.ref === null) {
      const page = {
        ...pageOf(path.query, params, PAGE, this.#engine.limits),
        sight: sightOf(caller, filter),
      }
      const [listing, total] = await Promise.all([
        this.#engine.list(app.id, path.collection, page),
        wantsTotal(params) ? this.#engine.count(app.id, path.collection, page) : undefined,
      ])
      return { ...listed(listing, page), base, isRootListing: path.query === null, total }
    }
    const ref = refFor(path.collection, path.ref, caller)
    const query = queryOf(params, this.#engine.limits)
    const [found] = known ?? []
    const entity =
      found?.collection === path.collection
        ? found
        : this.#rights.known(call, ref, await this.#engine.get(app.id, path.collection, ref))
    if (entity === null || (filter !== null && !isWithin(filter, entity)))
      throw missing(this.#engine.descriptor(path.collection), ref)
    return { entities: [entity], base, query, isSingle: true }
  }

  /** What would be slow about `get`, which is not carried out. */
  async analyse(call: CollectionCall): Promise<{ base: string; warnings: readonly QueryWarning[] }> {
    const { app, path, params } = call
    const filter = await this.#engine.look(app.id, (reads) => this.#rights.permit(reads, call, 'get'))
    // It tells how many entities there are, whoever may read them.
    if (filter !== null) throw denied(call.caller)
    if (path.hops.length > 0) return this.#hops.analyse(call)
    const page = pageOf(path.query, params, PAGE, this.#engine.limits)
    const isListing = path.ref === null
    const warnings = isListing ? await this.#engine.analyse(app.id, path.collection, page) : []
    return { base: `/${path.collection}`, warnings }
  }

  /** Writes in a transaction of its own. */
  async write(verb: WriteVerb, call: CollectionCall): Promise<CollectionResult> {
    const filter = await this.#permitWrite(verb, call)
    return shownTo(call.caller, await this.#write(verb, call, filter))
  }

  async #write(verb: WriteVerb, call: CollectionCall, filter: Filter | null): Promise<CollectionResult> {
    if (verb !== 'post' && isBulk(verb, call)) return this.#writeMatches(verb, call, filter)
    const result = await this.#transact(verb, call, filter, (_, work) => work())
    return verb === 'delete' && call.path.hops.length > 0 ? this.#readAgain(call, result) : result
  }

  /** A POST that is carried out once, however often it comes; `render` makes its reply. */
  async postOnce(
    call: CollectionCall,
    request: Repeatable,
    render: (result: CollectionResult) => ApiReply,
  ): Promise<ApiReply> {
    const filter = await this.#permitWrite('post', call)
    return this.#transact('post', call, filter, (edits, work) =>
      once(edits, request, () => render(shownTo(call.caller, work()))),
    )
  }

  /** Refused here already, a request does not take its turn among the writers. */
  async #permitWrite(verb: WriteVerb, call: CollectionCall): Promise<Filter | null> {
    return this.#engine.look(call.app.id, (reads) => this.#rights.permit(reads, call, rightOf(verb)))
  }

  async #transact<T>(
    verb: WriteVerb,
    call: CollectionCall,
    filter: Filter | null,
    within: (edits: Edits, work: () => CollectionResult) => T,
  ): Promise<T> {
    const { app, caller } = call
    const near = await this.#hops.near(call, filter)
    const preparations = await this.#prepared(verb, call)
    const work = (edits: Edits) => this.#writes.run(edits, verb, call, { near, partial: true })
    return this.#engine.transact(
      app.id,
      caller.label,
      (edits) => within(edits, () => work(edits)),
      preparations,
    )
  }

  /** After a connection is gone, as the entity's list of verbs may be shorter. */
  async #readAgain(call: CollectionCall, result: CollectionResult): Promise<CollectionResult> {
    const uuids = result.entities.map(({ uuid }) => uuid)
    const entities = await this.#engine.store.getMany(call.app.id, uuids).catch((error: unknown) => {
      // The connection is gone for good: a database that is lost now must not make that a failure.
      if (error instanceof AppError && error.code === 'unavailable') return []
      throw error
    })
    return { ...result, entities: result.entities.map((entity, i) => entities[i] ?? entity) }
  }

  /** All operations of a batch, or none; `render` makes the reply within the transaction. */
  batch<T>(
    app: Application,
    caller: Caller,
    operations: readonly BatchOperation[],
    within: (edits: Edits, work: () => OperationResult[]) => T,
  ): Promise<T> {
    const batch = new BatchRun({ writes: this.#writes, paths: this.#paths, app, caller })
    return this.#engine.transact(app.id, caller.label, (edits) =>
      within(edits, () => batch.run(edits, operations)),
    )
  }

  async #writeMatches(
    verb: Exclude<WriteVerb, 'post'>,
    call: CollectionCall,
    filter: Filter | null,
  ): Promise<CollectionResult> {
    unconditional(call)
    const { app, caller, path, params } = call
    const { collection } = path
    const { limits } = this.#engine
    const base = `/${collection}`
    const sight = sightOf(caller, filter)
    const { label } = caller
    const entities =
      verb === 'delete'
        ? await this.#engine.removeWhere(app.id, label, collection, {
            ...pageOf(path.query, params, PAGE, limits),
            sight,
          })
        : await this.#engine.updateWhere(
            app.id,
            label,
            collection,
            { query: queryOf(path.query ?? params, limits), sight },
            (edits, entity) => this.#writes.update(edits, verb, call, filter, entity),
          )
    this.#changed(app, collection)
    return { entities, base }
  }

  /** Which rights a request would need, and whether the caller has them. Nothing is carried out. */
  async ask(
    app: Application,
    caller: Caller,
    method: AskedMethod,
    segments: readonly Segment[],
    { all }: { all: boolean },
  ): Promise<Asked> {
    const path = await this.#engine.look(app.id, (reads) => this.#paths.read(reads, segments))
    return this.#asking.ask(method, { app, caller, path, params: new Map(), body: undefined }, all)
  }

  /** What new entities need beforehand, for all of an array at once. */
  async #prepared(verb: WriteVerb, call: CollectionCall): Promise<Preparations | undefined> {
    const { app, path, body } = call
    const collection = path.hops.length === 0 ? path.collection : (path.hops.at(-1)?.collection ?? null)
    if (verb !== 'post' || collection === null || !Array.isArray(body)) return undefined
    checkBatch(body, this.#engine.limits)
    const bodies = body.filter(isObject).map((item) => this.#rights.cleaned(call, collection, item))
    return this.#engine.prepare(app.id, collection, bodies)
  }

  /** Whether connections of a verb may be shown in an entity's metadata. */
  mayFollow(
    caller: Caller,
    app: Application,
    entity: StoredEntity,
    verb: string,
    direction: 'out' | 'in',
  ): boolean {
    return this.#rights.mayFollow(caller, app, entity, verb, direction)
  }

  #changed(app: Application, collection: string): void {
    if (collection === 'users' || collection === 'groups' || collection === 'roles')
      this.#onRightsChanged(app.id)
  }
}

/**
 * Whether all matches of a query are meant. @throws {AppError} `unsupported_service_operation` for a DELETE of a
 * collection that does not say which of its entities.
 */
const isBulk = (verb: WriteVerb, { path, params }: CollectionCall): boolean => {
  if (path.ref !== null || path.hops.length > 0) return false
  const asked = path.query ?? params
  if (verb === 'put') return textOf(asked) !== undefined
  const text = textOf(asked)?.trim()
  if (verb === 'patch') return text !== undefined && text !== ''
  if (!['limit', 'cursor'].some((name) => param(asked, name) !== undefined) && !text) {
    throw new AppError(
      'unsupported_service_operation',
      'To delete entities of a collection give ql, limit or cursor; to empty it use _clear',
    )
  }
  return true
}
