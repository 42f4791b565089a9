import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, type TestApplication, TIME } from '../../support/application.js'

const WEEK = 604_800
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

  describe('live', () => {
    it.each([
      [500_000, 500],
      ['500000', 500],
      [1000, 1],
      [604_800_000, WEEK],
      [0, WEEK],
      ['0', WEEK],
      ['', WEEK],
      [null, WEEK],
    ])('for ttl=%j exactly %i seconds', async (ttl, seconds) => {
      const { app, credentials } = await open()

      expect((await app.post('/token', { ...mia, ttl })).body.expires_in).toBe(seconds)
      expect(
        (await app.post('/token', { grant_type: 'client_credentials', ...credentials, ttl })).body.expires_in,
      ).toBe(seconds)
    })

    it.each([
      ['soon', 'ttl must be a number >= 0'],
      [-1, 'ttl must be a number >= 0'],
      ['-1', 'ttl must be a number >= 0'],
      [1.5, 'ttl must be a number >= 0'],
      [true, 'ttl must be a number >= 0'],
      [[5], 'ttl must be a number >= 0'],
      [604_800_001, 'Your token age cannot be more than the maximum age of 604800000 milliseconds'],
    ])('not for ttl=%j', async (ttl, description) => {
      const { app } = await open()

      const { status, body } = await app.post('/token', { ...mia, ttl })

      expect([status, body.error, body.error_description]).toEqual([400, 'illegal_argument', description])
    })

    it('not for a ttl in the query that is no number', async () => {
      const { app } = await open()

      expect((await app.get(`/token${searchOf({ ...mia, ttl: 'soon' })}`)).body.error).toBe(
        'illegal_argument',
      )
    })

    it.each([
      [31_536_000_000, 31_536_000],
      ['1800000', 1800],
      [0, Number('9223372036854775')],
    ])(
      'as long as the application says: accesstokenttl=%j is %i seconds',
      async (accesstokenttl, seconds) => {
        const { app, credentials } = await open()

        await app.admin.put('', { accesstokenttl })

        expect((await app.post('/token', mia)).body.expires_in).toBe(seconds)
        expect((await app.post('/token', { ...mia, ttl: 1000 })).body.expires_in).toBe(1)
        expect(
          (await app.post('/token', { grant_type: 'client_credentials', ...credentials })).body.expires_in,
        ).toBe(WEEK)
      },
    )

    it('no longer than the application says', async () => {
      const { app } = await open()
      await app.admin.put('', { accesstokenttl: 1_800_000 })

      expect((await app.post('/token', { ...mia, ttl: 1_800_001 })).body.error_description).toBe(
        'Your token age cannot be more than the maximum age of 1800000 milliseconds',
      )
      expect((await app.post('/token', { ...mia, ttl: 0 })).body.expires_in).toBe(1800)
    })

    it('a week again when the application says nothing any more', async () => {
      const { app } = await open()
      await app.admin.put('', { accesstokenttl: 1_800_000 })
      await app.admin.put('', { accesstokenttl: null })

      expect((await app.post('/token', mia)).body.expires_in).toBe(WEEK)
    })

    it.each([-1, 'soon', 1.5, true, [5]])('not for accesstokenttl=%j', async (accesstokenttl) => {
      const { app } = await open()

      const { status, body } = await app.admin.put('', { accesstokenttl })

      expect([status, body.error]).toEqual([400, 'illegal_argument'])
    })
  })

  describe('for a user without his password', () => {
    it('are made by administrators of the application', async () => {
      const { app, uuid, credentials } = await open()

      const { status, body } = await app.admin.get('/users/mia/token?ttl=500000')
      const byClient = await app.get(`/users/${uuid}/token${searchOf(credentials)}`)

      expect(status).toBe(200)
      expect(body).toEqual({
        access_token: expect.any(String),
        expires_in: 500,
        user: expect.objectContaining({ uuid, username: 'mia' }),
      })
      expect(byClient.body.expires_in).toBe(WEEK)
      expect((await app.as(body.access_token).get('/users/me')).body.entities[0].uuid).toBe(uuid)
    })

    it('are made by nobody else', async () => {
      const { app } = await open()
      const other = await server.application()
      const bob = await app.signedUp('bob')

      expect((await bob.get('/users/mia/token')).status).toBe(403)
      expect((await bob.get('/users/bob/token')).status).toBe(403)
      expect((await app.get('/users/mia/token')).status).toBe(401)
      expect((await app.as(other.adminToken).get('/users/mia/token')).status).toBe(403)
    })

    it('are not made for nobody', async () => {
      const { app } = await open()

      expect((await app.admin.get('/users/nobody/token')).status).toBe(404)
    })
  })

  describe('are revoked', () => {
    const signIn = async (app: TestApplication) => (await app.post('/token', mia)).body.access_token as string
    const errorOf = async (app: TestApplication, token: string) =>
      (await app.as(token).get('/users/me')).body.error

    it.each(['PUT', 'POST'])('one by one with %s', async (method) => {
      const { app, uuid } = await open()
      const [first, second] = [await signIn(app), await signIn(app)]

      const { status, body } = await app.as(second).send(method, `/users/mia/revoketoken?token=${first}`)

      expect(status).toBe(200)
      expect(body).toEqual({
        action: 'revoked user token',
        application: app.uuid,
        params: {},
        uri: `${app.url}/${app.name}`,
        timestamp: TIME,
        duration: TIME,
        organization: app.organization,
        applicationName: 'sandbox',
      })
      expect(await errorOf(app, first)).toBe('auth_invalid')
      expect(await errorOf(app, second)).toBeUndefined()
      expect((await app.as(first).get(`/users/${uuid}`)).status).toBe(401)
    })

    it('one by one, named in the body', async () => {
      const { app } = await open()
      const [first, second] = [await signIn(app), await signIn(app)]

      const { body } = await app.as(second).post('/users/me/revoketoken', { token: first })

      expect(body.action).toBe('revoked user token')
      expect(await errorOf(app, first)).toBe('auth_invalid')
      expect(await errorOf(app, second)).toBeUndefined()
      expect((await app.as(second).post('/users/me/revoketoken', { token: [first] })).body.error).toBe(
        'illegal_argument',
      )
    })

    it.each(['PUT', 'POST'])('all at once with %s', async (method) => {
      const { app } = await open()
      const [first, second] = [await signIn(app), await signIn(app)]

      const { body } = await app.as(first).send(method, '/users/me/revoketokens')

      expect(body.action).toBe('revoked user tokens')
      expect(await errorOf(app, first)).toBe('auth_invalid')
      expect(await errorOf(app, second)).toBe('auth_invalid')
      expect(await errorOf(app, await signIn(app))).toBeUndefined()
    })

    it('by the token itself, sent twice as the browser client does', async () => {
      const { app } = await open()
      const token = await signIn(app)

      const { body } = await app.put(`/users/mia/revoketoken?token=${token}?access_token=${token}`)

      expect(body.action).toBe('revoked user token')
      expect(await errorOf(app, token)).toBe('auth_invalid')
    })

    it('by administrators, and by nobody else', async () => {
      const { app } = await open()
      const token = await signIn(app)
      const bob = await app.signedUp('bob')

      for (const caller of [app, bob])
        for (const path of [
          '/users/mia/revoketokens',
          `/users/mia/revoketoken?token=${token}`,
          '/users/nobody/revoketokens',
        ]) {
          const { status, body } = await caller.put(path)
          expect([status, body.error]).toEqual([401, 'unauthorized'])
        }
      expect(await errorOf(app, token)).toBeUndefined()
      expect((await app.admin.put('/users/mia/revoketokens')).status).toBe(200)
      expect(await errorOf(app, token)).toBe('auth_invalid')
    })

    it.each([
      ['', 'illegal_argument'],
      ['?token=', 'illegal_argument'],
      ['?token=garbage', 'auth_bad_access_token'],
      ['?token=BOB', 'illegal_argument'],
    ])('not with %s', async (search, error) => {
      const { app } = await open()
      const bob = await app.signedUp('bob')
      const token = await signIn(app)

      const { status, body } = await app
        .as(token)
        .put(`/users/mia/revoketoken${search.replace('BOB', bob.token)}`)

      expect([status, body.error]).toEqual([400, error])
      expect(await errorOf(app, bob.token)).toBeUndefined()
    })

    it('when the user is deactivated, who cannot sign in any more', async () => {
      const { app, uuid } = await open()
      const token = await signIn(app)

      const { status, body } = await app.as(token).post('/users/me/deactivate')

      expect(status).toBe(200)
      expect(body).toMatchObject({
        action: 'Deactivate user',
        entities: [{ uuid, activated: false, deactivated: TIME }],
      })
      expect((await app.as(token).get('/users/me')).body.error).toBe('authentication')
      expect((await app.post('/token', mia)).body.error_description).toBe('user not activated')
      await app.admin.put('/users/mia', { activated: true })
      expect(await errorOf(app, token)).toBe('auth_invalid')
    })

    it('when the user is deleted', async () => {
      const { app } = await open()
      const token = await signIn(app)
      await app.admin.delete('/users/mia')

      expect(await errorOf(app, token)).toBe('auth_bad_access_token')
    })
  })
})
