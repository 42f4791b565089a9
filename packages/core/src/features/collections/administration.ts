import { AppError, illegalArgument } from '../../domain/errors.js'
import { readHidden } from '../../domain/hidden.js'
import type { JsonObject } from '../../domain/json.js'
import { newUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import type { CollectionSettings } from '../../storage/store.js'

const CHUNK = 500
/** Collections up to this size are rebuilt while the request waits. */
const REBUILT_AT_ONCE = 5000
const MAX_JOBS = 1000
const EVERYTHING = { projection: null, filter: null, direct: null, sort: [] }
const QUEUE_INDEX = ['direct', 'sync', 'async', 'config']
const KEPT_TEXTS = ['indexConsistency', 'authoritativeRegion']
const MAX_COMPOSITES = 20
const MAX_PARTS = 5

/** Work on a whole collection that outlives its request. Times are UTC milliseconds. */
export interface CollectionJob {
  jobId: string
  collection: string
  status: 'STARTED' | 'INPROGRESS' | 'COMPLETE' | 'FAILED'
  lastUpdatedEpoch: number
  /** Entities dealt with so far. */
  numberQueued: number
}

/** Settings of collections, rebuilding their index, and emptying them. */
export class CollectionAdministration {
  readonly #engine: Engine
  readonly #clock: () => number
  /** By application and collection too: nobody learns of a job elsewhere by its id. */
  readonly #jobs = new Map<string, CollectionJob>()
  readonly #busy = new Map<string, Promise<void>>()

  /** Told when what an application's users may see may have changed. */
  readonly #changed: (app: number) => void

  constructor(engine: Engine, clock: () => number, changed: (app: number) => void) {
    this.#engine = engine
    this.#clock = clock
    this.#changed = changed
  }

  async settings(app: number, collection: string): Promise<CollectionSettings | null> {
    return (await this.#engine.store.collectionInfo(app, collection))?.settings ?? null
  }

  /**
   * Sets what of a collection may be queried (`fields`) and which properties are indexed together (`indexes`).
   * The index of a small collection is rebuilt before this resolves; a larger one's after it, and queries do
   * without until `lastReindexed` appears. With `merge`, settings that the body leaves out stay.
   * @throws {AppError} `null_argument`, `illegal_argument`, `conflict` while a job runs on the collection.
   */
  async configure(
    app: number,
    principal: string,
    by: string,
    collection: string,
    body: JsonObject,
    merge: boolean,
  ): Promise<CollectionSettings> {
    if (Object.keys(body).length === 0) throw new AppError('null_argument', 'The settings are empty')
    const changes = { ...readSettings(body), lastUpdated: this.#clock(), lastUpdateBy: by }
    await this.#apply(app, principal, collection, (before) => ({ ...(merge && before), ...changes }))
    return (await this.settings(app, collection)) ?? changes
  }

  async reset(app: number, principal: string, collection: string): Promise<void> {
    await this.#apply(app, principal, collection, () => null)
  }

  /** Starts rebuilding the index. @throws {AppError} `conflict` while another job runs on the collection. */
  startReindex(app: number, collection: string): CollectionJob {
    return this.#start(app, collection, (job) => this.#reindex(app, collection, { everything: true, job }))
  }

  /** Starts removing all entities, or those not modified since. */
  startClear(
    app: number,
    principal: string,
    collection: string,
    updatedBefore: number | null,
  ): CollectionJob {
    return this.#start(app, collection, async (job) => {
      const filter =
        updatedBefore === null
          ? null
          : ({
              kind: 'compare',
              path: 'modified',
              op: '<',
              value: { kind: 'number', value: updatedBefore },
            } as const)
      for (;;) {
        const page = { query: { ...EVERYTHING, filter }, limit: CHUNK, cursor: null }
        const removed = await this.#engine.removeWhere(app, principal, collection, page)
        this.#progress(job, removed.length)
        if (removed.length === 0) return
      }
    })
  }

  /** @throws {AppError} `entity_not_found` for an unknown job; jobs are forgotten when the process ends. */
  job(app: number, collection: string, id: string): CollectionJob {
    const job = this.#jobs.get(`${app}/${collection}/${id.toLowerCase()}`)
    if (job === undefined) throw new AppError('entity_not_found', `There is no job ${id}`)
    return job
  }

  /** Resolves when no job is running. */
  async drained(): Promise<void> {
    await Promise.all(this.#busy.values())
  }

  async #apply(
    app: number,
    principal: string,
    collection: string,
    change: (before: CollectionSettings | null) => CollectionSettings | null,
  ): Promise<void> {
    const key = `${app}/${collection}`
    if (this.#busy.has(key)) throw busy(collection)
    const storing = this.#store(app, principal, collection, change)
    // Claimed before anything is read: whoever is refused has stored nothing.
    this.#busy.set(
      key,
      Promise.allSettled([storing]).then(() => undefined),
    )
    let [everything, size] = [false, 0]
    try {
      everything = await storing
      size = (await this.#engine.store.counts(app)).get(collection) ?? 0
    } finally {
      this.#busy.delete(key)
    }
    this.#start(app, collection, async (started) => {
      await this.#reindex(app, collection, { everything, job: started })
      await this.#noteReindexed(app, principal, collection)
    })
    if (size <= REBUILT_AT_ONCE) await this.#busy.get(key)
  }

  /** Returns whether other properties are to be indexed than before. */
  #store(
    app: number,
    principal: string,
    collection: string,
    change: (before: CollectionSettings | null) => CollectionSettings | null,
  ): Promise<boolean> {
    return this.#engine.transact(app, principal, (edits) => {
      const before = edits.tx.settings(collection)
      const settings = change(before)
      edits.tx.setSettings(collection, settings)
      edits.afterCommit(() => this.#changed(app))
      return JSON.stringify(before?.fields ?? 'all') !== JSON.stringify(settings?.fields ?? 'all')
    })
  }

  async #noteReindexed(app: number, principal: string, collection: string): Promise<void> {
    await this.#engine.transact(app, principal, (edits) => {
      const settings = edits.tx.settings(collection)
      if (settings !== null) edits.tx.setSettings(collection, { ...settings, lastReindexed: this.#clock() })
    })
  }

  async #reindex(
    app: number,
    collection: string,
    { everything, job }: { everything: boolean; job: CollectionJob | null },
  ): Promise<void> {
    const { store } = this.#engine
    await store.prepareIndexes(app, collection, everything)
    let before: number | null = null
    do {
      before = await store.reindex(app, collection, { before, limit: CHUNK, everything })
      if (job !== null) this.#progress(job, CHUNK)
    } while (before !== null)
    await store.finishIndexes(app, collection)
  }

  #start(app: number, collection: string, work: (job: CollectionJob) => Promise<void>): CollectionJob {
    const key = `${app}/${collection}`
    if (this.#busy.has(key)) throw busy(collection)
    const job: CollectionJob = {
      jobId: newUuid(),
      collection,
      status: 'STARTED',
      lastUpdatedEpoch: this.#clock(),
      numberQueued: 0,
    }
    if (this.#jobs.size >= MAX_JOBS) this.#jobs.delete(this.#jobs.keys().next().value as string)
    this.#jobs.set(`${key}/${job.jobId}`, job)
    const running = work(job)
      .then(() => this.#end(job, 'COMPLETE'))
      .catch(() => this.#end(job, 'FAILED'))
      .finally(() => this.#busy.delete(key))
    this.#busy.set(key, running)
    return { ...job }
  }

  #progress(job: CollectionJob, entities: number): void {
    Object.assign(job, {
      status: 'INPROGRESS',
      numberQueued: job.numberQueued + entities,
      lastUpdatedEpoch: this.#clock(),
    })
  }

  #end(job: CollectionJob, status: 'COMPLETE' | 'FAILED'): void {
    Object.assign(job, { status, lastUpdatedEpoch: this.#clock() })
  }
}

const busy = (collection: string): AppError =>
  new AppError('conflict', `A job is already running on ${collection}`)

const readSettings = (body: JsonObject): CollectionSettings => {
  const settings: CollectionSettings = {}
  const { fields, indexes, hidden } = body
  if (fields !== undefined) settings.fields = readFields(fields)
  if (indexes !== undefined) settings.indexes = readIndexes(indexes)
  if (hidden !== undefined) settings.hidden = readHidden(hidden)
  const { queueIndex } = body
  if (queueIndex !== undefined)
    settings['queueIndex'] = QUEUE_INDEX.includes(queueIndex as string) ? queueIndex : 'config'
  for (const key of KEPT_TEXTS) {
    const value = body[key]
    if (typeof value === 'string' && value !== '') settings[key] = value
  }
  return settings
}

const readFields = (value: unknown): 'all' | 'none' | string[] => {
  if (value === 'all' || value === 'none') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[]
  throw illegalArgument('"fields" is "all", "none" or a list of property names', 'fields')
}

const PART = /^-?[A-Za-z_][\w.-]*$/

const readIndexes = (value: unknown): string[][] => {
  const isPart = (part: unknown): part is string => typeof part === 'string' && PART.test(part)
  const isIndex = (item: unknown): item is string[] =>
    Array.isArray(item) && item.length > 0 && item.length <= MAX_PARTS && item.every(isPart)
  if (Array.isArray(value) && value.length <= MAX_COMPOSITES && value.every(isIndex))
    return value as string[][]
  throw illegalArgument(
    `"indexes" is a list of at most ${MAX_COMPOSITES} lists of 1 to ${MAX_PARTS} property names, "-" before a descending one`,
    'indexes',
  )
}
