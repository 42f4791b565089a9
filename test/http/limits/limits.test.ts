import { type JsonObject, LIMIT_NAMES, type Limits } from '@entigrid/core'
import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type AppClient, newCollection, type Reply, sharedApp } from '../../support/app-client.js'

/** Small, so that their borders are within reach; one request meets one of them. */
const LIMITS: Limits = {
  body: 12_000,
  depth: 5,
  url: 3_000,
  pathSegments: 14,
  pathSteps: 3,
  pageSize: 6,
  batchEntities: 8,
  batchOperations: 3,
  bulkEntities: 5,
  entitySize: 9_000,
  nameLength: 20,
  queryLength: 300,
  queryDepth: 3,
  queryTerms: 4,
  sortKeys: 2,
  selectedProperties: 3,
  directEntities: 4,
  examined: 30,
}

/** Asks for `size` of what a limit counts. */
type Ask = (app: AppClient, size: number) => Promise<Reply>

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

const nested = (levels: number): JsonObject => (levels === 1 ? {} : { in: nested(levels - 1) })

const things: Ask = (app, size) => app.get('/things', { ql: `select * where a = '${'x'.repeat(size)}'` })

/** A JSON text of exactly `size` bytes, of which not much is stored. */
const padded = (size: number) => `{"a":1${' '.repeat(size - 7)}}`

const REFUSED: Partial<Record<keyof Limits, [ask: Ask, status: number, error: string]>> = {
  body: [(app, size) => app.post('/things', padded(size)), 413, 'payload_too_large'],
  depth: [(app, size) => app.post('/things', nested(size)), 400, 'json_parse'],
  url: [
    (app, size) => {
      const path = '/things'
      const used = app.root.length - app.server.url.length + path.length + 'x='.length
      return app.get(path, { x: 'x'.repeat(size - used) })
    },
    414,
    'uri_too_long',
  ],
  // Two more name organization and application. Group names have slashes, so that this is the path of one.
  pathSegments: [
    async (app, size) => {
      const path = times(size - 3, (i) => `p${i}`).join('/')
      if (size <= LIMITS.pathSegments) await app.post('/groups', { path })
      return app.get(`/groups/${path}`)
    },
    400,
    'illegal_argument',
  ],
  pathSteps: [
    async (app, size) => {
      const [thing] = await app.create('steps', {})
      await app.post(`/steps/${thing!.uuid}/to/${thing!.uuid}`)
      return app.get(`/steps/${thing!.uuid}${times(size, () => `/to/${thing!.uuid}`).join('')}`)
    },
    400,
    'illegal_argument',
  ],
  batchEntities: [
    (app, size) =>
      app.post(
        '/batches',
        times(size, () => ({})),
      ),
    400,
    'illegal_argument',
  ],
  batchOperations: [
    (app, size) =>
      app.post('/_batch', { operations: times(size, () => ({ method: 'POST', path: 'ops', body: {} })) }),
    400,
    'illegal_argument',
  ],
  entitySize: [
    async (app, size) => {
      const collection = newCollection()
      const empty = JSON.stringify((await app.create(collection, { text: 'x' }))[0], (key, value) =>
        key === 'metadata' ? undefined : value,
      )
      return app.post(`/${collection}`, { text: 'x'.repeat(size - empty.length + 1) })
    },
    413,
    'payload_too_large',
  ],
  nameLength: [(app, size) => app.post('/named', { name: 'n'.repeat(size) }), 400, 'illegal_argument'],
  queryLength: [(app, size) => things(app, size - "select * where a = ''".length), 400, 'query_parse'],
  queryDepth: [
    (app, size) => app.get('/things', { ql: `${'('.repeat(size)}a = 1${')'.repeat(size)}` }),
    400,
    'query_parse',
  ],
  queryTerms: [
    (app, size) => app.get('/things', { ql: times(size, (i) => `a = ${i}`).join(' or ') }),
    400,
    'query_parse',
  ],
  sortKeys: [
    (app, size) => app.get('/things', { ql: `order by ${times(size, (i) => `k${i}`).join()}` }),
    400,
    'query_parse',
  ],
  selectedProperties: [
    (app, size) => app.get('/things', { ql: `select ${times(size, (i) => `k${i}`).join()}` }),
    400,
    'query_parse',
  ],
  directEntities: [
    (app, size) => app.get('/things', { ql: `where direct ${times(size, (i) => `n${i}`).join()}` }),
    400,
    'too_many_direct_entities',
  ],
  examined: [
    async (app, size) => {
      const collection = newCollection()
      for (let made = 0; made < size; made += 5)
        await app.create(collection, ...times(Math.min(5, size - made), () => ({ a: 1 })))
      return app.get(`/${collection}`, { ql: 'not a = 1' })
    },
    400,
    'query_too_broad',
  ],
}

