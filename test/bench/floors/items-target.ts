import { categoryOf, item, madeItems, nameOf, pairOf, scatter, scoreRange } from '../items.js'
import { compiled } from '../places.js'
import { PAGE, type Place, type Target } from '../target.js'
import { SESSION } from './session.js'

interface Reply {
  entities: { uuid: string; name: string }[]
  cursor?: number
}

/** The target for a floor: `file` is its program, and `database` says where the program finds its data. */
export const itemsTarget = (
  file: string,
  database: (place: Place) => string,
  about: Pick<Target, 'title' | 'durability' | 'postgres'>,
): Target => ({
  ...about,
  readyPath: '/ready',
  program: (place) => ({
    command: process.execPath,
    args: [compiled(file)],
    env: { PORT: String(place.port), DATABASE: database(place) },
  }),
  setUp: async (url) => ({
    url,
    headers: {},
    userHeaders: { authorization: `Bearer ${SESSION}` },
    ids: [],
    hubs: [],
    cursor: '',
  }),
  createMany: (_context, bodies) => ({ method: 'POST', path: '/items', body: JSON.stringify(bodies) }),
  connect: (_context, source, target) => ({ method: 'POST', path: `/items/${source}/likes/${target}` }),
  remove: (_context, id) => ({ method: 'DELETE', path: `/items/${id}` }),
  page: (_context, cursor) => ({
    method: 'GET',
    path: `/items?limit=${PAGE}${cursor === '' ? '' : `&cursor=${cursor}`}`,
  }),
  scenarios({ ids, hubs, cursor }) {
    const any = (index: number) => scatter(index) % ids.length
    const get = (path: string) => ({ method: 'GET', path }) as const
    return {
      byUuid: (index) => get(`/items/${ids[any(index)]}`),
      byName: (index) => get(`/items/${nameOf(any(index))}`),
      equalitySorted: (index) => get(`/items?category=${categoryOf(any(index))}&sort=-score&limit=10`),
      range: (index) => {
        const { from, to } = scoreRange(index, ids.length)
        return get(`/items?from=${from}&to=${to}&limit=10`)
      },
      firstPage: () => get(`/items?limit=${PAGE}`),
      deepPage: () => get(`/items?limit=${PAGE}&cursor=${cursor}`),
      connections: (index) => get(`/items/${hubs[index % hubs.length]}/likes?limit=10`),
      asUser: (index) => get(`/mine/${ids[any(index)]}`),
      update: (index) => ({
        method: 'PUT',
        path: `/items/${ids[any(index)]}`,
        body: JSON.stringify({ price: index / 100 }),
      }),
      connect: (index) => {
        const { source, target } = pairOf(index, ids.length)
        return { method: 'POST', path: `/items/${ids[source]}/likes/${ids[target]}` }
      },
      create: (index) => ({
        method: 'POST',
        path: '/items',
        body: JSON.stringify(item(index, `made-${index}`)),
      }),
      batch: (index) => ({ method: 'POST', path: '/items', body: JSON.stringify(madeItems(index)) }),
    }
  },
  idsOf: (body) => entitiesOf(body).map(({ uuid }) => uuid),
  namesOf: (body) => entitiesOf(body).map(({ name }) => name),
  cursorOf: (body) => String((JSON.parse(body) as Reply).cursor),
})

const entitiesOf = (body: string) => (JSON.parse(body) as Reply).entities
