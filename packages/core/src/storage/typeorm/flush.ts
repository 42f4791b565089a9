import { isDeepStrictEqual } from 'node:util'
import { HIDDEN_VERB } from '../../domain/verbs.js'
import type { Links } from '../store.js'
import type { AppCatalog, Catalogs, Collection, Path } from './catalog.js'
import { catalogWrite, createPaths } from './catalog.js'
import { changeLock } from './change-lock.js'
import type { SqlConnection, SqlDatabase } from './connection.js'
import { removeLink } from './entity-row.js'
import type { IdSource } from './id-source.js'
import { indexKeys, missingPaths } from './index-keys.js'
import { deleteWords, INDEX_ROW, insertWords, markMulti } from './index-rows.js'
import { pathsNotReady } from './reindex.js'
import { all, asOne, bindUuid, type Dialect, deleteRows, insertRows, rowsAs, run, type Sql } from './sql.js'
import { StaleCatalog } from './stale-catalog.js'
import type { EdgeEntry, Entry, ReplyEntry, WriteState } from './write-state.js'

const UNIQUE_ROW = INDEX_ROW
const EDGE_KEY = [
  ['app_id', 'bigint'],
  ['src', 'bigint'],
  ['verb_id', 'bigint'],
  ['tgt', 'bigint'],
] as const
const EDGE_ROW = [...EDGE_KEY, ['seq', 'bigint']] as const
const ENTITY_ROW = [
  ['id', 'bigint'],
  ['app_id', 'bigint'],
  ['coll_id', 'bigint'],
  ['uuid', 'uuid'],
  ['doc', 'text'],
  ['links', 'text'],
] as const
const DICTIONARY_KEY = [
  ['app_id', 'bigint'],
  ['eid', 'bigint'],
  ['name', 'text'],
  ['key', 'text'],
] as const
const DICTIONARY_ROW = [...DICTIONARY_KEY, ['value', 'text']] as const
const CHANGE_ROW = [
  ['app_id', 'bigint'],
  ['coll_id', 'bigint'],
  ['uuid', 'uuid'],
  ['kind', 'text'],
  ['verb_id', 'bigint'],
  ['target', 'uuid'],
  ['principal', 'text'],
  ['at', 'bigint'],
] as const
const REPLY_KEY = [
  ['app_id', 'bigint'],
  ['key', 'text'],
] as const
const REPLY_ROW = [...REPLY_KEY, ['value', 'text'], ['expires', 'bigint']] as const
const COUNT_SHARDS = 16

export interface FlushOptions {
  connection: SqlConnection
  database: SqlDatabase
  catalogs: Catalogs
  loaded: Map<number, AppCatalog>
  state: WriteState
  ids: IdSource
}

interface Touched extends Entry {
  collection: Collection
}

/** Writes the difference between what a group of transactions read and what it left behind. */
export class Flush {
  readonly #connection: SqlConnection
  readonly #database: SqlDatabase
  readonly #dialect: Dialect
  readonly #catalogs: Catalogs
  readonly #loaded: Map<number, AppCatalog>
  readonly #state: WriteState
  readonly #ids: IdSource
  readonly #deletes: Sql[] = []
  readonly #writes: Sql[] = []
  readonly #changed = new Set<number>()

  constructor({ connection, database, catalogs, loaded, state, ids }: FlushOptions) {
    this.#connection = connection
    this.#database = database
    this.#dialect = catalogs.dialect
    this.#catalogs = catalogs
    this.#loaded = loaded
    this.#state = state
    this.#ids = ids
  }

