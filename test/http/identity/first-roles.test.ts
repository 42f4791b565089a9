import type { EngineOptions } from '@entigrid/core'
import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, type TestApplication } from '../../support/application.js'

const GUEST = ['post:/devices', 'post:/users', 'put:/devices/*']

const permissionsOf = async ({ admin }: Pick<TestApplication, 'admin'>) =>
  Object.fromEntries(
    await Promise.all(
      ['admin', 'default', 'guest'].map(async (role) => [
        role,
        (await admin.get(`/roles/${role}/permissions`)).body.data.sort(),
      ]),
    ),
  )

describe.each(DATABASES)('the first roles on %s', (database) => {
  const server = sharedServer(database)

  it('let nobody do anything in a new application but sign up and work below himself', async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')

    const { body } = await shop.admin.get('/roles')

    expect(
      body.entities.map(({ name, title }: { name: string; title: string }) => [name, title]).sort(),
    ).toEqual([
      ['admin', 'Administrator'],
      ['default', 'Default'],
      ['guest', 'Guest'],
    ])
    expect(await permissionsOf(shop)).toEqual({
      admin: [],
      default: ['get,put,post,delete:/users/me/**'],
      guest: GUEST,
    })
  })

  it('let everybody do everything in the sandbox', async () => {
    const app = await server.application()

    expect(await permissionsOf(app)).toEqual({
      admin: [],
      default: ['get,put,post,delete:/**'],
      guest: ['get,post,put,delete:/**', ...GUEST],
    })
    expect((await app.get('/dogs')).headers.get('entigrid-notice')).toBe(
      'this application is open to everybody',
    )
  })

  it.each([
    ['GET', '/dogs'],
    ['POST', '/dogs'],
    ['GET', '/dogs/fido'],
    ['PUT', '/dogs/fido'],
    ['DELETE', '/dogs/fido'],
    ['POST', '/dogs/fido'],
    ['PUT', "/dogs?ql=name='fido'"],
    ['DELETE', '/dogs?limit=1'],
    ['POST', '/dogs/fido/likes/dogs/fido'],
    ['GET', '/dogs/fido/likes'],
    ['GET', '/dogs/nobody'],
    ['GET', '/unicorns'],
    ['GET', '/users'],
    ['GET', '/users/ada'],
    ['GET', '/users/nobody'],
    ['PUT', '/users/ada'],
    ['DELETE', '/users/ada'],
    ['GET', '/users/me'],
    ['GET', '/devices'],
    ['GET', '/roles'],
    ['GET', '/roles/guest/permissions'],
    ['POST', '/roles/guest/permissions'],
    ['GET', ''],
  ])('keep guests out of a new application: %s %s', async (method, path) => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    await shop.admin.post('/dogs', { name: 'fido' })
    await shop.admin.post('/users', { username: 'ada' })

    const { status, body } = await shop.guest.send(
      method,
      path,
      method === 'GET' ? undefined : { permission: '/**' },
    )

    expect([status, body.error]).toEqual([401, 'unauthorized'])
  })

  it('let guests of a new application sign up and register devices', async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')

    expect((await shop.guest.post('/users', { username: 'ada', password: PASSWORD })).status).toBe(200)
    expect((await shop.guest.post('/devices', { name: 'a' })).status).toBe(200)
    expect((await shop.guest.put('/devices/a', { badge: 1 })).status).toBe(200)
    expect((await shop.guest.get('/devices/a')).status).toBe(401)
    expect(
      (await shop.guest.post('/token', { grant_type: 'password', username: 'ada', password: PASSWORD }))
        .status,
    ).toBe(200)
  })

  it('let users of a new application work below themselves, and nowhere else', async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    await shop.admin.post('/dogs', { name: 'fido' })
    const ada = await app.signedUp('ada', {}, shop.path)
    const ben = await app.signedUp('ben', {}, shop.path)

    for (const ref of ['me', 'ada', 'ADA', ada.uuid]) {
      expect((await ada.get(`/users/${ref}`)).status).toBe(200)
      expect((await ada.put(`/users/${ref}`, { city: 'Oslo' })).status).toBe(200)
      expect((await ada.get(`/users/${ref}/devices`)).status).toBe(200)
    }
    expect((await ada.post('/users/me/devices', { name: 'phone' })).status).toBe(200)
    expect((await ada.get('/users/me/devices')).body.entities).toMatchObject([{ name: 'phone' }])
    expect((await ada.put('/users/me/devices/phone', { badge: 2 })).body.entities).toMatchObject([
      { badge: 2 },
    ])
    for (const path of [
      '/dogs',
      '/dogs/fido',
      '/users',
      '/users/ben',
      `/users/${ben.uuid}`,
      '/users/ben/devices',
      '/devices',
      '/devices/phone',
      '/roles',
    ])
      expect((await ada.get(path)).status, path).toBe(401)
    for (const path of [
      '/users/ben',
      `/users/${ben.uuid}`,
      '/dogs/fido',
      '/devices/phone',
      '/users/ben/devices/phone',
    ])
      expect((await ada.put(path, { a: 1 })).status, path).toBe(401)
  })
})

describe.each(DATABASES)('in compatibility mode on %s', (database) => {
  const options: Partial<EngineOptions> = { compatibility: 'usergrid' }
  const server = sharedServer(database, options)

  it('whoever has an account may do everything in a new application', async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const ada = await app.signedUp('ada', {}, shop.path)

    expect(await permissionsOf(shop)).toEqual({
      admin: [],
      default: ['get,put,post,delete:/**'],
      guest: GUEST,
    })
    expect((await ada.post('/dogs', { name: 'fido' })).status).toBe(200)
    expect((await shop.guest.get('/dogs')).status).toBe(401)
  })

  it('nobody gives himself rights, nevertheless', async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const ada = await app.signedUp('ada', {}, shop.path)

    for (const path of ['/users/me/permissions', '/roles/guest/permissions'])
      expect((await ada.post(path, { permission: '/**' })).status).toBe(401)
    expect((await ada.post('/roles/admin/users/me')).status).toBe(401)
  })

  it('tokens, pictures and passwords are as they were', async () => {
    const app = await server.application()

    const { body } = await app.post('/users', { username: 'ada', email: 'a@x.test', password: 'pw12' })
    const weak = await app.post('/users', { username: 'ben', password: 'pw1' })
    const { access_token } = (
      await app.post('/token', { grant_type: 'password', username: 'ada', password: 'pw12' })
    ).body

    expect(body.entities[0].picture).toMatch(/^http:\/\/www\.gravatar\.com\/avatar\//)
    expect(weak.body).toMatchObject({
      error: 'error_password_policy_violation',
      error_description: expect.stringContaining('at least 4 characters'),
    })
    expect(access_token).toMatch(/^YWMt[\w-]{59}$/)
    expect((await app.as(access_token).get('/users/me')).body.entities[0].username).toBe('ada')
    expect((await app.put(`/users/ada/revoketoken?token=${access_token}`)).status).toBe(401)
    expect((await app.as(access_token).put(`/users/ada/revoketoken?token=${access_token}`)).body.action).toBe(
      'revoked user token',
    )
    expect((await app.as(access_token).get('/users/me')).body.error).toBe('auth_invalid')
    expect((await app.as('BADTOKEN').get('/users/me')).body.error).toBe('auth_bad_access_token')
  })
})
