import type { Application, Caller } from '../../api/caller.js'
import { param } from '../../api/url.js'
import { AppError, resourceNotFound } from '../../domain/errors.js'
import { asObject, type Engine } from '../../engine/engine.js'
import type { QueryWarning, StoredEntity } from '../../storage/store.js'
import {
  type CollectionCall,
  type CollectionResult,
  isObject,
  listed,
  PAGE,
  pageOf,
  queryOf,
  refFor,
  textOf,
} from './call.js'
import { Hops } from './hops.js'
import { Rights } from './rights.js'

/** Reading and writing entities by path: the heart of the API. Rights are checked before anything is looked up for the reply. */
export class Collections {
  readonly #engine: Engine
  readonly #rights: Rights
  readonly #hops: Hops
  /** Called when a write may have changed what somebody is allowed to do. */
  readonly #onRightsChanged: (app: number) => void

  constructor(engine: Engine, onRightsChanged: (app: number) => void) {
    this.#engine = engine
    this.#rights = new Rights(engine)
    this.#hops = new Hops(engine, this.#rights, (app, collection) => this.#changed(app, collection))
    this.#onRightsChanged = onRightsChanged
  }

  async get(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, params } = call
    await this.#rights.permit(call, 'get')
    if (path.hops.length > 0) return this.#hops.get(call)
    const base = `/${path.collection}`
    if (path.ref === null) {
      const page = pageOf(path.query, params, PAGE)
      const listing = await this.#engine.list(app.id, path.collection, page)
      return { ...listed(listing, page), base, isRootListing: path.query === null }
    }
    const ref = refFor(path.collection, path.ref, caller)
    const query = queryOf(params)
    return { entities: [await this.#engine.get(app.id, path.collection, ref)], base, query }
  }

  /** What would be slow about `get`, which is not carried out. */
  async analyse(call: CollectionCall): Promise<{ base: string; warnings: readonly QueryWarning[] }> {
    const { app, path, params } = call
    await this.#rights.permit(call, 'get')
    if (path.hops.length > 0) return this.#hops.analyse(call)
    const page = pageOf(path.query, params, PAGE)
    const isListing = path.ref === null
    const warnings = isListing ? await this.#engine.analyse(app.id, path.collection, page) : []
    return { base: `/${path.collection}`, warnings }
  }

  async post(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, body } = call
    await this.#rights.permit(call, 'post')
    if (path.hops.length > 0) return this.#hops.post(call)
    if (path.ref === null) return this.#create(call)
    // Posting to an entity changes nothing; Usergrid re-adds it to its collection and returns it.
    const entity = await this.#engine.find(app.id, path.collection, refFor(path.collection, path.ref, caller))
    if (entity === null) throw resourceNotFound()
    if (body !== undefined) asObject(body)
    return { entities: [entity], base: `/${path.collection}` }
  }

  async put(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, params } = call
    await this.#rights.permit(call, 'put')
    if (path.hops.length > 0) return this.#hops.put(call)
    const { collection } = path
    const base = `/${collection}`
    if (path.ref !== null) {
      const ref = refFor(collection, path.ref, caller)
      const entity = await this.#engine.put(
        app.id,
        caller.label,
        collection,
        ref,
        this.#rights.body(call, collection),
      )
      this.#changed(app, collection)
      return { entities: [entity], base }
    }
    const asked = path.query ?? params
    if (textOf(asked) === undefined) return this.#create(call)
    const entities = await this.#engine.updateWhere(
      app.id,
      caller.label,
      collection,
      queryOf(asked),
      this.#rights.body(call, collection),
    )
    this.#changed(app, collection)
    return { entities, base }
  }

  async remove(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, params } = call
    await this.#rights.permit(call, 'delete')
    if (path.hops.length > 0) return this.#hops.remove(call)
    const base = `/${path.collection}`
    if (path.ref !== null) {
      const entity = await this.#engine.remove(
        app.id,
        caller.label,
        path.collection,
        refFor(path.collection, path.ref, caller),
      )
      this.#changed(app, path.collection)
      return { entities: [entity], base }
    }
    const asked = path.query ?? params
    if (!['limit', 'cursor'].some((name) => param(asked, name) !== undefined) && !textOf(asked)?.trim()) {
      throw new AppError(
        'unsupported_service_operation',
        'To delete entities of a collection give ql, limit or cursor; to empty it use _clear',
      )
    }
    const page = pageOf(path.query, params, PAGE)
    const entities = await this.#engine.removeWhere(app.id, caller.label, path.collection, page)
    this.#changed(app, path.collection)
    return { entities, base }
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

  async #create(call: CollectionCall): Promise<CollectionResult> {
    const { app, caller, path, body } = call
    const base = `/${path.collection}`
    if (Array.isArray(body)) {
      const bodies = body.map((element) =>
        isObject(element) ? this.#rights.cleaned(call, path.collection, element) : element,
      )
      const { created, failed } = await this.#engine.createMany(app.id, caller.label, path.collection, bodies)
      this.#changed(app, path.collection)
      return { entities: created, base, failed }
    }
    const properties = this.#rights.body(call, path.collection)
    // An empty body creates nothing, unless the type has something to say about what it lacks.
    const { required, prepare } = this.#engine.descriptor(path.collection)
    if (Object.keys(properties).length === 0 && required.length === 0 && prepare === undefined)
      return { entities: [], base }
    const entity = await this.#engine.create(app.id, caller.label, path.collection, properties)
    this.#changed(app, path.collection)
    return { entities: [entity], base }
  }

  #changed(app: Application, collection: string): void {
    if (collection === 'users' || collection === 'groups' || collection === 'roles')
      this.#onRightsChanged(app.id)
  }
}