  /** Returns the applications of whose catalog something changed, so that copies of it in memory are old. */
  async run(): Promise<ReadonlySet<number>> {
    const touched = [...this.#state.rows.values()]
      .filter(({ original, current }) => original !== current)
      .map((entry): Touched => ({ ...entry, collection: this.#collectionOf(entry) }))
    await this.#checkEpochs(touched)
    await this.#checkSettings()
    await this.#preparePaths(touched)
    this.#entities(touched)
    await this.#index(touched)
    this.#uniques()
    this.#edges()
    this.#dictionaries(touched)
    this.#counts(touched)
    this.#settings()
    this.#replies()
    const loosened = await this.#looseEnds(touched)
    for (const statement of this.#statements()) await run(this.#connection, this.#dialect, statement)
    await this.#unlink(loosened)
    await this.#changes()
    return this.#changed
  }

  /** What goes comes before what takes its place. */
  #statements(): Sql[] {
    if (this.#dialect === 'sqlite') return [...this.#deletes, ...this.#writes]
    return [...asOne(this.#deletes), ...asOne(this.#writes)]
  }

  #collectionOf({ app, current, original, collectionId }: Entry): Collection {
    const catalog = this.#loaded.get(app)!
    return catalog.byId.get(collectionId) ?? catalog.collections.get((current ?? original)!.collection)!
  }

  /**
   * On PostgreSQL, what an index has to hold may have changed since the catalog was read: a rebuild that has
   * begun would miss what is written by the old rules. The lock keeps one from beginning before the commit.
   * @throws {StaleCatalog}
   */
  async #checkEpochs(touched: readonly Touched[]): Promise<void> {
    if (this.#dialect === 'sqlite') return
    const written = touched.filter(({ current, original }) => current?.doc !== original?.doc)
    const collections = [...new Set(written.map(({ collection }) => collection))]
    if (collections.length === 0) return
    const key = [
      ['app_id', 'bigint'],
      ['name', 'text'],
      ['epoch', 'bigint'],
    ] as const
    const wanted = rowsAs(
      this.#dialect,
      key,
      collections.map(({ app, name, epoch }) => [app, name, epoch]),
    )
    const rows = await all<{ same: boolean }>(this.#connection, this.#dialect, {
      text: `SELECT c.epoch = v.epoch AS same FROM ${wanted.text} CROSS JOIN collection c
        WHERE c.app_id = v.app_id AND c.name = v.name ORDER BY c.app_id, c.name FOR SHARE OF c`,
      values: wanted.values,
    })
    if (!rows.every(({ same }) => same)) throw new StaleCatalog('The index of a collection has changed')
  }

  /**
   * Another process may have changed settings since the catalog was read: what is made of the old ones must not undo
   * that, for they say what is hidden.
   * @throws {StaleCatalog}
   */
  async #checkSettings(): Promise<void> {
    for (const { app, collection } of this.#state.settings.values()) {
      const [row] = await all<{ settings: string | null }>(this.#connection, this.#dialect, {
        text: `SELECT settings FROM collection WHERE app_id = ? AND name = ?${this.#dialect === 'sqlite' ? '' : ' FOR UPDATE'}`,
        values: [app, collection],
      })
      const stored = row?.settings == null ? null : JSON.parse(row.settings)
      const known = this.#loaded.get(app)!.collections.get(collection)!
      if (!isDeepStrictEqual(stored, known.settings))
        throw new StaleCatalog('The settings of a collection have changed')
    }
  }

  async #preparePaths(touched: readonly Touched[]): Promise<void> {
    const wanted = new Map<Collection, ReturnType<typeof missingPaths>>()
    for (const { collection, current, original } of touched) {
      if (current?.doc === original?.doc) continue
      // Another process, or another writer of this one, may have stored what is removed now under paths of its own.
      const missing = [current, original].flatMap((row) =>
        row === null ? [] : missingPaths(collection, row.object),
      )
      if (missing.length > 0) wanted.set(collection, [...(wanted.get(collection) ?? []), ...missing])
    }
    for (const [collection, paths] of wanted) {
      const distinct = new Map(paths.map((path) => [`${path.kind}:${path.def}`, path]))
      await catalogWrite(this.#database, this.#connection, (connection) =>
        createPaths(connection, this.#dialect, collection, [...distinct.values()], this.#ids),
      )
    }
  }

  #entities(touched: readonly Touched[]): void {
    const removed = touched.filter(({ current, original }) => current === null && original !== null)
    this.#deletes.push(
      ...deleteRows(
        this.#dialect,
        'entity',
        [
          ['app_id', 'bigint'],
          ['id', 'bigint'],
        ],
        removed.map(({ app, original }) => [app, original!.id]),
      ),
    )
    const row = ({ app, collection, current }: Touched): unknown[] => {
      const { id, uuid, doc, links } = current!
      return [
        id,
        app,
        collection.id,
        bindUuid(this.#dialect, uuid),
        doc,
        links === null ? null : JSON.stringify(links),
      ]
    }
    const added = touched.filter(({ current, original }) => current !== null && original === null)
    const changed = touched.filter(({ current, original }) => current !== null && original !== null)
    this.#writes.push(...insertRows(this.#dialect, 'entity', ENTITY_ROW, added.map(row)))
    const target = this.#dialect === 'postgres' ? 'app_id, id' : 'id'
    const tail = `ON CONFLICT (${target}) DO UPDATE SET doc = excluded.doc, links = excluded.links`
    this.#writes.push(...insertRows(this.#dialect, 'entity', ENTITY_ROW, changed.map(row), { tail }))
  }

  async #index(touched: readonly Touched[]): Promise<void> {
    const gone: unknown[][] = []
    const fresh: unknown[][] = []
    const wordsGone: number[] = []
    const wordsFresh: unknown[][] = []
    const multi = new Set<Path>()
    for (const { app, collection, current, original } of touched) {
      if (current?.doc === original?.doc) continue
      const before = indexKeys(collection, original?.object ?? null)
      const after = indexKeys(collection, current?.object ?? null)
      const id = (current ?? original)!.id
      for (const [slot, [path, key]] of before.rows)
        if (!after.rows.has(slot)) gone.push([app, path.id, key, id])
      for (const [slot, [path, key]] of after.rows)
        if (!before.rows.has(slot)) fresh.push([app, path.id, key, id])
      if (before.words !== after.words) {
        if (before.words !== '') wordsGone.push(id)
        if (after.words !== '') wordsFresh.push([app, id, after.words])
      }
      for (const path of after.newlyMulti) multi.add(path)
      if (after.newlyMulti.length > 0) this.#changed.add(app)
    }
    this.#deletes.push(...deleteRows(this.#dialect, 'entity_index', INDEX_ROW, gone))
    this.#writes.push(...insertRows(this.#dialect, 'entity_index', INDEX_ROW, fresh))
    this.#deletes.push(...deleteWords(this.#dialect, wordsGone))
    this.#writes.push(...insertWords(this.#dialect, wordsFresh))
    for (const statement of markMulti(this.#dialect, multi))
      await run(this.#connection, this.#dialect, statement)
    for (const path of multi) path.multi = true
  }

  #uniques(): void {
    const changed = [...this.#state.uniques.values()].filter(({ original, current }) => original !== current)
    const gone = changed.filter(({ original }) => original !== null)
    const fresh = changed.filter(({ current }) => current !== null)
    // In one fixed order, so that transactions on PostgreSQL cannot wait for one another in a circle.
    fresh.sort((a, b) => a.path - b.path || Buffer.compare(a.key, b.key))
    this.#deletes.push(
      ...deleteRows(
        this.#dialect,
        'entity_unique',
        UNIQUE_ROW,
        gone.map(({ app, path, key, original }) => [app, path, key, original]),
      ),
    )
    this.#writes.push(
      ...insertRows(
        this.#dialect,
        'entity_unique',
        UNIQUE_ROW,
        fresh.map(({ app, path, key, current }) => [app, path, key, current]),
      ),
    )
  }

  #edges(): void {
    const changed = [...this.#state.edges.values()].filter(({ original, current }) => original !== current)
    const key = ({ app, src, verbId, tgt }: EdgeEntry): unknown[] => [app, src, verbId, tgt]
    this.#deletes.push(
      ...deleteRows(
        this.#dialect,
        'edge',
        EDGE_KEY,
        changed.filter(({ original }) => original !== null).map(key),
      ),
    )
    const fresh = changed
      .filter(({ current }) => current !== null)
      .map((edge) => [...key(edge), edge.current])
    this.#writes.push(...insertRows(this.#dialect, 'edge', EDGE_ROW, fresh))
  }

  #dictionaries(touched: readonly Touched[]): void {
    const removed = touched.filter(({ current, original }) => current === null && original !== null)
    this.#deletes.push(
      ...deleteRows(
        this.#dialect,
        'dictionary',
        DICTIONARY_KEY.slice(0, 2),
        removed.map(({ app, original }) => [app, original!.id]),
      ),
    )
    const gone: unknown[][] = []
    const fresh: unknown[][] = []
    for (const { app, id, name, original, current } of this.#state.dictionaries.values()) {
      if (original === current || this.#state.rows.get(id)?.current === null) continue
      for (const [key, value] of original) if (current.get(key) !== value) gone.push([app, id, name, key])
      for (const [key, value] of current)
        if (original.get(key) !== value) fresh.push([app, id, name, key, value])
    }
    this.#deletes.push(...deleteRows(this.#dialect, 'dictionary', DICTIONARY_KEY, gone))
    this.#writes.push(...insertRows(this.#dialect, 'dictionary', DICTIONARY_ROW, fresh))
  }

