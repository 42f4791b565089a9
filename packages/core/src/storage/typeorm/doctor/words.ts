import type { SqlConnection } from '../connection.js'
import { all, type Dialect, isIn, join, rowsAs } from '../sql.js'

/** Tokens that one statement asks for. */
const TOKENS = 256

/**
 * Ids of the entities whose words in the full-text index are not the wanted ones. `wanted` has the
 * space-separated, distinct tokens of each entity, '' for none.
 */
export const wrongWords = async (
  connection: SqlConnection,
  dialect: Dialect,
  app: number,
  wanted: ReadonlyMap<number, string>,
): Promise<number[]> => {
  const read = dialect === 'postgres' ? readPostgres : readSqlite
  const tokens = new Map([...wanted].map(([id, words]) => [id, words === '' ? [] : words.split(' ')]))
  const found = await read(connection, app, tokens)
  return [...tokens].flatMap(([id, list]) => {
    const { size, present } = found.get(id) ?? { size: 0, present: new Set() }
    return size === list.length && list.every((token) => present.has(token)) ? [] : [id]
  })
}

/** How many tokens the index has of an entity, and which of the wanted ones are among them. */
interface Held {
  size: number
  present: Set<string>
}

const readPostgres = async (
  connection: SqlConnection,
  app: number,
  wanted: ReadonlyMap<number, readonly string[]>,
): Promise<Map<number, Held>> => {
  const list = isIn('postgres', 'eid', 'bigint', [...wanted.keys()])
  const rows = await all<{ eid: number; words: string[] }>(connection, 'postgres', {
    text: `SELECT eid, tsvector_to_array(words) AS words FROM entity_words WHERE app_id = ? AND ${list.text}`,
    values: [app, ...list.values],
  })
  return new Map(rows.map(({ eid, words }) => [eid, { size: words.length, present: new Set(words) }]))
}

/** The index keeps no texts, but how many tokens each has; which they are is asked token by token. */
const readSqlite = async (
  connection: SqlConnection,
  _: number,
  wanted: ReadonlyMap<number, readonly string[]>,
): Promise<Map<number, Held>> => {
  const ids = [...wanted.keys()]
  const list = isIn('sqlite', 'id', 'bigint', ids)
  const sizes = await all<{ id: number; sz: Buffer }>(connection, 'sqlite', {
    text: `SELECT id, sz FROM entity_words_docsize WHERE ${list.text}`,
    values: list.values,
  })
  const held = new Map(sizes.map(({ id, sz }) => [id, { size: varint(sz), present: new Set<string>() }]))
  const range = [Math.min(...ids), Math.max(...ids)]
  const tokens = [...new Set([...wanted.values()].flat())]
  for (let at = 0; at < tokens.length; at += TOKENS) {
    const quoted = tokens.slice(at, at + TOKENS).map((token) => [`"${token}"`])
    const v = rowsAs('sqlite', [['token', 'text']], quoted)
    const rows = await all<{ token: string; id: number }>(
      connection,
      'sqlite',
      join([
        `SELECT v.token, w.rowid AS id FROM`,
        v,
        {
          text: 'CROSS JOIN entity_words w WHERE w.entity_words MATCH v.token AND w.rowid BETWEEN ? AND ?',
          values: range,
        },
      ]),
    )
    for (const { token, id } of rows) held.get(id)?.present.add(token.slice(1, -1))
  }
  return held
}

/** A number as SQLite stores it: seven bits in each byte, the first ones first. */
const varint = (bytes: Buffer): number => {
  let value = 0
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) break
  }
  return value
}
