import type { JsonObject } from '../domain/json.js'
import type { Filter, SortKey } from '../domain/query/ast.js'

/** Names of the verbs of an entity's connections; absent when there are none in that direction. */
export interface Links {
  out?: string[]
  in?: string[]
}

/** An entity as it was at one moment. `doc` is the JSON text of everything but `metadata`. */
export interface StoredEntity {
  readonly app: number
  /** Internal number: smaller is older. Never shown to callers. */
  readonly id: number
  readonly collection: string
  readonly uuid: string
  readonly doc: string
  /** `doc`, parsed when first asked for. Not to be changed. */
  readonly object: JsonObject
  readonly links: Links | null
}

/** Collection settings: what may be queried. Absent fields mean `all`. */
export interface CollectionSettings {
  fields?: 'all' | 'none' | string[]
  /** Properties that users and guests of the application must not learn of. */
  hidden?: string[]
  /** Lists of property names, `-` before a descending one, that are indexed together. */
  indexes?: string[][]
  [key: string]: unknown
}

export interface CollectionInfo {
  readonly id: number
  readonly name: string
  readonly settings: CollectionSettings | null
}

/**
 * Synchronous look-ups in one application: what is not yet in memory is fetched, and the function that asked for
 * it run again from its start.
 */
export interface Lookup {
  /** The entity with this uuid, or `null` if there is none in that collection. */
  get(collection: string, uuid: string): StoredEntity | null
  /** The entity with this uuid, of whatever collection. */
  getAny(uuid: string): StoredEntity | null
  /** The entity whose unique property has this value (letter case aside). */
  find(collection: string, property: string, value: string): StoredEntity | null
  /** Like `items.map(work)`; what the items need to be read is read for all of them at once. */
  each<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[]
}

/** Reads and writes within one transaction, for one application. */
export interface AppTransaction extends Lookup {
  /** `object` must have `uuid` and `type` first. @throws {DuplicateError} on a taken unique value. */
  insert(collection: string, object: JsonObject): StoredEntity
  /** Replaces the whole document. @throws {DuplicateError} on a taken unique value. */
  replace(entity: StoredEntity, object: JsonObject): StoredEntity
  /** Removes the entity with its connections, dictionaries and unique values. */
  remove(entity: StoredEntity): void
  isConnected(source: StoredEntity, verb: string, target: StoredEntity): boolean
  /** Connects, or moves an existing connection to the front. */
  connect(source: StoredEntity, verb: string, target: StoredEntity): void
  /** Whatever is connected to the target by a verb. */
  sources(verb: string, target: StoredEntity): StoredEntity[]
  /** Returns whether there was such a connection. */
  disconnect(source: StoredEntity, verb: string, target: StoredEntity): boolean
  /** The entity as this transaction has changed it so far. */
  current(entity: StoredEntity): StoredEntity
  /** Private key-value pairs kept beside an entity (permissions, secrets); they go with it. */
  dictionary(entity: StoredEntity, name: string): ReadonlyMap<string, string>
  /** Sets an entry, or removes it when `value` is null. */
  setEntry(entity: StoredEntity, name: string, key: string, value: string | null): void
  /** A collection's settings, as this transaction has changed them so far; makes the collection if it is new. */
  settings(collection: string): CollectionSettings | null
  /** Stores a collection's settings, making the collection if it is new. */
  setSettings(collection: string, settings: CollectionSettings | null): void
  /** The reply kept under a key that has not expired. */
  reply(key: string): string | null
  /** Keeps a reply until `expires` (UTC milliseconds). */
  keepReply(key: string, value: string, expires: number): void
}

export interface Transaction {
  /** UTC milliseconds; never smaller than in an earlier transaction of this process. */
  readonly now: number
  /** As it goes to the change log. */
  readonly principal: string | null
  app(id: number): AppTransaction
  /** Runs `work`; when it throws, what it wrote is taken back and the transaction may go on. */
  attempt<T>(work: () => T): T
  /** Runs `effect` once the transaction is committed. */
  afterCommit(effect: () => void): void
}

/** Where a listing starts and ends. `after` comes from the cursor of the page before. */
export interface ListRequest {
  filter: Filter | null
  /**
   * Only entities that match this, too. Where it finds few, those alone are looked at, so that the time a query
   * takes tells nothing of others.
   */
  within?: Filter | null
  /** Only entities that it accepts, so that neither the page nor the cursor tells of others. */
  isListed?: ((entity: StoredEntity) => boolean) | undefined
  sort: SortKey[]
  limit: number
  cursor: string | null
  /** Text that a cursor must belong to, so that it is not used with another query. */
  scope: string
}

/** Entities at the far end of an entity's connections. */
export interface ConnectedRequest extends ListRequest {
  /** Of several, whatever is connected to any of them is listed once. */
  source: StoredEntity | readonly StoredEntity[]
  direction: 'out' | 'in'
  /** `null` for every visible verb. */
  verb: string | null
  /** Only entities of this collection. */
  collection: string | null
  /** Only these entities; there are no further pages then. */
  among?: readonly StoredEntity[]
}

