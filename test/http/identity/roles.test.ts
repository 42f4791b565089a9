import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, TIME, UUID } from '../../support/application.js'

describe.each(DATABASES)('roles on %s', (database) => {
  const server = sharedServer(database)

  it('are made with a name, a title and an inactivity, and nothing else', async () => {
    const app = await server.application()

    const { body } = await app.admin.post('/role', {
      name: 'Manager',
      title: 'Managers',
      inactivity: 5,
      permissions: ['/**'],
      x: 1,
    })
    const plain = await app.admin.post('/roles', { name: 'plain' })

    const [{ uuid, created }] = body.entities
    expect(body).toMatchObject({ action: 'post', path: '/roles' })
    expect(body.entities).toEqual([
      {
        uuid: UUID,
        type: 'role',
        name: 'Manager',
        roleName: 'manager',
        title: 'Managers',
        inactivity: 5,
        created,
        modified: created,
        metadata: {
          path: `/roles/${uuid}`,
          size: TIME,
          sets: { permissions: `/roles/${uuid}/permissions` },
          collections: { groups: `/roles/${uuid}/groups`, users: `/roles/${uuid}/users` },
        },
      },
    ])
    expect(plain.body.entities[0]).toMatchObject({
      name: 'plain',
      roleName: 'plain',
      title: 'plain',
      inactivity: 0,
    })
    expect((await app.admin.get('/role/MANAGER')).body.entities[0].uuid).toBe(uuid)
  })

  it.each([
    [{}, 'illegal_argument'],
    [{ title: 'x' }, 'illegal_argument'],
    [{ name: 'GUEST' }, 'duplicate_unique_property_exists'],
    [{ name: 'x', inactivity: 'long' }, 'property_type_conversion'],
  ])('of %j are refused', async (sent, error) => {
    const app = await server.application()

    const { status, body } = await app.admin.post('/roles', sent)

    expect([status, body.error]).toEqual([400, error])
  })

  it('change title and inactivity, never the name', async () => {
    const app = await server.application()
    await app.admin.post('/roles', { name: 'manager' })

    const { body } = await app.admin.put('/roles/manager', {
      name: 'boss',
      roleName: 'boss',
      title: 'Boss',
      inactivity: 7,
    })

    expect(body.entities[0]).toMatchObject({
      name: 'manager',
      roleName: 'manager',
      title: 'Boss',
      inactivity: 7,
    })
  })

  it('are deleted with their strings and assignments', async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const ada = await app.signedUp('ada', {}, shop.path)
    await shop.admin.post('/roles', { name: 'reader' })
    await shop.admin.post('/roles/reader/permissions', { permission: 'get:/dogs/**' })
    await shop.admin.post('/roles/reader/users/ada')
    expect((await ada.get('/dogs')).status).toBe(200)

    await shop.admin.delete('/roles/reader')

    expect((await ada.get('/dogs')).status).toBe(401)
    expect((await shop.admin.get('/users/ada/roles')).body.entities).toEqual([])
    expect((await shop.admin.delete('/roles/reader')).body.error).toBe('service_resource_not_found')
    await shop.admin.post('/roles', { name: 'reader' })
    expect((await shop.admin.get('/roles/reader/permissions')).body.data).toEqual([])
  })

  it('have names of their own in a group, however they are written', async () => {
    const app = await server.application()
    const { uuid } = (await app.admin.post('/groups', { path: 'crew' })).body.entities[0]

    for (const body of [{ name: 'a' }, { NAME: 'b' }, { name: 5 }, [{ Name: 'c' }]])
      expect((await app.admin.post('/groups/crew/roles', body)).status).toBe(200)
    await app.admin.put('/groups/crew/roles/0190c7a1-7b3e-7c44-9d2a-00000000beef', { name: 'd' })

    const names = (await app.admin.get('/groups/crew/roles')).body.entities.map(
      ({ name }: { name: string }) => name,
    )
    expect(names.sort()).toEqual(['5', 'a', 'b', 'c', 'd'].map((name) => `${uuid}:${name}`))
  })

  it('are assigned to users and groups, from either side', async () => {
    const app = await server.application()
    await app.admin.post('/roles', { name: 'manager' })
    await app.post('/users', { username: 'ada' })
    await app.post('/groups', { path: 'staff' })
    const role = (await app.admin.get('/roles/manager')).body.entities[0].uuid

    const toUser = await app.admin.post('/roles/manager/users/ada')
    const fromUser = await app.admin.post('/users/ada/roles/manager')
    const toGroup = await app.admin.post('/roles/manager/groups/staff', {})
    const fromGroup = await app.admin.post('/groups/staff/roles/manager')

    expect(toUser.body).toMatchObject({
      path: `/roles/${role}/users`,
      entities: [{ type: 'user', username: 'ada' }],
    })
    expect(fromUser.body.entities).toMatchObject([{ type: 'role', name: 'manager' }])
    expect(toGroup.body.entities).toMatchObject([{ type: 'group', path: 'staff' }])
    expect(fromGroup.body.entities).toMatchObject([{ type: 'role', name: 'manager' }])
    expect((await app.admin.get('/users/ada/roles')).body.entities).toMatchObject([{ name: 'manager' }])
    expect((await app.admin.get('/groups/staff/roles/manager')).status).toBe(200)
    expect((await app.admin.get('/users/ada/rolenames')).body.data).toMatchObject({
      manager: { uuid: role, name: 'manager' },
    })
    expect((await app.admin.get('/groups/staff/rolenames')).body.data).toMatchObject({
      manager: { uuid: role },
    })

    await app.admin.delete('/users/ada/roles/manager')
    await app.admin.delete('/roles/manager/groups/staff')

    expect((await app.admin.get('/users/ada/roles/manager')).body).toMatchObject({
      error: 'service_resource_not_found',
      code: 404,
    })
    expect((await app.admin.get('/groups/staff/roles')).body.entities).toEqual([])
    expect((await app.admin.get('/roles/manager')).status).toBe(200)
  })

  it('are assigned by name', async () => {
    const app = await server.application()
    await app.admin.post('/roles', { name: 'Manager' })
    await app.post('/users', { username: 'ada' })

    const { body } = await app.admin.put('/users/ada/rolenames', { name: 'MANAGER' })

    expect(body).toMatchObject({ action: 'put', data: { manager: { name: 'Manager' } }, entities: [] })
    expect((await app.admin.put('/users/ada/rolenames', {})).body).toMatchObject({
      error: 'illegal_argument',
    })
    expect((await app.admin.put('/users/ada/rolenames', { name: 'x' })).body).toMatchObject({
      error: 'service_resource_not_found',
    })
    expect((await app.admin.put('/users/nobody/rolenames', { name: 'manager' })).body).toMatchObject({
      error: 'service_resource_not_found',
    })
  })

  it('without the role of guests keep guests out, but not those who sign in', async () => {
    const app = await server.application()
    await app.signedUp('ada')
    await app.admin.delete('/roles/guest')

    const { status, body } = await app.get('/dogs')
    const token = await app.post('/token', { grant_type: 'password', username: 'ada', password: PASSWORD })

    expect([status, body.error, body.error_description]).toEqual([
      401,
      'unauthorized',
      'No application guest access authorized',
    ])
    expect(token.status).toBe(200)
  })
})

