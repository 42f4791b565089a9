import type { SqlConnection } from '../connection.js'
import { all, type Dialect, run } from '../sql.js'

/** A source of numbers, the last it has given out, and the highest that is in use. */
export interface Sequence {
  name: 'ids' | 'changes'
  given: number
  used: number
}

const USED_IDS = `SELECT max(n) AS n FROM (SELECT max(id) AS n FROM entity UNION ALL SELECT max(id) FROM collection
  UNION ALL SELECT max(id) FROM path UNION ALL SELECT max(id) FROM verb) AS numbers`

/** What PostgreSQL's sequences have given out is not part of a snapshot, but it only grows. */
const GIVEN = {
  sqlite: {
    ids: `SELECT next - 1 AS n FROM sequence WHERE name = 'id'`,
    changes: `SELECT seq AS n FROM sqlite_sequence WHERE name = 'change'`,
  },
  postgres: {
    ids: 'SELECT last_value AS n FROM entity_id',
    changes: 'SELECT last_value AS n FROM change_seq_seq',
  },
}

export const readSequences = async (connection: SqlConnection, dialect: Dialect): Promise<Sequence[]> => {
  const number = async (text: string): Promise<number> => {
    const [row] = await all<{ n: number | null }>(connection, dialect, { text, values: [] })
    return row?.n ?? 0
  }
  return [
    { name: 'ids', used: await number(USED_IDS), given: await number(GIVEN[dialect].ids) },
    {
      name: 'changes',
      used: await number('SELECT max(seq) AS n FROM change'),
      given: await number(GIVEN[dialect].changes),
    },
  ]
}

const RAISE = {
  sqlite: {
    ids: `UPDATE sequence SET next = max(next, ? + 1) WHERE name = 'id'`,
    changes: `UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'change'`,
  },
  postgres: {
    ids: `SELECT setval('entity_id', GREATEST(?::bigint, nextval('entity_id')))`,
    changes: `SELECT setval('change_seq_seq', GREATEST(?::bigint, nextval('change_seq_seq')))`,
  },
}

/** Lets a sequence go on above what is in use. */
export const raiseSequence = async (
  connection: SqlConnection,
  dialect: Dialect,
  { name, used }: Sequence,
): Promise<void> => {
  await run(connection, dialect, { text: RAISE[dialect][name], values: [used] })
}
