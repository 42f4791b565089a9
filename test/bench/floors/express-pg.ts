import pg from 'pg'
import { type Doc, type ItemsSql, type NewRow, type Row, serveItems } from './items-server.js'
import { PERMISSION, SESSION } from './session.js'

const CONNECTIONS = 10
const SCHEMA = `
  CREATE TABLE items(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uuid uuid NOT NULL UNIQUE,
    name text NOT NULL UNIQUE, category text, score double precision, doc jsonb NOT NULL);
  CREATE INDEX items_category ON items(category, score DESC);
  CREATE INDEX items_score ON items(score);
  CREATE TABLE likes(source bigint NOT NULL, target bigint NOT NULL, at bigint NOT NULL, PRIMARY KEY(source, target));
  CREATE INDEX likes_by_time ON likes(source, at DESC, target);
  CREATE TABLE sessions(token text PRIMARY KEY, role text NOT NULL);
  CREATE TABLE permissions(role text NOT NULL, permission text NOT NULL, PRIMARY KEY(role, permission));
  INSERT INTO sessions VALUES ('${SESSION}', 'reader');
  INSERT INTO permissions VALUES ('reader', '${PERMISSION}');`

const pool = new pg.Pool({ connectionString: process.env['DATABASE'], max: CONNECTIONS })

/** A prepared statement: PostgreSQL plans it once per connection. */
const statement =
  <T extends object = Row>(name: string, text: string) =>
  async (...values: unknown[]): Promise<T[]> =>
    (await pool.query<T>({ name, text, values })).rows

const insertOne = statement(
  'insert',
  'INSERT INTO items(uuid, name, category, score, doc) VALUES ($1,$2,$3,$4,$5)',
)
const insertMany = statement(
  'insertMany',
  `INSERT INTO items(uuid, name, category, score, doc) SELECT (doc->>'uuid')::uuid, doc->>'name', doc->>'category',
   (doc->>'score')::float8, doc FROM jsonb_array_elements($1::jsonb) AS docs(doc)`,
)
const update = statement(
  'update',
  `UPDATE items SET category=coalesce($1,category), score=coalesce($2,score), doc=doc||$3::jsonb
   WHERE uuid=$4 RETURNING id, doc`,
)
const connect = statement(
  'connect',
  `INSERT INTO likes SELECT s.id, t.id, $1 FROM items s, items t WHERE s.uuid=$2 AND t.uuid=$3
   ON CONFLICT(source, target) DO UPDATE SET at=excluded.at`,
)
const page = statement('page', 'SELECT id, doc FROM items WHERE id<$1 ORDER BY id DESC LIMIT $2')
const may = statement(
  'may',
  'SELECT 1 FROM sessions JOIN permissions USING (role) WHERE sessions.token=$1 AND permissions.permission=$2',
)

const items: ItemsSql = {
  insert: async (rows: NewRow[]) => {
    if (rows.length > 1) return void (await insertMany(JSON.stringify(rows.map(({ doc }) => doc))))
    const { uuid, doc } = rows[0]!
    await insertOne(uuid, doc['name'], doc['category'], doc['score'], JSON.stringify(doc))
  },
  byUuid: statement('byUuid', 'SELECT id, doc FROM items WHERE uuid=$1'),
  byName: statement('byName', 'SELECT id, doc FROM items WHERE name=$1'),
  equalitySorted: statement(
    'equality',
    'SELECT id, doc FROM items WHERE category=$1 ORDER BY score DESC LIMIT $2',
  ),
  range: statement('range', 'SELECT id, doc FROM items WHERE score>=$1 AND score<$2 ORDER BY score LIMIT $3'),
  page: (before, limit) => page(before ?? Number.MAX_SAFE_INTEGER, limit),
  update: (uuid: string, changes: Doc) =>
    update(changes['category'], changes['score'], JSON.stringify(changes), uuid),
  remove: statement('remove', 'DELETE FROM items WHERE uuid=$1 RETURNING id, doc'),
  connect: async (source, target) => void (await connect(Date.now(), source, target)),
  connections: statement(
    'connections',
    `SELECT t.id, t.doc FROM items s JOIN likes l ON l.source=s.id JOIN items t ON t.id=l.target
     WHERE s.uuid=$1 ORDER BY l.at DESC LIMIT $2`,
  ),
  may: async (token, permission) => (await may(token, permission)).length === 1,
}

await pool.query(SCHEMA)
serveItems(items)
