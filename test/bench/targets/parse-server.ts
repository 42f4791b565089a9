import pg from 'pg'
import { call } from '../http.js'
import { categoryOf, type Item, item, madeItems, nameOf, pairOf, scatter, scoreRange } from '../items.js'
import { compiled } from '../places.js'
import { PAGE, type Request, type Target } from '../target.js'

const APP_ID = 'bench'
const MASTER_KEY = 'a-key-for-the-bench'
const READER = { username: 'reader', password: 'a password for reading' }
const ITEMS = '/parse/classes/items'
const FIELDS: Record<keyof Item, string> = {
  name: 'String',
  category: 'String',
  score: 'Number',
  price: 'Number',
  active: 'Boolean',
  tags: 'Array',
  city: 'String',
  text: 'String',
  address: 'Object',
}
const INDEXES = `
  CREATE UNIQUE INDEX items_by_name ON items(name);
  CREATE INDEX items_by_category ON items(category, score DESC);
  CREATE INDEX items_by_score ON items(score);
  CREATE INDEX likes_by_source ON "_Join:likes:items"("owningId");
  ANALYZE;`

interface Shown {
  objectId: string
  name: string
}
type Reply = Shown | { results: Shown[] } | { success: Shown }[]

/** Pages go by name, which has an index and no ties, and follows the order of creation. */
export const target: Target = {
  title: 'Parse Server 9.10, PostgreSQL',
  durability: 'every commit reaches the disk (fsync and synchronous_commit on)',
  postgres: true,
  readyPath: '/parse/health',
  program: ({ port, postgresUrl }) => ({
    command: process.execPath,
    args: [compiled('peers/parse-server.js')],
    env: { PORT: String(port), DATABASE: postgresUrl, APP_ID, MASTER_KEY, PARSE_SERVER_LOGS_FOLDER: 'null' },
  }),
  setUp: async (url) => {
    const application = { 'x-parse-application-id': APP_ID }
    const headers = { ...application, 'x-parse-master-key': MASTER_KEY }
    const fields = Object.fromEntries(Object.entries(FIELDS).map(([name, type]) => [name, { type }]))
    const schema = {
      fields: { ...fields, likes: { type: 'Relation', targetClass: 'items' } },
      classLevelPermissions: { get: { 'role:reader': true } },
    }
    await call(url, 'POST', '/parse/schemas/items', schema, headers)
    const user = await call<{ objectId: string; sessionToken: string }>(
      url,
      'POST',
      '/parse/users',
      READER,
      application,
    )
    const users = { __op: 'AddRelation', objects: [pointer('_User', user.objectId)] }
    await call(url, 'POST', '/parse/roles', { name: 'reader', ACL: {}, users }, headers)
    const userHeaders = { ...application, 'x-parse-session-token': user.sessionToken }
    return { url, headers, userHeaders, ids: [], hubs: [], cursor: '' }
  },
  finish: async ({ postgresUrl }) => {
    const client = new pg.Client({ connectionString: postgresUrl })
    await client.connect()
    await client.query(INDEXES)
    await client.end()
  },
  createMany: (_context, bodies) => batch(bodies),
  connect: (_context, source, target) => connect(source, target),
  remove: (_context, id) => ({ method: 'DELETE', path: `${ITEMS}/${id}` }),
  page: (_context, cursor) => page(cursor),
  scenarios: ({ ids, hubs, cursor }) => {
    const any = (index: number) => scatter(index) % ids.length
    const one = (index: number) => ({ method: 'GET', path: `${ITEMS}/${ids[any(index)]}` }) as const
    return {
      byUuid: one,
      byName: (index) => list({ name: nameOf(any(index)) }, '', 1),
      equalitySorted: (index) => list({ category: categoryOf(any(index)) }, '-score', 10),
      range: (index) => {
        const { from, to } = scoreRange(index, ids.length)
        return list({ score: { $gte: from, $lt: to } }, 'score', 10)
      },
      firstPage: () => page(''),
      deepPage: () => page(cursor),
      connections: (index) => {
        const object = pointer('items', hubs[index % hubs.length]!)
        return list({ $relatedTo: { object, key: 'likes' } }, '', 10)
      },
      asUser: one,
      update: (index) => ({
        method: 'PUT',
        path: `${ITEMS}/${ids[any(index)]}`,
        body: JSON.stringify({ price: index / 100 }),
      }),
      connect: (index) => {
        const { source, target } = pairOf(index, ids.length)
        return connect(ids[source]!, ids[target]!)
      },
      create: (index) => ({
        method: 'POST',
        path: ITEMS,
        body: JSON.stringify(item(index, `made-${index}`)),
      }),
      batch: (index) => batch(madeItems(index)),
    }
  },
  idsOf: (body) => shown(body).map(({ objectId }) => objectId),
  namesOf: (body) => shown(body).map(({ name }) => name),
  cursorOf: (body) => shown(body).at(-1)!.name,
}

const shown = (body: string): Shown[] => {
  const reply = JSON.parse(body) as Reply
  if (Array.isArray(reply)) return reply.map(({ success }) => success)
  return 'results' in reply ? reply.results : [reply]
}

const pointer = (className: string, objectId: string) => ({ __type: 'Pointer', className, objectId })

const list = (where: object, order: string, limit: number): Request => {
  const query = `where=${encodeURIComponent(JSON.stringify(where))}&limit=${limit}`
  return { method: 'GET', path: `${ITEMS}?${query}${order === '' ? '' : `&order=${order}`}` }
}

const page = (cursor: string): Request => list(cursor === '' ? {} : { name: { $lt: cursor } }, '-name', PAGE)

const batch = (bodies: object[]): Request => ({
  method: 'POST',
  path: '/parse/batch',
  body: JSON.stringify({ requests: bodies.map((body) => ({ method: 'POST', path: ITEMS, body })) }),
})

const connect = (source: string, target: string): Request => ({
  method: 'PUT',
  path: `${ITEMS}/${source}`,
  body: JSON.stringify({ likes: { __op: 'AddRelation', objects: [pointer('items', target)] } }),
})