describe.each(DATABASES)('permission strings on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    await app.post('/users', { username: 'ada' })
    await app.post('/groups', { path: 'staff' })
    await app.admin.post('/roles', { name: 'manager' })
    return app
  }

  it.each([
    ['users', '/users/ada/permissions'],
    ['users by the singular', '/user/ADA/permissions'],
    ['groups', '/groups/staff/permissions'],
    ['groups by the singular', '/Group/staff/permissions'],
    ['roles', '/roles/manager/permissions'],
    ['roles by the singular', '/role/Manager/permissions'],
  ])('of %s are added, listed and removed', async (_, path) => {
    const app = await open()

    const added = await app.admin.post(path, { permission: 'GET,put:/Books/*' })
    const twice = await app.admin.post(path, { permission: 'get,put:/books/*' })
    const many = await app.admin.put(path, { permission: ['get:/a', 'get:/b'] })
    const listed = await app.admin.get(path)
    const removed = await app.admin.delete(`${path}?permission=get,put:/books/*&permission=get%3A%2Fa`)
    const byBody = await app.admin.delete(path, { permission: 'get:/b' })

    const common = {
      application: app.uuid,
      uri: `${app.url}/${app.name}`,
      entities: [],
      timestamp: TIME,
      duration: TIME,
      organization: app.organization,
      applicationName: 'sandbox',
    }
    expect(added.body).toEqual({ action: 'post', ...common, params: {}, data: ['get,put:/books/*'] })
    expect(twice.body.data).toEqual(['get,put:/books/*'])
    expect(many.body).toMatchObject({ action: 'put' })
    expect(listed.body).toEqual({
      action: 'get',
      ...common,
      params: {},
      data: expect.arrayContaining(['get,put:/books/*', 'get:/a', 'get:/b']),
    })
    expect(removed.body).toEqual({
      action: 'delete',
      ...common,
      params: { permission: ['get,put:/books/*', 'get:/a'] },
      data: ['get:/b'],
    })
    expect(byBody.body.data).toEqual([])
  })

  it.each([
    ['POST', '/roles/manager/permissions', {}],
    ['POST', '/users/ada/permissions', undefined],
    ['POST', '/groups/staff/permissions', { permission: '' }],
    ['POST', '/roles/manager/permissions', { permission: ' ' }],
    ['POST', '/roles/manager/permissions', { permission: [] }],
    ['POST', '/roles/manager/permissions', { permission: ['get:/a', 5] }],
    ['POST', '/roles/manager/permissions', { permission: { a: 1 } }],
    ['POST', '/roles/manager/permissions', { permission: 'get:' }],
    ['POST', '/roles/manager/permissions', { permission: 'patch:/dogs' }],
    ['POST', '/roles/manager/permissions', { permission: 'get:/a:b' }],
    ['POST', '/roles/manager/permissions', ['get:/a']],
    ['DELETE', '/roles/manager/permissions', undefined],
    ['DELETE', '/users/ada/permissions?permission=', undefined],
  ])('%s %s of %j is refused', async (method, path, body) => {
    const app = await open()

    const reply = await app.admin.send(method, path, body)

    expect([reply.status, reply.body.error]).toEqual([400, 'illegal_argument'])
    expect((await app.admin.get('/roles/manager/permissions')).body.data).toEqual([])
  })

  it.each([
    '/roles/nothing/permissions',
    '/users/nobody/permissions',
    '/groups/nothing/permissions',
    '/users/nobody/rolenames',
  ])('%s is not found', async (path) => {
    const app = await open()

    const { status, body } = await app.admin.get(path)

    expect([status, body.error]).toEqual([404, 'service_resource_not_found'])
  })

  it('of oneself are read as those of "me"', async () => {
    const app = await open()
    const ben = await app.signedUp('ben')
    await app.admin.post('/users/ben/permissions', { permission: 'get:/x' })

    expect((await ben.get('/users/me/permissions')).body.data).toEqual(['get:/x'])
    expect((await ben.get('/users/me/rolenames')).body.data).toEqual({})
  })

  it.each(['/dogs/fido/permissions', '/devices/x/permissions'])(
    'hang on nothing else: %s is a connection',
    async (path) => {
      const app = await open()
      await app.admin.post('/dogs', { name: 'fido' })
      await app.admin.put('/devices/x', {})

      expect((await app.admin.get(path)).body).toMatchObject({ entities: [] })
      expect((await app.admin.get(path)).body).not.toHaveProperty('data')
    },
  )
})
