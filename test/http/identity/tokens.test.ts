import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, type TestApplication, TIME } from '../../support/application.js'

const WEEK = 604_800
const BAD = {
  error: 'invalid_grant',
  error_description: 'invalid username or password',
  exception: 'InvalidGrantException',
  code: 400,
  message: 'invalid username or password',
  timestamp: TIME,
  duration: TIME,
}
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})
const searchOf = (fields: object) => `?${new URLSearchParams(fields as Record<string, string>)}`

describe.each(DATABASES)('tokens on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    const { uuid } = (
      await app.admin.post('/users', {
        username: 'mia',
        email: 'mia@x.test',
        name: 'Mia',
        password: PASSWORD,
      })
    ).body.entities[0]
    const { credentials } = (await app.admin.get('/credentials')).body
    const client: { id: string; secret: string } = {
      id: credentials.client_id,
      secret: credentials.client_secret,
    }
    const organization = (await app.management.get(`/management/orgs/${app.organization}/credentials`)).body
      .credentials
    return { app, uuid, client, credentials, organization, guest: app.as(undefined, '') }
  }

  const mia = { grant_type: 'password', username: 'mia', password: PASSWORD }

  describe('are granted', () => {
    it('to users of an application', async () => {
      const { app, uuid } = await open()

      const { status, headers, body } = await app.post('/token', mia)

      expect(status).toBe(200)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(body).toEqual({
        access_token: expect.any(String),
        expires_in: WEEK,
        user: {
          uuid,
          type: 'user',
          name: 'Mia',
          username: 'mia',
          email: 'mia@x.test',
          activated: true,
          created: TIME,
          modified: TIME,
          picture: expect.stringContaining('gravatar'),
        },
      })
    })

    it.each([
      ['a form', (app: TestApplication) => app.post('/token', new URLSearchParams(mia))],
      ['the query of a GET', (app: TestApplication) => app.get(`/token${searchOf(mia)}`)],
      ['the query of a POST', (app: TestApplication) => app.post(`/token${searchOf(mia)}`)],
      [
        'JSON that says it is a form',
        (app: TestApplication) =>
          app.post('/token', JSON.stringify(mia), {
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          }),
      ],
      [
        'an e-mail address as username',
        (app: TestApplication) => app.post('/token', { ...mia, username: 'MIA@x.test' }),
      ],
      [
        'an e-mail address',
        (app: TestApplication) =>
          app.post('/token', { grant_type: 'password', email: 'mia@x.test', password: PASSWORD }),
      ],
    ])('for %s', async (_, ask) => {
      const { app } = await open()

      const { status, body } = await ask(app)

      expect([status, body.user?.username]).toEqual([200, 'mia'])
      expect((await app.as(body.access_token).get('/users/me')).body.entities[0].username).toBe('mia')
    })

    it('for the uuid of the user', async () => {
      const { app, uuid } = await open()

      expect((await app.post('/token', { ...mia, username: uuid })).status).toBe(200)
    })

    it('to administrators, with their organizations', async () => {
      const { app, guest } = await open()
      const { username, email, password, uuid } = app.owner

      const { status, body } = await guest.post('/management/token', {
        grant_type: 'password',
        username: email,
        password,
      })

      expect(status).toBe(200)
      expect(body).toEqual({
        access_token: expect.any(String),
        expires_in: WEEK,
        passwordChanged: TIME,
        user: {
          applicationId: 'b6768a08-b5d5-11e3-a495-11ddb1de66c8',
          uuid,
          username,
          name: email,
          email,
          activated: true,
          confirmed: true,
          disabled: false,
          adminUser: true,
          displayEmailAddress: `${email} <${email}>`,
          htmldisplayEmailAddress: `${email} &lt;<a href="mailto:${email}">${email}</a>&gt;`,
          properties: {},
          organizations: {
            [app.organization]: {
              uuid: app.organizationUuid,
              name: app.organization,
              passwordHistorySize: 0,
              properties: {},
              applications: { [app.name]: app.uuid },
            },
          },
        },
      })
    })

    it.each(['/management/token', '/token'])('to clients, at %s', async (path) => {
      const { app, guest, credentials, organization } = await open()
      const caller = path === '/token' ? app : guest
      const ask = async (of: object) =>
        (await caller.post(path, { grant_type: 'client_credentials', ...of })).body

      expect(await ask(credentials)).toEqual({
        access_token: expect.any(String),
        expires_in: WEEK,
        application: app.uuid,
      })
      expect(await ask(organization)).toEqual({
        access_token: expect.any(String),
        expires_in: WEEK,
        organization: {
          uuid: app.organizationUuid,
          name: app.organization,
          passwordHistorySize: 0,
          properties: {},
          applications: { [app.name]: app.uuid },
          users: { [app.owner.username]: expect.objectContaining({ uuid: app.owner.uuid }) },
        },
      })
    })

    it.each([
      [
        'a form',
        ({ app, credentials }: Opened) =>
          app.post('/token', new URLSearchParams({ grant_type: 'client_credentials', ...credentials })),
      ],
      [
        'the query',
        ({ app, credentials }: Opened) =>
          app.get(`/token${searchOf({ grant_type: 'client_credentials', ...credentials })}`),
      ],
      [
        'Basic',
        ({ app, client }: Opened) =>
          app.post(
            '/token',
            { grant_type: 'client_credentials' },
            { headers: basic(client.id, client.secret) },
          ),
      ],
      [
        'Basic over the body',
        ({ app, client }: Opened) =>
          app.post(
            '/token',
            { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' },
            { headers: basic(client.id, client.secret) },
          ),
      ],
    ])('to clients for %s', async (_, ask) => {
      const opened = await open()

      const { status, body } = await ask(opened)

      expect([status, body.application]).toEqual([200, opened.app.uuid])
    })
  })

  describe('are refused', () => {
    it.each([
      ['a wrong password', { ...mia, password: 'wrong password' }],
      ['no password', { grant_type: 'password', username: 'mia' }],
      ['an empty password', { ...mia, password: '' }],
      ['a password in another case', { ...mia, password: PASSWORD.toUpperCase() }],
      ['an unknown user', { ...mia, username: 'nobody' }],
      ['no username', { grant_type: 'password', password: PASSWORD }],
      ['a username that is an object', { ...mia, username: { $ne: '' } }],
      ['a password that is a list', { ...mia, password: [PASSWORD] }],
      ['an unknown grant type', { ...mia, grant_type: 'magic' }],
      ['no grant type', { username: 'mia', password: PASSWORD }],
      ['an unknown client', { grant_type: 'client_credentials', client_id: 'b3U6x', client_secret: 'x' }],
      ['no client', { grant_type: 'client_credentials' }],
    ])('for %s', async (_, fields) => {
      const { app } = await open()

      const { status, body } = await app.post('/token', fields)

      expect(status).toBe(400)
      expect(body).toEqual(BAD)
    })

    it('for a wrong secret in the body', async () => {
      const { app, guest, credentials } = await open()
      const fields = { grant_type: 'client_credentials', ...credentials, client_secret: 'wrong' }

      expect((await app.post('/token', fields)).body).toEqual(BAD)
      expect((await guest.post('/management/token', fields)).body).toEqual(BAD)
    })

    it.each([
      [
        'a form',
        ({ app, client }: Opened) =>
          app.post(
            '/token',
            new URLSearchParams({
              grant_type: 'client_credentials',
              client_id: client.id,
              client_secret: 'x',
            }),
          ),
        'invalid_client',
      ],
      [
        'the query',
        ({ app, client }: Opened) =>
          app.get(
            `/token${searchOf({ grant_type: 'client_credentials', client_id: client.id, client_secret: 'x' })}`,
          ),
        'invalid_client',
      ],
      [
        'Basic',
        ({ app, client }: Opened) =>
          app.post('/token', { grant_type: 'client_credentials' }, { headers: basic(client.id, 'x') }),
        'auth_invalid_credentials',
      ],
    ])('for a wrong secret in %s', async (_, ask, error) => {
      const { status, body } = await ask(await open())

      expect([status, body.error]).toEqual([401, error])
    })

    it('for an administrator in an application, and for its user at the management plane', async () => {
      const { app, guest } = await open()
      const { username, password } = app.owner

      expect((await app.post('/token', { grant_type: 'password', username, password })).body).toEqual(BAD)
      expect((await guest.post('/management/token', mia)).body).toEqual(BAD)
    })

    it('for a user of another application', async () => {
      const { app } = await open()
      const shop = await app.newApplication('shop')

      expect((await shop.guest.post('/token', mia)).body).toEqual(BAD)
    })

    it.each([
      [{ disabled: true }, 'user disabled'],
      [{ activated: false }, 'user not activated'],
    ])('for a user who is %j', async (state, description) => {
      const { app } = await open()
      await app.admin.put('/users/mia', state)

      const { status, body } = await app.post('/token', mia)
      const wrong = await app.post('/token', { ...mia, password: 'wrong password' })

      expect(status).toBe(400)
      expect(body).toEqual({ ...BAD, error_description: description, message: description })
      expect(wrong.body).toEqual(BAD)
    })

    it('for a user without a password', async () => {
      const { app } = await open()
      await app.post('/users', { username: 'bob' })

      for (const password of ['', 'x', 'undefined', 'null'])
        expect((await app.post('/token', { ...mia, username: 'bob', password })).body).toEqual(BAD)
    })

    it('for a POST of nothing', async () => {
      const { app, guest } = await open()

      for (const reply of [
        await app.post('/token'),
        await guest.post('/management/token'),
        await app.post('/token', {}),
      ])
        expect(reply.body).toMatchObject({
          error: 'illegal_argument',
          error_description: 'missing json post data',
          code: 400,
        })
    })

    it('where there is no such application', async () => {
      const { guest } = await open()

      expect((await guest.post('/nobody/nothing/token', mia)).body.error).toBe(
        'organization_application_not_found',
      )
    })
  })

  describe('tell an administrator who he is', () => {
    it.each([
      ['GET', '/management/me'],
      ['POST', '/management/me'],
      ['GET', '/management/token'],
      ['POST', '/management/token'],
    ])('%s %s, and are not renewed', async (method, path) => {
      const { app, guest } = await open()
      const { access_token } = (
        await guest.post('/management/token', {
          grant_type: 'password',
          username: app.owner.username,
          password: PASSWORD,
          ttl: 60_000,
        })
      ).body

      const { status, body } = await app.as(access_token, '').send(method, path)

      expect(status).toBe(200)
      expect(body).toMatchObject({
        access_token,
        user: {
          uuid: app.owner.uuid,
          organizations: { [app.organization]: { applications: { [app.name]: app.uuid } } },
        },
      })
      expect(body.expires_in).toBeGreaterThan(50)
      expect(body.expires_in).toBeLessThanOrEqual(60)
    })

    it('or are granted at /management/me', async () => {
      const { app, guest } = await open()
      const fields = { grant_type: 'password', username: app.owner.username, password: PASSWORD }

      expect((await guest.post('/management/me', fields)).body).toMatchObject({
        expires_in: WEEK,
        user: { uuid: app.owner.uuid },
      })
      expect((await guest.get(`/management/me${searchOf(fields)}`)).status).toBe(200)
      expect((await guest.get('/management/me')).body.error).toBe('invalid_grant')
    })
  })
})

