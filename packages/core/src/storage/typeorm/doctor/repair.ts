import type { ReindexPart } from '../../store.js'
import { type AppCatalog, type Catalogs, type Collection, createPaths } from '../catalog.js'
import type { SqlConnection, SqlDatabase } from '../connection.js'
import { IdSource } from '../id-source.js'
import { deleteWords, INDEX_ROW } from '../index-rows.js'
import { Reindexer } from '../reindex.js'
import { all, type Dialect, deleteRows, insertRows, run } from '../sql.js'
import { settle } from './change-log.js'
import { EntityChecks, type Needs } from './entity-checks.js'
import { readPage } from './entity-page.js'
import type { Diagnosis, Place } from './examination.js'
import { Findings } from './findings.js'
import { type Leftover, leftovers, type Rows } from './leftovers.js'
import { type Ownerless, ownerless } from './ownerless.js'
import { type OnProgress, Patient, type UniqueProperties } from './patient.js'
import { raiseSequence } from './sequences.js'

export interface RepairOptions {
  database: SqlDatabase
  catalogs: Catalogs
  uniqueProperties: UniqueProperties
  onProgress: OnProgress
  /** UTC milliseconds. */
  clock: () => number
}

/** How often a transaction is run again that others got in the way of. */
const ATTEMPTS = 10

/**
 * Mends what follows from entities and connections, a page in each transaction, so that others can go on writing
 * between them. Each page is looked at anew in its own transaction. Entities are neither made nor removed.
 */
export class Repair {
  readonly #database: SqlDatabase
  readonly #dialect: Dialect
  readonly #catalogs: Catalogs
  readonly #uniqueProperties: UniqueProperties
  readonly #onProgress: OnProgress
  readonly #clock: () => number

  constructor({ database, catalogs, uniqueProperties, onProgress, clock }: RepairOptions) {
    this.#database = database
    this.#dialect = database.dialect
    this.#catalogs = catalogs
    this.#uniqueProperties = uniqueProperties
    this.#onProgress = onProgress
    this.#clock = clock
  }

  /** Indexes of SQLite follow from its tables; the full-text index is filled again from the documents, by `run`. */
  async file(findings: Findings): Promise<void> {
    await this.#step('file', () => this.#file(findings))
  }

