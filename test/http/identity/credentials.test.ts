import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Answer, PASSWORD, sharedServer, type TestApplication } from '../../support/application.js'

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

describe.each(DATABASES)('credentials of a request on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const mia = await app.signedUp('mia', {}, shop.path)
    const { credentials } = (await shop.admin.get('/credentials')).body
    const organization = (await app.management.get(`/management/orgs/${app.organization}/credentials`)).body
      .credentials
    const { owner } = server.server
    return {
      app,
      shop,
      mia,
      client: { id: credentials.client_id as string, secret: credentials.client_secret as string },
      organization: { id: organization.client_id as string, secret: organization.client_secret as string },
      sysadmin: { id: owner.username, secret: owner.password },
      get: (path: string, headers: Record<string, string> = {}) => shop.guest.get(path, { headers }),
    }
  }
  type Opened = Awaited<ReturnType<typeof open>>

  it.each<[string, (opened: Opened) => Promise<Answer>]>([
    ['a token in the header', ({ get, mia }) => get('/users/me', { authorization: `Bearer ${mia.token}` })],
    [
      'a scheme in another case',
      ({ get, mia }) => get('/users/me', { authorization: `bEARER  ${mia.token}` }),
    ],
    ['a token in the query', ({ get, mia }) => get(`/users/me?access_token=${mia.token}`)],
    [
      'a token behind a second question mark, as old clients write it',
      ({ get, mia }) => get(`/users/me?limit=1?access_token=${mia.token}`),
    ],
    [
      'a token in the query over one in the header',
      ({ get, mia }) => get(`/users/me?access_token=${mia.token}`, { authorization: 'Bearer nonsense' }),
    ],
    [
      'client credentials in the query',
      ({ get, client }) => get(`/dogs?client_id=${client.id}&client_secret=${client.secret}`),
    ],
    ['client credentials as Basic', ({ get, client }) => get('/dogs', basic(client.id, client.secret))],
    [
      'those of the organization in the query',
      ({ get, organization }) =>
        get(`/dogs?client_id=${organization.id}&client_secret=${organization.secret}`),
    ],
    [
      'those of the organization as Basic',
      ({ get, organization }) => get('/dogs', basic(organization.id, organization.secret)),
    ],
    [
      'those in the query over Basic',
      ({ get, client }) =>
        get(`/dogs?client_id=${client.id}&client_secret=${client.secret}`, basic('x', 'y')),
    ],
    [
      'name and password of the system administrator as Basic',
      ({ get, sysadmin }) => get('/dogs', basic(sysadmin.id, sysadmin.secret)),
    ],
    [
      'the token of an administrator',
      ({ get, app }) => get('/dogs', { authorization: `Bearer ${app.adminToken}` }),
    ],
    [
      'those of the organization on an entity named token',
      async ({ shop, get, organization }) => {
        await shop.admin.put('/dogs/token', {})
        return get(`/dogs/token?client_id=${organization.id}&client_secret=${organization.secret}`)
      },
    ],
  ])('may be %s', async (_, ask) => {
    const { status } = await ask(await open())

    expect(status).toBe(200)
  })

  const UNAUTHORIZED = 'Subject does not have permission to access this resource'

  it.each<[string, (opened: Opened) => Promise<Answer>, string, string]>([
    ['none', ({ get }) => get('/dogs'), 'unauthorized', UNAUTHORIZED],
    [
      'no token',
      ({ get }) => get('/dogs', { authorization: 'Bearer nonsense' }),
      'auth_bad_access_token',
      'Unable to authenticate due to corrupt access token',
    ],
    [
      'a token by nobody',
      ({ get, mia }) => get('/dogs', { authorization: `Bearer ${mia.token.slice(0, -4)}AAAA` }),
      'auth_unverified_oath',
      'Unable to authenticate OAuth credentials',
    ],
    [
      'a bad token in the query',
      ({ get }) => get('/dogs?access_token=nonsense'),
      'auth_bad_access_token',
      'Unable to authenticate due to corrupt access token',
    ],
    [
      'a wrong secret in the query',
      ({ get, client }) => get(`/dogs?client_id=${client.id}&client_secret=x`),
      'invalid_client',
      'Unable to authenticate (OAuth)',
    ],
    [
      'an unknown client in the query',
      ({ get }) => get('/dogs?client_id=YXA6x&client_secret=x'),
      'invalid_client',
      'Unable to authenticate (OAuth)',
    ],
    [
      'a wrong secret as Basic',
      ({ get, client }) => get('/dogs', basic(client.id, 'x')),
      'auth_invalid_credentials',
      'Unable to authenticate due to bad credentials',
    ],
    [
      'nonsense as Basic',
      ({ get }) => get('/dogs', { authorization: 'Basic %%%' }),
      'auth_invalid_credentials',
      'Unable to authenticate due to bad credentials',
    ],
    [
      'name and password of a user as Basic',
      ({ get }) => get('/dogs', basic('mia', PASSWORD)),
      'auth_invalid_credentials',
      'Unable to authenticate due to bad credentials',
    ],
    [
      'name and password of an administrator as Basic',
      ({ get, app }) => get('/dogs', basic(app.owner.username, PASSWORD)),
      'auth_invalid_credentials',
      'Unable to authenticate due to bad credentials',
    ],
    [
      'a wrong password of the system administrator',
      ({ get, sysadmin }) => get('/dogs', basic(sysadmin.id, 'x')),
      'auth_invalid_credentials',
      'Unable to authenticate due to bad credentials',
    ],
  ])('of %s are refused', async (_, ask, error, description) => {
    const { status, body } = await ask(await open())

    expect(status).toBe(401)
    expect(body).toEqual({
      error,
      error_description: description,
      exception: expect.stringMatching(/Exception$/),
      code: 401,
      message: description,
      timestamp: expect.any(Number),
      duration: expect.any(Number),
    })
  })

  it('are wrong even where a guest would be let in', async () => {
    const { app, client } = await open()

    expect((await app.get('/dogs', { headers: { authorization: 'Bearer nonsense' } })).status).toBe(401)
    expect((await app.get(`/dogs?client_id=${client.id}&client_secret=x`)).status).toBe(401)
    expect((await app.get('/dogs', { headers: basic('x', 'y') })).status).toBe(401)
    expect(
      (
        await app
          .as('nonsense')
          .post('/token', { grant_type: 'password', username: 'mia', password: PASSWORD })
      ).status,
    ).toBe(401)
  })

  it('that expire are refused from then on', async () => {
    const { app, shop } = await open()
    const { access_token } = (
      await shop.guest.post('/token', { grant_type: 'password', username: 'mia', password: PASSWORD, ttl: 1 })
    ).body
    const reply = async (): Promise<Answer> => {
      const answer = await app.as(access_token, shop.path).get('/users/me')
      return answer.status === 200 ? reply() : answer
    }

    const { status, body } = await reply()

    expect([status, body.error, body.error_description]).toEqual([
      401,
      'expired_token',
      'Unable to authenticate due to expired access token',
    ])
  })

  it.each([
    [{ disabled: true }, 'Disabled identity'],
    [{ activated: false }, 'Unactivated identity'],
  ])('of a user who is %j are refused at once, and count again afterwards', async (state, description) => {
    const { shop, mia } = await open()
    await shop.admin.put('/users/mia', state)

    const { status, body } = await mia.get('/users/me')
    await shop.admin.put('/users/mia', { disabled: false, activated: true })

    expect([status, body.error, body.error_description]).toEqual([401, 'authentication', description])
    expect((await mia.get('/users/me')).status).toBe(200)
  })

  it('of one application give no right in another', async () => {
    const { app, shop, mia, client } = await open()
    const other = await server.application()
    const everywhere: [string, Record<string, string>][] = [
      ['', { authorization: `Bearer ${mia.token}` }],
      [`?client_id=${client.id}&client_secret=${client.secret}`, {}],
      ['', basic(client.id, client.secret)],
    ]

    for (const [search, headers] of everywhere)
      for (const target of [app, other])
        for (const path of [
          '/dogs',
          '/users',
          '/users/mia',
          '/users/me',
          `/users/${mia.uuid}`,
          '/users/me/permissions',
        ]) {
          const { status, body } = await target.get(path + search, { headers })
          expect([path, status, body.error]).toEqual([path, 401, 'unauthorized'])
        }
    expect((await app.as(other.adminToken, shop.path).get('/dogs')).body.error).toBe('unauthorized')
  })

  it('of an administrator mean no user, even one of the same name', async () => {
    const { app, shop } = await open()
    const other: TestApplication = await server.application()
    await shop.admin.post('/users', { username: other.owner.username })

    for (const ref of [other.owner.username, other.owner.uuid, 'me'])
      expect((await app.as(other.adminToken, shop.path).get(`/users/${ref}`)).status).toBe(401)
  })

  it('of an organization end at the organization', async () => {
    const { organization } = await open()
    const other = await server.application()
    const query = `?client_id=${organization.id}&client_secret=${organization.secret}`

    expect((await other.as(undefined, '').get(`/management/orgs/${other.organization}${query}`)).status).toBe(
      401,
    )
    expect((await other.as(undefined, '').post(`/${other.name}/dogs${query}`, { a: 1 })).status).toBe(401)
  })

  it('of an organization manage it', async () => {
    const { app, organization } = await open()

    const { status } = await app
      .as(undefined, '')
      .get(
        `/management/orgs/${app.organization}?client_id=${organization.id}&client_secret=${organization.secret}`,
      )

    expect(status).toBe(200)
  })

  it('may be in a form', async () => {
    const { shop, client, mia } = await open()
    const revoke = (fields: Record<string, string>) =>
      shop.guest.post('/token', new URLSearchParams({ grant_type: 'client_credentials', ...fields }))

    expect((await revoke({ client_id: client.id, client_secret: client.secret })).status).toBe(200)
    expect((await revoke({ access_token: 'nonsense' })).body.error).toBe('auth_bad_access_token')
    expect((await revoke({ access_token: mia.token })).body.error).toBe('invalid_grant')
  })
})
