import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'

describe.each(DATABASES)('rights on %s', (database) => {
  const server = sharedServer(database)

  /** A closed application with the users ada and ben, and the dogs fido and rex. */
  const open = async (...permissions: string[]) => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const { admin } = shop
    const ada = await app.signedUp('ada', {}, shop.path)
    const ben = await app.signedUp('ben', {}, shop.path)
    const dogs = (await admin.post('/dogs', [{ name: 'fido' }, { name: 'rex' }])).body.entities
    await admin.post('/groups', { path: 'staff' })
    await admin.post('/roles', { name: 'reader' })
    if (permissions.length > 0) await admin.post('/users/ada/permissions', { permission: permissions })
    return { app, ...shop, ada, ben, fido: dogs[0].uuid as string, rex: dogs[1].uuid as string }
  }

  describe('come at once, and go at once', () => {
    it.each([
      [
        'a string of the user',
        ['POST', '/users/ada/permissions', { permission: 'get:/dogs/*' }],
        ['DELETE', '/users/ada/permissions?permission=get:/dogs/*'],
      ],
      [
        'a string of the default role',
        ['POST', '/roles/default/permissions', { permission: 'get:/dogs/*' }],
        ['DELETE', '/roles/default/permissions?permission=get:/dogs/*'],
      ],
      ['a role, by its users', ['POST', '/roles/reader/users/ada'], ['DELETE', '/roles/reader/users/ada']],
      [
        'a role, by the roles of the user',
        ['POST', '/users/ada/roles/reader'],
        ['DELETE', '/users/ada/roles/reader'],
      ],
      [
        'a role, by its name',
        ['PUT', '/users/ada/rolenames', { name: 'reader' }],
        ['DELETE', '/roles/reader/users/ada'],
      ],
      ['a role that goes away', ['POST', '/roles/reader/users/ada'], ['DELETE', '/roles/reader']],
      [
        'a group with strings',
        ['POST', '/groups/readers/users/ada'],
        ['DELETE', '/groups/readers/users/ada'],
      ],
      ['a group with a role', ['POST', '/users/ada/groups/writers'], ['DELETE', '/users/ada/groups/writers']],
      ['a group that goes away', ['POST', '/groups/writers/users/ada'], ['DELETE', '/groups/writers']],
    ] as const)('with %s', async (_, give, take) => {
      const { ada, ben, admin } = await open()
      await admin.post('/roles/reader/permissions', { permission: 'get:/dogs/*' })
      await admin.post('/groups', [{ path: 'readers' }, { path: 'writers' }])
      await admin.post('/groups/readers/permissions', { permission: 'get:/dogs/*' })
      await admin.post('/groups/writers/roles/reader')
      expect((await ada.get('/dogs/fido')).status).toBe(401)

      expect((await admin.send(give[0], give[1], give[2])).status).toBe(200)
      expect((await ada.get('/dogs/fido')).status).toBe(200)
      expect((await ben.get('/dogs/fido')).status).toBe(give[1].includes('default') ? 200 : 401)

      expect((await admin.send(take[0], take[1])).status).toBe(200)
      expect((await ada.get('/dogs/fido')).status).toBe(401)
    })

    it('with strings of the guest role, which users do not have', async () => {
      const { guest, ada, admin } = await open()

      await admin.post('/roles/guest/permissions', { permission: 'get:/dogs/**' })

      expect((await guest.get('/dogs')).status).toBe(200)
      expect((await ada.get('/dogs')).status).toBe(401)
      await admin.delete('/roles/guest/permissions?permission=get:/dogs/**')
      expect((await guest.get('/dogs')).status).toBe(401)
    })

    it('with a new name of the user', async () => {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the variable of permission strings.
      const { ada, admin } = await open('get:/logs/${user}')
      await admin.post('/logs', [{ name: 'ada' }, { name: 'ida' }])
      expect([(await ada.get('/logs/ada')).status, (await ada.get('/logs/ida')).status]).toEqual([200, 401])

      await admin.put('/users/ada', { username: 'ida' })

      expect([(await ada.get('/logs/ada')).status, (await ada.get('/logs/ida')).status]).toEqual([401, 200])
    })
  })

  it.each([
    [['get:/dogs'], [200, 401, 401, 401, 401]],
    [['get:/dogs/*'], [200, 200, 200, 401, 401]],
    [['get:/dogs/fido'], [401, 200, 200, 401, 401]],
    [['GET:/DOG/*'], [401, 401, 401, 401, 401]],
    [['get:/dogs/**'], [200, 200, 200, 401, 401]],
    [['put:/dogs/*'], [401, 401, 401, 200, 401]],
    [['get,delete:/dogs/fido'], [401, 200, 200, 401, 200]],
    [['/dogs/**'], [200, 200, 200, 200, 200]],
    [['*:/**'], [200, 200, 200, 200, 200]],
  ])(
    '%j are those to list, to read by name and by uuid, to change and to delete: %j',
    async (permissions, statuses) => {
      const { ada, fido } = await open(...permissions)

      expect([
        (await ada.get('/dogs/')).status,
        (await ada.get('/DOGS/Fido')).status,
        (await ada.get(`/dog/${fido}`)).status,
        (await ada.put('/dogs/fido', { a: 1 })).status,
        (await ada.delete('/dogs/fido')).status,
      ]).toEqual(statuses)
    },
  )

  it('are the same however the application is addressed and with matrix queries', async () => {
    const { app, ada, uuid } = await open('get:/dogs')

    for (const root of [
      `/${uuid}`,
      `/${app.organizationUuid}/${uuid}`,
      `/orgs/${app.organization}/apps/shop`,
    ]) {
      expect((await app.as(ada.token, root).get('/dogs')).status).toBe(200)
      expect((await app.as(ada.token, root).get("/dogs;ql=name='fido'")).status).toBe(200)
      expect((await app.as(ada.token, root).get('/dogs/fido')).status).toBe(401)
    }
  })

  it('let nobody but administrators learn what would be needed', async () => {
    const { ada } = await open()

    const { body } = await ada.get('/dogs')

    expect(body.error_description).toBe('Subject does not have permission to access this resource')
  })

  describe('to give rights', () => {
    const WRITES = [
      ['POST', '/users/me/permissions', { permission: '/**' }],
      ['PUT', '/users/me/permissions', { permission: '/**' }],
      ['DELETE', '/users/ben/permissions?permission=x', undefined],
      ['POST', '/users/ada/permissions', { permission: '/**' }],
      ['POST', '/user/me/permissions', { permission: '/**' }],
      ['POST', '/USERS/me/Permissions', { permission: '/**' }],
      ['POST', '/users/me/connections/permissions/dogs/fido', undefined],
      ['POST', '/groups/staff/permissions', { permission: '/**' }],
      ['POST', '/roles/default/permissions', { permission: '/**' }],
      ['PUT', '/role/guest/permissions', { permission: '/**' }],
      ['POST', '/roles', { name: 'mine' }],
      ['PUT', '/roles/mine', {}],
      ['DELETE', '/roles/guest', undefined],
      ['DELETE', '/roles?limit=10', undefined],
      ['POST', '/roles/reader/users/me', undefined],
      ['POST', '/roles/reader/groups/staff', undefined],
      ['POST', '/users/me/roles/reader', undefined],
      ['POST', '/users/me/roles', { name: 'mine' }],
      ['POST', '/users/me/Roles/roles/reader', undefined],
      ['POST', '/users/me/connections/roles/reader', undefined],
      ['PUT', '/users/me/rolenames', { name: 'reader' }],
      ['POST', '/groups/staff/roles/reader', undefined],
      ['DELETE', '/users/ben/roles/reader', undefined],
      ['POST', '/users/me/likes/roles', { name: 'mine' }],
      ['PUT', '/users/me/likes/roles/4b9d2c10-6f1b-11ee-8c99-0242ac120002', { name: 'mine' }],
    ] as const

    it.each(WRITES)('takes more than "/**": %s %s %j', async (method, path, body) => {
      const { ada, admin } = await open('/**')

      const reply = await ada.send(method, path, body)

      expect(reply.status).toBeGreaterThanOrEqual(401)
      expect((await admin.get('/roles')).body.entities).toHaveLength(4)
      expect((await admin.get('/users/ada/permissions')).body.data).toEqual(['/**'])
      expect((await admin.get('/users/ada/roles')).body.entities).toEqual([])
    })

    it('takes strings that say so', async () => {
      const { ada, admin } = await open(
        'post:/roles/reader/users/*',
        'get:/users/*',
        'post:/users/*/permissions',
      )

      expect((await ada.post('/roles/reader/users/ben')).status).toBe(200)
      expect((await ada.post('/roles/default/users/ben')).status).toBe(401)
      expect((await ada.post('/users/ben/permissions', { permission: 'get:/x' })).status).toBe(200)
      expect((await admin.get('/users/ben/roles')).body.entities).toMatchObject([{ name: 'reader' }])
    })
  })

  describe('to join a group', () => {
    it.each([
      ['POST', '/users/me/groups/staff'],
      ['POST', '/users/ada/groups/staff'],
      ['POST', '/users/me/groups/groups/staff'],
      ['POST', '/groups/staff/users/me'],
      ['POST', '/groups/staff/users/ada'],
      ['PUT', '/users/me/groups/staff'],
      ['DELETE', '/groups/staff/users/ben'],
      ['DELETE', '/users/ben/groups/staff'],
      ['POST', '/users/me/groups/club/users/ben'],
      ['POST', '/users/me/groups/club/users'],
      ['DELETE', '/users/me/groups/club/users/ben'],
      ['POST', '/users/me/likes/groups/staff/users/me'],
    ])('takes a right on the path of the group: %s %s', async (method, path) => {
      const { ada, admin } = await open('get:/groups/**', 'get:/users/**')
      await admin.post('/groups', { path: 'club' })
      await admin.post('/groups/club/users/ada')
      await admin.post('/groups/staff/users/ben')
      await ada.post('/users/me/likes/groups/staff')

      const { status, body } = await ada.send(
        method,
        path,
        path.endsWith('/users') ? { username: 'new' } : undefined,
      )

      expect([status, body.error]).toEqual([401, 'unauthorized'])
      expect((await admin.get('/groups/staff/users')).body.entities).toMatchObject([{ username: 'ben' }])
      expect((await admin.get('/groups/club/users')).body.entities).toMatchObject([{ username: 'ada' }])
    })

    it.each([
      ['post:/groups/*/users/me', 200, 401],
      ['post:/groups/staff/users/*', 200, 200],
      ['post:/groups/**', 200, 200],
      ['post:/users/**', 401, 401],
    ])('%s lets the user join: %i, and others: %i', async (permission, self, others) => {
      const { ada } = await open(permission, 'get:/users/**', 'get:/groups/**')

      expect((await ada.post('/users/me/groups/staff')).status).toBe(
        permission.includes('/groups') ? 200 : 401,
      )
      expect((await ada.post('/groups/staff/users/me')).status).toBe(self)
      expect((await ada.post('/groups/staff/users/ben')).status).toBe(others)
    })

    it('is given by its administrators, who need none', async () => {
      const { admin, ada } = await open('get:/groups/*')

      expect((await admin.post('/users/ada/groups/staff')).status).toBe(200)
      expect((await ada.get('/users/me/groups')).body.entities).toMatchObject([{ path: 'staff' }])
    })
  })

  describe('on both ends of a connection', () => {
    it.each([
      ['POST', '/users/me/likes/dogs/fido'],
      ['POST', '/users/me/likes/FIDO'],
      ['POST', '/users/me/following/ben'],
      ['POST', '/users/me/following/users/ben'],
      ['POST', '/users/me/devices/phone'],
      ['GET', '/users/me/likes/dogs/rex'],
      ['GET', '/users/me/likes/REX'],
    ])('keep what one may not read out of reach: %s %s', async (method, path) => {
      const { ada, admin, fido, rex } = await open()
      await admin.put('/devices/phone', {})
      await admin.post('/users/ada/likes/dogs/rex')

      const { status, body } = await ada.send(method, path.replace('FIDO', fido).replace('REX', rex))
      const missing = await ada.send(
        method,
        path.replace(/fido|FIDO|ben|phone|rex|REX/, '4b9d2c10-6f1b-11ee-8c99-0242ac120002'),
      )

      expect([status, body.error]).toEqual([404, 'service_resource_not_found'])
      expect([missing.status, missing.body.error]).toEqual([status, body.error])
    })

    it('leave out of lists what one may not read', async () => {
      const { ada, admin } = await open('get:/dogs/fido')
      for (const name of ['fido', 'rex']) await admin.post(`/users/ada/likes/dogs/${name}`)

      const listed = await ada.get('/users/me/likes')
      const all = await ada.get('/users/me/connections')

      expect(listed.body.entities).toMatchObject([{ name: 'fido' }])
      expect(all.body.entities).toMatchObject([{ name: 'fido' }])
      expect((await admin.get('/users/ada/likes')).body.entities).toHaveLength(2)
    })

    it('leave out of metadata what one may not follow', async () => {
      const { ada, admin } = await open('get:/dogs/*')
      await admin.post('/users/ben/likes/dogs/fido')
      await admin.post('/dogs/fido/hates/dogs/rex')

      const { metadata } = (await ada.get('/dogs/fido')).body.entities[0]

      expect(metadata).not.toHaveProperty('connections')
      expect(metadata).not.toHaveProperty('connecting')
      expect((await admin.get('/dogs/fido')).body.entities[0].metadata).toMatchObject({
        connections: { hates: expect.any(String) },
      })
    })

    it('let one connect to what one may read', async () => {
      const { ada, fido } = await open('get:/dogs/*')

      expect((await ada.post(`/users/me/likes/${fido}`)).status).toBe(200)
      expect((await ada.get('/users/me/likes')).body.entities).toMatchObject([{ name: 'fido' }])
      expect((await ada.delete(`/users/me/likes/${fido}`)).status).toBe(200)
    })

    it.each([
      ['PUT', '/users/me/likes/dogs/fido'],
      ['PUT', '/users/me/likes/FIDO'],
      ['PUT', '/users/me/owns/FIDO'],
      ['PUT', '/users/me/following/ben'],
      ['PUT', '/users/me/likes/users/ben'],
      ['POST', '/users/me/likes/dogs/fido/owners/users/ada'],
      ['DELETE', '/users/me/likes/dogs/fido/friends/dogs/rex'],
      ['POST', '/dogs/fido/owners/users/ada'],
      ['DELETE', '/dogs/fido/friends/dogs/rex'],
    ])('do not let one write what one may only read: %s %s', async (method, path) => {
      const { ada, admin, fido } = await open('get:/**')
      await ada.post('/users/me/likes/dogs/fido')
      await ada.post('/users/me/likes/users/ben')
      await ada.post('/users/me/following/ben')
      await admin.post('/dogs/fido/friends/dogs/rex')

      const { status, body } = await ada.send(method, path.replace('FIDO', fido), { stolen: true })

      expect([status, body.error]).toEqual([401, 'unauthorized'])
      expect((await admin.get('/dogs/fido')).body.entities[0]).not.toHaveProperty('stolen')
      expect((await admin.get('/users/ben')).body.entities[0]).not.toHaveProperty('stolen')
      expect((await admin.get('/dogs/fido/connections')).body.entities).toMatchObject([{ name: 'rex' }])
    })

    it('let nobody be made to follow', async () => {
      const { ada, admin } = await open('get:/**')

      expect((await ada.post('/users/me/followers/ben')).status).toBe(401)
      expect((await ada.post('/users/me/connecting/likes/users/ben')).status).toBe(405)
      expect((await ada.post('/users/me/following/ben')).status).toBe(200)
      expect((await admin.get('/users/ben/following')).body.entities).toEqual([])
    })

    it('let nobody put a device on another user, or take one', async () => {
      const { ada, ben, admin } = await open('get:/**', 'post:/devices/**')
      await ben.post('/users/me/devices', { name: 'phone' })
      await ada.post('/users/me/devices', { name: 'pad' })

      expect((await ada.post('/users/me/devices/phone')).status).toBe(404)
      expect((await ada.post('/devices/pad/users/ben')).status).toBe(401)
      expect((await admin.get('/users/ben/devices')).body.entities).toMatchObject([{ name: 'phone' }])
      expect((await ben.put('/users/me/devices/phone', { badge: 1 })).status).toBe(200)
      expect((await ada.put('/users/ben/devices/phone', { badge: 1 })).status).toBe(401)
    })
  })

  describe('of a user whose username is the e-mail address of another', () => {
    const openImpostor = async () => {
      const opened = await open()
      const { admin, ben } = opened
      await admin.put('/users/ada', { email: 'ada@x.test' })
      await ben.put('/users/me', { username: 'Ada@x.test' })
      await admin.post('/users/ada/devices', { name: 'phone' })
      return opened
    }

    it('are on himself', async () => {
      const { ben } = await openImpostor()

      const read = await ben.get('/users/ada@x.test')
      const written = await ben.put('/users/ada@x.test', { city: 'Oslo' })

      expect(read.body.entities[0].uuid).toBe(ben.uuid)
      expect(written.body.entities[0]).toMatchObject({ uuid: ben.uuid, city: 'Oslo' })
    })

    it.each([
      ['GET', '/users/ADA'],
      ['PUT', '/users/ADA'],
      ['DELETE', '/users/ADA'],
      ['GET', '/users/ada'],
      ['GET', '/users/ada/devices'],
      ['PUT', '/users/ada/devices/phone'],
      ['POST', '/users/ada/devices'],
      ['POST', '/users/ada/following/ada@x.test'],
    ])('are not on the other: %s %s', async (method, path) => {
      const { admin, ada, ben } = await openImpostor()

      const { status, body } = await ben.send(
        method,
        path.replace('ADA', ada.uuid),
        method === 'GET' ? undefined : { name: 'stolen' },
      )

      expect([status, body.error]).toEqual([401, 'unauthorized'])
      expect((await admin.get('/users/ada')).text).not.toContain('stolen')
      expect((await admin.get('/users/ada/devices')).body.entities).toMatchObject([{ name: 'phone' }])
    })

    it('leave the other signing in, and in the hands of administrators', async () => {
      const { admin, ada, ben, guest } = await openImpostor()

      const { body } = await guest.post('/token', {
        grant_type: 'password',
        username: 'ada@x.test',
        password: PASSWORD,
      })

      expect(body.user.uuid).toBe(ada.uuid)
      expect((await admin.get('/users/ada@x.test')).body.entities[0].uuid).toBe(ada.uuid)
      expect((await ben.put('/users/ada@x.test/revoketokens')).status).toBe(200)
      expect((await ada.get('/users/me')).status).toBe(200)
      expect((await ben.get('/users/me')).body.error).toBe('auth_invalid')
    })
  })

  describe('to change a password', () => {
    it('are the old one', async () => {
      const { app, guest, path } = await open()

      const { status, body } = await guest.put('/users/ada/password', {
        oldpassword: PASSWORD,
        newpassword: 'battery staple',
      })

      expect(status).toBe(200)
      expect(body).toMatchObject({ action: 'set user password', params: {} })
      expect(body).not.toHaveProperty('entities')
      const signIn = (password: string) =>
        app.as(undefined, path).post('/token', { grant_type: 'password', username: 'ada', password })
      expect((await signIn(PASSWORD)).status).toBe(400)
      expect((await signIn('battery staple')).status).toBe(200)
    })

    it.each([
      [{ oldpassword: 'wrong', newpassword: 'battery staple' }, 400, 'auth_invalid_username_or_password'],
      [{ oldpassword: '', newpassword: 'battery staple' }, 400, 'auth_invalid_username_or_password'],
      [{ newpassword: 'battery staple' }, 400, 'illegal_argument'],
      [{ oldpassword: PASSWORD }, 400, 'illegal_argument'],
      [{ oldpassword: [PASSWORD], newpassword: 'battery staple' }, 400, 'illegal_argument'],
      [{ oldpassword: PASSWORD, newpassword: 'short' }, 400, 'error_password_policy_violation'],
      [undefined, 400, 'illegal_argument'],
    ])('are not %j', async (sent, status, error) => {
      const { guest, ada } = await open()

      for (const caller of [guest, ada]) {
        const reply = await caller.post('/users/ada/password', sent)
        expect([reply.status, reply.body.error]).toEqual([status, error])
      }
      expect(
        (await guest.post('/token', { grant_type: 'password', username: 'ada', password: PASSWORD })).status,
      ).toBe(200)
    })

    it('are those of an administrator of the application', async () => {
      const { admin, app, path } = await open()
      const other = await server.application()

      expect((await admin.put('/users/ada/password', { newpassword: 'battery staple' })).status).toBe(200)
      expect(
        (await app.as(other.adminToken, path).put('/users/ada/password', { newpassword: 'another one' }))
          .status,
      ).toBe(400)
      expect((await admin.put('/users/nobody/password', { newpassword: 'battery staple' })).body.error).toBe(
        'service_resource_not_found',
      )
    })

    it('keep the token they were used with, and end the others', async () => {
      const { app, ada, guest, path } = await open()
      const { access_token } = (
        await guest.post('/token', { grant_type: 'password', username: 'ada', password: PASSWORD })
      ).body
      const other = app.as(access_token, path)

      const { status } = await ada.put('/users/me/password', {
        password: PASSWORD,
        newpassword: 'battery staple',
      })

      expect(status).toBe(200)
      expect((await ada.get('/users/me')).status).toBe(200)
      expect((await other.get('/users/me')).body.error).toBe('auth_invalid')
      await guest.put('/users/ada/password', { oldpassword: 'battery staple', newpassword: PASSWORD })
      expect((await ada.get('/users/me')).body.error).toBe('auth_invalid')
    })
  })
})
