import type { CollectionInfo, CollectionSettings } from '../store.js'
import type { SqlConnection, SqlDatabase } from './connection.js'
import type { IdSource } from './id-source.js'
import { all, type Dialect, insertRows, run } from './sql.js'

/** What a row of the index belongs to. `value`: a property; `geo`: its location; `words`: its text; `unique`; `composite`: several. */
export type PathKind = 'value' | 'geo' | 'words' | 'unique' | 'composite'

export interface Path {
  readonly id: number
  readonly kind: PathKind
  /** Lower-cased dotted property path, or for a composite its parts joined by commas. */
  readonly def: string
  /** Some entity has several values here, so rows of the index may repeat an entity. */
  multi: boolean
  /** Every entity has its rows; false while an index is being built. */
  ready: boolean
}

export interface Collection extends CollectionInfo {
  readonly app: number
  settings: CollectionSettings | null
  /** Its whole index is being rebuilt: until then, only documents tell what is there. */
  building: boolean
  /** Grows with every change of what its index has to hold. */
  readonly epoch: number
  readonly paths: Map<string, Path>
}

export const pathKey = (kind: PathKind, def: string): string => `${kind}:${def}`

/** Paths a collection may have before further new properties stay unindexed. */
export const MAX_PATHS = 2000

/** The collections, index paths and verbs of one application, as far as this process has seen them. */
export class AppCatalog {
  readonly collections = new Map<string, Collection>()
  readonly byId = new Map<number, Collection>()
  readonly verbs = new Map<string, number>()
  readonly verbNames = new Map<number, string>()
  constructor(
    readonly app: number,
    readonly loadedAt: number,
  ) {}

  addCollection({ id, name, settings, building, epoch }: CollectionRow): Collection {
    const collection: Collection = {
      app: this.app,
      id,
      name,
      settings: settings === null ? null : JSON.parse(settings),
      building: building === 1,
      epoch,
      paths: new Map(),
    }
    this.collections.set(name, collection)
    this.byId.set(id, collection)
    return collection
  }

  addVerb(id: number, name: string): void {
    this.verbs.set(name, id)
    this.verbNames.set(id, name)
  }
}

interface CollectionRow {
  id: number
  name: string
  settings: string | null
  building: number
  epoch: number
}
interface PathRow {
  coll_id: number
  kind: PathKind
  def: string
  id: number
  multi: number
  ready: number
}

const MAX_APPS = 1000
/** Several processes may share a database: what this one knows of a catalog is at most this old (milliseconds). */
const MAX_AGE = 1000

/** Keeps application catalogs in memory, bounded in number and in age. */
export class Catalogs {
  readonly #database: SqlDatabase
  readonly #apps = new Map<number, AppCatalog>()
  readonly #loading = new Map<number, Promise<AppCatalog>>()
  #forgotten = 0
  readonly #clock: () => number

  constructor(database: SqlDatabase, clock: () => number) {
    this.#database = database
    this.#clock = clock
  }

  get dialect(): Dialect {
    return this.#database.dialect
  }

  /** The catalog if it is in memory and fresh enough. */
  peek(app: number): AppCatalog | undefined {
    const known = this.#apps.get(app)
    return known !== undefined && this.#clock() - known.loadedAt < MAX_AGE ? known : undefined
  }

