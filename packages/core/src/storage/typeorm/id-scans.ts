import type { Access } from './access.js'
import { bindUuid, type Dialect, join, type Sql } from './sql.js'

type Words = Extract<Access, { kind: 'words' }>

/** SQLite joins at most 500 scans, and each number of them is another text to prepare. */
const MAX_UNION = 64

/** Scans of the index for the ids (`eid`) that an access finds, each of at most `limit` rows; an id may come twice. */
export const idScans = (dialect: Dialect, app: number, access: Access, limit: number): Sql[] => {
  switch (access.kind) {
    case 'equal': {
      const text = 'SELECT eid FROM entity_index WHERE app_id = ? AND path_id = ? AND key = ? LIMIT ?'
      return [{ text, values: [app, access.path.id, access.key, limit] }]
    }
    case 'range':
      return access.intervals.map(({ from, to }) => ({
        text: 'SELECT eid FROM entity_index WHERE app_id = ? AND path_id = ? AND key >= ? AND key < ? LIMIT ?',
        values: [app, access.path.id, from, to, limit],
      }))
    case 'words':
      return dialect === 'postgres'
        ? [
            {
              text: 'SELECT eid FROM entity_words WHERE app_id = ? AND words @@ ?::tsquery LIMIT ?',
              values: [app, tsQuery(access), limit],
            },
          ]
        : [
            {
              text: 'SELECT rowid AS eid FROM entity_words WHERE entity_words MATCH ? LIMIT ?',
              values: [ftsQuery(access), limit],
            },
          ]
    case 'uuid':
      return [
        {
          text: 'SELECT id AS eid FROM entity WHERE app_id = ? AND uuid = ? LIMIT ?',
          values: [app, bindUuid(dialect, access.uuid), limit],
        },
      ]
    case 'or':
      return access.items.flatMap((item) => idScans(dialect, app, item, limit))
    case 'nothing':
      return []
  }
}

/** Many scans in few statements. */
export const unions = (scans: readonly Sql[]): Sql[] => {
  const statements: Sql[] = []
  for (let at = 0; at < scans.length; at += MAX_UNION) {
    const some = scans.slice(at, at + MAX_UNION)
    const parts = some.map(({ text, values }) => ({ text: `SELECT * FROM (${text}) u`, values }))
    statements.push(some.length === 1 ? some[0]! : join(parts, ' UNION ALL '))
  }
  return statements
}

/** Many scans, at least one, in a single statement. */
export const union = (scans: readonly Sql[]): Sql => {
  const statements = unions(scans)
  return statements.length === 1 ? statements[0]! : union(statements)
}

/** Ids of one statement, narrowed by others. */
export interface IdSet {
  from: Sql
  /** Whether `from` gives no id twice. */
  distinct: boolean
  /** Conditions on `x.eid`. */
  where: Sql[]
  /** Statements that must give the id too. */
  also: Sql[]
  /** Statements that must not. */
  without: Sql[]
}

/** A statement that gives each id of a set once. */
export const idsOf = ({ from, distinct, where, also, without }: IdSet): Sql =>
  join([
    { text: `SELECT ${distinct ? '' : 'DISTINCT '}x.eid FROM (${from.text}) x`, values: from.values },
    ...(where.length === 0 ? [] : ['WHERE', join(where, ' AND ')]),
    // Set operations take time in the number of rows whatever PostgreSQL believes about the sizes of tables.
    ...also.map(({ text, values }) => ({ text: `INTERSECT SELECT eid FROM (${text}) y`, values })),
    ...without.map(({ text, values }) => ({ text: `EXCEPT SELECT eid FROM (${text}) y`, values })),
  ])

/** Tokens are letters and digits only, so quoting them is enough. */
export const ftsQuery = ({ tokens }: Words): string =>
  tokens.map(({ token, prefix }) => `"${token}"${prefix ? '*' : ''}`).join(' OR ')

export const tsQuery = ({ tokens }: Words): string =>
  tokens.map(({ token, prefix }) => `'${token}'${prefix ? ':*' : ''}`).join(' | ')