  async run(diagnosis: Diagnosis): Promise<void> {
    await this.#step('sequences', () =>
      this.#each(diagnosis.sequences, (connection, sequence) =>
        raiseSequence(connection, this.#dialect, sequence),
      ),
    )
    await this.#step('connections', () =>
      this.#each(ownerless(this.#dialect), (connection, rows) => this.#removeOwnerless(connection, rows)),
    )
    for (const place of diagnosis.unfinished) await this.#step('index', () => this.#rebuild(place))
    for (const place of diagnosis.collections) await this.#step('entities', () => this.#mend(place))
    for (const rows of diagnosis.leftovers) await this.#step('index', () => this.#removeLeftovers(rows))
    await this.#step('counts', () =>
      this.#each(diagnosis.counts, (connection, { app, collectionId, counted, kept }) =>
        addToCount(connection, this.#dialect, app, collectionId, counted - kept),
      ),
    )
    await this.#step('change log', () =>
      this.#each(diagnosis.contradictions, (connection, contradiction) =>
        settle(connection, this.#dialect, contradiction, this.#clock()),
      ),
    )
  }

  /** What damaged documents or a damaged SQLite file do not let happen is left for the next examination to tell. */
  async #step(step: string, work: () => Promise<void>): Promise<void> {
    try {
      this.#onProgress({ step: `repair of ${step}`, done: 0, total: 0 })
      await work()
    } catch (error) {
      if (error instanceof SyntaxError) return
      if (this.#dialect === 'postgres' || this.#database.classify(error) !== 'unavailable') throw error
    }
  }

  async #each<T>(
    items: readonly T[],
    work: (connection: SqlConnection, item: T) => Promise<void>,
  ): Promise<void> {
    for (const item of items) await this.#write((connection) => work(connection, item))
  }

  async #write<T>(work: (connection: SqlConnection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#database.write(work)
      } catch (error) {
        if (attempt === ATTEMPTS || this.#database.classify(error) !== 'retry') throw error
      }
    }
  }

  async #file(findings: Findings): Promise<void> {
    const file = findings.list().find(({ kind }) => kind === 'file')
    if (file === undefined) return
    if (file.examples.some((text) => text.includes('entity_words')))
      await this.#write((connection) =>
        connection.run(`INSERT INTO entity_words (entity_words) VALUES ('delete-all')`),
      )
    await this.#write((connection) => connection.run('REINDEX'))
  }

  async #removeOwnerless(connection: SqlConnection, { table, where }: Ownerless): Promise<void> {
    if (table !== 'entity_words_docsize') {
      await run(connection, this.#dialect, { text: `DELETE FROM ${table} AS t WHERE ${where}`, values: [] })
      return
    }
    const rows = await connection.all<{ id: number }>(`SELECT t.id FROM ${table} t WHERE ${where}`)
    const ids = rows.map(({ id }) => id)
    for (const statement of deleteWords(this.#dialect, ids)) await run(connection, this.#dialect, statement)
  }

  /** Does to the end what a process has begun that is no more; one that still does it is not disturbed. */
  async #rebuild({ app, collectionId }: Place): Promise<void> {
    const known = async (connection: SqlConnection): Promise<Collection> =>
      (await this.#catalogs.load(connection, app)).byId.get(collectionId)!
    const reindexer = async (connection: SqlConnection): Promise<Reindexer> =>
      new Reindexer(connection, this.#dialect, await known(connection))
    await this.#write(async (connection) => (await reindexer(connection)).prepare(true))
    let before: number | null = null
    do {
      const part: ReindexPart = { before, limit: 500, everything: true }
      before = await this.#write(async (connection) => (await reindexer(connection)).some(part))
    } while (before !== null)
    await this.#write(async (connection) => {
      await (await reindexer(connection)).finish()
      const { settings } = await known(connection)
      if (settings?.['lastUpdated'] === undefined) return
      const text = JSON.stringify({ ...settings, lastReindexed: this.#clock() })
      await run(connection, this.#dialect, {
        text: 'UPDATE collection SET settings = ? WHERE app_id = ? AND id = ?',
        values: [text, app, collectionId],
      })
    })
  }

  async #mend({ app, collectionId }: Place): Promise<void> {
    for (let after: number | null = -1; after !== null; ) {
      const from: number = after
      after = await this.#write((connection) => this.#mendPage(connection, app, collectionId, from))
    }
  }

  /** The catalog is read once the entities are locked: what it says stays true of them until the commit. */
  async #mendPage(
    connection: SqlConnection,
    app: number,
    collectionId: number,
    after: number,
  ): Promise<number | null> {
    const place = { app, id: collectionId, name: '' }
    const locked = await readPage(connection, this.#dialect, place, after, { lock: true })
    if (locked.length === 0) return null
    const patient = new Patient(connection, this.#catalogs, new Findings(), this.#uniqueProperties)
    const catalog = await patient.catalog(app)
    const collection = catalog.byId.get(collectionId)!
    const page = await readPage(connection, this.#dialect, collection, after)
    const check = () => new EntityChecks(patient, catalog).page(collection, page, true)
    let needs = await check()
    if (needs.uniquePaths.size > 0) {
      const paths = [...needs.uniquePaths].map((def) => ({ kind: 'unique' as const, def }))
      await createPaths(connection, this.#dialect, collection, paths, new IdSource(this.#dialect))
      needs = await check()
    }
    await this.#meet(connection, catalog, collection, needs)
    return page.at(-1)!.id
  }

  async #meet(
    connection: SqlConnection,
    { app }: AppCatalog,
    collection: Collection,
    { form, index, owners, links }: Needs,
  ): Promise<void> {
    const change = (text: string, values: unknown[]) => run(connection, this.#dialect, { text, values })
    for (const entity of form) {
      const { doc } = entity.withObject(entity.object)
      await change('UPDATE entity SET doc = ? WHERE app_id = ? AND id = ?', [doc, app, entity.id])
    }
    if (index.size > 0) await new Reindexer(connection, this.#dialect, collection).rewrite([...index])
    // The oldest comes last, and keeps what several have.
    for (const { path, key, id } of [...owners].reverse())
      await change(
        `INSERT INTO entity_unique (app_id, path_id, key, eid) VALUES (?, ?, ?, ?)
          ON CONFLICT (app_id, path_id, key) DO UPDATE SET eid = excluded.eid`,
        [app, path, key, id],
      )
    for (const { id, links: wanted } of links) {
      const text = wanted === null ? null : JSON.stringify(wanted)
      await change('UPDATE entity SET links = ? WHERE app_id = ? AND id = ?', [text, app, id])
    }
  }

  async #removeLeftovers(rows: Rows): Promise<void> {
    const { app, path, table } = rows
    for (let after: Leftover | null = null; ; ) {
      const from: Leftover | null = after
      const next: Leftover | null = await this.#write(async (connection) => {
        const catalog = await this.#catalogs.load(connection, app)
        const part = await leftovers(connection, this.#dialect, catalog, this.#uniqueProperties, rows, from)
        await this.#lock(connection, app, part.found)
        // Once more, as an entity may have changed before it was locked.
        const again = await leftovers(connection, this.#dialect, catalog, this.#uniqueProperties, rows, from)
        const gone = again.found.map(({ key, eid }) => [app, path, key, eid])
        for (const statement of deleteRows(this.#dialect, table, INDEX_ROW, gone))
          await run(connection, this.#dialect, statement)
        return part.next
      })
      if (next === null) return
      after = next
    }
  }

  async #lock(connection: SqlConnection, app: number, found: readonly Leftover[]): Promise<void> {
    if (this.#dialect === 'sqlite' || found.length === 0) return
    await all(connection, this.#dialect, {
      text: 'SELECT id FROM entity WHERE app_id = ? AND id = ANY(?::bigint[]) ORDER BY id FOR UPDATE',
      values: [app, found.map(({ eid }) => eid)],
    })
  }
}

/** The difference is right whatever is written meanwhile: count and entities were read from one snapshot. */
const addToCount = async (
  connection: SqlConnection,
  dialect: Dialect,
  app: number,
  collectionId: number,
  difference: number,
): Promise<void> => {
  const columns = [
    ['app_id', 'bigint'],
    ['coll_id', 'bigint'],
    ['shard', 'int'],
    ['n', 'bigint'],
  ] as const
  const tail = 'ON CONFLICT (app_id, coll_id, shard) DO UPDATE SET n = collection_count.n + excluded.n'
  const rows = [[app, collectionId, 0, difference]]
  for (const statement of insertRows(dialect, 'collection_count', columns, rows, { tail }))
    await run(connection, dialect, statement)
}
