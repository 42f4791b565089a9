import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, UUID } from '../../support/application.js'

const CHOSEN = '4b9d2c10-6f1b-11ee-8c99-0242ac120002'
const namesIn = ({ body }: { body: { entities: { name: string }[] } }) =>
  body.entities.map(({ name }) => name)

describe.each(DATABASES)('methods on a collection on %s', (database) => {
  const server = sharedServer(database)

  const openDogs = async (count = 3) => {
    const app = await server.application()
    const dogs = Array.from({ length: count }, (_, age) => ({ name: `dog${age}`, age }))
    const { body } = await app.post('/dogs', dogs)
    return { app, dogs: body.entities }
  }

  describe('GET', () => {
    it('lists ten, the newest first', async () => {
      const { app } = await openDogs(12)

      const reply = await app.get('/dogs')

      expect(namesIn(reply)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((age) => `dog${age}`))
      expect(reply.body).toMatchObject({ count: 10, cursor: expect.any(String) })
    })

    it('lists all in one order, page by page, however many are made at once', async () => {
      const app = await server.application()
      await Promise.all(Array.from({ length: 30 }, () => app.post('/dogs', { a: 1 })))

      const all = (await app.get('/dogs?limit=30')).body
      const half = (await app.get('/dogs?limit=15')).body
      const rest = (await app.get(`/dogs?limit=15&cursor=${half.cursor}`)).body

      expect(all.entities).toHaveLength(30)
      expect([...half.entities, ...rest.entities]).toEqual(all.entities)
      expect(all).not.toHaveProperty('cursor')
    })

    it('keeps its order when entities change or are posted to', async () => {
      const { app } = await openDogs()

      await app.put('/dogs/dog0', { x: 1 })
      await app.post('/dogs/dog1', { x: 1 })

      expect(namesIn(await app.get('/dogs'))).toEqual(['dog2', 'dog1', 'dog0'])
      expect(namesIn(await app.get('/dogs?ql=age>=0'))).toEqual(['dog2', 'dog1', 'dog0'])
    })

    it.each([
      ['0', 10],
      ['-5', 10],
      ['many', 10],
      ['', 10],
      ['1.5', 10],
      ['99999999999', 10],
      ['3', 3],
      ['1000', 12],
      ['5000', 12],
      ['2147483647', 12],
    ])('of limit=%s lists %i of twelve', async (limit, count) => {
      const { app } = await openDogs(12)

      const { body } = await app.get(`/dogs?limit=${limit}`)

      expect(body.entities).toHaveLength(count)
    })

    it('takes a limit of more than 1,000 for 1,000', async () => {
      const app = await server.application()
      await app.post(
        '/dogs',
        Array.from({ length: 1000 }, () => ({ a: 1 })),
      )
      await app.post('/dogs', [{ a: 1 }, { a: 1 }])

      const { body } = await app.get('/dogs?limit=5000')

      expect(body).toMatchObject({ count: 1000, cursor: expect.any(String) })
    })

    it.each([
      [5, false],
      [10, false],
      [11, true],
    ])('of %i entities has a cursor for more: %s', async (count, more) => {
      const { app } = await openDogs(count)

      expect('cursor' in (await app.get('/dogs')).body).toBe(more)
    })

    it('shows one by name or uuid', async () => {
      const { app, dogs } = await openDogs()

      expect((await app.get('/dogs/dog1')).body.entities).toEqual([dogs[1]])
      expect((await app.get(`/dogs/${dogs[1].uuid}`)).body.entities).toEqual([dogs[1]])
    })

    it('does not show what belongs to another collection', async () => {
      const { app, dogs } = await openDogs()

      const { status, body } = await app.get(`/cats/${dogs[0].uuid}`)

      expect([status, body.error]).toEqual([404, 'entity_not_found'])
    })
  })

  describe('POST', () => {
    it('creates one', async () => {
      const app = await server.application()

      const { body } = await app.post('/dogs', { name: 'fido' })

      expect((await app.get('/dogs/fido')).body.entities).toEqual(body.entities)
    })

    it('creates many, in the order of the request', async () => {
      const app = await server.application()

      const reply = await app.post('/dogs', [{ name: 'a' }, { name: 'b' }, { name: 'c' }])

      expect(namesIn(reply)).toEqual(['a', 'b', 'c'])
      expect(reply.body).not.toHaveProperty('failed')
      expect(reply.body).not.toHaveProperty('count')
    })

    it('creates what it can of many and tells what failed', async () => {
      const app = await server.application()
      await app.post('/dogs', { name: 'taken' })

      const reply = await app.post('/dogs', [
        { name: 'a' },
        { name: 'Taken' },
        5,
        { name: ['x'] },
        { name: 'A' },
        null,
        { name: 'b' },
      ])

      expect(reply.status).toBe(200)
      expect(namesIn(reply)).toEqual(['a', 'b'])
      expect(reply.body.failed).toEqual([
        {
          index: 1,
          error: 'duplicate_unique_property_exists',
          error_description: expect.stringContaining('Taken'),
        },
        { index: 2, error: 'illegal_argument', error_description: expect.any(String) },
        { index: 3, error: 'illegal_argument', error_description: expect.any(String) },
        { index: 4, error: 'duplicate_unique_property_exists', error_description: expect.any(String) },
        { index: 5, error: 'illegal_argument', error_description: expect.any(String) },
      ])
      expect(namesIn(await app.get('/dogs'))).toEqual(['b', 'a', 'taken'])
    })

    it('takes a thousand at most at once', async () => {
      const app = await server.application()

      const { status, body } = await app.post(
        '/dogs',
        Array.from({ length: 1001 }, () => ({})),
      )

      expect([status, body.error]).toEqual([400, 'illegal_argument'])
    })

    it.each([
      ['nothing', undefined],
      ['an empty object', {}],
      ['an empty list', []],
    ])('of %s creates nothing', async (_, sent) => {
      const app = await server.application()

      const { status, body } = await app.post('/dogs', sent)

      expect([status, body.entities]).toEqual([200, []])
      expect((await app.get('/dogs')).body.count).toBe(0)
    })

    it('to an entity changes nothing and shows it', async () => {
      const { app, dogs } = await openDogs()

      const { status, body } = await app.post('/dogs/dog1', { age: 99 })

      expect([status, body.entities]).toEqual([200, [dogs[1]]])
      expect((await app.get('/dogs/dog1')).body.entities).toEqual([dogs[1]])
    })

    it.each([
      ['an unknown name', '/dogs/nobody'],
      ['an unknown uuid', `/dogs/${CHOSEN}`],
    ])('to %s is not found', async (_, path) => {
      const { app } = await openDogs()

      const { status, body } = await app.post(path, { a: 1 })

      expect([status, body.error]).toEqual([404, 'service_resource_not_found'])
    })

    it('to the uuid of another collection is not found', async () => {
      const { app, dogs } = await openDogs()

      expect((await app.post(`/cats/${dogs[0].uuid}`, {})).body.error).toBe('service_resource_not_found')
    })
  })

  describe('PUT', () => {
    it('changes one by name or uuid', async () => {
      const { app, dogs } = await openDogs()

      const byName = await app.put('/dogs/DOG1', { color: 'red' })
      const byUuid = await app.put(`/dogs/${dogs[1].uuid}`, { size: 2 })

      expect(byName.body.entities).toEqual([
        {
          ...dogs[1],
          color: 'red',
          modified: expect.any(Number),
          metadata: expect.objectContaining({ path: `/dogs/${dogs[1].uuid}` }),
        },
      ])
      expect(byUuid.body.entities[0]).toMatchObject({ uuid: dogs[1].uuid, color: 'red', size: 2 })
    })

    it('creates under a uuid, also one that was deleted', async () => {
      const app = await server.application()

      const created = await app.put(`/dogs/${CHOSEN.toUpperCase()}`, { name: 'fido' })
      await app.delete(`/dogs/${CHOSEN}`)
      const again = await app.put(`/dogs/${CHOSEN}`, { color: 'red' })

      expect(created.body.entities[0]).toMatchObject({
        uuid: CHOSEN,
        name: 'fido',
        metadata: { path: `/dogs/${CHOSEN}` },
      })
      expect(again.body.entities[0]).toMatchObject({ uuid: CHOSEN, color: 'red' })
      expect(again.body.entities[0]).not.toHaveProperty('name')
    })

    it.each([
      ['/dogs/Fido', {}, 'Fido'],
      ['/dogs/fido', { name: 'Fido' }, 'Fido'],
      ['/dogs/fido', { name: 'rex' }, 'fido'],
    ])('%s with %j creates %s', async (path, body, name) => {
      const app = await server.application()

      const reply = await app.put(path, { age: 1, ...body })

      expect(reply.body.entities[0]).toMatchObject({
        uuid: UUID,
        name,
        age: 1,
        metadata: { path: expect.any(String) },
      })
    })

    it('with an empty body changes nothing, or creates under the name', async () => {
      const { app } = await openDogs()

      expect((await app.put('/dogs/dog1')).status).toBe(200)
      expect((await app.put('/dogs/fido')).body.entities[0]).toMatchObject({ name: 'fido' })
    })

    it('to a collection without a query creates', async () => {
      const app = await server.application()

      const { body } = await app.put('/dogs/', { name: 'fido' })

      expect(body.entities[0]).toMatchObject({ uuid: UUID, name: 'fido' })
      expect(body.entities[0].created).toBe(body.entities[0].modified)
    })

    it('by query changes every match, whatever the limit', async () => {
      const { app } = await openDogs(12)

      const { status, body } = await app.put('/dogs?ql=age>0&limit=2', { old: true })

      expect(status).toBe(200)
      expect(body.entities).toHaveLength(11)
      expect(body.entities[0]).toMatchObject({
        old: true,
        metadata: { path: `/dogs/${body.entities[0].uuid}` },
      })
      expect((await app.get('/dogs?ql=old=true&limit=20')).body.count).toBe(11)
    })

    it('by a blank query changes all', async () => {
      const { app } = await openDogs()

      expect((await app.put('/dogs?ql=', { old: true })).body.entities).toHaveLength(3)
      expect((await app.get('/dogs')).body.count).toBe(3)
    })

    it('by query changes all or none', async () => {
      const { app } = await openDogs()

      const { status, body } = await app.put('/dogs?ql=age>=0', { name: 'same' })

      expect([status, body.error]).toEqual([400, 'duplicate_unique_property_exists'])
      expect(namesIn(await app.get('/dogs'))).toEqual(['dog2', 'dog1', 'dog0'])
    })

    it.each([
      ['an array', [{ a: 1 }], 'illegal_argument'],
      ['a number', 5, 'illegal_argument'],
      ['broken JSON', '{"a"', 'json_parse'],
    ])('of %s is refused', async (_, sent, error) => {
      const { app } = await openDogs()

      const { status, body } = await app.put('/dogs/dog1', sent, {
        headers: { 'content-type': 'application/json' },
      })

      expect([status, body.error]).toEqual([400, error])
    })

    it('to the uuid of another collection is refused', async () => {
      const { app, dogs } = await openDogs()

      const { status, body } = await app.put(`/cats/${dogs[0].uuid}`, { a: 1 })

      expect([status, body.error]).toEqual([400, 'illegal_argument'])
    })
  })

  describe('DELETE', () => {
    it('removes one and shows it as it was', async () => {
      const { app, dogs } = await openDogs()

      const byName = await app.delete('/dogs/dog0')
      const byUuid = await app.delete(`/dogs/${dogs[1].uuid}`)

      expect(byName.body.entities).toEqual([dogs[0]])
      expect(byUuid.body.entities).toEqual([dogs[1]])
      expect(namesIn(await app.get('/dogs'))).toEqual(['dog2'])
    })

    it('ignores a body', async () => {
      const { app } = await openDogs()

      expect((await app.delete('/dogs/dog0', {})).status).toBe(200)
    })

    it.each([
      ["?ql=name='dog1'", ['dog1']],
      ['?ql=select%20*', ['dog11', 'dog10', 'dog9', 'dog8', 'dog7', 'dog6', 'dog5', 'dog4', 'dog3', 'dog2']],
      ['?ql=age>8&limit=2', ['dog11', 'dog10']],
      ['?limit=2', ['dog11', 'dog10']],
      ["?ql=name='nobody'", []],
      ['?ql=order%20by%20age%20asc&limit=1', ['dog0']],
    ])('%s removes %j', async (search, names) => {
      const { app } = await openDogs(12)

      const reply = await app.delete(`/dogs${search}`)

      expect([reply.status, namesIn(reply)]).toEqual([200, names])
      expect((await app.get('/dogs?limit=20')).body.count).toBe(12 - names.length)
    })

    it('by cursor removes the next page', async () => {
      const { app } = await openDogs(3)
      const { cursor } = (await app.get('/dogs?limit=2')).body

      expect(namesIn(await app.delete(`/dogs?cursor=${cursor}`))).toEqual(['dog0'])
    })

    it.each(['', '?', '?ql=', '?ql=%20', '?access_token=ADMIN'])(
      'of a whole collection (%s) is not supported',
      async (search) => {
        const { app } = await openDogs()

        const { status, body } = await app.delete(`/dogs${search.replace('ADMIN', app.adminToken)}`)

        expect([status, body.error]).toEqual([405, 'unsupported_service_operation'])
        expect((await app.get('/dogs')).body.count).toBe(3)
      },
    )

    it('of the uuid of another collection is not found', async () => {
      const { app, dogs } = await openDogs()

      expect((await app.delete(`/cats/${dogs[0].uuid}`)).body.error).toBe('service_resource_not_found')
      expect((await app.get('/dogs/dog0')).status).toBe(200)
    })
  })

  describe('at the same time', () => {
    it('make one entity of a name, with POST', async () => {
      const app = await server.application()

      const replies = await Promise.all(
        Array.from({ length: 10 }, (_, i) => app.post('/dogs', { name: 'fido', i })),
      )

      expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(400)])
      expect((await app.get('/dogs')).body.count).toBe(1)
    })

    it('make one entity of a name, with PUT', async () => {
      const app = await server.application()

      const replies = await Promise.all(
        Array.from({ length: 10 }, (_, i) => app.put('/dogs/fido', { [`p${i}`]: i })),
      )

      expect(new Set(replies.map(({ status, body }) => `${status} ${body.entities?.[0].uuid}`)).size).toBe(1)
      const [fido] = (await app.get('/dogs')).body.entities
      for (let i = 0; i < 10; i++) expect(fido[`p${i}`]).toBe(i)
    })

    it('delete an entity once', async () => {
      const { app } = await openDogs()

      const replies = await Promise.all(Array.from({ length: 5 }, () => app.delete('/dogs/dog0')))

      expect(replies.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404, 404])
    })
  })

  it('PROPFIND is not supported', async () => {
    const { app } = await openDogs()

    const { status, body } = await app.get('/dogs', { method: 'PROPFIND' })

    expect([status, body.error]).toEqual([405, 'not_allowed'])
  })
})
