import type { SqlConnection, SqlDatabase } from './connection.js'

export type Dialect = SqlDatabase['dialect']

/** PostgreSQL types of the columns that lists of values are compared with or inserted into. */
export type ColumnType = 'bigint' | 'int' | 'text' | 'bytea' | 'uuid'

/** A piece of SQL with `?` placeholders, and their values in order. */
export interface Sql {
  text: string
  values: unknown[]
}

const numbered = new Map<string, string>()

/** Rewrites `?` to `$1 $2 ...` for PostgreSQL. Our statements hold no other question mark. */
const forPostgres = (text: string): string => {
  let result = numbered.get(text)
  if (result === undefined) {
    let n = 0
    result = text.replace(/\?/g, () => `$${++n}`)
    if (numbered.size > 2000) numbered.clear()
    numbered.set(text, result)
  }
  return result
}

/** Uuids are 16-byte blobs on SQLite and of type uuid on PostgreSQL. */
export const bindUuid = (dialect: Dialect, uuid: string): string | Buffer =>
  dialect === 'postgres' ? uuid : Buffer.from(uuid.replaceAll('-', ''), 'hex')

export const uuidText = (uuid: Buffer | string): string =>
  typeof uuid === 'string'
    ? uuid
    : uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

export const all = <Row>(connection: SqlConnection, dialect: Dialect, sql: Sql): Promise<Row[]> =>
  connection.all<Row>(dialect === 'postgres' ? forPostgres(sql.text) : sql.text, sql.values)

export const run = (connection: SqlConnection, dialect: Dialect, sql: Sql): Promise<number> =>
  connection.run(dialect === 'postgres' ? forPostgres(sql.text) : sql.text, sql.values)

/** Few distinct statement texts keep the caches of prepared statements useful: lengths are powers of two. */
const paddedLength = (length: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, length)))

/** `column IN (...)` for any number of values, as few statement texts as possible. */
export const isIn = (dialect: Dialect, column: string, type: ColumnType, list: readonly unknown[]): Sql => {
  if (dialect === 'postgres') return { text: `${column} = ANY(?::${type}[])`, values: [list] }
  const length = paddedLength(list.length)
  const values = Array.from({ length }, (_, i) => list[Math.min(i, list.length - 1)])
  return { text: `${column} IN (${'?,'.repeat(length - 1)}?)`, values }
}

/**
 * Entities `e` of an application by their ids. Having no statistics, SQLite takes an application for ten rows: to
 * find eight ids it would rather read all of it, if the plus did not keep it from the index.
 */
export const entitiesById = (dialect: Dialect, app: number, ids: readonly number[]): Sql => {
  const list = isIn(dialect, 'e.id', 'bigint', ids)
  return {
    text: `${dialect === 'sqlite' ? '+' : ''}e.app_id = ? AND ${list.text}`,
    values: [app, ...list.values],
  }
}

/**
 * A derived table `v` of given rows, to join a real one against. Rows may repeat on SQLite (padding), which
 * lookups do not mind.
 */
export const rowsAs = (
  dialect: Dialect,
  columns: readonly (readonly [name: string, type: ColumnType])[],
  rows: readonly (readonly unknown[])[],
): Sql => {
  const names = columns.map(([name]) => name).join(', ')
  if (dialect === 'postgres') {
    const arrays = columns.map(([, type]) => `?::${type}[]`).join(', ')
    return {
      text: `(SELECT * FROM unnest(${arrays}) AS u(${names})) v`,
      values: columns.map((_, i) => rows.map((row) => row[i])),
    }
  }
  const length = paddedLength(rows.length)
  const tuple = `(${'?,'.repeat(columns.length - 1)}?)`
  const aliases = columns.map(([name], i) => `column${i + 1} AS ${name}`).join(', ')
  const values: unknown[] = []
  for (let i = 0; i < length; i++) values.push(...rows[Math.min(i, rows.length - 1)]!)
  return { text: `(SELECT ${aliases} FROM (VALUES ${`${tuple},`.repeat(length - 1)}${tuple})) v`, values }
}

/**
 * Rows in the portions of statements on SQLite: few and large, and of few lengths, so that their prepared
 * statements are found again. Up to 16 rows, which most single writes need, are one statement of their length.
 */
