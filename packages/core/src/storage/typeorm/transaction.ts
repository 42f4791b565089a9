import { documentText } from '../../domain/document.js'
import { DuplicateError, illegalArgument } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { uniqueKey } from '../../domain/unique-key.js'
import { HIDDEN_VERB } from '../../domain/verbs.js'
import type { AppTransaction, CollectionSettings, StoredEntity, Transaction } from '../store.js'
import type { AppCatalog, Collection, Path } from './catalog.js'
import { pathKey } from './catalog.js'
import { addLink, EntityRow } from './entity-row.js'
import type { Need } from './needs.js'
import { type Entry, Missing, type ReplyEntry, type WriteState } from './write-state.js'

export interface TransactionContext {
  state: WriteState
  now: number
  principal: string | null
  catalogs: Map<number, AppCatalog>
  uniqueProperties: (collection: string) => readonly string[]
}

/** The view of a `WriteState` that a transaction function works with. */
export class SqlTransaction implements Transaction {
  readonly #context: TransactionContext
  readonly #effects: (() => void)[] = []
  readonly #apps = new Map<number, SqlAppTransaction>()

  constructor(context: TransactionContext) {
    this.#context = context
  }

  get now(): number {
    return this.#context.now
  }

  get principal(): string | null {
    return this.#context.principal
  }

  get effects(): readonly (() => void)[] {
    return this.#effects
  }

  app(id: number): AppTransaction {
    let app = this.#apps.get(id)
    if (app === undefined) {
      const catalog = this.#context.catalogs.get(id)
      if (catalog === undefined) throw new Missing({ kind: 'catalog', app: id })
      app = new SqlAppTransaction(this.#context, catalog)
      this.#apps.set(id, app)
    }
    return app
  }

  attempt<T>(work: () => T): T {
    const mark = this.#context.state.mark()
    const effects = this.#effects.length
    try {
      return work()
    } catch (error) {
      if (!(error instanceof Missing)) {
        this.#context.state.undo(mark)
        this.#effects.length = effects
      }
      throw error
    }
  }

  afterCommit(effect: () => void): void {
    this.#effects.push(effect)
  }
}

class SqlAppTransaction implements AppTransaction {
  readonly #context: TransactionContext
  readonly #state: WriteState
  readonly #catalog: AppCatalog
  readonly #app: number

  constructor(context: TransactionContext, catalog: AppCatalog) {
    this.#context = context
    this.#state = context.state
    this.#catalog = catalog
    this.#app = catalog.app
  }

  get(collection: string, uuid: string): StoredEntity | null {
    const entity = this.getAny(uuid)
    return entity?.collection === collection ? entity : null
  }

