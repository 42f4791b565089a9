import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, UUID } from '../support/application.js'
import { ask, openUsergridClient, usergrid } from '../support/usergrid-client.js'

const { Client, Query } = usergrid
const { DIRECTION_IN, DIRECTION_OUT } = Client.Connections

describe.each(DATABASES)('the client "usergrid" from npm on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    return { app, ...(await openUsergridClient(app)) }
  }

  describe('entities', () => {
    it('creates one, with equal times and a frozen envelope', async () => {
      const { client, app } = await open()

      const { response, error } = await ask(client, 'POST', 'nodejs', { name: 'first', color: 'red' })

      expect(error).toBeUndefined()
      expect(response.ok).toBe(true)
      expect({ ...response.entity }).toEqual({
        uuid: UUID,
        type: 'nodej',
        name: 'first',
        color: 'red',
        created: expect.any(Number),
        modified: response.entity.created,
        metadata: { path: `/nodejs/${response.entity.uuid}`, size: expect.any(Number) },
      })
      expect(Object.isFrozen(response.metadata)).toBe(true)
      expect(response.metadata).toEqual({
        action: 'post',
        application: app.uuid,
        params: {},
        path: '/nodejs',
        uri: `${app.url}/${app.name}/nodejs`,
        timestamp: expect.any(Number),
        duration: expect.any(Number),
        organization: app.organization,
        applicationName: 'sandbox',
      })
    })

    it.each(['nodej', 'nodejs', 'NODEJS', 'NodeJ'])(
      'takes the type "%s" for the same collection',
      async (type) => {
        const { client } = await open()
        await ask(client, 'POST', 'nodejs', { name: 'first' })

        const { response } = await ask(client, 'GET', type)

        expect(response.first.name).toBe('first')
        expect(response.metadata).toMatchObject({ path: '/nodejs', count: 1 })
      },
    )

    it('creates many at once, and leaves out what is there already', async () => {
      const { client } = await open()
      await ask(client, 'POST', { type: 'nodejs', body: [{ name: 'a' }, { name: 'b' }] })

      const { response } = await ask(client, 'POST', { type: 'nodejs', body: [{ name: 'b' }, { name: 'c' }] })

      expect(response.ok).toBe(true)
      expect(response.entities.map(({ name }: { name: string }) => name)).toEqual(['c'])
    })

    it('gets by uuid and by name', async () => {
      const { client } = await open()
      const { response } = await ask(client, 'POST', 'nodejs', { name: 'first' })

      const byUuid = await ask(client, 'GET', 'nodejs', response.entity.uuid)
      const byName = await ask(client, 'GET', 'nodejs', 'first')
      const missing = await ask(client, 'GET', 'nodejs', 'BadNameOrUuid')

      expect(byUuid.response.entity.name).toBe('first')
      expect(byName.response.entity.uuid).toBe(response.entity.uuid)
      expect(missing.response.ok).toBe(false)
      expect(missing.error).toEqual({
        name: 'entity_not_found',
        description: 'Cannot find entity with name: BadNameOrUuid',
        exception: 'EntityNotFoundException',
      })
    })

    it('creates through PUT without a name, under a name, and under a uuid', async () => {
      const { client } = await open()
      const uuid = 'f1b9aa02-0000-4000-8000-0123456789ab'

      const unnamed = await ask(client, 'PUT', 'nodejs', { author: 'Sir Arthur' })
      const named = await ask(client, 'PUT', 'nodejs', 'second', { author: 'Ada' })
      const chosen = await ask(client, 'PUT', 'nodejs', uuid, { author: 'Charles' })

      expect(unnamed.response.entity).toMatchObject({ uuid: UUID, author: 'Sir Arthur' })
      expect(unnamed.response.entity.created).toBe(unnamed.response.entity.modified)
      expect(named.response.entity).toMatchObject({ name: 'second', author: 'Ada' })
      expect(chosen.response.entity).toMatchObject({ uuid, author: 'Charles' })
    })

    it('saves all that it was given back, system properties included', async () => {
      const { client } = await open()
      const { response } = await ask(client, 'POST', 'nodejs', { name: 'first', color: 'red' })
      const entity = response.entity

      entity.putProperty('color', 'green')
      entity.append('tags', ['x', 'y'])
      const saved = await ask(entity, 'save', client)

      expect(saved.error).toBeUndefined()
      expect(saved.response.entity).toMatchObject({ uuid: entity.uuid, color: 'green', tags: ['x', 'y'] })
      expect(saved.response.entity.modified).toBeGreaterThanOrEqual(entity.created)
      expect((await ask(entity, 'reload', client)).body).toMatchObject({ color: 'green' })
    })

    it('removes, after which the entity is not found', async () => {
      const { client } = await open()
      const { response } = await ask(client, 'POST', 'nodejs', { name: 'first' })

      const removed = await ask(response.entity, 'remove', client)
      const gone = await ask(client, 'GET', 'nodejs', 'first')
      const twice = await ask(client, 'DELETE', 'nodejs', 'first')

      expect(removed.response.entity).toMatchObject({ uuid: response.entity.uuid, name: 'first' })
      expect(gone.error?.name).toBe('entity_not_found')
      expect(twice.error?.name).toBe('service_resource_not_found')
    })

    it('refuses a second entity of a name', async () => {
      const { client } = await open()
      await ask(client, 'POST', 'nodejs', { name: 'first' })

      expect((await ask(client, 'POST', 'nodejs', { name: 'First' })).error).toMatchObject({
        name: 'duplicate_unique_property_exists',
        exception: 'DuplicateUniquePropertyExistsException',
      })
    })

    it('finds nothing in a collection that never was', async () => {
      const { client } = await open()

      const { response } = await ask(client, 'GET', 'unicorns')

      expect(response.ok).toBe(true)
      expect(response.entities).toEqual([])
      expect(response.metadata.count).toBe(0)
      expect(response.hasNextPage).toBe(false)
    })
  })

  describe('queries', () => {
    const openCats = async () => {
      const opened = await open()
      const cats = ['red', 'gold', 'red', 'green', 'blue'].map((color, i) => ({
        name: `cat${i}`,
        color,
        weight: i,
        brave: i % 2 === 0,
      }))
      await ask(opened.client, 'POST', { type: 'cats', body: cats })
      const found = async (query: unknown) => {
        const { response, error } = await ask(opened.client, 'GET', query)
        return error?.name ?? response.entities.map(({ name }: { name: string }) => name)
      }
      return { ...opened, found }
    }

    it.each([
      ['everything, newest first', () => new Query('cats'), ['cat4', 'cat3', 'cat2', 'cat1', 'cat0']],
      ['eq', () => new Query('cats').eq('color', 'red'), ['cat2', 'cat0']],
      ['eq of a number', () => new Query('cats').eq('weight', 3), ['cat3']],
      ['eq of a boolean', () => new Query('cats').eq('brave', false), ['cat3', 'cat1']],
      ['not', () => new Query('cats').not.eq('color', 'red'), ['cat4', 'cat3', 'cat1']],
      ['or', () => new Query('cats').eq('color', 'gold').or.eq('color', 'blue'), ['cat4', 'cat1']],
      [
        'and with or',
        () => new Query('cats').gt('weight', 1).eq('color', 'red').or.eq('color', 'gold'),
        ['cat2', 'cat1'],
      ],
      ['not after and', () => new Query('cats').eq('color', 'red').and.not.eq('weight', 0), ['cat2']],
      ['a range', () => new Query('cats').gte('weight', 1).lt('weight', 3), ['cat2', 'cat1']],
      ['contains', () => new Query('cats').contains('color', 'red'), ['cat2', 'cat0']],
      ['a pattern', () => new Query('cats').eq('color', 'g*'), ['cat3', 'cat1']],
      ['order by', () => new Query('cats').eq('color', 'red').asc('name'), ['cat0', 'cat2']],
      ['order by alone', () => new Query('cats').desc('weight').limit(2), ['cat4', 'cat3']],
      ['its own text', () => new Query('cats').fromString("color = 'blue'"), ['cat4']],
      ['a quote that it does not escape', () => new Query('cats').eq('color', "cat's"), 'query_parse'],
    ])('understands %s', async (_, query, names) => {
      const { found } = await openCats()

      expect(await found(query())).toEqual(names)
    })

    it('finds by uuid, unquoted', async () => {
      const { client, found } = await openCats()
      const { response } = await ask(client, 'GET', 'cats', 'cat3')

      expect(await found(new Query('cats').eq('uuid', response.entity.uuid))).toEqual(['cat3'])
    })

    it('finds places around a point', async () => {
      const { client, found } = await openCats()
      await ask(client, 'POST', 'cats', { name: 'far', location: { latitude: 40, longitude: -100 } })
      await ask(client, 'POST', 'cats', { name: 'near', location: { latitude: 37.32, longitude: -121.94 } })

      expect(await found(new Query('cats').locationWithin(10_000, 37.3236882, -121.9373442))).toEqual([
        'near',
      ])
    })

    it('sees every write of before', async () => {
      const { client, found } = await openCats()
      const query = new Query('cats').eq('color', 'black')

      await ask(client, 'POST', 'cats', { name: 'new', color: 'black' })
      expect(await found(query)).toEqual(['new'])

      await ask(client, 'PUT', 'cats', 'new', { color: 'white' })
      expect(await found(query)).toEqual([])

      await ask(client, 'PUT', 'cats', 'new', { color: 'black' })
      await ask(client, 'DELETE', 'cats', 'new')
      expect(await found(query)).toEqual([])
    })

    it('updates by query, also with a limit', async () => {
      const { client, found } = await openCats()

      const { response } = await ask(client, 'PUT', new Query('cats').eq('color', 'red').limit(2), {
        fur: 'long',
      })

      expect(response.entities.map(({ fur }: { fur: string }) => fur)).toEqual(['long', 'long'])
      expect(await found(new Query('cats').eq('fur', 'long'))).toEqual(['cat2', 'cat0'])
    })

    it('deletes by query', async () => {
      const { client, found } = await openCats()

      const { response } = await ask(client, 'DELETE', new Query('cats').eq('color', 'red'))

      expect(response.entities).toHaveLength(2)
      expect(await found(new Query('cats').eq('color', 'red'))).toEqual([])
    })

    it('goes through pages with loadNextPage', async () => {
      const { client } = await open()
      await ask(client, 'POST', {
        type: 'nodejs',
        body: Array.from({ length: 25 }, (_, i) => ({ name: `n${i}` })),
      })

      const first = await ask(client, 'GET', 'nodejs')
      const second = await ask(first.response, 'loadNextPage', client)
      const third = await ask(second.response, 'loadNextPage', client)

      expect(first.response.metadata.count).toBe(10)
      expect([first, second, third].map(({ response }) => response.hasNextPage)).toEqual([true, true, false])
      const names = [first, second, third].flatMap(({ response }) =>
        response.entities.map(({ name }: { name: string }) => name),
      )
      expect(names).toEqual(Array.from({ length: 25 }, (_, i) => `n${24 - i}`))
    })

    it('keeps query and limit from page to page', async () => {
      const { client } = await openCats()

      const first = await ask(client, 'GET', new Query('cats').eq('brave', true).asc('weight').limit(2))
      const second = await ask(first.response, 'loadNextPage', client)

      expect(second.response.entities.map(({ name }: { name: string }) => name)).toEqual(['cat4'])
      expect(second.response.metadata.params).toMatchObject({
        ql: ['select * where brave = true  order by weight asc'],
        limit: ['2'],
      })
      expect(second.response.hasNextPage).toBe(false)
    })
  })

  describe('connections', () => {
    const openPair = async () => {
      const opened = await open()
      const { response } = await ask(opened.client, 'POST', {
        type: 'nodejs',
        body: [{ name: 'one' }, { name: 'two' }],
      })
      const [one, two] = response.entities
      const listed = async (direction: string, entity: unknown, verb: string) =>
        (await ask(opened.client, 'getConnections', direction, entity, verb)).response
      return { ...opened, one, two, listed }
    }

    it('shows paths that lead on in both directions', async () => {
      const { client, one, two, listed } = await openPair()

      const { response } = await ask(client, 'connect', one, 'foos', two)

      expect(response.ok).toBe(true)
      const out = await listed(DIRECTION_OUT, one, 'foos')
      expect(out.metadata.path).toBe(`/nodejs/${one.uuid}/foos`)
      expect(out.first.metadata).toMatchObject({
        path: `/nodejs/${one.uuid}/foos/${two.uuid}`,
        connecting: { foos: `/nodejs/${one.uuid}/foos/${two.uuid}/connecting/foos` },
      })
      const into = await listed(DIRECTION_IN, two, 'foos')
      expect(into.metadata.path).toBe(`/nodejs/${two.uuid}/connecting`)
      expect(into.first.metadata).toMatchObject({
        path: `/nodejs/${two.uuid}/connecting/${one.uuid}`,
        connections: { foos: `/nodejs/${two.uuid}/connecting/${one.uuid}/foos` },
      })
    })

    it.each([
      ['two entities', (one: Pair, two: Pair) => [one, 'bars', two]],
      ['an entity and a uuid', (one: Pair, two: Pair) => [one, 'bars', two.uuid]],
      ['type, uuid and uuid', (one: Pair, two: Pair) => [one.type, one.uuid, 'bars', two.uuid]],
      ['types and names', (one: Pair, two: Pair) => [one.type, one.name, 'bars', two.type, two.name]],
      ['options', (one: Pair, two: Pair) => [{ entity: one, relationship: 'bars', to: two }]],
    ])('connects and disconnects %s', async (_, args) => {
      const { client, one, two, listed } = await openPair()

      await ask(client, 'connect', ...args(one, two))
      expect((await listed(DIRECTION_OUT, one, 'bars')).first.uuid).toBe(two.uuid)

      const { response } = await ask(client, 'disconnect', ...args(one, two))
      expect(response.ok).toBe(true)
      expect((await listed(DIRECTION_OUT, one, 'bars')).entities).toEqual([])
    })

    it('connects through an entity', async () => {
      const { client, one, two } = await openPair()

      await ask(one, 'connect', client, 'bars', two)

      const { response } = await ask(one, 'getConnections', client, DIRECTION_OUT, 'bars')
      expect(response.first.uuid).toBe(two.uuid)
    })

    it('fails for a target that is not there', async () => {
      const { client, one } = await openPair()

      const { error } = await ask(client, 'connect', one, 'bars', 'nodej', 'three')

      expect(error?.name).toBe('service_resource_not_found')
    })
  })
})

interface Pair {
  type: string
  uuid: string
  name: string
}
