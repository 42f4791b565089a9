import {
  type AppCatalog,
  type Catalogs,
  catalogWrite,
  createCollections,
  createPaths,
  createVerbs,
  type PathKind,
} from './catalog.js'
import type { SqlConnection, SqlDatabase } from './connection.js'
import { ENTITY_COLUMNS, type EntityColumns, EntityRow } from './entity-row.js'
import type { IdSource } from './id-source.js'
import { replyLock } from './reply-lock.js'
import {
  all,
  bindUuid,
  type Dialect,
  entitiesById,
  isIn,
  rowsAs,
  run,
  type Sql,
  uniqueOwners,
} from './sql.js'
import type { WriteState } from './write-state.js'

/** One thing that a transaction function asked for and that is not in memory yet. */
export type Need =
  | { kind: 'catalog'; app: number }
  | { kind: 'collection'; app: number; name: string }
  | { kind: 'verb'; app: number; name: string }
  | { kind: 'path'; app: number; collection: string; pathKind: PathKind; def: string }
  | { kind: 'uuid'; app: number; uuid: string }
  | { kind: 'id'; app: number; id: number }
  | { kind: 'unique'; app: number; path: number; key: Buffer }
  | { kind: 'edge'; app: number; src: number; verb: number; tgt: number }
  | { kind: 'sources'; app: number; verb: number; tgt: number }
  | { kind: 'reply'; app: number; key: string }
  | { kind: 'dictionary'; app: number; id: number; name: string }
  | { kind: 'ids' }

type NeedOf<K extends Need['kind']> = Extract<Need, { kind: K }>

interface EntityOfApp extends EntityColumns {
  app_id: number
}

/** Reads what the transactions of a group need, each kind in one statement, and puts it into their state. */
export class NeedReader {
  readonly #connection: SqlConnection
  readonly #dialect: Dialect
  readonly #catalogs: Catalogs
  readonly #database: SqlDatabase
  readonly #loaded: Map<number, AppCatalog>
  readonly #state: WriteState
  readonly #ids: IdSource
  /** Grows with every round, as it is not known how many a transaction will take. */
  #idsWanted = 2

  constructor(options: {
    connection: SqlConnection
    database: SqlDatabase
    catalogs: Catalogs
    loaded: Map<number, AppCatalog>
    state: WriteState
    ids: IdSource
  }) {
    this.#connection = options.connection
    this.#catalogs = options.catalogs
    this.#database = options.database
    this.#dialect = options.catalogs.dialect
    this.#loaded = options.loaded
    this.#state = options.state
    this.#ids = options.ids
  }

  async read(needs: readonly Need[]): Promise<void> {
    const of = <K extends Need['kind']>(kind: K): NeedOf<K>[] =>
      needs.filter((need): need is NeedOf<K> => need.kind === kind)
    for (const app of new Set(of('catalog').map((need) => need.app))) await this.#readCatalog(app)
    await this.#makeCollections(of('collection'))
    await this.#makeVerbs(of('verb'))
    await this.#makePaths(of('path'))
    await this.#readUuids(of('uuid'))
    await this.#readIds(of('id'))
    await this.#readUniques(of('unique'))
    await this.#readEdges(of('edge'))
    for (const need of of('sources')) await this.#readSources(need)
    await this.#readDictionaries(of('dictionary'))
    await this.#readReplies(of('reply'))
    const wanting = of('ids').length
    if (wanting > 0) {
      this.#idsWanted = Math.max(wanting, this.#idsWanted * 4)
      await this.#ids.reserve(this.#connection, this.#idsWanted)
    }
  }