describe('over a socket, where a key pair signs tokens', () => {
  const server = sharedServer('memory', { signing: { algorithm: 'ES256' } })

  it('are renewed by a form or the query, for users and administrators', async () => {
    const app = await server.application()
    const mia = await app.signedUp('mia')
    const password = { grant_type: 'password', password: PASSWORD, refresh: 'true' }
    const management = app.as(undefined, '/management')
    const first = [
      (await app.post('/token', new URLSearchParams({ ...password, username: mia.username }))).body,
      (await app.get(`/token${searchOf({ ...password, username: mia.username })}`)).body,
      (await management.post('/token', { ...password, username: app.owner.username })).body,
    ]
    const fields = first.map(({ refresh_token }) => ({ grant_type: 'refresh_token', refresh_token }))

    const second = [
      await app.post('/token', new URLSearchParams(fields[0])),
      await app.get(`/token${searchOf(fields[1]!)}`),
      await management.post('/token', fields[2]),
    ]

    for (const { status, headers, body } of second) {
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
      expect(body).toMatchObject({ refresh_token: expect.stringMatching(/^cnQt/), expires_in: WEEK })
    }
    expect((await app.as(second[0]!.body.access_token).get('/users/me/signins')).body.data).toHaveLength(3)
    expect((await app.as(second[2]!.body.access_token, '/management').get('/users/me/signins')).status).toBe(
      200,
    )
  })

  it('have their public keys at a place that needs no credentials, and takes no others', async () => {
    const app = await server.application()
    const jwks = '/.well-known/jwks.json'
    const guest = app.as(undefined, '')

    for (const caller of [guest, app.as('nonsense', '')])
      expect((await caller.get(jwks)).body.keys).toEqual([
        expect.objectContaining({
          kty: 'EC',
          crv: 'P-256',
          alg: 'ES256',
          use: 'sig',
          kid: expect.any(String),
        }),
      ])
    expect((await guest.get(jwks)).headers.get('content-type')).toContain('application/json')
    expect([(await guest.post(jwks, {})).status, (await guest.get('/.well-known/other')).status]).toEqual([
      405, 404,
    ])
  })
})

interface Opened {
  app: TestApplication
  client: { id: string; secret: string }
  credentials: Record<string, string>
}