  getAny(uuid: string): EntityRow | null {
    const id = this.#need(this.#state.byUuid.get(`${this.#app}:${uuid}`), {
      kind: 'uuid',
      app: this.#app,
      uuid,
    })
    return id === null ? null : this.#state.rows.get(id)!.current
  }

  find(collection: string, property: string, value: string): EntityRow | null {
    const owner = this.#owner(this.#uniquePath(this.#collection(collection), property), value)
    return owner === null ? null : this.#row(owner)
  }

  each<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[] {
    const results: R[] = []
    const needs: Need[] = []
    for (const [index, item] of items.entries()) {
      const mark = this.#state.mark()
      try {
        results.push(work(item, index))
      } catch (error) {
        this.#state.undo(mark)
        if (error instanceof Missing) needs.push(...error.needs)
        // After an item that lacks something, others may fail for want of what it would have written.
        else if (needs.length === 0) throw error
      }
    }
    if (needs.length > 0) throw new Missing(...needs)
    return results
  }

  insert(collection: string, object: JsonObject): EntityRow {
    const { id: collectionId } = this.#collection(collection)
    const uuid = object['uuid'] as string
    const id = this.#state.takeId()
    const row = new EntityRow(this.#app, id, collection, documentText(object), null, object)
    this.#state.set(this.#state.byUuid, `${this.#app}:${uuid}`, id)
    this.#state.set(this.#state.rows, id, { app: this.#app, collectionId, original: null, current: row })
    this.#claimUniques(row, null, object)
    this.#log('create', collectionId, uuid)
    return row
  }

  replace(entity: StoredEntity, object: JsonObject): EntityRow {
    const entry = this.#entry(entity)
    const before = entry.current!
    const after = before.withObject(object)
    this.#claimUniques(after, before.object, object)
    this.#state.set(this.#state.rows, before.id, { ...entry, current: after })
    this.#log('update', entry.collectionId, before.uuid)
    return after
  }

  remove(entity: StoredEntity): void {
    const entry = this.#entry(entity)
    const { id, uuid, object } = entry.current!
    this.#claimUniques(entry.current!, object, {})
    this.#state.set(this.#state.rows, id, { ...entry, current: null })
    this.#state.set(this.#state.byUuid, `${this.#app}:${uuid}`, null)
    for (const [key, edge] of this.#state.edges) {
      if (edge.current !== null && (edge.src === id || edge.tgt === id)) {
        this.#state.set(this.#state.edges, key, { ...edge, current: null })
      }
    }
    this.#log('remove', entry.collectionId, uuid)
  }

  isConnected(source: StoredEntity, verb: string, target: StoredEntity): boolean {
    return this.#edge(source, this.#verb(verb), target).current !== null
  }

  connect(source: StoredEntity, verb: string, target: StoredEntity): void {
    const verbId = this.#verb(verb)
    const edge = this.#edge(source, verbId, target)
    this.#entry(source)
    this.#entry(target)
    const key = edgeKey(source.id, verbId, target.id)
    this.#state.set(this.#state.edges, key, { ...edge, current: this.#state.takeEdgeTime() })
    if (!verb.startsWith(HIDDEN_VERB)) {
      this.#link(source, 'out', verb)
      this.#link(target, 'in', verb)
    }
    this.#log('connect', this.#entry(source).collectionId, source.uuid, verbId, target.uuid)
  }

  sources(verb: string, target: StoredEntity): EntityRow[] {
    const verbId = this.#verb(verb)
    const isNew = this.#state.rows.get(target.id)?.original === null
    const slot = `${verbId}:${target.id}`
    const need: Need = { kind: 'sources', app: this.#app, verb: verbId, tgt: target.id }
    const stored = isNew ? [] : this.#need(this.#state.sources.get(slot), need)
    const made = [...this.#state.edges.values()]
      .filter((edge) => edge.verbId === verbId && edge.tgt === target.id && edge.current !== null)
      .map(({ src }) => src)
    const sources = this.each([...new Set([...stored, ...made])], (id) => this.#row(id))
    return sources.filter((row): row is EntityRow => row !== null && this.isConnected(row, verb, target))
  }

  disconnect(source: StoredEntity, verb: string, target: StoredEntity): boolean {
    const verbId = this.#verb(verb)
    const edge = this.#edge(source, verbId, target)
    if (edge.current === null) return false
    this.#state.set(this.#state.edges, edgeKey(source.id, verbId, target.id), { ...edge, current: null })
    this.#log('disconnect', this.#entry(source).collectionId, source.uuid, verbId, target.uuid)
    return true
  }

  current(entity: StoredEntity): EntityRow {
    return this.#entry(entity).current!
  }

  dictionary(entity: StoredEntity, name: string): ReadonlyMap<string, string> {
    const need: Need = { kind: 'dictionary', app: this.#app, id: entity.id, name }
    const entry = this.#state.rows.get(entity.id)
    if (entry?.original === null && !this.#state.dictionaries.has(`${entity.id}:${name}`)) return new Map()
    return this.#need(this.#state.dictionaries.get(`${entity.id}:${name}`), need).current
  }

  setEntry(entity: StoredEntity, name: string, key: string, value: string | null): void {
    // PostgreSQL cannot store it.
    if (key.includes('\u0000') || value?.includes('\u0000'))
      throw illegalArgument('U+0000 cannot be stored here')
    const current = new Map(this.dictionary(entity, name))
    if (value === null) current.delete(key)
    else current.set(key, value)
    const slot = `${entity.id}:${name}`
    const original = this.#state.dictionaries.get(slot)?.original ?? new Map<string, string>()
    this.#state.set(this.#state.dictionaries, slot, {
      app: this.#app,
      id: entity.id,
      name,
      original,
      current,
    })
  }

  settings(collection: string): CollectionSettings | null {
    const { id, settings } = this.#collection(collection)
    const changed = this.#state.settings.get(`${this.#app}:${id}`)
    return changed === undefined ? settings : changed.settings
  }

  setSettings(collection: string, settings: CollectionSettings | null): void {
    const { id } = this.#collection(collection)
    this.#state.set(this.#state.settings, `${this.#app}:${id}`, { app: this.#app, collection, settings })
  }

  reply(key: string): string | null {
    const { value, expires } = this.#reply(key)
    return expires > this.#context.now ? value : null
  }

  keepReply(key: string, value: string, expires: number): void {
    const entry = { ...this.#reply(key), value, expires, isNew: true }
    this.#state.set(this.#state.replies, `${this.#app}:${key}`, entry)
  }

  #reply(key: string): ReplyEntry {
    const need: Need = { kind: 'reply', app: this.#app, key }
    return this.#need(this.#state.replies.get(`${this.#app}:${key}`), need)
  }

  #need<T>(value: T | undefined, need: Need): T {
    if (value === undefined) throw new Missing(need)
    return value
  }

  #collection(name: string): Collection {
    return this.#need(this.#catalog.collections.get(name), { kind: 'collection', app: this.#app, name })
  }

  #verb(name: string): number {
    return this.#need(this.#catalog.verbs.get(name), { kind: 'verb', app: this.#app, name })
  }

  #uniquePath(collection: Collection, property: string): Path {
    const need: Need = {
      kind: 'path',
      app: this.#app,
      collection: collection.name,
      pathKind: 'unique',
      def: property,
    }
    return this.#need(collection.paths.get(pathKey('unique', property)), need)
  }

  #owner(path: Path, value: string): number | null {
    const key = uniqueKey(value)
    const slot = `${path.id}:${key.toString('latin1')}`
    const need: Need = { kind: 'unique', app: this.#app, path: path.id, key }
    return this.#need(this.#state.uniques.get(slot), need).current
  }

  #row(id: number): EntityRow | null {
    const entry = this.#need(this.#state.rows.get(id), { kind: 'id', app: this.#app, id })
    return entry.current
  }

  /** The entity's entry, which must have been read in this very transaction to be written. */
  #entry(entity: StoredEntity): Entry {
    const entry = this.#need(this.#state.rows.get(entity.id), { kind: 'id', app: this.#app, id: entity.id })
    if (entry.current === null) throw new Error('An entity that is gone cannot be written')
    return entry
  }

  #edge(source: StoredEntity, verbId: number, target: StoredEntity) {
    const slot = edgeKey(source.id, verbId, target.id)
    const need: Need = { kind: 'edge', app: this.#app, src: source.id, verb: verbId, tgt: target.id }
    const isNew = [source, target].some(({ id }) => this.#state.rows.get(id)?.original === null)
    const known = this.#state.edges.get(slot)
    if (known === undefined && isNew) {
      return { app: this.#app, src: source.id, verbId, tgt: target.id, original: null, current: null }
    }
    return this.#need(known, need)
  }

  #link(entity: StoredEntity, direction: 'out' | 'in', verb: string): void {
    const entry = this.#entry(entity)
    const before = entry.current!
    const links = addLink(before.links, direction, verb)
    if (links !== before.links) {
      this.#state.set(this.#state.rows, entity.id, { ...entry, current: before.withLinks(links) })
    }
  }

  #claimUniques(row: EntityRow, before: JsonObject | null, after: JsonObject): void {
    const collection = this.#collection(row.collection)
    for (const property of this.#context.uniqueProperties(row.collection)) {
      const [was, is] = [before?.[property], after[property]]
      const path = this.#uniquePath(collection, property)
      if (typeof is === 'string') {
        const owner = this.#owner(path, is)
        if (owner !== null && owner !== row.id)
          throw new DuplicateError(String(row.object['type']), property, is)
      }
      if (was === is) continue
      if (typeof was === 'string') this.#setOwner(path, was, null)
      if (typeof is === 'string') this.#setOwner(path, is, row.id)
    }
  }

  #setOwner(path: Path, value: string, owner: number | null): void {
    const key = uniqueKey(value)
    const slot = `${path.id}:${key.toString('latin1')}`
    const known = this.#need(this.#state.uniques.get(slot), {
      kind: 'unique',
      app: this.#app,
      path: path.id,
      key,
    })
    this.#state.set(this.#state.uniques, slot, { ...known, current: owner })
  }

  #log(
    kind: string,
    collectionId: number,
    uuid: string,
    verbId: number | null = null,
    target: string | null = null,
  ) {
    const { principal, now } = this.#context
    this.#state.log({ app: this.#app, collectionId, uuid, kind, verbId, target, principal, at: now })
  }
}

export const edgeKey = (src: number, verbId: number, tgt: number): string => `${src}:${verbId}:${tgt}`
