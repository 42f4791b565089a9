import type { AppCatalog, Collection } from '../catalog.js'
import type { SqlConnection } from '../connection.js'
import { indexKeys } from '../index-keys.js'
import { all, type Dialect } from '../sql.js'
import { objectOf } from './entity-page.js'
import type { UniqueProperties } from './patient.js'
import { uniqueValues } from './unique-values.js'

/** The rows of one index path, or the values held for one unique property. */
export interface Rows {
  table: 'entity_index' | 'entity_unique'
  app: number
  path: number
}

export interface Leftover {
  key: Buffer
  eid: number
}

/** Rows looked at at a time. */
const PAGE = 500

/**
 * Rows that no document gives, some at a time; `next` is where to go on, `null` at the end. Rows of entities
 * whose documents cannot be read are left alone.
 */
export const leftovers = async (
  connection: SqlConnection,
  dialect: Dialect,
  catalog: AppCatalog,
  uniqueProperties: UniqueProperties,
  { table, app, path }: Rows,
  after: Leftover | null,
): Promise<{ found: Leftover[]; next: Leftover | null }> => {
  const rows = await all<Leftover & { coll_id: number | null; doc: string | null }>(connection, dialect, {
    text: `SELECT i.key, i.eid, e.coll_id, e.doc FROM ${table} i
      LEFT JOIN entity e ON e.app_id = i.app_id AND e.id = i.eid
      WHERE i.app_id = ? AND i.path_id = ? AND (i.key, i.eid) > (?, ?) ORDER BY i.key, i.eid LIMIT ?`,
    values: [app, path, after?.key ?? Buffer.alloc(0), after?.eid ?? -1, PAGE],
  })
  const keysOf = table === 'entity_index' ? indexRowsOf : uniqueRowsOf(uniqueProperties)
  const found = rows.filter(({ key, coll_id, doc }) => {
    const collection = coll_id === null ? undefined : catalog.byId.get(coll_id)
    if (collection === undefined || doc === null) return true
    const object = objectOf(doc)
    return object !== null && !keysOf(collection, object).some(([id, k]) => id === path && k.equals(key))
  })
  return { found, next: rows.length < PAGE ? null : rows.at(-1)! }
}

type KeysOf = (
  collection: Collection,
  object: NonNullable<ReturnType<typeof objectOf>>,
) => [path: number | undefined, key: Buffer][]

const indexRowsOf: KeysOf = (collection, object) =>
  [...indexKeys(collection, object).rows.values()].map(([path, key]) => [path.id, key])

const uniqueRowsOf =
  (uniqueProperties: UniqueProperties): KeysOf =>
  (collection, object) =>
    uniqueValues(collection, object, uniqueProperties(collection.name)).map(({ path, key }) => [
      path?.id,
      key,
    ])
