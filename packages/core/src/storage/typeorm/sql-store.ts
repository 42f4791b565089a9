import { AppError, unavailable } from '../../domain/errors.js'
import { uniqueKey } from '../../domain/unique-key.js'
import type {
  Change,
  CollectionInfo,
  ConnectedRequest,
  Listing,
  ListRequest,
  ReindexPart,
  Store,
  StoredEntity,
  Transaction,
} from '../store.js'
import { type AppCatalog, Catalogs, type Collection, pathKey } from './catalog.js'
import type { SqlConnection, SqlDatabase } from './connection.js'
import { ENTITY_COLUMNS, type EntityColumns, EntityRow } from './entity-row.js'
import { ListingRun } from './listing.js'
import { Reindexer } from './reindex.js'
import { Scans } from './scans.js'
import { all, bindUuid, isIn, rowsAs, run, type Sql } from './sql.js'
import { WriteQueue } from './write-queue.js'

export interface StoreOptions {
  database: SqlDatabase
  /** Names of the properties of a collection whose values are unique. */
  uniqueProperties: (collection: string) => readonly string[]
  /** UTC milliseconds. */
  clock: () => number
  /** Entities that one listing may look at before it is refused. */
  maxExamined?: number
  /** Told about listings that looked at many more entities than they returned. */
  onSlowListing?: (listing: { app: number; collection: string; examined: number }) => void
  /** Told about effects that failed after their transaction was committed. */
  onEffectError?: (error: unknown) => void
}

const NOTHING: Listing = { items: [], distances: null, cursor: null }

/** The store, on SQLite or PostgreSQL. */
export class SqlStore implements Store {
  readonly #database: SqlDatabase
  readonly #catalogs: Catalogs
  readonly #queue: WriteQueue
  readonly #options: Required<StoreOptions>

  constructor(options: StoreOptions) {
    this.#options = { maxExamined: 100_000, onSlowListing: () => undefined, onEffectError: () => undefined, ...options }
    this.#database = options.database
    this.#catalogs = new Catalogs(options.database, options.clock)
    this.#queue = new WriteQueue({ ...this.#options, catalogs: this.#catalogs })
  }

  // Single entities

  async get(app: number, collection: string, uuid: string): Promise<StoredEntity | null> {
    const entity = await this.getAny(app, uuid)
    return entity?.collection === collection ? entity : null
  }