  #counts(touched: readonly Touched[]): void {
    const deltas = new Map<string, [app: number, collection: number, n: number]>()
    for (const { app, collection, current, original } of touched) {
      const delta = (current === null ? 0 : 1) - (original === null ? 0 : 1)
      if (delta === 0) continue
      const entry = deltas.get(`${app}:${collection.id}`) ?? [app, collection.id, 0]
      entry[2] += delta
      deltas.set(`${app}:${collection.id}`, entry)
    }
    // Writers of one collection on PostgreSQL would queue for a single counter row: spread them over several.
    const shard = this.#dialect === 'postgres' ? Math.floor(Math.random() * COUNT_SHARDS) : 0
    const rows = [...deltas.values()]
      .filter(([, , n]) => n !== 0)
      .map(([app, collection, n]) => [app, collection, shard, n])
    rows.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!)
    const columns = [
      ['app_id', 'bigint'],
      ['coll_id', 'bigint'],
      ['shard', 'int'],
      ['n', 'bigint'],
    ] as const
    const tail = 'ON CONFLICT (app_id, coll_id, shard) DO UPDATE SET n = collection_count.n + excluded.n'
    this.#writes.push(...insertRows(this.#dialect, 'collection_count', columns, rows, { tail }))
  }

  /** Comes last, as who holds the lock must not wait for anybody. */
  async #changes(): Promise<void> {
    if (this.#dialect === 'postgres') {
      const apps = new Set(this.#state.lines.map(({ app }) => app))
      for (const app of apps) await run(this.#connection, this.#dialect, changeLock(app, 'shared'))
    }
    const rows = this.#state.lines.map(({ app, collectionId, uuid, kind, verbId, target, principal, at }) => [
      app,
      collectionId,
      bindUuid(this.#dialect, uuid),
      kind,
      verbId,
      target === null ? null : bindUuid(this.#dialect, target),
      principal,
      at,
    ])
    for (const statement of insertRows(this.#dialect, 'change', CHANGE_ROW, rows)) {
      await run(this.#connection, this.#dialect, statement)
    }
  }

  /** A key that another process has used meanwhile breaks the insert, and the transaction is run again. */
  #replies(): void {
    const fresh = [...this.#state.replies.values()].filter(({ isNew }) => isNew)
    const expired = fresh.filter(({ wasThere }) => wasThere)
    const key = ({ app, key }: ReplyEntry): unknown[] => [app, key]
    this.#deletes.push(...deleteRows(this.#dialect, 'reply', REPLY_KEY, expired.map(key)))
    const rows = fresh.map((reply) => [...key(reply), reply.value, reply.expires])
    this.#writes.push(...insertRows(this.#dialect, 'reply', REPLY_ROW, rows))
  }

  /**
   * Where other properties are to be indexed than before, what the index lacks is not searched in from this very
   * commit on: if the process ends before the rebuild, answers stay right.
   */
  #settings(): void {
    for (const { app, collection, settings } of this.#state.settings.values()) {
      this.#changed.add(app)
      const known = this.#loaded.get(app)!.collections.get(collection)!
      const isStale = !isDeepStrictEqual(known.settings?.fields ?? 'all', settings?.fields ?? 'all')
      known.settings = settings
      const stale = isStale ? ', building = 1, epoch = epoch + 1' : ''
      const values = [settings === null ? null : JSON.stringify(settings), app, collection]
      this.#writes.push({
        text: `UPDATE collection SET settings = ?${stale} WHERE app_id = ? AND name = ?`,
        values,
      })
      if (isStale) this.#writes.push(pathsNotReady(app, known.id))
    }
  }

  /**
   * Ends of connections that go in this flush: their entities may no longer have any connection of that verb.
   * Connections of a removed entity are found here, as the transaction did not read them.
   */
  async #looseEnds(touched: readonly Touched[]): Promise<LooseEnd[]> {
    const ends: LooseEnd[] = []
    for (const { app, src, verbId, tgt, original, current } of this.#state.edges.values()) {
      if (current !== null || (original === null && !this.#hasNewLink(src))) continue
      ends.push({ app, id: src, verbId, direction: 'out' }, { app, id: tgt, verbId, direction: 'in' })
    }
    const removed = touched.filter(({ current, original }) => current === null && original !== null)
    for (const { app, original } of removed) {
      const id = original!.id
      const rows = await all<{ src: number; verb_id: number; tgt: number }>(this.#connection, this.#dialect, {
        text: `SELECT src, verb_id, tgt FROM edge WHERE app_id = ? AND src = ?
          UNION SELECT src, verb_id, tgt FROM edge WHERE app_id = ? AND tgt = ?`,
        values: [app, id, app, id],
      })
      if (rows.length === 0) continue
      this.#deletes.push({ text: 'DELETE FROM edge WHERE app_id = ? AND src = ?', values: [app, id] })
      this.#deletes.push({ text: 'DELETE FROM edge WHERE app_id = ? AND tgt = ?', values: [app, id] })
      for (const { src, verb_id: verbId, tgt } of rows) {
        if (src === id) ends.push({ app, id: tgt, verbId, direction: 'in' })
        else ends.push({ app, id: src, verbId, direction: 'out' })
      }
    }
    await this.#knowVerbs(ends)
    return ends.filter(({ id }) => this.#state.rows.get(id)?.current !== null)
  }

  /** Whether a connection that came and went in this group may have left a link. */
  #hasNewLink(id: number): boolean {
    const entry = this.#state.rows.get(id)
    return entry !== undefined && entry.current?.links !== entry.original?.links
  }

  /** Another process may have made a verb. */
  async #knowVerbs(ends: readonly LooseEnd[]): Promise<void> {
    const unknown = ends.filter(({ app, verbId }) => !this.#loaded.get(app)!.verbNames.has(verbId))
    for (const app of new Set(unknown.map((end) => end.app))) {
      this.#loaded.set(app, await this.#catalogs.load(this.#connection, app))
    }
  }

  /** Takes a verb off the entities that have no connection of it left. */
  async #unlink(ends: readonly LooseEnd[]): Promise<void> {
    for (const direction of ['out', 'in'] as const) {
      const some = ends.filter((end) => end.direction === direction && !this.#isHidden(end))
      for (let at = 0; at < some.length; at += 256)
        await this.#unlinkSome(direction, some.slice(at, at + 256))
    }
  }

  async #unlinkSome(direction: 'out' | 'in', ends: readonly LooseEnd[]): Promise<void> {
    const column = direction === 'out' ? 'src' : 'tgt'
    const wanted = rowsAs(
      this.#dialect,
      [
        ['app_id', 'bigint'],
        ['id', 'bigint'],
        ['verb_id', 'bigint'],
      ],
      ends.map(({ app, id, verbId }) => [app, id, verbId]),
    )
    await this.#lock(ends)
    const rows = await all<{ app_id: number; id: number; verb_id: number; links: string | null }>(
      this.#connection,
      this.#dialect,
      {
        text: `SELECT e.app_id, e.id, v.verb_id, e.links FROM ${wanted.text} CROSS JOIN entity e
          WHERE e.app_id = v.app_id AND e.id = v.id AND NOT EXISTS (
            SELECT 1 FROM edge g WHERE g.app_id = v.app_id AND g.${column} = v.id AND g.verb_id = v.verb_id)`,
        values: wanted.values,
      },
    )
    const links = new Map<number, Links | null>()
    for (const { app_id: app, id, verb_id: verbId, links: stored } of rows) {
      const known = links.has(id) ? links.get(id)! : stored === null ? null : JSON.parse(stored)
      links.set(id, removeLink(known, direction, this.#loaded.get(app)!.verbNames.get(verbId)!))
    }
    for (const { app_id: app, id } of rows) {
      const value = links.get(id) ?? null
      const values = [value === null ? null : JSON.stringify(value), app, id]
      await run(this.#connection, this.#dialect, {
        text: 'UPDATE entity SET links = ? WHERE app_id = ? AND id = ?',
        values,
      })
    }
  }

  /** A statement of its own: one that waited for the lock would still not see the connection made meanwhile. */
  async #lock(ends: readonly LooseEnd[]): Promise<void> {
    if (this.#dialect === 'sqlite') return
    const key = [
      ['app_id', 'bigint'],
      ['id', 'bigint'],
    ] as const
    const wanted = rowsAs(
      this.#dialect,
      key,
      ends.map(({ app, id }) => [app, id]),
    )
    const text = `SELECT 1 AS locked FROM ${wanted.text} CROSS JOIN entity e
      WHERE e.app_id = v.app_id AND e.id = v.id ORDER BY e.app_id, e.id FOR NO KEY UPDATE OF e`
    await run(this.#connection, this.#dialect, { text, values: wanted.values })
  }

  #isHidden({ app, verbId }: LooseEnd): boolean {
    return this.#loaded.get(app)!.verbNames.get(verbId)?.startsWith(HIDDEN_VERB) ?? true
  }
}

interface LooseEnd {
  app: number
  id: number
  verbId: number
  direction: 'out' | 'in'
}
