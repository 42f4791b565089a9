import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, UUID } from '../../support/application.js'

const CHOSEN = '4b9d2c10-6f1b-11ee-8c99-0242ac120002'

describe.each(DATABASES)('properties on %s', (database) => {
  const server = sharedServer(database)

  const openFido = async (properties: object = {}) => {
    const app = await server.application()
    const fido = (await app.post('/dogs', { name: 'fido', ...properties })).body.entities[0]
    const put = async (body: object) => (await app.put('/dogs/fido', body)).body.entities[0]
    const get = async () => (await app.get('/dogs/fido')).body.entities[0]
    return { app, fido, put, get }
  }

  describe('of the system', () => {
    it('are ignored in the body of a POST', async () => {
      const app = await server.application()

      const { body } = await app.post('/dogs', {
        uuid: CHOSEN,
        type: 'cat',
        created: 1,
        modified: 2,
        metadata: { path: '/x' },
        membership: 1,
        connection: 2,
        UUID: CHOSEN,
        Type: 'cat',
        name: 'fido',
      })

      const [{ uuid, created, metadata, ...rest }] = body.entities
      expect(uuid).not.toBe(CHOSEN)
      expect(created).toBeGreaterThan(1_600_000_000_000)
      expect(metadata.path).toBe(`/dogs/${uuid}`)
      expect(rest).toEqual({ type: 'dog', name: 'fido', modified: created })
    })

    it('are ignored in the body of a PUT, but for the time of the change', async () => {
      const { fido, put } = await openFido()

      const changed = await put({ ...fido, uuid: CHOSEN, type: 'cat', created: 1, modified: 2, age: 3 })

      expect(changed).toMatchObject({ uuid: fido.uuid, type: 'dog', created: fido.created, age: 3 })
      expect(changed.modified).toBeGreaterThanOrEqual(fido.modified)
    })

    it('take their times from a PUT that creates under a uuid', async () => {
      const app = await server.application()

      const { body } = await app.put(`/dogs/${CHOSEN}`, {
        name: 'fido',
        created: 1_500_000_000_000,
        modified: 1_500_000_000_001,
      })

      expect(body.entities[0]).toMatchObject({
        uuid: CHOSEN,
        created: 1_500_000_000_000,
        modified: 1_500_000_000_001,
      })
    })

    it('say how large the entity is', async () => {
      const { fido } = await openFido()
      const { metadata, ...rest } = fido

      expect(metadata.size).toBe(JSON.stringify(rest).length)
    })
  })

  describe('names', () => {
    it('are unique in their collection, without regard to case', async () => {
      const { app } = await openFido()

      expect((await app.post('/dogs', { name: 'FiDo' })).body.error).toBe('duplicate_unique_property_exists')
      expect((await app.post('/cats', { name: 'fido' })).status).toBe(200)
    })

    it('are free again at once', async () => {
      const { app } = await openFido()

      await app.delete('/dogs/fido')
      const again = await app.post('/dogs', { name: 'fido' })
      await app.put('/dogs/fido', { name: 'rex' })
      const afterRename = await app.post('/dogs', { name: 'fido' })

      expect([again.status, afterRename.status]).toEqual([200, 200])
    })

    it('may change in nothing but their case', async () => {
      const { put } = await openFido()

      expect(await put({ name: 'FIDO' })).toMatchObject({ name: 'FIDO' })
    })

    it('cannot be changed to one that is taken', async () => {
      const { app, get } = await openFido()
      await app.post('/dogs', { name: 'rex' })

      const { status, body } = await app.put('/dogs/fido', { name: 'REX', age: 1 })

      expect([status, body.error]).toEqual([400, 'duplicate_unique_property_exists'])
      expect(await get()).not.toHaveProperty('age')
    })

    it('may be numbers, which become strings', async () => {
      const app = await server.application()

      const { body } = await app.post('/dogs', { name: 42 })

      expect(body.entities[0].name).toBe('42')
      expect((await app.get('/dogs/42')).status).toBe(200)
    })

    it.each([[true], [['a']], [{ a: 1 }]])('are never %j', async (name) => {
      const app = await server.application()

      for (const reply of [await app.post('/dogs', { name }), await app.put(`/dogs/${CHOSEN}`, { name })])
        expect([reply.status, reply.body.error]).toEqual([400, 'illegal_argument'])
    })

    it('are names however their property is written', async () => {
      const { app } = await openFido()

      expect((await app.post('/dogs', { Name: 'fido' })).body.error).toBe('duplicate_unique_property_exists')
      expect((await app.post('/dogs', { NAME: 'rex' })).body.entities[0]).toMatchObject({ name: 'rex' })
      expect((await app.get('/dogs/rex')).status).toBe(200)
    })

    it('are not needed', async () => {
      const app = await server.application()

      const { body } = await app.post('/dogs', { age: 3 })

      expect(body.entities[0]).toEqual({
        uuid: UUID,
        type: 'dog',
        created: expect.any(Number),
        modified: expect.any(Number),
        age: 3,
        metadata: expect.any(Object),
      })
    })
  })

  describe('of any kind', () => {
    it('ignore case and keep their first spelling', async () => {
      const { put, get } = await openFido({ testProp: 'x' })

      expect(await put({ TESTPROP: 'y' })).toMatchObject({ testProp: 'y' })
      expect(await get()).not.toHaveProperty('TESTPROP')
    })

    it('take the later of two spellings in one body', async () => {
      const app = await server.application()

      const { body } = await app.post('/dogs', '{"testProp":"x","TESTPROP":"y"}')

      expect(body.entities[0]).toMatchObject({ testProp: 'y' })
      expect(body.entities[0]).not.toHaveProperty('TESTPROP')
    })

    it.each([
      'gcm.notifier.id',
      'file-metadata',
      'with blanks',
      'ünïcode',
      '$x',
      'a/b',
      '0',
      'constructor',
      'toString',
      '__proto__',
      'hasOwnProperty',
    ])('may be named %s', async (name) => {
      const { app } = await openFido()

      await app.put('/dogs/fido', `{${JSON.stringify(name)}:{"a":1}}`)

      const { text } = await app.get('/dogs/fido')
      expect(Object.getOwnPropertyDescriptor(JSON.parse(text).entities[0], name)?.value).toEqual({ a: 1 })
    })

    it.each([[null], ['']])('are not there when they are %j', async (nothing) => {
      const app = await server.application()

      const created = (await app.post('/dogs', { name: 'fido', age: nothing })).body.entities[0]
      await app.put('/dogs/fido', { color: 'red', size: 3 })
      const changed = (await app.put('/dogs/fido', { color: nothing })).body.entities[0]

      expect(created).not.toHaveProperty('age')
      expect(changed).not.toHaveProperty('color')
      expect(changed).toMatchObject({ size: 3 })
      expect((await app.get('/dogs?ql=size=3')).body.entities).toHaveLength(1)
      expect((await app.get("/dogs?ql=color='red'")).body.entities).toHaveLength(0)
    })

    it('keep null and the empty string inside objects and lists', async () => {
      const { get } = await openFido({ tag: { a: null, b: '', c: [null, ''] } })

      expect(await get()).toMatchObject({ tag: { a: null, b: '', c: [null, ''] } })
    })

    it('are replaced whole, without a merge', async () => {
      const { put } = await openFido({ address: { city: 'Oslo', street: 'x' }, tags: [1, 2], age: 3 })

      const changed = await put({ address: { city: 'Rome' }, tags: [3] })

      expect(changed).toMatchObject({ name: 'fido', age: 3, tags: [3] })
      expect(changed.address).toEqual({ city: 'Rome' })
    })

    it.each([
      ['an empty object', {}],
      ['an empty list', []],
      ['a mixed list', [1, 'a', true, null, { b: [] }, [[[1]]]]],
      ['lists in lists', [[1, [2, [3, { deep: [4] }]]]]],
      ['false', false],
      ['zero', 0],
      ['a negative number', -1.5],
      ['an exponent', 1e21],
      ['the greatest safe integer', Number.MAX_SAFE_INTEGER],
      ['what looks like a uuid', CHOSEN],
      ['what looks like a date', '2020-01-01T00:00:00Z'],
      ['a long text', 'x'.repeat(20_000)],
      ['control characters', 'a\u0000b\n\t\u001f"\\'],
      ['characters beyond the basic plane', '🐕‍🦺'],
    ])('may be %s', async (_, value) => {
      const { fido, get } = await openFido({ value })

      expect(fido.value).toEqual(value)
      expect((await get()).value).toEqual(value)
    })

    it('stay as written where they nest deeply', async () => {
      const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ inner }), { leaf: [1] })

      const { get } = await openFido({ deep })

      expect((await get()).deep).toEqual(deep)
    })

    it('nest no deeper than the server takes', async () => {
      const app = await server.application()

      const { status, body } = await app.post('/dogs', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`)

      expect([status, body.error]).toEqual([400, 'json_parse'])
    })
  })

  describe('location', () => {
    it.each([
      [
        { lat: 37.77, lon: -122.4 },
        { latitude: 37.77, longitude: -122.4 },
      ],
      [
        { Latitude: '37.77', LONGITUDE: '-122.4' },
        { latitude: 37.77, longitude: -122.4 },
      ],
      [
        { latitude: 1, longitude: 2, elevation: 3 },
        { latitude: 1, longitude: 2, elevation: 3 },
      ],
      [{ latitude: 1 }, { latitude: 1 }],
      ['Oslo', 'Oslo'],
    ])('%j becomes %j', async (location, stored) => {
      const { fido } = await openFido({ location })

      expect(fido.location).toEqual(stored)
    })

    it('is refused when its coordinates are no numbers', async () => {
      const app = await server.application()

      const { status, body } = await app.post('/dogs', { location: { latitude: 'north', longitude: 1 } })

      expect([status, body.error]).toEqual([400, 'illegal_argument'])
    })
  })
})