  async getAny(app: number, uuid: string): Promise<StoredEntity | null> {
    const catalog = await this.#catalog(app)
    const sql = {
      text: `SELECT ${ENTITY_COLUMNS} FROM entity e WHERE e.app_id = ? AND e.uuid = ?`,
      values: [app, bindUuid(this.#database.dialect, uuid)],
    }
    const [row] = await this.#read((connection) => this.#all<EntityColumns>(connection, sql))
    return row === undefined ? null : this.#row(catalog, row)
  }

  async getMany(app: number, uuids: readonly string[]): Promise<(StoredEntity | null)[]> {
    if (uuids.length === 0) return []
    const catalog = await this.#catalog(app)
    const { dialect } = this.#database
    const list = isIn(dialect, 'e.uuid', 'uuid', uuids.map((uuid) => bindUuid(dialect, uuid)))
    const sql = { text: `SELECT ${ENTITY_COLUMNS} FROM entity e WHERE e.app_id = ? AND ${list.text}`, values: [app, ...list.values] }
    const rows = await this.#read((connection) => this.#all<EntityColumns>(connection, sql))
    const byUuid = new Map(rows.map((row) => this.#row(catalog, row)).map((entity) => [entity.uuid, entity]))
    return uuids.map((uuid) => byUuid.get(uuid) ?? null)
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
    const known = await this.#collection(app, collection)
    const path = known?.paths.get(pathKey('unique', property))
    if (known === null || path === undefined || values.length === 0) return values.map(() => null)
    const keys = values.map(uniqueKey)
    const { dialect } = this.#database
    const wanted = rowsAs(dialect, [['key', 'bytea']], keys.map((key) => [key]))
    const sql = {
      text: `SELECT u.key AS k, ${ENTITY_COLUMNS} FROM ${wanted.text} CROSS JOIN entity_unique u CROSS JOIN entity e
        WHERE u.app_id = ? AND u.path_id = ? AND u.key = v.key AND e.app_id = u.app_id AND e.id = u.eid`,
      values: [...wanted.values, app, path.id],
    }
    const rows = await this.#read((connection) => this.#all<EntityColumns & { k: Buffer }>(connection, sql))
    const byKey = new Map(rows.map((row) => [row.k.toString('latin1'), EntityRow.of(app, collection, row)]))
    return keys.map((key) => byKey.get(key.toString('latin1')) ?? null)
  }

  // Listings

  async list(app: number, collection: string, request: ListRequest): Promise<Listing> {
    const known = await this.#collection(app, collection)
    if (known === null) return NOTHING
    const catalog = await this.#catalog(app)
    return this.#read((connection) => {
      const scans = new Scans(connection, this.#database.dialect, app)
      return this.#listing(catalog, scans, { collection: known, edges: null, request }).run()
    })
  }

  async connected(app: number, request: ConnectedRequest): Promise<Listing> {
    const catalog = await this.#catalog(app)
    const { source, direction, verb } = request
    const names = verb === null ? (source.links?.[direction] ?? []) : [verb]
    const verbs = await Promise.all(names.map((name) => this.#verb(app, name)))
    const known = verbs.filter((id): id is number => id !== undefined)
    const collection = request.collection === null ? null : await this.#collection(app, request.collection)
    if (known.length === 0 || (request.collection !== null && collection === null)) return NOTHING
    const edges = { entity: source.id, direction, verbs: known, collection: collection?.id ?? null }
    return this.#read((connection) => {
      const scans = new Scans(connection, this.#database.dialect, app)
      return this.#listing(catalog, scans, { collection, edges, request }).run()
    })
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

  async counts(app: number): Promise<Map<string, number>> {
    const catalog = await this.#catalog(app)
    const sql = { text: 'SELECT coll_id, sum(n) AS n FROM collection_count WHERE app_id = ? GROUP BY coll_id', values: [app] }
    const rows = await this.#read((connection) => this.#all<{ coll_id: number; n: number }>(connection, sql))
    const byId = new Map(rows.map(({ coll_id, n }) => [coll_id, Number(n)]))
    return new Map([...catalog.collections.values()].map(({ id, name }) => [name, byId.get(id) ?? 0]))
  }

  async collectionInfo(app: number, collection: string): Promise<CollectionInfo | null> {
    return this.#collection(app, collection)
  }

  async reindex(app: number, collection: string, part: ReindexPart): Promise<number | null> {
    const known = await this.#collection(app, collection)
    if (known === null) return null
    return this.#guard(() =>
      this.#database.write((connection) => new Reindexer(connection, this.#database.dialect, known).some(part)),
    )
  }

  async prepareIndexes(app: number, collection: string, everything: boolean): Promise<void> {
    const known = await this.#collection(app, collection)
    if (known === null) return
    await this.#guard(() =>
      this.#database.write((connection) => new Reindexer(connection, this.#database.dialect, known).prepare(everything)),
    )
    this.#catalogs.forget([app])
  }

  async finishIndexes(app: number, collection: string): Promise<void> {
    const known = await this.#collection(app, collection)
    if (known === null) return
    const sql = { text: 'UPDATE path SET ready = 1 WHERE app_id = ? AND coll_id = ?', values: [app, known.id] }
    await this.#guard(() => this.#database.write((connection) => run(connection, this.#database.dialect, sql)))
    this.#catalogs.forget([app])
  }

  // Change log

  async changes(app: number, after: number, limit: number): Promise<Change[]> {
    const catalog = await this.#catalog(app)
    const postgres = this.#database.dialect === 'postgres'
    const settled = postgres ? 'AND xid < pg_snapshot_xmin(pg_current_snapshot())' : ''
    const sql = {
      text: `SELECT seq, coll_id, uuid, kind, verb_id, target, principal, at FROM change
        WHERE app_id = ? AND seq > ? ${settled} ORDER BY seq LIMIT ?`,
      values: [app, after, limit],
    }
    const rows = await this.#read((connection) => this.#all<ChangeRow>(connection, sql))
    return rows.map((row) => ({
      seq: row.seq,
      collection: catalog.byId.get(row.coll_id)?.name ?? '',
      uuid: uuidText(row.uuid),
      kind: row.kind,
      verb: row.verb_id === null ? null : (catalog.verbNames.get(row.verb_id) ?? null),
      target: row.target === null ? null : uuidText(row.target),
      principal: row.principal,
      at: row.at,
    }))
  }

  pruneChanges(before: number): Promise<number> {
    const sql = { text: 'DELETE FROM change WHERE at < ?', values: [before] }
    return this.#guard(() => this.#database.write((connection) => run(connection, this.#database.dialect, sql)))
  }

  // Writing

  transact<T>(principal: string | null, work: (transaction: Transaction) => T): Promise<T> {
    return this.#queue.submit(principal, work)
  }

  async ping(): Promise<void> {
    await this.#read((connection) => connection.all('SELECT 1 AS one'))
  }

  async close(): Promise<void> {
    await this.#queue.drained()
    await this.#database.close()
  }

  #listing(
    catalog: AppCatalog,
    scans: Scans,
    { collection, edges, request }: Pick<ConstructorParameters<typeof ListingRun>[0], 'collection' | 'edges' | 'request'>,
  ): ListingRun {
    const { maxExamined, onSlowListing } = this.#options
    return new ListingRun({
      scans,
      collection,
      edges,
      request,
      maxExamined,
      collectionName: (id) => catalog.byId.get(id)!.name,
      onSlow: (examined) => onSlowListing({ app: catalog.app, collection: collection?.name ?? '*', examined }),
    })
  }

  #catalog(app: number): Promise<AppCatalog> | AppCatalog {
    return this.#catalogs.peek(app) ?? this.#guard(() => this.#catalogs.of(app))
  }

  async #collection(app: number, name: string): Promise<Collection | null> {
    const known = (await this.#catalog(app)).collections.get(name)
    return known ?? (await this.#fresh(app))?.collections.get(name) ?? null
  }

  async #verb(app: number, name: string): Promise<number | undefined> {
    const known = (await this.#catalog(app)).verbs.get(name)
    return known ?? (await this.#fresh(app))?.verbs.get(name)
  }

  /** What this process has not seen may have been made by another. */
  async #fresh(app: number): Promise<AppCatalog | null> {
    if (this.#database.dialect === 'sqlite') return null
    this.#catalogs.forget([app])
    return this.#catalog(app)
  }

  #row(catalog: AppCatalog, row: EntityColumns): EntityRow {
    return EntityRow.of(catalog.app, catalog.byId.get(row.coll_id)!.name, row)
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
      if (error instanceof AppError) throw error
      throw ['unavailable', 'retry'].includes(this.#database.classify(error)) ? unavailable(error) : error
    }
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

const uuidText = (uuid: Buffer | string): string =>
  typeof uuid === 'string' ? uuid : uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
