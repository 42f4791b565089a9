import { describe, expect, it } from 'vitest'
import { DATABASES, openTestEngine } from '../../testing/index.js'

const NAME = 'test/closed'

/** A closed application with the users ann and ben and the group eng/web. */
const open = async (database: (typeof DATABASES)[number]) => {
  const { engine, close } = await openTestEngine(database)
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  const reply = await engine.handle({
    method: 'POST',
    path: '/management/orgs/test/apps',
    search: '',
    baseUrl: '',
    body: { name: 'closed' },
    principal: { kind: 'system', reason: 'test' },
  })
  const { application } = JSON.parse(reply.body) as { application: string }
  const system = await engine.app(NAME).asSystem('test')
  const ann = await system.create('users', { username: 'ann' })
  const ben = await system.create('users', { username: 'ben' })
  const web = await system.create('groups', { path: 'eng/web' })
  const asAnn = await engine.app(NAME).as({ kind: 'user', app: application, uuid: ann.uuid, username: 'ann' })
  return { engine, system, ann, ben, web, asAnn, [Symbol.asyncDispose]: close }
}

describe.each(DATABASES)('in process on %s', (database) => {
  it('words mean what they mean in a path: a user joins a group by "users"', async () => {
    await using app = await open(database)

    await app.system.connect(app.web, 'users', app.ann)
    await app.system.connect({ collection: 'user', ref: 'ben' }, 'groups', {
      collection: 'groups',
      ref: 'eng/web',
    })

    const { entities } = await app.system.connected(app.web, 'users')
    expect(entities.map(({ username }) => username).sort()).toEqual(['ann', 'ben'])
    expect((await app.system.connected(app.ann, 'groups')).entities).toMatchObject([{ path: 'eng/web' }])
    expect((await app.system.get('users', 'ann'))['metadata']).toBeUndefined()
  })

  it('the same rights are asked for as over HTTP', async () => {
    await using app = await open(database)

    await expect(app.asAnn.connect(app.ann, 'groups', app.web)).rejects.toMatchObject({
      code: 'unauthorized',
    })
    await expect(app.asAnn.connect(app.ann, 'following', app.ben)).rejects.toMatchObject({
      code: 'service_resource_not_found',
    })
    await expect(app.asAnn.put('users', 'ben', { city: 'Oslo' })).rejects.toMatchObject({
      code: 'unauthorized',
    })
    expect(await app.asAnn.put('users', 'me', { city: 'Oslo', activated: false })).toMatchObject({
      uuid: app.ann.uuid,
      city: 'Oslo',
      activated: true,
    })
  })

  it('reserved words name no collection', async () => {
    await using app = await open(database)

    await expect(app.system.create('credentials', { name: 'x' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(app.system.connect(app.ann, 'password', app.ben)).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  it('tells what the caller can do without doing it', async () => {
    await using app = await open(database)
    const { uuid } = await app.system.create('dogs', { name: 'fido' })

    expect(await app.asAnn.can('get', '/users/ann')).toBe(true)
    expect(await app.asAnn.can('delete', '/users/ben')).toBe(false)
    expect(await app.asAnn.can('put', `users/me/likes/dogs/${uuid}`)).toBe(false)
    expect(await app.system.can('DELETE', '/users/ben')).toBe(true)
    expect(await app.system.get('users', 'ben')).toMatchObject({ uuid: app.ben.uuid })
    await expect(app.asAnn.can('look', '/users/ann')).rejects.toMatchObject({ code: 'illegal_argument' })
  })
})
