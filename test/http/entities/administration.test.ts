import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Answer, sharedServer, type TestApplication, TIME, UUID } from '../../support/application.js'

const countOf = ({ body }: Answer): number => body.entities.length

/** Asks for a job until it is over. */
const finished = async (app: TestApplication, path: string): Promise<Answer> => {
  const reply = await app.admin.get(path)
  return ['COMPLETE', 'FAILED'].includes(reply.body.status) ? reply : finished(app, path)
}

describe.each(DATABASES)('administration of a collection on %s', (database) => {
  const server = sharedServer(database)

  const openDogs = async () => {
    const app = await server.application()
    await app.post('/dogs', [
      { name: 'a', age: 1, owner: { city: 'Oslo', name: 'x' } },
      { name: 'b', age: 2, owner: { city: 'Rome', name: 'x' } },
    ])
    return app
  }

  const envelopeOf = (app: TestApplication) => ({
    application: app.uuid,
    params: {},
    uri: `${app.url}/${app.name}`,
    timestamp: TIME,
    duration: TIME,
    organization: app.organization,
    applicationName: 'sandbox',
  })

  describe('settings', () => {
    it('are none, are set, read and removed', async () => {
      const app = await openDogs()
      const data = {
        fields: ['age'],
        lastUpdated: TIME,
        lastUpdateBy: app.owner.username,
        lastReindexed: TIME,
      }

      const none = await app.admin.get('/dogs/_settings')
      const set = await app.admin.post('/dogs/_settings', { fields: ['age'], unknown: 1 })
      const read = await app.admin.get('/dogs/_settings')
      const removed = await app.admin.delete('/dogs/_settings')
      const after = await app.admin.get('/dogs/_settings')

      expect(none.body).toEqual({ action: 'get', ...envelopeOf(app), entities: [] })
      expect(set.body).toEqual({ action: 'post', ...envelopeOf(app), data, entities: [] })
      expect(read.body).toEqual({
        action: 'get',
        ...envelopeOf(app),
        data: { ...data, lastUpdated: set.body.data.lastUpdated, lastReindexed: set.body.data.lastReindexed },
        entities: [],
      })
      expect(removed.body).toEqual({ action: 'delete', ...envelopeOf(app), entities: [] })
      expect(after.body).not.toHaveProperty('data')
    })

    it.each([
      ['all', { 'age=1': 1, "owner.city='oslo'": 1, "name='a'": 1 }],
      ['none', { 'age=1': 0, "owner.city='oslo'": 0, "name='a'": 0 }],
      [['age'], { 'age=1': 1, "owner.city='oslo'": 0 }],
      [['owner'], { 'age=1': 0, "owner.city='oslo'": 1, "owner.name='x'": 2 }],
      [['owner.city'], { "owner.city='oslo'": 1, "owner.name='x'": 0 }],
      [[], { 'age=1': 0, 'created>0': 2, "type='dog'": 2 }],
    ])('fields %j make queryable what they name, at once', async (fields, expected) => {
      const app = await openDogs()

      await app.admin.post('/dogs/_settings', { fields })

      for (const [ql, count] of Object.entries(expected))
        expect(countOf(await app.get(`/dogs?ql=${encodeURIComponent(ql)}`)), ql).toBe(count)
      expect(countOf(await app.get('/dogs'))).toBe(2)
      expect(countOf(await app.get('/dogs/a'))).toBe(1)
    })

    it('make all queryable again when they are removed', async () => {
      const app = await openDogs()
      await app.admin.post('/dogs/_settings', { fields: 'none' })
      await app.admin.delete('/dogs/_settings')

      expect(countOf(await app.get('/dogs?ql=age=1'))).toBe(1)
    })

    it('are replaced, or merged where that is asked for', async () => {
      const app = await openDogs()
      await app.admin.post('/dogs/_settings', { fields: ['age'], queueIndex: 'direct' })

      const merged = await app.admin.post('/dogs/_settings?replace_all=false', { indexConsistency: 'latest' })
      const replaced = await app.admin.post('/dogs/_settings', { fields: 'all' })

      expect(merged.body.data).toMatchObject({
        fields: ['age'],
        queueIndex: 'direct',
        indexConsistency: 'latest',
      })
      expect(replaced.body.data).toEqual({
        fields: 'all',
        lastUpdated: TIME,
        lastUpdateBy: app.owner.username,
        lastReindexed: TIME,
      })
    })

    it.each([
      [{ queueIndex: 'direct' }, { queueIndex: 'direct' }],
      [{ queueIndex: 'nonsense' }, { queueIndex: 'config' }],
      [{ authoritativeRegion: 'here' }, { authoritativeRegion: 'here' }],
      [{ authoritativeRegion: '', fields: 'all' }, { fields: 'all' }],
      [{ region: 'x', fields: 'all' }, { fields: 'all' }],
    ])('of %j are %j', async (body, settings) => {
      const app = await openDogs()

      const { data } = (await app.admin.post('/dogs/_settings', body)).body

      expect(data).toEqual({
        ...settings,
        lastUpdated: TIME,
        lastUpdateBy: app.owner.username,
        lastReindexed: TIME,
      })
    })

    it.each([
      [{}, 'null_argument'],
      [undefined, 'null_argument'],
      [{ fields: 'some' }, 'illegal_argument'],
      [{ fields: [1] }, 'illegal_argument'],
      [{ fields: { a: 1 } }, 'illegal_argument'],
      [[{ fields: 'all' }], 'illegal_argument'],
    ])('of %j are refused', async (body, error) => {
      const app = await openDogs()

      const reply = await app.admin.post('/dogs/_settings', body)

      expect([reply.status, reply.body.error]).toEqual([400, error])
    })

    it('tell who set them, also with client credentials', async () => {
      const app = await openDogs()
      const { credentials } = (await app.admin.get('/credentials')).body
      const query = `client_id=${credentials.client_id}&client_secret=${credentials.client_secret}`

      const { body } = await app.post(`/dogs/_settings?${query}`, { fields: 'all' })

      expect(body.data.lastUpdateBy).toBe('app credentials')
    })

    it('tell when the index was last rebuilt', async () => {
      const app = await openDogs()
      await app.admin.post('/dogs/_settings', { fields: 'all' })
      const { jobId } = (await app.admin.post('/dogs/_reindex')).body
      await finished(app, `/dogs/_reindex/${jobId}`)

      expect((await app.admin.get('/dogs/_settings')).body.data).toMatchObject({
        fields: 'all',
        lastReindexed: TIME,
      })
    })
  })

  describe('jobs', () => {
    it('rebuild the index', async () => {
      const app = await openDogs()

      const started = await app.admin.post('/dogs/_reindex')
      const { jobId } = started.body
      const done = await finished(app, `/dogs/_reindex/${jobId}`)

      const job = { jobId: UUID, status: expect.any(String), lastUpdatedEpoch: TIME, numberQueued: TIME }
      expect(started.body).toEqual({ action: 'rebuild indexes', ...envelopeOf(app), ...job })
      expect(done.body).toEqual({
        action: 'get rebuild index status',
        ...envelopeOf(app),
        ...job,
        jobId,
        status: 'COMPLETE',
      })
      expect(countOf(await app.get('/dogs?ql=age=1'))).toBe(1)
    })

    it('empty the collection', async () => {
      const app = await openDogs()

      const started = await app.admin.post('/dogs/_clear')
      const { jobId } = started.body
      const done = await finished(app, `/dogs/_clear/${jobId}`)

      const job = { jobId: UUID, status: expect.any(String), lastUpdatedEpoch: TIME, numberQueued: TIME }
      expect(started.body).toEqual({ action: 'clear collection', ...envelopeOf(app), ...job })
      expect(done.body).toEqual({
        action: 'clear collection',
        ...envelopeOf(app),
        ...job,
        jobId,
        status: 'COMPLETE',
        numberQueued: 2,
        numberCheckedForDeletion: 2,
      })
      expect((await app.get('/dogs')).body.count).toBe(0)
      expect((await app.post('/dogs', { name: 'a' })).status).toBe(200)
    })

    it('remove what was not changed since', async () => {
      const app = await openDogs()
      const { modified } = (await app.put('/dogs/b', { age: 3 })).body.entities[0]

      const { jobId } = (await app.admin.post('/dogs/_clear', [{ updatedBefore: modified }])).body
      await finished(app, `/dogs/_clear/${jobId}`)

      const { entities } = (await app.get('/dogs')).body
      expect(entities.map(({ name }: { name: string }) => name)).toContain('b')
    })

    it('run one at a time on a collection', async () => {
      const app = await openDogs()
      const dogs = Array.from({ length: 1000 }, (_, age) => ({ age }))
      for (let i = 0; i < 2; i++) await app.post('/dogs', dogs)

      const replies = await Promise.all([
        app.admin.post('/dogs/_reindex'),
        app.admin.post('/dogs/_reindex'),
        app.admin.post('/dogs/_clear'),
        app.admin.post('/dogs/_settings', { fields: 'none' }),
      ])

      const refused = replies.filter(({ status }) => status !== 200)
      expect(refused.map(({ status, body }) => [status, body.error])).toEqual(
        Array(3).fill([409, 'conflict']),
      )
    })

    it('of another application are unknown', async () => {
      const app = await openDogs()
      const other = await openDogs()
      const { jobId } = (await app.admin.post('/dogs/_reindex')).body

      expect((await other.admin.get(`/dogs/_reindex/${jobId}`)).body.error).toBe('entity_not_found')
    })

    it('of nobody are unknown', async () => {
      const app = await openDogs()

      for (const word of ['_clear', '_reindex']) {
        const { status, body } = await app.admin.get(`/dogs/${word}/4b9d2c10-6f1b-11ee-8c99-0242ac120002`)
        expect([status, body.error]).toEqual([404, 'entity_not_found'])
      }
    })
  })

  it.each([
    ['GET', '/dogs/_settings'],
    ['POST', '/dogs/_settings'],
    ['PUT', '/dogs/_settings'],
    ['DELETE', '/dogs/_settings'],
    ['POST', '/dogs/_reindex'],
    ['POST', '/dogs/_clear'],
    ['GET', '/dogs/_clear/4b9d2c10-6f1b-11ee-8c99-0242ac120002'],
  ])('is for administrators only: %s %s', async (method, path) => {
    const app = await openDogs()
    const ada = await app.signedUp('ada')

    for (const caller of [app, ada]) {
      const { status, body } = await caller.send(
        method,
        path,
        method === 'GET' ? undefined : { fields: 'all' },
      )
      expect([status, body.error]).toEqual([401, 'unauthorized'])
    }
    expect(countOf(await app.get('/dogs'))).toBe(2)
  })
})