/** What is above these is left out, and nothing refused. */
const CUT: Partial<Record<keyof Limits, Ask>> = {
  pageSize: async (app, size) => {
    await app.create('pages', ...times(8, () => ({})))
    return app.get('/pages', { limit: size })
  },
  bulkEntities: async (app, size) => {
    const collection = newCollection()
    await app.create(collection, ...times(size, () => ({ a: 1 })))
    return app.send('PUT', `/${collection}`, { params: { ql: 'a = 1' }, body: { b: 2 } })
  },
}

describe.each(DATABASES)('the limit on %s', (database) => {
  const app = sharedApp(database, { options: { limits: LIMITS } })

  it.each(Object.entries(REFUSED))(
    '%s lets through what reaches it and refuses one more',
    async (name, row) => {
      const [ask, status, error] = row
      const limit = LIMITS[name as keyof Limits]

      const within = await ask(app(), limit)
      const above = await ask(app(), limit + 1)

      expect([within.status, within.body.error]).toEqual([200, undefined])
      expect([above.status, above.body.error]).toEqual([status, error])
      expect(above.body.error_description).toMatch(new RegExp(`\\b${limit}\\b`))
    },
  )

  it.each(Object.entries(CUT))('%s cuts what is above it', async (name, ask) => {
    const limit = LIMITS[name as keyof Limits]

    const counts = []
    for (const size of [limit - 1, limit, limit + 1]) {
      const { status, body } = await ask(app(), size)
      counts.push([status, body.entities.length])
    }

    expect(counts).toEqual([
      [200, limit - 1],
      [200, limit],
      [200, limit],
    ])
  })

  it.each<[string, JsonObject | JsonObject[], string]>([
    ['depth', nested(LIMITS.depth + 1), 'json_parse'],
    ['batchEntities', times(LIMITS.batchEntities + 1, () => ({})), 'illegal_argument'],
    ['entitySize', { text: 'x'.repeat(LIMITS.entitySize) }, 'payload_too_large'],
    ['nameLength', { name: 'n'.repeat(LIMITS.nameLength + 1) }, 'illegal_argument'],
  ])('%s holds in process, too', async (_, body, error) => {
    const { engine, organization, application } = app().server
    const session = await engine.app(`${organization}/${application}`).asSystem('a test')
    const bodies = Array.isArray(body) ? body : [body]
    const request = { method: 'POST' as const, path: `/${organization}/${application}/things`, search: '' }

    const reply = await engine.handle({ ...request, body, baseUrl: '' })

    expect(JSON.parse(reply.body).error).toBe(error)
    await expect(
      bodies.length > 1 ? session.createMany('things', bodies) : session.create('things', bodies[0]!),
    ).rejects.toMatchObject({ code: error })
  })

  it('entitySize holds where an entity grows by parts', async () => {
    const [entity] = await app().create('growing', { a: 'x'.repeat(5_000) })

    const { status, body } = await app().put(`/growing/${entity!.uuid}`, { b: 'x'.repeat(5_000) })

    expect([status, body.error]).toEqual([413, 'payload_too_large'])
    const kept = await app().get(`/growing/${entity!.uuid}`)
    expect(kept.body.entities[0].b).toBeUndefined()
  })
})

it('has a case at its border for every limit there is', () => {
  expect([...Object.keys(REFUSED), ...Object.keys(CUT)].sort()).toEqual([...LIMIT_NAMES].sort())
})