/** Which connections to count, see `ConnectedRequest`. */
export type CountRequest = Pick<
  ConnectedRequest,
  'filter' | 'within' | 'source' | 'direction' | 'verb' | 'collection' | 'among'
>

export interface Listing {
  items: StoredEntity[]
  /** Metres, one per item, when the filter has `within`. */
  distances: (number | null)[] | null
  cursor: string | null
  /** Ids of the sources that the items are connected to, one per item, when several were given or `among` was. */
  sources?: readonly (number | null)[]
}

/** What would be slow about a query. */
export interface QueryWarning {
  warning: 'full_scan' | 'connections_scan' | 'sort'
  message: string
  /** How many entities would be looked at. */
  entities: number
  /** For the setting `indexes` of the collection, where an index would help. */
  indexes?: string[][]
}

/** One line of an application's change log. */
export interface Change {
  seq: number
  collection: string
  uuid: string
  kind: 'create' | 'update' | 'remove' | 'connect' | 'disconnect'
  verb: string | null
  target: string | null
  principal: string | null
  /** UTC milliseconds. */
  at: number
}

export interface ReindexPart {
  /** Entities with an id below this, newest first; `null` begins. What `reindex` resolves to comes next, `null` at the end. */
  before: number | null
  limit: number
  /** Rewrite all rows, not only those that several properties share. */
  everything: boolean
}

/** What we ask of a database. Reads see every transaction that was acknowledged before they began. */
export interface Store {
  get(app: number, collection: string, uuid: string): Promise<StoredEntity | null>
  getAny(app: number, uuid: string): Promise<StoredEntity | null>
  getMany(app: number, uuids: readonly string[]): Promise<(StoredEntity | null)[]>
  /** The entity with this internal number, of whatever collection. */
  getNumbered(app: number, id: number): Promise<StoredEntity | null>
  find(app: number, collection: string, property: string, value: string): Promise<StoredEntity | null>
  findMany(
    app: number,
    collection: string,
    property: string,
    values: readonly string[],
  ): Promise<(StoredEntity | null)[]>
  /** Runs `work`, a pure function of what it looks up, outside a transaction; at once where that is nothing. */
  look<T>(app: number, work: (lookup: Lookup) => T): T | Promise<T>
  /** @throws {AppError} `illegal_argument` for a foreign cursor, `query_too_broad` past the examined bound. */
  list(app: number, collection: string, request: ListRequest): Promise<Listing>
  connected(app: number, request: ConnectedRequest): Promise<Listing>
  /**
   * How many entities of a collection match, within the examined bound; what an index decides costs a twentieth
   * of it. @throws {AppError} `query_too_broad`
   */
  count(app: number, collection: string, filter: Filter | null, within?: Filter | null): Promise<number>
  /** Like `count`, of far ends of connections, each counted once; with `isCounted`, of those it accepts. */
  countConnected(
    app: number,
    request: CountRequest,
    isCounted?: ((entity: StoredEntity) => boolean) | null,
  ): Promise<number>
  /** What would be slow about a listing, which is not carried out. */
  analyse(app: number, collection: string, request: ListRequest): Promise<QueryWarning[]>
  analyseConnected(app: number, request: ConnectedRequest): Promise<QueryWarning[]>
  isConnected(source: StoredEntity, verb: string, target: StoredEntity): Promise<boolean>
  dictionary(entity: StoredEntity, name: string): Promise<ReadonlyMap<string, string>>
  /** Number of entities by collection name, for every collection that was ever used. */
  counts(app: number): Promise<Map<string, number>>
  /** Bytes of the entities' documents, likewise. Reads all of the application. */
  sizes(app: number): Promise<Map<string, number>>
  collectionInfo(app: number, collection: string): Promise<CollectionInfo | null>
  /** The settings of all collections that were ever used, by name. */
  settings(app: number): Promise<ReadonlyMap<string, CollectionSettings | null>>
  changes(app: number, after: number, limit: number): Promise<Change[]>
  /** Forgets change log lines older than `before` (UTC milliseconds); returns how many. */
  pruneChanges(before: number): Promise<number>
  /** Forgets kept replies that expired before `now` (UTC milliseconds). */
  pruneReplies(now: number): Promise<number>
  /**
   * Makes the index paths that a collection's settings ask for; they are maintained from now on, and used once
   * finished. With `everything`, the other paths are not used until then either.
   */
  prepareIndexes(app: number, collection: string, everything: boolean): Promise<void>
  /** Lets listings use the paths made by `prepareIndexes`, once `reindex` has been through all entities. */
  finishIndexes(app: number, collection: string): Promise<void>
  /** Rewrites index rows of a part of a collection's entities. */
  reindex(app: number, collection: string, part: ReindexPart): Promise<number | null>
  /**
   * Runs `work` so that all its writes are stored together, durably, or not at all. `work` must be a pure
   * function of what it reads: it may run more than once.
   * @throws {AppError} whatever `work` throws; `unavailable` when the database cannot be written.
   */
  transact<T>(principal: string | null, work: (transaction: Transaction) => T): Promise<T>
  /** Rejects when the database does not answer. */
  ping(): Promise<void>
  close(): Promise<void>
}