  async #readCatalog(app: number): Promise<void> {
    this.#loaded.set(app, this.#catalogs.peek(app) ?? (await this.#catalogs.load(this.#connection, app)))
  }

  async #makeCollections(needs: NeedOf<'collection'>[]): Promise<void> {
    for (const [app, names] of grouped(needs, ({ name }) => name)) {
      await catalogWrite(this.#database, this.#connection, (connection) =>
        createCollections(connection, this.#dialect, this.#catalog(app), names, this.#ids),
      )
    }
  }

  async #makeVerbs(needs: NeedOf<'verb'>[]): Promise<void> {
    for (const [app, names] of grouped(needs, ({ name }) => name)) {
      await catalogWrite(this.#database, this.#connection, (connection) =>
        createVerbs(connection, this.#dialect, this.#catalog(app), names, this.#ids),
      )
    }
  }

  async #makePaths(needs: NeedOf<'path'>[]): Promise<void> {
    for (const { app, collection, pathKind, def } of needs) {
      const known = this.#catalog(app).collections.get(collection)!
      await catalogWrite(this.#database, this.#connection, (connection) =>
        createPaths(connection, this.#dialect, known, [{ kind: pathKind, def }], this.#ids),
      )
    }
  }

  async #readUuids(needs: NeedOf<'uuid'>[]): Promise<void> {
    for (const [app, uuids] of grouped(needs, ({ uuid }) => uuid)) {
      for (const uuid of uuids)
        if (!this.#state.byUuid.has(`${app}:${uuid}`)) this.#state.byUuid.set(`${app}:${uuid}`, null)
      const list = isIn(
        this.#dialect,
        'e.uuid',
        'uuid',
        uuids.map((uuid) => bindUuid(this.#dialect, uuid)),
      )
      await this.#readEntities({ text: `e.app_id = ? AND ${list.text}`, values: [app, ...list.values] })
    }
  }

  async #readIds(needs: NeedOf<'id'>[]): Promise<void> {
    for (const [app, ids] of grouped(needs, ({ id }) => id)) {
      await this.#readEntities(entitiesById(this.#dialect, app, ids))
      for (const id of ids) {
        if (!this.#state.rows.has(id))
          this.#state.rows.set(id, { app, collectionId: 0, original: null, current: null })
      }
    }
  }

  async #readEntities({ text, values }: Sql): Promise<void> {
    const rows = await all<EntityOfApp>(this.#connection, this.#dialect, {
      text: `SELECT e.app_id, ${ENTITY_COLUMNS} FROM entity e WHERE ${text} ${this.#lock}`,
      values,
    })
    await this.#keepAll(rows)
  }

  async #readUniques(needs: NeedOf<'unique'>[]): Promise<void> {
    if (needs.length === 0) return
    for (const { app, path, key } of needs) {
      this.#state.uniques.set(`${path}:${key.toString('latin1')}`, {
        app,
        path,
        key,
        original: null,
        current: null,
      })
    }
    const wanted = rowsAs(
      this.#dialect,
      [
        ['app_id', 'bigint'],
        ['path_id', 'bigint'],
        ['key', 'bytea'],
      ],
      [...needs]
        .sort((a, b) => a.path - b.path || Buffer.compare(a.key, b.key))
        .map(({ app, path, key }) => [app, path, key]),
    )
    const lock = this.#dialect === 'postgres' ? 'FOR NO KEY UPDATE OF e' : ''
    const rows = await all<EntityOfApp & { path_id: number; k: Buffer }>(this.#connection, this.#dialect, {
      text: uniqueOwners(this.#dialect, wanted.text, `e.app_id, ${ENTITY_COLUMNS}`, lock),
      values: wanted.values,
    })
    await this.#keepAll(rows)
    for (const row of rows) {
      const slot = `${row.path_id}:${row.k.toString('latin1')}`
      this.#state.uniques.set(slot, {
        app: row.app_id,
        path: row.path_id,
        key: row.k,
        original: row.id,
        current: row.id,
      })
    }
  }

  async #readEdges(needs: NeedOf<'edge'>[]): Promise<void> {
    if (needs.length === 0) return
    for (const { app, src, verb, tgt } of needs) {
      this.#state.edges.set(`${src}:${verb}:${tgt}`, {
        app,
        src,
        verbId: verb,
        tgt,
        original: null,
        current: null,
      })
    }
    const wanted = rowsAs(
      this.#dialect,
      [
        ['app_id', 'bigint'],
        ['src', 'bigint'],
        ['verb_id', 'bigint'],
        ['tgt', 'bigint'],
      ],
      needs.map(({ app, src, verb, tgt }) => [app, src, verb, tgt]),
    )
    const rows = await all<{ app_id: number; src: number; verb_id: number; tgt: number; seq: number }>(
      this.#connection,
      this.#dialect,
      {
        text: `SELECT g.app_id, g.src, g.verb_id, g.tgt, g.seq FROM ${wanted.text} CROSS JOIN edge g
          WHERE g.app_id = v.app_id AND g.src = v.src AND g.verb_id = v.verb_id AND g.tgt = v.tgt`,
        values: wanted.values,
      },
    )
    for (const { app_id: app, src, verb_id: verbId, tgt, seq } of rows) {
      this.#state.edges.set(`${src}:${verbId}:${tgt}`, { app, src, verbId, tgt, original: seq, current: seq })
    }
  }

  async #readSources({ app, verb, tgt }: NeedOf<'sources'>): Promise<void> {
    const rows = await all<{ src: number; seq: number }>(this.#connection, this.#dialect, {
      text: 'SELECT src, seq FROM edge WHERE app_id = ? AND tgt = ? AND verb_id = ? ORDER BY src',
      values: [app, tgt, verb],
    })
    this.#state.sources.set(
      `${verb}:${tgt}`,
      rows.map(({ src }) => src),
    )
    for (const { src, seq } of rows) {
      const slot = `${src}:${verb}:${tgt}`
      if (!this.#state.edges.has(slot))
        this.#state.edges.set(slot, { app, src, verbId: verb, tgt, original: seq, current: seq })
    }
  }

  async #readReplies(needs: NeedOf<'reply'>[]): Promise<void> {
    for (const [app, keys] of grouped(needs, ({ key }) => key)) {
      for (const key of keys)
        this.#state.replies.set(`${app}:${key}`, {
          app,
          key,
          wasThere: false,
          value: null,
          expires: 0,
          isNew: false,
        })
      if (this.#dialect === 'postgres') await run(this.#connection, this.#dialect, replyLock(app, keys))
      const list = isIn(this.#dialect, 'key', 'text', keys)
      const rows = await all<{ key: string; value: string; expires: number }>(
        this.#connection,
        this.#dialect,
        {
          text: `SELECT key, value, expires FROM reply WHERE app_id = ? AND ${list.text}`,
          values: [app, ...list.values],
        },
      )
      for (const row of rows)
        this.#state.replies.set(`${app}:${row.key}`, { app, ...row, wasThere: true, isNew: false })
    }
  }

  async #readDictionaries(needs: NeedOf<'dictionary'>[]): Promise<void> {
    if (needs.length === 0) return
    const maps = new Map<string, Map<string, string>>()
    for (const { app, id, name } of needs) {
      const entries = new Map<string, string>()
      maps.set(`${id}:${name}`, entries)
      this.#state.dictionaries.set(`${id}:${name}`, { app, id, name, original: entries, current: entries })
    }
    const wanted = rowsAs(
      this.#dialect,
      [
        ['app_id', 'bigint'],
        ['eid', 'bigint'],
        ['name', 'text'],
      ],
      needs.map(({ app, id, name }) => [app, id, name]),
    )
    const rows = await all<{ eid: number; name: string; key: string; value: string }>(
      this.#connection,
      this.#dialect,
      {
        text: `SELECT d.eid, d.name, d.key, d.value FROM ${wanted.text} CROSS JOIN dictionary d
        WHERE d.app_id = v.app_id AND d.eid = v.eid AND d.name = v.name`,
        values: wanted.values,
      },
    )
    for (const { eid, name, key, value } of rows) maps.get(`${eid}:${name}`)?.set(key, value)
  }

  #catalog(app: number): AppCatalog {
    return this.#loaded.get(app)!
  }

  /** Rows that are read to be written are locked; SQLite has but one writer. */
  get #lock(): string {
    return this.#dialect === 'postgres' ? 'ORDER BY e.app_id, e.id FOR NO KEY UPDATE OF e' : ''
  }

  /** Another process may have made the collection of an entity. */
  async #keepAll(rows: readonly EntityOfApp[]): Promise<void> {
    const unknown = rows.filter((row) => !this.#catalog(row.app_id).byId.has(row.coll_id))
    for (const app of new Set(unknown.map((row) => row.app_id))) {
      this.#loaded.set(app, await this.#catalogs.load(this.#connection, app))
    }
    for (const row of rows) this.#keep(row)
  }

  #keep(row: EntityOfApp): void {
    const { app_id: app, id, coll_id: collectionId } = row
    if (this.#state.rows.has(id)) return
    const collection = this.#catalog(app).byId.get(collectionId)!
    const entity = EntityRow.of(app, collection.name, row)
    this.#state.rows.set(id, { app, collectionId, original: entity, current: entity })
    const slot = `${app}:${entity.uuid}`
    if (this.#state.byUuid.get(slot) == null) this.#state.byUuid.set(slot, id)
  }
}

const grouped = <N extends { app: number }, V>(
  needs: readonly N[],
  value: (need: N) => V,
): Map<number, V[]> => {
  const groups = new Map<number, Set<V>>()
  for (const need of needs) {
    const group = groups.get(need.app) ?? new Set<V>()
    groups.set(need.app, group.add(value(need)))
  }
  return new Map([...groups].map(([app, values]) => [app, [...values]]))
}