  async of(app: number): Promise<AppCatalog> {
    const known = this.peek(app)
    if (known !== undefined) return known
    let loading = this.#loading.get(app)
    if (loading === undefined) {
      loading = this.#database
        .read((connection) => this.load(connection, app))
        .finally(() => this.#loading.delete(app))
      this.#loading.set(app, loading)
    }
    return loading
  }

  async load(connection: SqlConnection, app: number): Promise<AppCatalog> {
    const { dialect } = this
    const forgotten = this.#forgotten
    const catalog = new AppCatalog(app, this.#clock())
    const values = [app]
    const collections = await all<CollectionRow>(connection, dialect, {
      text: 'SELECT id, name, settings, building, epoch FROM collection WHERE app_id = ?',
      values,
    })
    for (const row of collections) catalog.addCollection(row)
    const paths = await all<PathRow>(connection, dialect, {
      text: 'SELECT coll_id, kind, def, id, multi, ready FROM path WHERE app_id = ?',
      values,
    })
    for (const { coll_id, kind, def, id, multi, ready } of paths) {
      const path = { id, kind, def, multi: multi === 1, ready: ready === 1 }
      catalog.byId.get(coll_id)?.paths.set(pathKey(kind, def), path)
    }
    const verbs = await all<{ id: number; name: string }>(connection, dialect, {
      text: 'SELECT id, name FROM verb WHERE app_id = ?',
      values,
    })
    for (const { id, name } of verbs) catalog.addVerb(id, name)
    // What was read may be older than the change for which something was forgotten meanwhile.
    if (forgotten !== this.#forgotten) return catalog
    if (this.#apps.size >= MAX_APPS) this.#apps.delete(this.#apps.keys().next().value as number)
    this.#apps.set(app, catalog)
    return catalog
  }

  /** Forgets what is in memory of these applications: it was changed, or a transaction that added to it was rolled back. */
  forget(apps: Iterable<number>): void {
    for (const app of apps) {
      this.#forgotten++
      this.#apps.delete(app)
    }
  }
}

/** Adds collections inside a transaction; another process may have been faster, so the stored ids are read back. */
export const createCollections = async (
  connection: SqlConnection,
  dialect: Dialect,
  catalog: AppCatalog,
  names: readonly string[],
  ids: IdSource,
): Promise<void> => {
  await ids.reserve(connection, names.length)
  const rows = [...names].sort().map((name) => [catalog.app, ids.takeLast(), name])
  const columns = [
    ['app_id', 'bigint'],
    ['id', 'bigint'],
    ['name', 'text'],
  ] as const
  for (const statement of insertRows(dialect, 'collection', columns, rows, {
    tail: 'ON CONFLICT DO NOTHING',
  })) {
    await run(connection, dialect, statement)
  }
  for (const name of names) {
    const found = await all<CollectionRow>(connection, dialect, {
      text: 'SELECT id, name, settings, building, epoch FROM collection WHERE app_id = ? AND name = ?',
      values: [catalog.app, name],
    })
    catalog.addCollection(found[0]!)
  }
}

export const createVerbs = async (
  connection: SqlConnection,
  dialect: Dialect,
  catalog: AppCatalog,
  names: readonly string[],
  ids: IdSource,
): Promise<void> => {
  await ids.reserve(connection, names.length)
  const rows = [...names].sort().map((name) => [catalog.app, name, ids.takeLast()])
  const columns = [
    ['app_id', 'bigint'],
    ['name', 'text'],
    ['id', 'bigint'],
  ] as const
  for (const statement of insertRows(dialect, 'verb', columns, rows, { tail: 'ON CONFLICT DO NOTHING' })) {
    await run(connection, dialect, statement)
  }
  for (const name of names) {
    const found = await all<{ id: number }>(connection, dialect, {
      text: 'SELECT id FROM verb WHERE app_id = ? AND name = ?',
      values: [catalog.app, name],
    })
    catalog.addVerb(found[0]!.id, name)
  }
}

export const createPaths = async (
  connection: SqlConnection,
  dialect: Dialect,
  collection: Collection,
  wanted: readonly { kind: PathKind; def: string }[],
  ids: IdSource,
): Promise<void> => {
  await ids.reserve(connection, wanted.length)
  const sorted = [...wanted].sort((a, b) => (pathKey(a.kind, a.def) < pathKey(b.kind, b.def) ? -1 : 1))
  // A composite begins with no rows at all.
  const isReady = (kind: PathKind): number =>
    Number(kind === 'unique' || !(collection.building || kind === 'composite'))
  const rows = sorted.map(({ kind, def }) => [
    collection.app,
    collection.id,
    kind,
    def,
    ids.takeLast(),
    isReady(kind),
  ])
  const columns = [
    ['app_id', 'bigint'],
    ['coll_id', 'bigint'],
    ['kind', 'text'],
    ['def', 'text'],
    ['id', 'bigint'],
    ['ready', 'int'],
  ] as const
  for (const statement of insertRows(dialect, 'path', columns, rows, { tail: 'ON CONFLICT DO NOTHING' })) {
    await run(connection, dialect, statement)
  }
  const stored = await all<PathRow>(connection, dialect, {
    text: 'SELECT coll_id, kind, def, id, multi, ready FROM path WHERE app_id = ? AND coll_id = ?',
    values: [collection.app, collection.id],
  })
  for (const { kind, def, id, multi, ready } of stored) {
    if (collection.paths.has(pathKey(kind, def))) continue
    collection.paths.set(pathKey(kind, def), { id, kind, def, multi: multi === 1, ready: ready === 1 })
  }
}

/**
 * Additions to the catalog are seen by other transactions of this process at once. On PostgreSQL, where those
 * may commit before the one that needed the addition, they are therefore committed on their own.
 */
export const catalogWrite = (
  database: SqlDatabase,
  connection: SqlConnection,
  work: (connection: SqlConnection) => Promise<void>,
): Promise<void> => (database.dialect === 'sqlite' ? work(connection) : database.read(work))
