import type { AppCatalog } from '../catalog.js'
import type { SqlConnection } from '../connection.js'
import { all, bindUuid, type Dialect, run, uuidText } from '../sql.js'

/** An entity whose last line in the change log is not what became of it. */
export interface Contradiction {
  app: number
  collectionId: number
  uuid: string
  exists: boolean
}

const ENTITY_KINDS = `('create', 'update', 'remove')`

/**
 * Entities that exist although their last line says they were removed, or the other way round. Lines tell only
 * of what was written while they are kept; about other entities the log says nothing.
 */
export const contradictions = async (
  connection: SqlConnection,
  dialect: Dialect,
): Promise<Contradiction[]> => {
  const rows = await all<{ app_id: number; coll_id: number; uuid: Buffer | string; kind: string }>(
    connection,
    dialect,
    {
      text: `SELECT c.app_id, c.coll_id, c.uuid, c.kind FROM (
          SELECT app_id, uuid, max(seq) AS seq FROM change WHERE kind IN ${ENTITY_KINDS} GROUP BY app_id, uuid) AS l
        JOIN change c ON c.seq = l.seq
        LEFT JOIN entity e ON e.app_id = l.app_id AND e.uuid = l.uuid
        WHERE (c.kind = 'remove') = (e.id IS NOT NULL) ORDER BY c.seq LIMIT ?`,
      values: [MAX_CONTRADICTIONS],
    },
  )
  return rows.map(({ app_id, coll_id, uuid, kind }) => ({
    app: app_id,
    collectionId: coll_id,
    uuid: uuidText(uuid),
    exists: kind === 'remove',
  }))
}

/** So many are told of at once. */
const MAX_CONTRADICTIONS = 10_000

/** Lets the log end with what is true: nobody can say when it became so. */
export const settle = async (
  connection: SqlConnection,
  dialect: Dialect,
  { app, collectionId, uuid, exists }: Contradiction,
  now: number,
): Promise<void> => {
  await run(connection, dialect, {
    text: 'INSERT INTO change (app_id, coll_id, uuid, kind, principal, at) VALUES (?, ?, ?, ?, ?, ?)',
    values: [
      app,
      collectionId,
      bindUuid(dialect, uuid),
      exists ? 'update' : 'remove',
      'entigrid doctor',
      now,
    ],
  })
}

const KINDS = new Set(['create', 'update', 'remove', 'connect', 'disconnect'])

/** Lines that a reader of the log could not make sense of, by what is wrong with them. */
export const unreadableLines = async (
  connection: SqlConnection,
  dialect: Dialect,
  catalogOf: (app: number) => Promise<AppCatalog>,
): Promise<{ app: number; collectionId: number; kind: string; verbId: number | null; count: number }[]> => {
  const rows = await all<{
    app_id: number
    coll_id: number
    kind: string
    verb_id: number | null
    n: number
  }>(connection, dialect, {
    text: `SELECT app_id, coll_id, kind, verb_id, count(*) AS n FROM change
        GROUP BY app_id, coll_id, kind, verb_id ORDER BY app_id`,
    values: [],
  })
  const unreadable = []
  for (const { app_id: app, coll_id: collectionId, kind, verb_id: verbId, n: count } of rows) {
    const catalog = await catalogOf(app)
    const known =
      KINDS.has(kind) &&
      catalog.byId.has(collectionId) &&
      (verbId === null || catalog.verbNames.has(verbId)) &&
      (verbId !== null || !kind.endsWith('connect'))
    if (!known) unreadable.push({ app, collectionId, kind, verbId, count })
  }
  return unreadable
}
