import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Entity, namesOf, newCollection, sharedApp } from '../../support/app-client.js'

/** The example that Usergrid's Node SDK holds its server to, and what follows from it. */
describe.each(DATABASES)('the paths of connected entities on %s', (database) => {
  const app = sharedApp(database)
  let pair: Promise<Entity[]> | undefined
  const connected = async () => {
    pair ??= (async () => {
      const [a, b] = await app().create('nodejs', { name: 'a' }, { name: 'b' })
      await app().post(`/nodejs/${a!.uuid}/foos/${b!.uuid}`)
      return [a!, b!]
    })()
    const [a, b] = await pair
    return { a: a!.uuid, b: b!.uuid }
  }

  it('lead forward', async () => {
    const { a, b } = await connected()

    const { body } = await app().get(`/nodejs/${a}/foos`)

    expect(body.path).toBe(`/nodejs/${a}/foos`)
    expect(body.uri).toBe(`${app().root}/nodejs/${a}/foos`)
    expect(body.entities).toHaveLength(1)
    expect(body.entities[0].metadata).toEqual({
      path: `/nodejs/${a}/foos/${b}`,
      size: expect.any(Number),
      connecting: { foos: `/nodejs/${a}/foos/${b}/connecting/foos` },
    })
  })

  it('lead back', async () => {
    const { a, b } = await connected()

    const { body } = await app().get(`/nodejs/${b}/connecting/foos`)

    expect(body.path).toBe(`/nodejs/${b}/connecting`)
    expect(body.entities).toHaveLength(1)
    expect(body.entities[0].metadata).toEqual({
      path: `/nodejs/${b}/connecting/${a}`,
      size: expect.any(Number),
      connections: { foos: `/nodejs/${b}/connecting/${a}/foos` },
    })
  })

  it('are in the metadata of both ends at home', async () => {
    const { a, b } = await connected()

    const [first] = (await app().get('/nodejs/a')).body.entities
    const [second] = (await app().get(`/nodejs/${b}`)).body.entities

    expect(first).toMatchObject({
      uuid: a,
      type: 'nodej',
      metadata: { path: `/nodejs/${a}`, connections: { foos: `/nodejs/${a}/foos` } },
    })
    expect(second.metadata).toMatchObject({
      path: `/nodejs/${b}`,
      connecting: { foos: `/nodejs/${b}/connecting/foos` },
    })
    expect(first.metadata).not.toHaveProperty('connecting')
    expect(second.metadata).not.toHaveProperty('connections')
  })

  it.each([
    ['connections=all', ['connections', 'connecting']],
    ['connections=none', []],
    ['connections=out', ['connections']],
    ['connections=in', ['connecting']],
    ['connections=nonsense', ['connections', 'connecting']],
    ['', ['connections', 'connecting']],
  ])('are attached as ?%s asks', async (search, keys) => {
    const path = `/${newCollection()}`
    const [x, y, z] = await app().create(path.slice(1), { name: 'x' }, { name: 'y' }, { name: 'z' })
    await app().post(`${path}/${x!.uuid}/next/${y!.uuid}`)
    await app().post(`${path}/${y!.uuid}/next/${z!.uuid}`)

    for (const list of [
      `${path}/y`,
      `${path}/${x!.uuid}/next`,
      `${path}/${x!.uuid}/next/${y!.uuid}`,
      `${path}/z/connecting/next`,
    ]) {
      const { metadata } = (await app().get(`${list}?${search}`)).body.entities[0]
      const attached = Object.keys(metadata).filter((key) => key.startsWith('connect'))
      expect([list, attached]).toEqual([list, keys])
    }
  })

  it('resolve below the application, whatever way an entity was reached', async () => {
    const { a, b } = await connected()
    const uuids = async (path: string) => {
      const { status, body } = await app().get(path)
      expect([path, status]).toEqual([path, 200])
      return body.entities.map(({ uuid }: Entity) => uuid)
    }

    expect(await uuids(`/nodejs/${a}/foos/${b}/connecting/foos`)).toEqual([a])
    expect(await uuids(`/nodejs/${b}/connecting/${a}/foos`)).toEqual([b])
    const walk = async (path: string, depth: number): Promise<void> => {
      for (const { uuid, metadata } of (await app().get(path)).body.entities) {
        expect(await uuids(metadata.path)).toEqual([uuid])
        if (depth === 0) continue
        const { connections = {}, connecting = {} } = metadata
        for (const next of Object.values<string>({ ...connections, ...connecting }))
          await walk(next, depth - 1)
      }
    }
    await walk(`/nodejs/${a}`, 3)
    await walk(`/nodejs/${b}`, 3)
    await walk(`/nodejs/${a}/connections`, 1)
    await walk(`/nodejs/${b}/connecting`, 1)
  })

  it('lead to the lists of a user who was reached by a connection', async () => {
    await app().post('/users', { username: 'ann' })
    const [bob] = (await app().post('/users', { username: 'bob' })).body.entities
    await app().post('/groups', { path: 'staff' })
    await app().post('/groups/staff/users/bob')
    await app().post('/users/ann/likes/users/bob')

    const [liked] = (await app().get('/users/ann/likes')).body.entities
    const { collections, path } = liked.metadata
    expect(path).toMatch(new RegExp(`^/users/[-0-9a-f]{36}/likes/${bob.uuid}$`))
    expect(Object.keys(collections).sort()).toEqual(
      ['activities', 'devices', 'feed', 'followers', 'following', 'groups', 'roles'].sort(),
    )
    for (const list of Object.values<string>(collections)) expect((await app().get(list)).status).toBe(200)
    expect((await app().get(collections.groups)).body.entities[0].path).toBe('staff')
    expect((await app().get(`${collections.groups}/staff/users/bob`)).body.entities[0].uuid).toBe(bob.uuid)
  })

  it('of unions name the direction', async () => {
    const [hub, x, y] = await app().create('unions', { name: 'hub' }, { name: 'x' }, { name: 'y' })
    const [h, xu, yu] = [hub!.uuid, x!.uuid, y!.uuid]
    await app().post(`/unions/${h}/likes/${xu}`)
    await app().post(`/unions/${h}/hates/${yu}`)
    await app().post(`/unions/${h}/hates/${xu}`)
    await app().post(`/unions/${yu}/sees/${h}`)
    await app().post(`/unions/${xu}/hears/${h}`)
    await app().post(`/unions/${xu}/sees/${h}`)

    const out = (await app().get(`/unions/hub/connections`)).body
    expect([out.path, namesOf(out)]).toEqual([`/unions/${h}/connections`, ['x', 'y']])
    expect(out.entities[0].metadata.path).toBe(`/unions/${h}/connections/${xu}`)
    const into = (await app().get(`/unions/hub/connecting`)).body
    expect([into.path, namesOf(into)]).toEqual([`/unions/${h}/connecting`, ['x', 'y']])
    expect(await app().find('/unions/hub/connections', "name = 'y'")).toEqual(['y'])
    expect(await app().find('/unions/hub/connecting', 'order by name desc')).toEqual(['y', 'x'])
    expect(await app().find('/unions/x/connections', '')).toEqual(['hub'])
    for (const limit of [1, 2]) {
      const pages = await app().pages('/unions/hub/connections', { limit })
      expect(pages.flat().map(({ name }) => name)).toEqual(['x', 'y'])
    }
    await app().delete(`/unions/${h}/hates/${xu}`)
    expect(await app().find('/unions/hub/connections', '')).toEqual(['y', 'x'])
    await app().delete(`/unions/${h}/likes/${xu}`)
    expect(await app().find('/unions/hub/connections', '')).toEqual(['y'])
  })
})
