import { join } from 'node:path'
import { call } from './http.js'
import { categoryOf, item, madeItems, nameOf, pairOf, scatter, scoreRange } from './items.js'
import { ROOT } from './places.js'
import { type Context, PAGE, type Place, type Target } from './target.js'

const ADMIN = { username: 'bench', password: 'a password for the bench' }
const READER = { username: 'reader', password: 'a password for reading', email: 'reader@example.com' }
const APP = '/demo/bench'
const ITEMS = `${APP}/items`

interface Reply {
  entities: { uuid: string; name: string }[]
  cursor?: string
}

/** The standalone server as `npm start` runs it, set up the way that a user would; `root` is its checkout, built. */
export const entigridTarget = (
  database: (place: Place) => string,
  about: Pick<Target, 'title' | 'durability' | 'postgres'>,
  root = ROOT,
): Target => ({
  ...about,
  // The first start makes this application after it begins to listen.
  readyPath: '/demo/sandbox/items',
  program: (place) => ({
    command: process.execPath,
    args: [
      ...(process.env['ENTIGRID_BENCH_NODE_FLAGS']?.split(' ') ?? []),
      join(root, 'packages/server/dist/cli.js'),
      'start',
    ],
    env: {
      PORT: String(place.port),
      ENTIGRID_DATABASE_URL: database(place),
      ENTIGRID_ADMIN_USERNAME: ADMIN.username,
      ENTIGRID_ADMIN_PASSWORD: ADMIN.password,
      ENTIGRID_SECRET: 'a secret of the bench, long enough for it',
      ENTIGRID_LOG_LEVEL: 'error',
      // Counted as for everybody, but never refused.
      ENTIGRID_RATE_ADDRESS: '1000000000',
      ENTIGRID_RATE_PRINCIPAL: '1000000000',
    },
  }),
  setUp,
  createMany: (_context, bodies) => ({ method: 'POST', path: ITEMS, body: JSON.stringify(bodies) }),
  connect: (_context, source, target) => ({ method: 'POST', path: `${ITEMS}/${source}/likes/${target}` }),
  remove: (_context, id) => ({ method: 'DELETE', path: `${ITEMS}/${id}` }),
  page: (_context, cursor) => ({
    method: 'GET',
    path: `${ITEMS}?limit=${PAGE}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
  }),
  scenarios,
  idsOf: (body) => (JSON.parse(body) as Reply).entities.map(({ uuid }) => uuid),
  namesOf: (body) => (JSON.parse(body) as Reply).entities.map(({ name }) => name),
  cursorOf: (body) => (JSON.parse(body) as Reply).cursor ?? '',
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const setUp = async (url: string): Promise<Context> => {
  const token = async (path: string, grant: object) =>
    (await call<{ access_token: string }>(url, 'POST', path, grant)).access_token
  const admin = bearer(await token('/management/token', { grant_type: 'password', ...ADMIN }))
  await call(url, 'POST', '/management/orgs/demo/apps', { name: 'bench' }, admin)
  const { credentials } = await call<{ credentials: { client_id: string; client_secret: string } }>(
    url,
    'GET',
    '/management/orgs/demo/apps/bench/credentials',
    undefined,
    admin,
  )
  const headers = bearer(await token(`${APP}/token`, { grant_type: 'client_credentials', ...credentials }))
  const indexes = { fields: 'all', indexes: [['category', '-score']] }
  await call(url, 'POST', `${ITEMS}/_settings`, indexes, headers)

  await call(url, 'POST', `${APP}/users`, READER, headers)
  await call(url, 'POST', `${APP}/roles`, { name: 'reader' }, headers)
  await call(url, 'POST', `${APP}/roles/reader/permissions`, { permission: 'get:/items/*' }, headers)
  await call(url, 'POST', `${APP}/roles/reader/users/${READER.username}`, {}, headers)
  const userHeaders = bearer(await token(`${APP}/token`, { grant_type: 'password', ...READER }))
  return { url, headers, userHeaders, ids: [], hubs: [], cursor: '' }
}

const scenarios: Target['scenarios'] = ({ ids, hubs, cursor }) => {
  const any = (index: number) => scatter(index) % ids.length
  const get = (path: string) => ({ method: 'GET', path }) as const
  const ql = (query: string, limit: number) => get(`${ITEMS}?ql=${encodeURIComponent(query)}&limit=${limit}`)
  return {
    byUuid: (index) => get(`${ITEMS}/${ids[any(index)]}`),
    byName: (index) => get(`${ITEMS}/${nameOf(any(index))}`),
    equalitySorted: (index) =>
      ql(`select * where category = '${categoryOf(any(index))}' order by score desc`, 10),
    range: (index) => {
      const { from, to } = scoreRange(index, ids.length)
      return ql(`select * where score >= ${from} and score < ${to} order by score`, 10)
    },
    firstPage: () => get(`${ITEMS}?limit=${PAGE}`),
    deepPage: () => get(`${ITEMS}?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`),
    connections: (index) => get(`${ITEMS}/${hubs[index % hubs.length]}/likes?limit=10`),
    asUser: (index) => get(`${ITEMS}/${ids[any(index)]}`),
    update: (index) => ({
      method: 'PUT',
      path: `${ITEMS}/${ids[any(index)]}`,
      body: JSON.stringify({ price: index / 100 }),
    }),
    connect: (index) => {
      const { source, target } = pairOf(index, ids.length)
      return { method: 'POST', path: `${ITEMS}/${ids[source]}/likes/${ids[target]}` }
    },
    create: (index) => ({ method: 'POST', path: ITEMS, body: JSON.stringify(item(index, `made-${index}`)) }),
    batch: (index) => ({ method: 'POST', path: ITEMS, body: JSON.stringify(madeItems(index)) }),
  }
}
