import { AppError, unavailable } from '../../domain/errors.js'
import type { Filter } from '../../domain/query/ast.js'
import { both } from '../../domain/query/combine.js'
import { queryShape } from '../../domain/query/shape.js'
import { uniqueKey } from '../../domain/unique-key.js'
import { isUuid } from '../../domain/uuid.js'
import type {
  Change,
  CollectionInfo,
  CollectionSettings,
  ConnectedRequest,
  CountRequest,
  Listing,
  ListRequest,
  Lookup,
  QueryWarning,
  ReindexPart,
  Store,
  StoredEntity,
  Transaction,
} from '../store.js'
import { pathsOf } from './access.js'
import { collectionWarnings, connectionWarnings } from './analysis.js'
import { type AppCatalog, Catalogs, type Collection, pathKey } from './catalog.js'
import { changeLock } from './change-lock.js'
import type { SqlConnection, SqlDatabase } from './connection.js'
import { type CountOptions, CountRun } from './count.js'
import { readCursor } from './cursor.js'
import { ENTITY_COLUMNS, type EntityColumns, EntityRow } from './entity-row.js'
import { ListingRun } from './listing.js'
import { lookingUp } from './lookup.js'
import { Reindexer } from './reindex.js'
import { type EdgeSet, Scans } from './scans.js'
import { all, bindUuid, entitiesById, isIn, rowsAs, run, type Sql, uniqueOwners, uuidText } from './sql.js'
import { collectionNameIn, StaleCatalog } from './stale-catalog.js'
import { WriteQueue } from './write-queue.js'

/** A listing that looked at far more entities than it returned. */
export interface SlowListing {
  app: number
  /** `*` for connections to entities of any collection. */
  collection: string
  /** The query without its values. */
  query: string
  examined: number
}

export interface StoreOptions {
  database: SqlDatabase
  /** Names of the properties of a collection whose values are unique. */
  uniqueProperties: (collection: string) => readonly string[]
  /** UTC milliseconds. */
  clock: () => number
  /** Entities that one listing may look at before it is refused. */
  maxExamined?: number
  /** Told about listings that looked at many more entities than they returned. */
  onSlowListing?: (listing: SlowListing) => void
  /** Told why the database did not do what it was asked to, for each caller who is told to try again later. */
  onUnavailable?: (cause: unknown) => void
  /** Told about effects that failed after their transaction was committed. */
  onEffectError?: (error: unknown) => void
}

const pathsWanted = ({
  filter,
  within = null,
  sort,
}: Pick<ListRequest, 'filter' | 'within' | 'sort'>): string[] => pathsOf(both(filter, within), sort)

const NOTHING: Listing = { items: [], distances: null, cursor: null }

/** The store, on SQLite or PostgreSQL. */
export class SqlStore implements Store {
  readonly #database: SqlDatabase
  readonly #catalogs: Catalogs
  readonly #queue: WriteQueue
  readonly #options: Required<StoreOptions>

