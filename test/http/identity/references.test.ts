import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'

describe('?force=', () => {
  const server = sharedServer('sqlite')

  /** Of `both`, one user has it as his username and the other as his e-mail address. */
  const open = async () => {
    const app = await server.application()
    const both = 'both@x.test'
    await app.post('/users', { username: both, password: PASSWORD })
    await app.post('/users', { username: 'ann', email: both, password: PASSWORD })
    return { app, path: `/users/${both}` }
  }

  it('says which of a user’s names stands in a path', async () => {
    const { app, path } = await open()
    const nameAt = async (search: string) => (await app.get(path + search)).body.entities[0].username

    expect(await nameAt('')).toBe('ann')
    expect(await nameAt('?force=email')).toBe('ann')
    expect(await nameAt('?force=name')).toBe('both@x.test')
    expect(await nameAt('?force=Name')).toBe('both@x.test')
    expect(await nameAt('?force=else')).toBe('ann')
    const put = await app.put(`${path}?force=name`, { city: 'Oslo' })
    const change = { oldpassword: PASSWORD, newpassword: 'battery staple' }
    const set = await app.put(`${path}/password?force=name`, change)
    expect(put.body.entities).toMatchObject([{ username: 'both@x.test', city: 'Oslo' }])
    expect(set.status).toBe(200)
    const signIn = (username: string) =>
      app.post('/token', { grant_type: 'password', username, password: 'battery staple' })
    expect((await signIn('ann')).status).toBe(400)
  })

  it('finds nobody by the other', async () => {
    const { app } = await open()
    const shop = await app.newApplication('shop')
    await shop.admin.post('/users', { username: 'ben', email: 'ben@x.test' })

    for (const path of [
      '/users/ben?force=email',
      '/users/ben@x.test?force=name',
      '/users/ben/roles?force=email',
    ]) {
      expect((await shop.admin.get(path)).status).toBe(404)
      expect((await shop.guest.get(path)).status).toBe(401)
    }
    expect((await shop.guest.get('/users/ben?force=name')).status).toBe(401)
    expect((await shop.admin.get('/dogs/ben?force=email')).body.error).toBe('entity_not_found')
  })
})

describe('system administrators', () => {
  const server = sharedServer('sqlite', { sysadmins: 'local' })

  it('may be let in from the machine of the server alone', async () => {
    const { owner, engine } = server.server
    const ask = async (path: string, address: string | undefined, more: object) => {
      const request = { method: 'GET', path, search: '', baseUrl: '', ...more } as const
      const { status, body } = await engine.handle({
        ...request,
        ...(address === undefined ? {} : { address }),
      })
      return [status, JSON.parse(body).error_description]
    }
    const basic = `Basic ${Buffer.from(`${owner.username}:${owner.password}`).toString('base64')}`
    const signIn = { method: 'POST' as const, body: { grant_type: 'password', ...owner } }
    const reply = await engine.handle({ path: '/management/token', search: '', baseUrl: '', ...signIn })
    const bearer = `Bearer ${JSON.parse(reply.body).access_token}`
    const refused = [401, 'System administrators are let in from the machine of the server only']

    for (const authorization of [basic, bearer]) {
      for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', undefined])
        expect(await ask('/management/orgs', address, { authorization })).toEqual([200, undefined])
      for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::1', 'unknown'])
        for (const path of ['/management/orgs', '/test/sandbox/users'])
          expect(await ask(path, address, { authorization })).toEqual(refused)
    }
    const app = await server.application()
    const own = { authorization: `Bearer ${app.adminToken}` }
    expect(await ask(`/management/orgs/${app.organization}`, '192.0.2.7', own)).toEqual([200, undefined])
  })
})
