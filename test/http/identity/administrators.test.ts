import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Caller, PASSWORD, sharedServer, type TestApplication, TIME } from '../../support/application.js'

const MANAGEMENT = 'b6768a08-b5d5-11e3-a495-11ddb1de66c8'
const NEW_PASSWORD = 'battery staple'

describe.each(DATABASES)('administrators on %s', (database) => {
  const server = sharedServer(database)

  /** Two organizations whose owners share nothing, and the system administrator. */
  const open = async () => {
    const [app, other] = [await server.application(), await server.application()]
    const guest = app.as(undefined, '')
    const { owner } = server.server
    const { access_token } = (await signIn(guest, owner.username, owner.password)).body
    return { app, other, guest, owner: app.owner, ada: app.management, sysadmin: app.as(access_token, '') }
  }

  const signIn = (caller: Caller, username: string, password = PASSWORD) =>
    caller.post('/management/token', { grant_type: 'password', username, password })

  const signedIn = async (app: TestApplication) =>
    app.as((await signIn(app.as(undefined, ''), app.owner.username)).body.access_token, '')

  describe('read', () => {
    it('themselves, with their organizations and their token', async () => {
      const { app, owner, ada } = await open()

      for (const ref of ['me', owner.username, owner.email, owner.email.toUpperCase(), owner.uuid]) {
        const { status, headers, body } = await ada.get(`/management/users/${ref}`)

        expect(status).toBe(200)
        expect(headers.get('cache-control')).toBe('no-store')
        expect(body).toEqual({
          action: 'get admin user',
          status: 'ok',
          data: {
            ...(await ada.get(`/management/orgs/${app.organization}/users`)).body.data[0],
            uuid: owner.uuid,
            username: owner.username,
            token: app.adminToken,
            organizations: {
              [app.organization]: (await ada.get(`/management/orgs/${app.organization}`)).body.organization,
            },
          },
          timestamp: TIME,
          duration: TIME,
        })
      }
    })

    it('less with shallow', async () => {
      const { app, ada } = await open()

      const { data } = (await ada.get('/management/users/me?shallow=true')).body

      expect(data.organizations).toEqual({
        [app.organization]: {
          uuid: app.organizationUuid,
          name: app.organization,
          passwordHistorySize: 0,
          properties: {},
        },
      })
    })

    it('a list of all, page by page, as system administrators', async () => {
      const { app, owner, ada, sysadmin } = await open()
      const [member] = (await ada.get(`/management/orgs/${app.organization}/users`)).body.data
      const listed: unknown[] = []

      let cursor: string | undefined
      do {
        const { body } = await sysadmin.get(`/management/users?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
        expect(body).toMatchObject({ action: 'get admin users', count: body.data.length })
        listed.push(...body.data)
        cursor = body.cursor
      } while (cursor !== undefined)
      const refused = await ada.get('/management/users')

      expect(listed.filter((admin) => (admin as { uuid: string }).uuid === owner.uuid)).toEqual([member])
      expect(listed).toContainEqual(expect.objectContaining({ username: 'owner' }))
      expect([refused.status, refused.body.error]).toEqual([401, 'unauthorized'])
    })

    it('nobody else, but for the system administrator, whose token is not shown there', async () => {
      const { app, owner, sysadmin } = await open()

      const { data } = (await sysadmin.get(`/management/users/${owner.email}`)).body
      const unknown = await sysadmin.get('/management/users/nobody')

      expect(data).toMatchObject({ uuid: owner.uuid, organizations: { [app.organization]: {} } })
      expect(data).not.toHaveProperty('token')
      expect([unknown.status, unknown.body.error]).toEqual([400, 'management'])
    })
  })

  it.each([
    ['GET', '', undefined],
    ['PUT', '', { name: 'x' }],
    ['PUT', '/revoketokens', undefined],
    ['POST', '/revoketokens', undefined],
    ['PUT', '/revoketoken?token=x', undefined],
    ['POST', '/revoketoken?token=x', undefined],
  ])('are told apart by nobody else: %s %s', async (method, rest, sent) => {
    const { app, other, guest, owner } = await open()
    const user = await app.signedUp('ada')
    const { client_id, client_secret } = (
      await app.management.get(`/management/orgs/${app.organization}/credentials`)
    ).body.credentials
    const client = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
    const refs = [owner.username, owner.email, owner.uuid, 'nobody', 'nobody@x.test', MANAGEMENT]
    const strangers: [Caller, string[], RequestInit?][] = [
      [guest, [...refs, 'me']],
      [other.management, refs],
      [app.as(user.token, ''), [...refs, 'me']],
      [guest, [...refs, 'me'], { headers: { authorization: client } }],
    ]

    for (const [stranger, asked, init] of strangers)
      for (const ref of asked) {
        const reply = await stranger.send(method, `/management/users/${ref}${rest}`, sent, init)
        expect([reply.status, reply.body.error, reply.body.error_description]).toEqual([
          401,
          'unauthorized',
          'No admin user access authorized',
        ])
      }
    expect((await app.management.get('/management/users/me')).body.data.name).toBe(owner.email)
  })

  describe('change', () => {
    it('their name, username, e-mail address and properties', async () => {
      const { guest, owner, ada } = await open()
      const path = `/management/users/${owner.username}`
      await ada.put(path, { phone: '555', city: 'Paris', properties: { floor: 3 } })

      const { status, body } = await ada.put(path, {
        name: 'Ada L',
        username: `new-${owner.username}`,
        email: `new-${owner.email}`,
        city: '',
        team: ['a'],
      })

      expect(status).toBe(200)
      expect(body).toEqual({
        action: 'update user info',
        data: expect.objectContaining({
          uuid: owner.uuid,
          name: 'Ada L',
          username: `new-${owner.username}`,
          email: `new-${owner.email}`,
          properties: { phone: '555', floor: 3, team: ['a'] },
        }),
        timestamp: TIME,
        duration: TIME,
      })
      expect((await signIn(guest, `new-${owner.username}`)).body.user.uuid).toBe(owner.uuid)
      expect((await signIn(guest, `new-${owner.email}`)).body.user.uuid).toBe(owner.uuid)
      expect((await signIn(guest, owner.username)).body.error).toBe('invalid_grant')
      expect((await ada.get('/management/users/me')).body.data).toMatchObject(body.data)
    })

    it('them by a form, and keep no credentials that come along', async () => {
      const { app, guest, owner } = await open()
      const secrets = { access_token: app.adminToken, password: PASSWORD, client_secret: 'x', pin: '1' }

      const { status, body } = await guest.put(
        `/management/users/me?access_token=${app.adminToken}&token=x`,
        new URLSearchParams({ name: 'Ada L', phone: '555', ...secrets }),
      )

      expect(status).toBe(200)
      expect(body.data).toMatchObject({ uuid: owner.uuid, name: 'Ada L', properties: { phone: '555' } })
      expect(Object.keys(body.data.properties)).toEqual(['phone'])
    })

    it('by sending back what they read', async () => {
      const { ada } = await open()
      const { data } = (await ada.put('/management/users/me', { phone: '555' })).body
      const read = (await ada.get('/management/users/me')).body.data

      expect((await ada.put('/management/users/me', read)).body.data).toEqual(data)
    })

    it('not whether they may sign in, which the system administrator does', async () => {
      const { guest, owner, ada, sysadmin } = await open()
      const path = `/management/users/${owner.uuid}`

      const own = await ada.put(path, { disabled: true, activated: false })
      const disabled = await sysadmin.put(path, { disabled: true })
      const refused = await ada.get('/management/users/me')
      const signedOut = await signIn(guest, owner.username)
      await sysadmin.put(path, { disabled: 'false' })

      expect(own.body.data).toMatchObject({ disabled: false, activated: true, properties: {} })
      expect(disabled.body.data).toMatchObject({ disabled: true, activated: true })
      expect([refused.status, refused.body.error]).toEqual([401, 'authentication'])
      expect([signedOut.status, signedOut.body.error]).toEqual([400, 'invalid_grant'])
      expect((await ada.get('/management/users/me')).status).toBe(200)
    })

    it.each<[string, unknown, string]>([
      ['an empty username', { username: '' }, 'illegal_argument'],
      ['a list for the username', { username: ['a'] }, 'illegal_argument'],
      ['the username me', { username: 'Me' }, 'illegal_argument'],
      ['a username like a uuid', { username: MANAGEMENT }, 'illegal_argument'],
      ['no e-mail address', { email: null }, 'illegal_argument'],
      ['a number for the name', { name: 1 }, 'illegal_argument'],
      ['a list for a body', [{ name: 'x' }], 'illegal_argument'],
      ['a new password alone', { newpassword: NEW_PASSWORD }, 'illegal_argument'],
      ['a weak password', { oldpassword: PASSWORD, newpassword: 'x' }, 'error_password_policy_violation'],
    ])('nothing with %s', async (_, sent, error) => {
      const { guest, owner, ada } = await open()

      const body = Array.isArray(sent) ? sent : { phone: '555', ...(sent as object) }
      const reply = await ada.put('/management/users/me', body)

      expect([reply.status, reply.body.error]).toEqual([400, error])
      expect((await ada.get('/management/users/me')).body.data).toMatchObject({
        username: owner.username,
        name: owner.email,
        email: owner.email,
        properties: {},
      })
      expect((await signIn(guest, owner.username)).status).toBe(200)
    })

    it('nothing to what others are known by, be it a username or an e-mail address', async () => {
      const { other, guest, ada } = await open()
      const { username, email } = other.owner
      const looks = `looks-${email}`
      await other.management.put('/management/users/me', { username: looks })

      for (const taken of [
        { username: looks.toUpperCase() },
        { username: email },
        { email: email.toUpperCase() },
        { email: looks },
      ]) {
        const changed = await ada.put('/management/users/me', taken)
        const registered = await guest.post('/management/users', { email: `x-${email}`, ...taken })
        for (const { status, body } of [changed, registered])
          expect([status, body.error]).toEqual([400, 'duplicate_unique_property_exists'])
      }
      expect((await ada.put('/management/users/me', { username })).status).toBe(200)
    })

    it('not the username of a system administrator, by which the next start knows him', async () => {
      const { sysadmin } = await open()
      const { username } = server.server.owner

      const renamed = await sysadmin.put('/management/users/me', { username: 'other' })
      const same = await sysadmin.put('/management/users/me', { username: username.toUpperCase(), floor: 1 })

      expect([renamed.status, renamed.body.error]).toEqual([400, 'illegal_argument'])
      expect([same.status, same.body.data.properties]).toEqual([200, { floor: 1 }])
      await sysadmin.put('/management/users/me', { username })
    })
  })

  describe('set a password', () => {
    it.each(['PUT', 'POST'])('with the old one: %s', async (method) => {
      const { app, guest, owner } = await open()
      const another = await signedIn(app)

      const { status, body } = await guest.send(method, `/management/users/${owner.email}/password`, {
        oldpassword: PASSWORD,
        newpassword: NEW_PASSWORD,
      })

      expect(status).toBe(200)
      expect(body).toEqual({ action: 'set user password', timestamp: TIME, duration: TIME })
      expect((await signIn(guest, owner.username)).body.error).toBe('invalid_grant')
      expect((await signIn(guest, owner.username, NEW_PASSWORD)).status).toBe(200)
      for (const caller of [another, app.management])
        expect((await caller.get('/management/users/me')).body.error).toBe('auth_invalid')
    })

    it('as a form, and keep the token it is done with', async () => {
      const { app, ada } = await open()
      const another = await signedIn(app)

      const { status } = await ada.put(
        '/management/users/me/password',
        new URLSearchParams({ password: PASSWORD, newpassword: NEW_PASSWORD }),
      )

      expect(status).toBe(200)
      expect((await ada.get('/management/users/me')).status).toBe(200)
      expect((await another.get('/management/users/me')).body.error).toBe('auth_invalid')
    })

    it('together with other changes, all or nothing', async () => {
      const { other, guest, owner, ada } = await open()
      const passwords = { oldpassword: PASSWORD, newpassword: NEW_PASSWORD }

      const refused = await ada.put('/management/users/me', { ...passwords, email: other.owner.email })
      const before = await signIn(guest, owner.username)
      const { status, body } = await ada.put('/management/users/me', { ...passwords, name: 'Ada L' })

      expect(refused.body.error).toBe('duplicate_unique_property_exists')
      expect(before.status).toBe(200)
      expect([status, body.data.name, body.data.properties]).toEqual([200, 'Ada L', {}])
      expect((await signIn(guest, owner.username, NEW_PASSWORD)).status).toBe(200)
    })

    it('of anybody, as system administrator, without the old one', async () => {
      const { guest, owner, sysadmin } = await open()

      const set = await sysadmin.put(`/management/users/${owner.uuid}/password`, {
        newpassword: NEW_PASSWORD,
      })
      const unknown = await sysadmin.put('/management/users/nobody/password', { newpassword: NEW_PASSWORD })

      expect(set.status).toBe(200)
      expect((await signIn(guest, owner.username, NEW_PASSWORD)).status).toBe(200)
      expect([unknown.status, unknown.body.error]).toEqual([400, 'management'])
    })

    it.each<[unknown, string]>([
      [{ oldpassword: 'wrong', newpassword: NEW_PASSWORD }, 'auth_invalid_username_or_password'],
      [{ newpassword: NEW_PASSWORD }, 'illegal_argument'],
      [{ oldpassword: [PASSWORD], newpassword: NEW_PASSWORD }, 'illegal_argument'],
      [{ oldpassword: PASSWORD }, 'illegal_argument'],
      [{ oldpassword: PASSWORD, newpassword: '' }, 'illegal_argument'],
      [{ oldpassword: PASSWORD, newpassword: 'short' }, 'error_password_policy_violation'],
      [[], 'illegal_argument'],
      [undefined, 'illegal_argument'],
    ])('not by %j', async (sent, error) => {
      const { other, guest, owner, ada } = await open()

      for (const caller of [guest, ada, other.management]) {
        const { status, body } = await caller.put(`/management/users/${owner.username}/password`, sent)
        expect([status, body.error]).toEqual([400, error])
      }
      expect((await signIn(guest, owner.username)).status).toBe(200)
    })

    it('of nobody, with the reply of a wrong one', async () => {
      const { other, guest, owner } = await open()
      const sent = { oldpassword: 'wrong', newpassword: NEW_PASSWORD }

      for (const caller of [guest, other.management]) {
        const wrong = await caller.put(`/management/users/${owner.username}/password`, sent)
        const unknown = await caller.put('/management/users/nobody/password', sent)
        expect([wrong.status, wrong.body.error]).toEqual([400, 'auth_invalid_username_or_password'])
        expect({ ...unknown.body, timestamp: 0, duration: 0 }).toEqual({
          ...wrong.body,
          timestamp: 0,
          duration: 0,
        })
      }
      expect((await guest.put('/management/users/me/password', sent)).body.error).toBe('unauthorized')
    })

    it('in a limited number of tries, which count as sign-ins', async () => {
      const { guest, owner } = await open()
      const attempt = (oldpassword: string) =>
        guest.put(`/management/users/${owner.username}/password`, { oldpassword, newpassword: NEW_PASSWORD })
      for (let i = 0; i < 10; i++) expect((await attempt(`wrong ${i}`)).status).toBe(400)

      const { status, body } = await attempt(PASSWORD)

      expect([status, body.error]).toEqual([429, 'too_many_requests'])
      expect((await signIn(guest, owner.email)).status).toBe(429)
    })
  })

  describe('revoke', () => {
    it.each(['PUT', 'POST'])('all of their tokens: %s', async (method) => {
      const { app, owner, ada, sysadmin } = await open()
      const another = await signedIn(app)

      const { status, body } = await another.send(method, '/management/users/me/revoketokens')

      expect(status).toBe(200)
      expect(body).toEqual({ action: 'revoked user tokens', timestamp: TIME, duration: TIME })
      for (const caller of [ada, another])
        expect((await caller.get('/management/users/me')).body.error).toBe('auth_invalid')
      const third = await signedIn(app)
      expect((await third.get('/management/users/me')).status).toBe(200)
      expect((await sysadmin.send(method, `/management/users/${owner.email}/revoketokens`)).status).toBe(200)
      expect((await third.get('/management/users/me')).body.error).toBe('auth_invalid')
    })

    it('one token, named in the query or the body', async () => {
      const { app, owner, guest, ada } = await open()
      const tokens = await Promise.all(
        [1, 2, 3].map(async () => (await signIn(guest, owner.username)).body.access_token as string),
      )
      const path = `/management/users/${owner.username}/revoketoken`

      const replies = [
        await ada.put(`${path}?token=${tokens[0]}`),
        await ada.post(path, { token: tokens[1] }),
        await ada.post(path, new URLSearchParams({ token: tokens[2]! })),
      ]

      for (const { status, body } of replies)
        expect([status, body.action]).toEqual([200, 'revoked user tokens'])
      for (const token of tokens)
        expect((await app.as(token, '').get('/management/users/me')).body.error).toBe('auth_invalid')
      expect((await ada.get('/management/users/me')).status).toBe(200)
    })

    it('no token of somebody else, and nothing that is none', async () => {
      const { app, other, ada } = await open()
      const path = '/management/users/me/revoketoken'
      const user = await app.signedUp('mia')

      for (const [token, error] of [
        [other.adminToken, 'illegal_argument'],
        [user.token, 'illegal_argument'],
        ['nonsense', 'auth_bad_access_token'],
        ['', 'illegal_argument'],
        [['x'], 'illegal_argument'],
        [undefined, 'illegal_argument'],
      ] as const) {
        const { status, body } = await ada.put(path, { token })
        expect([status, body.error]).toEqual([400, error])
      }
      expect((await other.management.get('/management/users/me')).status).toBe(200)
      expect((await user.get('/users/me')).status).toBe(200)
    })
  })
})
