import type { ReindexPart } from '../store.js'
import { type Collection, createPaths, type Path, pathKey } from './catalog.js'
import type { SqlConnection } from './connection.js'
import { ENTITY_COLUMNS, type EntityColumns, EntityRow } from './entity-row.js'
import { IdSource } from './id-source.js'
import { compositeKeys, indexKeys, missingPaths } from './index-keys.js'
import { deleteWords, INDEX_ROW, insertWords, markMulti } from './index-rows.js'
import { all, type Dialect, deleteRows, insertRows, run, type Sql } from './sql.js'

/** Keeps listings from searching in the index paths of a collection until it was rebuilt. */
export const pathsNotReady = (app: number, collection: number): Sql => ({
  text: `UPDATE path SET ready = 0 WHERE app_id = ? AND coll_id = ? AND kind <> 'unique'`,
  values: [app, collection],
})

/** Rebuilds the index of a collection from its documents, some entities at a time. */
export class Reindexer {
  readonly #connection: SqlConnection
  readonly #dialect: Dialect
  readonly #collection: Collection

  constructor(connection: SqlConnection, dialect: Dialect, collection: Collection) {
    this.#connection = connection
    this.#dialect = dialect
    this.#collection = collection
  }

  /** Makes the composite paths of the settings and drops those no longer wanted. */
  async prepare(everything: boolean): Promise<void> {
    const { app, id, settings, paths } = this.#collection
    // Waits for writers that go by what was before; those that come later see that it has changed.
    await this.#run('UPDATE collection SET epoch = epoch + 1 WHERE app_id = ? AND id = ?', [app, id])
    const wanted = (settings?.indexes ?? []).map((parts) => parts.join(',').toLowerCase())
    const ids = new IdSource(this.#dialect)
    const missing = wanted.filter((def) => !paths.has(pathKey('composite', def)))
    await createPaths(
      this.#connection,
      this.#dialect,
      this.#collection,
      missing.map((def) => ({ kind: 'composite' as const, def })),
      ids,
    )
    const dropped = [...paths.values()].filter(
      ({ kind, def }) => kind === 'composite' && !wanted.includes(def),
    )
    for (const path of dropped) {
      const values = [app, path.id]
      await this.#run('DELETE FROM entity_index WHERE app_id = ? AND path_id = ?', values)
      await this.#run('DELETE FROM path WHERE app_id = ? AND id = ?', values)
      paths.delete(pathKey('composite', path.def))
    }
    if (!everything) return
    await this.#run('UPDATE collection SET building = 1 WHERE app_id = ? AND id = ?', [app, id])
    await run(this.#connection, this.#dialect, pathsNotReady(app, id))
  }

  /** Lets listings use what was built. */
  async finish(): Promise<void> {
    const { app, id } = this.#collection
    await this.#run('UPDATE path SET ready = 1 WHERE app_id = ? AND coll_id = ?', [app, id])
    await this.#run('UPDATE collection SET building = 0 WHERE app_id = ? AND id = ?', [app, id])
  }

  /** Rewrites the index rows of up to `limit` entities with ids below `before`; the id to go on from, null at the end. */
  async some({ before, limit, everything }: ReindexPart): Promise<number | null> {
    const { app, id: collectionId, name } = this.#collection
    const lock = this.#dialect === 'postgres' ? 'FOR UPDATE' : ''
    const rows = await all<EntityColumns>(this.#connection, this.#dialect, {
      text: `SELECT ${ENTITY_COLUMNS} FROM entity e WHERE e.app_id = ? AND e.coll_id = ? AND e.id < ? ORDER BY e.id DESC LIMIT ? ${lock}`,
      values: [app, collectionId, before ?? Number.MAX_SAFE_INTEGER, limit],
    })
    if (rows.length === 0) return null
    const entities = rows.map((row) => EntityRow.of(app, name, row))
    await (everything ? this.rewrite(entities) : this.#addComposites(entities))
    return rows.length < limit ? null : rows.at(-1)!.id
  }

  async #addComposites(entities: readonly EntityRow[]): Promise<void> {
    const { app } = this.#collection
    const rows = entities.flatMap(({ id, object }) =>
      compositeKeys(this.#collection, object).map(([path, key]) => [app, path.id, key, id]),
    )
    for (const statement of insertRows(this.#dialect, 'entity_index', INDEX_ROW, rows, {
      tail: 'ON CONFLICT DO NOTHING',
    })) {
      await run(this.#connection, this.#dialect, statement)
    }
  }

  /** Rewrites all index rows of these entities, which must be locked. */
  async rewrite(entities: readonly EntityRow[]): Promise<void> {
    const { app } = this.#collection
    const everything: Collection = {
      ...this.#collection,
      settings: { ...this.#collection.settings, fields: 'all' },
    }
    const gone: unknown[][] = []
    const wanted: unknown[][] = []
    const words: unknown[][] = []
    const multi = new Set<Path>()
    for (const entity of entities) {
      const missing = missingPaths(this.#collection, entity.object)
      if (missing.length > 0) {
        await createPaths(
          this.#connection,
          this.#dialect,
          this.#collection,
          missing,
          new IdSource(this.#dialect),
        )
      }
      const keys = indexKeys(this.#collection, entity.object)
      // Keys follow from the document alone, so those that an older setting kept are known without a search.
      for (const [slot, [path, key]] of indexKeys(everything, entity.object).rows) {
        if (!keys.rows.has(slot)) gone.push([app, path.id, key, entity.id])
      }
      for (const [path, key] of keys.rows.values()) wanted.push([app, path.id, key, entity.id])
      for (const path of keys.newlyMulti) multi.add(path)
      if (keys.words !== '') words.push([app, entity.id, keys.words])
    }
    const ids = entities.map(({ id }) => id)
    const statements = [
      ...deleteRows(this.#dialect, 'entity_index', INDEX_ROW, gone),
      ...insertRows(this.#dialect, 'entity_index', INDEX_ROW, wanted, { tail: 'ON CONFLICT DO NOTHING' }),
      ...deleteWords(this.#dialect, ids),
      ...insertWords(this.#dialect, words),
      ...markMulti(this.#dialect, multi),
    ]
    for (const statement of statements) await run(this.#connection, this.#dialect, statement)
  }

  #run(text: string, values: unknown[]): Promise<number> {
    return run(this.#connection, this.#dialect, { text, values })
  }
}