  constructor(options: StoreOptions) {
    this.#options = {
      maxExamined: 100_000,
      onSlowListing: () => undefined,
      onUnavailable: () => undefined,
      onEffectError: () => undefined,
      ...options,
    }
    this.#database = options.database
    this.#catalogs = new Catalogs(options.database, options.clock)
    this.#queue = new WriteQueue({ ...this.#options, catalogs: this.#catalogs })
  }

  // Single entities

  async get(app: number, collection: string, uuid: string): Promise<StoredEntity | null> {
    const entity = await this.getAny(app, uuid)
    return entity?.collection === collection ? entity : null
  }

  look<T>(app: number, work: (lookup: Lookup) => T): T | Promise<T> {
    return lookingUp(this, app, work)
  }

  async getAny(app: number, uuid: string): Promise<StoredEntity | null> {
    if (!isUuid(uuid)) return null
    return (await this.getMany(app, [uuid]))[0] ?? null
  }

  async getNumbered(app: number, id: number): Promise<StoredEntity | null> {
    return (await this.#entities(app, entitiesById(this.#database.dialect, app, [id])))[0] ?? null
  }

  async getMany(app: number, uuids: readonly string[]): Promise<(StoredEntity | null)[]> {
    if (uuids.length === 0) return []
    const { dialect } = this.#database
    const list = isIn(
      dialect,
      'e.uuid',
      'uuid',
      uuids.map((uuid) => bindUuid(dialect, uuid)),
    )
    const entities = await this.#entities(app, {
      text: `e.app_id = ? AND ${list.text}`,
      values: [app, ...list.values],
    })
    const byUuid = new Map(entities.map((entity) => [entity.uuid, entity]))
    return uuids.map((uuid) => byUuid.get(uuid) ?? null)
  }

  async #entities(app: number, { text, values }: Sql): Promise<StoredEntity[]> {
    const sql = { text: `SELECT ${ENTITY_COLUMNS} FROM entity e WHERE ${text}`, values }
    const rows = await this.#read((connection) => this.#all<EntityColumns>(connection, sql))
    return this.#withCatalog(app, (catalog) => rows.map((row) => entityIn(catalog, row)))
  }

  async find(app: number, collection: string, property: string, value: string): Promise<StoredEntity | null> {
    return (await this.findMany(app, collection, property, [value]))[0] ?? null
  }

  async findMany(
    app: number,
    collection: string,
    property: string,
    values: readonly string[],
  ): Promise<(StoredEntity | null)[]> {
    const key = pathKey('unique', property)
    const known = await this.#collectionWith(app, collection, [key])
    const path = known?.paths.get(key)
    if (known === null || path === undefined || values.length === 0) return values.map(() => null)
    const keys = values.map(uniqueKey)
    const { dialect } = this.#database
    const columns = [
      ['app_id', 'bigint'],
      ['path_id', 'bigint'],
      ['key', 'bytea'],
    ] as const
    const wanted = rowsAs(
      dialect,
      columns,
      keys.map((key) => [app, path.id, key]),
    )
    const sql = { text: uniqueOwners(dialect, wanted.text, ENTITY_COLUMNS, ''), values: wanted.values }
    const rows = await this.#read((connection) => this.#all<EntityColumns & { k: Buffer }>(connection, sql))
    const byKey = new Map(rows.map((row) => [row.k.toString('latin1'), EntityRow.of(app, collection, row)]))
    return keys.map((key) => byKey.get(key.toString('latin1')) ?? null)
  }

  // Listings

  async list(app: number, collection: string, request: ListRequest): Promise<Listing> {
    if (request.cursor !== null) readCursor(request, request.cursor)
    const known = await this.#collectionWith(app, collection, pathsWanted(request))
    if (known === null) return NOTHING
    return this.#listing(app, { collection: known, edges: null, request })
  }

  async connected(app: number, request: ConnectedRequest): Promise<Listing> {
    if (request.cursor !== null) readCursor(request, request.cursor)
    const known = await this.#edges(app, request)
    if (known === null) return NOTHING
    const { among } = request
    if (among !== undefined) return this.#among(app, known.edges, among)
    return this.#listing(app, { ...known, request })
  }

  async count(
    app: number,
    collection: string,
    filter: Filter | null,
    within: Filter | null = null,
  ): Promise<number> {
    const known = await this.#collectionWith(app, collection, pathsOf(both(filter, within), []))
    return known === null
      ? 0
      : this.#counted(app, { collection: known, edges: null, filter, within, isCounted: null })
  }

  async countConnected(
    app: number,
    { filter, within = null, among, ...hop }: CountRequest,
    isCounted: ((entity: StoredEntity) => boolean) | null = null,
  ): Promise<number> {
    const known = await this.#edges(app, { ...hop, filter, within, sort: [] })
    if (known === null) return 0
    if (among === undefined) return this.#counted(app, { ...known, filter, within, isCounted })
    const { items } = await this.#among(app, known.edges, among)
    return isCounted === null ? items.length : items.filter(isCounted).length
  }

  async analyse(app: number, collection: string, request: ListRequest): Promise<QueryWarning[]> {
    const known = await this.#collectionWith(app, collection, pathsWanted(request))
    if (known === null) return []
    return this.#scan(app, (scans) => collectionWarnings(scans, known, request))
  }

  async analyseConnected(app: number, request: ConnectedRequest): Promise<QueryWarning[]> {
    const known = await this.#edges(app, request)
    return known === null ? [] : this.#scan(app, (scans) => connectionWarnings(scans, known.edges, request))
  }

  /** The connections that a request is about; `null` when there can be none. */
  async #edges(
    app: number,
    request: CountRequest & Pick<ConnectedRequest, 'sort'>,
  ): Promise<{ edges: EdgeSet; collection: Collection | null } | null> {
    const { direction, verb } = request
    const sources = Array.isArray(request.source)
      ? (request.source as StoredEntity[])
      : [request.source as StoredEntity]
    const names = verb === null ? new Set(sources.flatMap(({ links }) => links?.[direction] ?? [])) : [verb]
    const verbs = await Promise.all([...names].map((name) => this.#verb(app, name)))
    const known = verbs.filter((id): id is number => id !== undefined)
    const paths = pathsWanted(request)
    const collection =
      request.collection === null ? null : await this.#collectionWith(app, request.collection, paths)
    if (sources.length === 0 || known.length === 0 || (request.collection !== null && collection === null))
      return null
    const entities = sources.map(({ id }) => id)
    return { edges: { entities, direction, verbs: known, collection: collection?.id ?? null }, collection }
  }

  async #among(app: number, edges: EdgeSet, among: readonly StoredEntity[]): Promise<Listing> {
    if (among.length === 0) return NOTHING
    const ids = among.map(({ id }) => id)
    const sources = await this.#scan(app, (scans) => scans.sourcesOf(edges, ids))
    const items = among.filter(({ id }) => sources.has(id))
    return { items, distances: null, cursor: null, sources: items.map(({ id }) => sources.get(id)!) }
  }

  async isConnected(source: StoredEntity, verb: string, target: StoredEntity): Promise<boolean> {
    const id = await this.#verb(source.app, verb)
    if (id === undefined) return false
    const sql = {
      text: 'SELECT 1 AS found FROM edge WHERE app_id = ? AND src = ? AND verb_id = ? AND tgt = ?',
      values: [source.app, source.id, id, target.id],
    }
    return (await this.#read((connection) => this.#all(connection, sql))).length > 0
  }

  async dictionary(entity: StoredEntity, name: string): Promise<ReadonlyMap<string, string>> {
    const sql = {
      text: 'SELECT key, value FROM dictionary WHERE app_id = ? AND eid = ? AND name = ?',
      values: [entity.app, entity.id, name],
    }
    const rows = await this.#read((connection) => this.#all<{ key: string; value: string }>(connection, sql))
    return new Map(rows.map(({ key, value }) => [key, value]))
  }

  // Collections

  counts(app: number): Promise<Map<string, number>> {
    return this.#byCollection(app, {
      text: 'SELECT coll_id, sum(n) AS n FROM collection_count WHERE app_id = ? GROUP BY coll_id',
      values: [app],
    })
  }

  sizes(app: number): Promise<Map<string, number>> {
    const bytes = this.#database.dialect === 'postgres' ? 'octet_length(doc)' : 'length(CAST(doc AS BLOB))'
    return this.#byCollection(app, {
      text: `SELECT coll_id, sum(${bytes}) AS n FROM entity WHERE app_id = ? GROUP BY coll_id`,
      values: [app],
    })
  }

  /** A number for each collection that was ever used, 0 where the statement tells none. */
  async #byCollection(app: number, sql: Sql): Promise<Map<string, number>> {
    const rows = await this.#read((connection) => this.#all<{ coll_id: number; n: number }>(connection, sql))
    const byId = new Map(rows.map(({ coll_id, n }) => [coll_id, Number(n)]))
    const catalog = await this.#withCatalog(app, (known) => {
      for (const { coll_id } of rows) collectionNameIn(known, coll_id)
      return known
    })
    return new Map([...catalog.collections.values()].map(({ id, name }) => [name, byId.get(id) ?? 0]))
  }

  async collectionInfo(app: number, collection: string): Promise<CollectionInfo | null> {
    return this.#collection(app, collection)
  }

  async settings(app: number): Promise<ReadonlyMap<string, CollectionSettings | null>> {
    return this.#withCatalog(
      app,
      ({ collections }) => new Map([...collections.values()].map(({ name, settings }) => [name, settings])),
    )
  }

  async reindex(app: number, collection: string, part: ReindexPart): Promise<number | null> {
    const known = await this.#collection(app, collection)
    if (known === null) return null
    return this.#guard(() =>
      this.#database.write((connection) =>
        new Reindexer(connection, this.#database.dialect, known).some(part),
      ),
    )
  }

  async prepareIndexes(app: number, collection: string, everything: boolean): Promise<void> {
    const known = await this.#collection(app, collection)
    if (known === null) return
    await this.#guard(() =>
      this.#database.write((connection) =>
        new Reindexer(connection, this.#database.dialect, known).prepare(everything),
      ),
    )
    this.#catalogs.forget([app])
  }

  async finishIndexes(app: number, collection: string): Promise<void> {
    const known = await this.#collection(app, collection)
    if (known === null) return
    await this.#guard(() =>
      this.#database.write((connection) => new Reindexer(connection, this.#database.dialect, known).finish()),
    )
    this.#catalogs.forget([app])
  }

  // Change log

  async changes(app: number, after: number, limit: number): Promise<Change[]> {
    const { dialect } = this.#database
    const sql = {
      text: `SELECT seq, coll_id, uuid, kind, verb_id, target, principal, at FROM change
        WHERE app_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
      values: [app, after, limit],
    }
    const read = (connection: SqlConnection) => this.#all<ChangeRow>(connection, sql)
    const settled = async (connection: SqlConnection) => {
      await run(connection, dialect, changeLock(app, 'alone'))
      return read(connection)
    }
    const rows = await (dialect === 'postgres'
      ? this.#guard(() => this.#database.write(settled))
      : this.#read(read))
    return this.#withCatalog(app, (catalog) => rows.map((row) => changeIn(catalog, row)))
  }

  pruneChanges(before: number): Promise<number> {
    const sql = { text: 'DELETE FROM change WHERE at < ?', values: [before] }
    return this.#guard(() =>
      this.#database.write((connection) => run(connection, this.#database.dialect, sql)),
    )
  }

  pruneReplies(now: number): Promise<number> {
    const sql = { text: 'DELETE FROM reply WHERE expires < ?', values: [now] }
    return this.#guard(() =>
      this.#database.write((connection) => run(connection, this.#database.dialect, sql)),
    )
  }

  // Writing

  transact<T>(principal: string | null, work: (transaction: Transaction) => T): Promise<T> {
    return this.#guard(() => this.#queue.submit(principal, work))
  }

  async ping(): Promise<void> {
    // Without a table SQLite would answer without looking at its file.
    await this.#read((connection) => connection.all('SELECT 1 AS one FROM collection LIMIT 1'))
  }

  async close(): Promise<void> {
    await this.#queue.drained()
    await this.#database.close()
  }

  #listing(
    app: number,
    options: Pick<ConstructorParameters<typeof ListingRun>[0], 'collection' | 'edges' | 'request'>,
  ): Promise<Listing> {
    const { maxExamined, onSlowListing } = this.#options
    const collection = options.collection?.name ?? '*'
    const { filter, sort } = options.request
    return this.#withCatalog(app, (catalog) =>
      this.#read((connection) =>
        new ListingRun({
          ...options,
          scans: new Scans(connection, this.#database.dialect, app),
          maxExamined,
          collectionName: (id) => collectionNameIn(catalog, id),
          onSlow: (examined) => onSlowListing({ app, collection, query: queryShape(filter, sort), examined }),
        }).run(),
      ),
    )
  }

  /** Counts in one state of the database. */
  #counted(
    app: number,
    options: Pick<CountOptions, 'collection' | 'edges' | 'filter' | 'within' | 'isCounted'>,
  ): Promise<number> {
    const { maxExamined, onSlowListing } = this.#options
    const collection = options.collection?.name ?? '*'
    const query = queryShape(options.filter, [])
    return this.#withCatalog(app, (catalog) =>
      this.#guard(() =>
        this.#database.snapshot((connection) =>
          new CountRun({
            ...options,
            scans: new Scans(connection, this.#database.dialect, app),
            maxExamined,
            collectionName: (id) => collectionNameIn(catalog, id),
            onSlow: (examined) => onSlowListing({ app, collection, query, examined }),
          }).run(),
        ),
      ),
    )
  }

  #scan<T>(app: number, work: (scans: Scans) => Promise<T>): Promise<T> {
    return this.#read((connection) => work(new Scans(connection, this.#database.dialect, app)))
  }

  #catalog(app: number): Promise<AppCatalog> | AppCatalog {
    return this.#catalogs.peek(app) ?? this.#guard(() => this.#catalogs.of(app))
  }

  async #collection(app: number, name: string): Promise<Collection | null> {
    const known = (await this.#catalog(app)).collections.get(name)
    if (known !== undefined) return known
    const sql = {
      text: 'SELECT 1 AS found FROM collection WHERE app_id = ? AND name = ?',
      values: [app, name],
    }
    return (await this.#refreshed(app, sql))?.collections.get(name) ?? null
  }

  /** A collection with those of the index paths (by `pathKey`) that exist. */
  async #collectionWith(app: number, name: string, keys: readonly string[]): Promise<Collection | null> {
    const known = await this.#collection(app, name)
    const unknown = known === null ? [] : keys.filter((key) => !known.paths.has(key))
    if (known === null || unknown.length === 0) return known
    const list = isIn(this.#database.dialect, `kind || ':' || def`, 'text', unknown)
    const text = `SELECT 1 AS found FROM path WHERE app_id = ? AND coll_id = ? AND ${list.text}`
    const catalog = await this.#refreshed(app, { text, values: [app, known.id, ...list.values] })
    return catalog?.collections.get(name) ?? known
  }

  async #verb(app: number, name: string): Promise<number | undefined> {
    const known = (await this.#catalog(app)).verbs.get(name)
    if (known !== undefined) return known
    const sql = { text: 'SELECT 1 AS found FROM verb WHERE app_id = ? AND name = ?', values: [app, name] }
    return (await this.#refreshed(app, sql))?.verbs.get(name)
  }

  /** A catalog read anew if a query finds what the known one lacks, which another process has made then. */
  async #refreshed(app: number, sql: Sql): Promise<AppCatalog | null> {
    const found = await this.#read((connection) => this.#all(connection, sql))
    if (found.length === 0) return null
    this.#catalogs.forget([app])
    return this.#catalog(app)
  }

  /** Interprets what was read; with a catalog read anew when the known one is too old for it. */
  async #withCatalog<T>(app: number, work: (catalog: AppCatalog) => T | Promise<T>): Promise<T> {
    try {
      return await work(await this.#catalog(app))
    } catch (error) {
      if (!(error instanceof StaleCatalog)) throw error
      this.#catalogs.forget([app])
      return work(await this.#catalog(app))
    }
  }

  #all<Row>(connection: SqlConnection, sql: Sql): Promise<Row[]> {
    return all<Row>(connection, this.#database.dialect, sql)
  }

  #read<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return this.#guard(() => this.#database.read(work))
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const failure = this.#failureOf(error)
      if (failure instanceof AppError && failure.code === 'unavailable')
        this.#options.onUnavailable(failure.cause)
      throw failure
    }
  }

  #failureOf(error: unknown): unknown {
    if (error instanceof AppError) return error
    return ['unavailable', 'retry'].includes(this.#database.classify(error)) ? unavailable(error) : error
  }
}

interface ChangeRow {
  seq: number
  coll_id: number
  uuid: Buffer | string
  kind: Change['kind']
  verb_id: number | null
  target: Buffer | string | null
  principal: string | null
  at: number
}

const entityIn = (catalog: AppCatalog, row: EntityColumns): EntityRow =>
  EntityRow.of(catalog.app, collectionNameIn(catalog, row.coll_id), row)

const changeIn = (catalog: AppCatalog, row: ChangeRow): Change => {
  const verb = row.verb_id === null ? null : catalog.verbNames.get(row.verb_id)
  if (verb === undefined) throw new StaleCatalog(`No verb has the id ${row.verb_id}`)
  return {
    seq: row.seq,
    collection: collectionNameIn(catalog, row.coll_id),
    uuid: uuidText(row.uuid),
    kind: row.kind,
    verb,
    target: row.target === null ? null : uuidText(row.target),
    principal: row.principal,
    at: row.at,
  }
}