const portions = function* <Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let at = 0; at < rows.length; ) {
    const left = rows.length - at
    const size = left >= 256 ? 256 : left >= 64 ? 64 : Math.min(left, 16)
    yield rows.slice(at, at + size)
    at += size
  }
}

/** Statements that write these rows: one on PostgreSQL, a few of fixed lengths on SQLite. */
export const insertRows = (
  dialect: Dialect,
  table: string,
  columns: readonly (readonly [name: string, type: ColumnType])[],
  rows: readonly (readonly unknown[])[],
  { tail = '' }: { tail?: string } = {},
): Sql[] => {
  if (rows.length === 0) return []
  const names = columns.map(([name]) => name).join(', ')
  if (dialect === 'postgres') {
    const arrays = columns.map(([, type]) => `?::${type}[]`).join(', ')
    const text = `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays}) ${tail}`
    return [{ text, values: columns.map((_, i) => rows.map((row) => row[i])) }]
  }
  const tuple = `(${'?,'.repeat(columns.length - 1)}?)`
  return [...portions(rows)].map((portion) => ({
    text: `INSERT INTO ${table} (${names}) VALUES ${`${tuple},`.repeat(portion.length - 1)}${tuple} ${tail}`,
    values: portion.flat(),
  }))
}

/** Deletes the rows whose first `columns` equal one of `rows`. */
export const deleteRows = (
  dialect: Dialect,
  table: string,
  columns: readonly (readonly [name: string, type: ColumnType])[],
  rows: readonly (readonly unknown[])[],
): Sql[] => {
  if (rows.length === 0) return []
  if (dialect === 'postgres') {
    const v = rowsAs(dialect, columns, rows)
    const on = columns.map(([name]) => `${table}.${name} = v.${name}`).join(' AND ')
    return [{ text: `DELETE FROM ${table} USING ${v.text} WHERE ${on}`, values: v.values }]
  }
  const names = columns.map(([name]) => name).join(', ')
  const tuple = `(${'?,'.repeat(columns.length - 1)}?)`
  return [...portions(rows)].map((portion) => ({
    text: `DELETE FROM ${table} WHERE (${names}) IN (VALUES ${`${tuple},`.repeat(portion.length - 1)}${tuple})`,
    values: portion.flat(),
  }))
}

export const join = (parts: readonly (Sql | string)[], separator = ' '): Sql => ({
  text: parts.map((part) => (typeof part === 'string' ? part : part.text)).join(separator),
  values: parts.flatMap((part) => (typeof part === 'string' ? [] : part.values)),
})

/**
 * Several writes as one statement, to save round trips on PostgreSQL. They all see the database as it was
 * before, so none may depend on another.
 */
export const asOne = (statements: readonly Sql[]): Sql[] => {
  if (statements.length < 2) return [...statements]
  const parts = statements.map(({ text }, i) => `w${i} AS (${text})`)
  return [{ text: `WITH ${parts.join(', ')} SELECT 1`, values: statements.flatMap(({ values }) => values) }]
}

/**
 * The owners of unique values, joined to `v (app_id, path_id, key)`: rows `u` (eid) and `e` (entity). PostgreSQL
 * is held to look each up by its key, whatever it believes about the sizes of the tables.
 */
export const uniqueOwners = (dialect: Dialect, v: string, columns: string, lock: string): string => {
  const unique = 'u.app_id = v.app_id AND u.path_id = v.path_id AND u.key = v.key'
  if (dialect === 'sqlite') {
    return `SELECT v.path_id, v.key AS k, ${columns} FROM ${v} CROSS JOIN entity_unique u CROSS JOIN entity e
      WHERE ${unique} AND e.app_id = u.app_id AND e.id = u.eid`
  }
  return `SELECT v.path_id, v.key AS k, ${columns} FROM ${v}
    CROSS JOIN LATERAL (SELECT u.eid FROM entity_unique u WHERE ${unique} OFFSET 0) u
    CROSS JOIN LATERAL (SELECT * FROM entity e WHERE e.app_id = v.app_id AND e.id = u.eid OFFSET 0 ${lock}) e`
}
