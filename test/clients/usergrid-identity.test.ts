import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, UUID } from '../support/application.js'
import { ask, openUsergridClient, usergrid } from '../support/usergrid-client.js'

const { AppAuth, Auth, Query, User, UserAuth } = usergrid
const OPEN = 'get,post,put,delete:/**'

describe.each(DATABASES)('the client "usergrid" from npm on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    return { app, ...(await openUsergridClient(app)) }
  }

  /** With an app token in use. */
  const openAsApp = async () => {
    const opened = await open()
    const { client, clientId, clientSecret } = opened
    client.setAppAuth(clientId, clientSecret)
    await ask(client, 'authenticateApp')
    client.authMode = Auth.AUTH_MODE_APP
    return opened
  }

  describe('users', () => {
    it('creates one who is activated and shows no password', async () => {
      const { client } = await open()
      const user = new User({ username: 'ada', email: 'ada@x.test', password: PASSWORD })

      const { response, error } = await ask(user, 'create', client)

      expect(error).toBeUndefined()
      expect(response.user).toBeInstanceOf(User)
      expect(response.users).toHaveLength(1)
      expect({ ...user }).toMatchObject({
        username: 'ada',
        email: 'ada@x.test',
        activated: true,
        uuid: UUID,
        created: expect.any(Number),
      })
      expect(user).not.toHaveProperty('password')
      expect(JSON.stringify(response.body)).not.toContain(PASSWORD)
    })

    it('refuses a second user of a name', async () => {
      const { client } = await open()
      await ask(new User({ username: 'ada' }), 'create', client)

      const { error } = await ask(new User({ username: 'Ada' }), 'create', client)

      expect(error?.name).toBe('duplicate_unique_property_exists')
    })

    it('tells whether a name is taken', async () => {
      const { client } = await open()
      await ask(new User({ username: 'ada', email: 'ada@x.test' }), 'create', client)
      const taken = async (who: object) => (await ask(User, 'CheckAvailable', client, who)).body

      expect(await taken({ username: 'ada' })).toBe(true)
      expect(await taken({ email: 'ada@x.test' })).toBe(true)
      expect(await taken({ username: 'bob', email: 'ada@x.test' })).toBe(true)
      expect(await taken({ username: 'bob', email: 'bob@x.test' })).toBe(false)
    })

    it('lists fewer users than a page without a cursor, and removes them by query', async () => {
      const { client } = await open()
      const users = ['authtest', 'ann', 'ben'].map((username) => ({ username }))
      await ask(client, 'POST', { type: 'users', body: users })

      const listed = await ask(client, 'GET', 'users')
      const removed = await ask(client, 'DELETE', new Query('users').not.eq('username', 'authtest').limit(20))

      expect(listed.response.metadata.count).toBe(3)
      expect(listed.response.hasNextPage).toBe(false)
      expect(listed.response.first).toBeInstanceOf(User)
      expect(removed.response.entities).toHaveLength(2)
      expect((await ask(client, 'GET', 'users')).response.metadata.count).toBe(1)
    })

    it('signs in by username and by e-mail, for exactly as long as asked', async () => {
      const { client } = await open()
      await ask(new User({ username: 'ada', email: 'ada@x.test', password: PASSWORD }), 'create', client)

      const byName = await ask(client, 'authenticateUser', { username: 'ada', password: PASSWORD })
      const byMail = await ask(client, 'authenticateUser', { email: 'ada@x.test', password: PASSWORD })
      const short = await ask(client, 'authenticateUser', new UserAuth('ada', PASSWORD, 500_000))

      expect(byName.body).toBe(byName.response.body.access_token)
      expect(byName.response.body).toMatchObject({
        expires_in: 604_800,
        user: { username: 'ada', type: 'user', uuid: UUID },
      })
      expect(byMail.response.body.user.username).toBe('ada')
      expect(short.response.body.expires_in).toBe(500)
      expect(client.currentUser.auth).toMatchObject({ token: short.body, isValid: true })
    })

    it('does not sign in with a wrong password', async () => {
      const { client } = await open()
      await ask(new User({ username: 'ada', password: PASSWORD }), 'create', client)

      const { error } = await ask(client, 'authenticateUser', { username: 'ada', password: 'wrong password' })

      expect(error).toMatchObject({ name: 'invalid_grant', description: 'invalid username or password' })
    })

    it('finds the signed-in user as "me", and nobody without a token', async () => {
      const { client } = await open()
      await ask(new User({ username: 'ada', password: PASSWORD }), 'create', client)

      const anonymous = await ask(client, 'GET', 'users', 'me')
      await ask(client, 'authenticateUser', { username: 'ada', password: PASSWORD })
      client.authMode = Auth.AUTH_MODE_USER
      const signedIn = await ask(client, 'GET', 'users', 'me')

      expect(anonymous.error?.name).toBe('service_resource_not_found')
      expect(signedIn.response.user.username).toBe('ada')
      expect(signedIn.response.metadata.path).toBe('/users')
    })

    it('signs out of one session, and of all', async () => {
      const { client } = await open()
      const user = new User({ username: 'ada', password: PASSWORD })
      await ask(user, 'create', client)
      const signIn = async () => {
        const session = new User({ username: 'ada', password: PASSWORD })
        await ask(session, 'login', client)
        return session
      }
      const meWith = async (token: string) =>
        (await ask(client.usingAuth(token), 'GET', 'users', 'me')).error?.name
      const sessions = [await signIn(), await signIn(), await signIn()]
      const tokens = sessions.map(({ auth }) => auth.token as string)

      const one = await ask(sessions[0], 'logout', client.usingAuth(tokens[0]))
      expect(one.response.body).toMatchObject({ action: 'revoked user token' })
      expect(await meWith(tokens[0]!)).toBe('auth_invalid')
      expect(await meWith(tokens[1]!)).toBeUndefined()

      const all = await ask(sessions[1], 'logoutAllSessions', client.usingAuth(tokens[1]))
      expect(all.response.body).toMatchObject({ action: 'revoked user tokens' })
      expect(await meWith(tokens[1]!)).toBe('auth_invalid')
      expect(await meWith(tokens[2]!)).toBe('auth_invalid')
    })

    it('changes a password without a token', async () => {
      const { client } = await open()
      const user = new User({ username: 'ada', password: PASSWORD })
      await ask(user, 'create', client)

      const wrong = await ask(user, 'resetPassword', client, {
        oldPassword: 'wrong',
        newPassword: 'battery staple',
      })
      const right = await ask(user, 'resetPassword', client, {
        oldPassword: PASSWORD,
        newPassword: 'battery staple',
      })

      expect(wrong.error?.name).toBe('auth_invalid_username_or_password')
      expect(right.response.body).toMatchObject({ action: 'set user password' })
      expect(
        (await ask(client, 'authenticateUser', { username: 'ada', password: 'battery staple' })).error,
      ).toBeUndefined()
    })
  })

  describe('applications', () => {
    it('signs in with client credentials, for exactly as long as asked', async () => {
      const { client, clientId, clientSecret, app } = await open()

      const { body, response } = await ask(
        client,
        'authenticateApp',
        new AppAuth(clientId, clientSecret, 500_000),
      )

      expect(response.body).toEqual({ access_token: body, expires_in: 500, application: app.uuid })
      expect(client.appAuth).toMatchObject({ token: body, isValid: true })
    })

    it('does not sign in with bad credentials', async () => {
      const { client } = await open()

      const { error, body } = await ask(
        client,
        'authenticateApp',
        new AppAuth('BADCLIENTID', 'BADCLIENTSECRET'),
      )

      expect(error).toEqual({
        name: 'invalid_grant',
        description: 'invalid username or password',
        exception: 'InvalidGrantException',
      })
      expect(body).toBeUndefined()
      expect(client.appAuth).toBeUndefined()
    })

    it('closes the sandbox to guests and opens it again', async () => {
      const { client } = await openAsApp()
      const guest = async () => {
        client.authMode = Auth.AUTH_MODE_NONE
        const { error } = await ask(client, 'GET', 'users')
        client.authMode = Auth.AUTH_MODE_APP
        return error?.name
      }

      const removed = await ask(client, 'DELETE', 'roles/guest/permissions', { permission: OPEN })
      expect(removed.response.body.data).not.toContain(OPEN)
      expect(removed.response.body.params).toEqual({ permission: [OPEN] })
      expect(await guest()).toBe('unauthorized')
      expect((await ask(client, 'GET', 'users')).error).toBeUndefined()

      const added = await ask(client, 'POST', 'roles/guest/permissions', { permission: OPEN })
      expect(added.response.body.data).toContain(OPEN)
      expect(await guest()).toBeUndefined()
    })

    it('gives users rights through roles and groups, and takes them back', async () => {
      const { client, app } = await openAsApp()
      const shop = await app.newApplication('shop')
      const { credentials } = (
        await app.management.get(`/management/orgs/${app.organization}/apps/shop/credentials`)
      ).body
      client.appId = 'shop'
      client.setAppAuth(credentials.client_id, credentials.client_secret)
      await ask(client, 'authenticateApp')
      await ask(new User({ username: 'ada', password: PASSWORD }), 'create', client)
      const mayRead = async () => {
        const { body } = await shop.guest.post('/token', {
          grant_type: 'password',
          username: 'ada',
          password: PASSWORD,
        })
        return (await ask(client.usingAuth(body.access_token), 'GET', 'books')).error?.name ?? 'yes'
      }
      const entityOf = async (...args: unknown[]) =>
        (await ask(client, ...(args as [string]))).response.entity

      const role = await entityOf('POST', 'roles', { name: 'Reader', title: 'Readers' })
      const group = await entityOf('POST', 'groups', { path: 'club' })
      const ada = await entityOf('GET', 'users', 'ada')
      const granted = await ask(client, 'POST', `roles/${role.uuid}/permissions`, {
        permission: 'get:/books/**',
      })
      expect(role).toMatchObject({ roleName: 'reader', title: 'Readers', type: 'role' })
      expect(granted.response.body.data).toEqual(['get:/books/**'])
      expect(await mayRead()).toBe('unauthorized')

      await ask(client, 'POST', `roles/reader/users/${ada.uuid}`, {})
      expect(await mayRead()).toBe('yes')
      await ask(client, 'DELETE', `roles/reader/users/${ada.uuid}`)
      expect(await mayRead()).toBe('unauthorized')

      await ask(client, 'POST', 'groups/club/roles/reader', {})
      await ask(client, 'POST', `groups/${group.uuid}/users/ada`, {})
      expect(await mayRead()).toBe('yes')
      const members = await ask(client, 'GET', 'groups/club/users')
      expect(members.response.entities.map(({ username }: { username: string }) => username)).toEqual(['ada'])
      await ask(client, 'DELETE', 'roles', 'reader')
      expect(await mayRead()).toBe('unauthorized')
    })

    it('refuses a token that is none', async () => {
      const { client } = await open()

      const { error, response } = await ask(client.usingAuth('BADTOKEN'), 'GET', 'users')

      expect(response.statusCode).toBe(401)
      expect(error?.name).toBe('auth_bad_access_token')
    })
  })
})
