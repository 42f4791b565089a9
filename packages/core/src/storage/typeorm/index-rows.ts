import type { Path } from './catalog.js'
import { type Dialect, insertRows, isIn, type Sql } from './sql.js'

export const INDEX_ROW = [
  ['app_id', 'bigint'],
  ['path_id', 'bigint'],
  ['key', 'bytea'],
  ['eid', 'bigint'],
] as const

/** Marks paths at which an entity has several values. */
export const markMulti = (dialect: Dialect, paths: Iterable<Path>): Sql[] => {
  const ids = [...paths].map(({ id }) => id)
  if (ids.length === 0) return []
  const list = isIn(dialect, 'id', 'bigint', ids)
  return [{ text: `UPDATE path SET multi = 1 WHERE ${list.text}`, values: list.values }]
}

/** Takes entities out of the full-text index. */
export const deleteWords = (dialect: Dialect, ids: readonly number[]): Sql[] => {
  const column = dialect === 'postgres' ? 'eid' : 'rowid'
  const statements: Sql[] = []
  for (let at = 0; at < ids.length; at += 256) {
    const list = isIn(dialect, column, 'bigint', ids.slice(at, at + 256))
    statements.push({ text: `DELETE FROM entity_words WHERE ${list.text}`, values: list.values })
  }
  return statements
}

/** Puts entities into the full-text index: rows of application, id and space-separated tokens. */
export const insertWords = (dialect: Dialect, rows: readonly (readonly unknown[])[]): Sql[] => {
  if (rows.length === 0) return []
  if (dialect === 'sqlite') {
    const columns = [
      ['rowid', 'bigint'],
      ['words', 'text'],
    ] as const
    return insertRows(
      dialect,
      'entity_words',
      columns,
      rows.map(([, id, words]) => [id, words]),
    )
  }
  const text = `INSERT INTO entity_words (app_id, eid, words)
    SELECT a, e, array_to_tsvector(string_to_array(w, ' ')) FROM unnest(?::bigint[], ?::bigint[], ?::text[]) AS u(a, e, w)`
  return [{ text, values: [0, 1, 2].map((i) => rows.map((row) => row[i])) }]
}
