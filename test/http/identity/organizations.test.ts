import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Caller, PASSWORD, sharedServer, TIME, UUID } from '../../support/application.js'

const MANAGEMENT = 'b6768a08-b5d5-11e3-a495-11ddb1de66c8'

const adminJson = (username: string, email: string, more: object = {}) => ({
  applicationId: MANAGEMENT,
  uuid: UUID,
  username,
  name: username,
  email,
  activated: true,
  confirmed: true,
  disabled: false,
  adminUser: true,
  displayEmailAddress: `${username} <${email}>`,
  htmldisplayEmailAddress: `${username} &lt;<a href="mailto:${email}">${email}</a>&gt;`,
  properties: {},
  ...more,
})

let made = 0
const unusedName = () => `made${++made}`

describe.each(DATABASES)('organizations on %s', (database) => {
  const server = sharedServer(database)

  /** A caller of the whole server, as nobody. */
  const guestOf = async () => (await server.application()).as(undefined, '')

  const signIn = (caller: Caller, username: string, password = PASSWORD) =>
    caller.post('/management/token', { grant_type: 'password', username, password })

  describe('are made', () => {
    it('with an owner and an open sandbox', async () => {
      const guest = await guestOf()
      const organization = unusedName()

      const { status, body } = await guest.post('/management/orgs', {
        organization: organization.toUpperCase(),
        username: `u-${organization}`,
        name: `u-${organization}`,
        email: `${organization}@x.test`,
        password: PASSWORD,
        properties: { plan: 'free' },
        phone: '555',
        activated: false,
      })

      expect(status).toBe(200)
      expect(body).toEqual({
        action: 'new organization',
        status: 'ok',
        data: {
          owner: adminJson(`u-${organization}`, `${organization}@x.test`, {
            properties: { phone: '555', activated: false },
          }),
          organization: {
            uuid: UUID,
            name: organization,
            passwordHistorySize: 0,
            properties: { plan: 'free' },
          },
        },
        timestamp: TIME,
        duration: TIME,
      })
      expect((await signIn(guest, `u-${organization}`)).status).toBe(200)
      expect((await guest.post(`/${organization}/sandbox/dogs`, { name: 'fido' })).status).toBe(200)
      expect((await guest.get(`/${organization}/sandbox/roles/guest/permissions`)).body.data.sort()).toEqual([
        'get,post,put,delete:/**',
        'post:/devices',
        'post:/users',
        'put:/devices/*',
      ])
    })

    it('from a form, completed by the query', async () => {
      const guest = await guestOf()
      const organization = unusedName()

      const { status, body } = await guest.post(
        `/management/organizations?email=${organization}@x.test`,
        new URLSearchParams({ organization, password: PASSWORD }),
      )

      expect(status).toBe(200)
      expect(body.data.owner).toMatchObject({
        username: `${organization}@x.test`,
        name: `${organization}@x.test`,
      })
      expect((await signIn(guest, `${organization}@x.test`)).status).toBe(200)
    })

    it('not from a query alone', async () => {
      const guest = await guestOf()
      const organization = unusedName()

      const { status, body } = await guest.post(
        `/management/orgs?organization=${organization}&email=${organization}@x.test&password=${PASSWORD}`,
      )

      expect([status, body.error]).toEqual([400, 'illegal_argument'])
    })

    it('without a password, for owners who must set one first', async () => {
      const guest = await guestOf()
      const organization = unusedName()

      const { status } = await guest.post('/management/orgs', {
        organization,
        email: `${organization}@x.test`,
        password: '',
      })

      expect(status).toBe(200)
      expect((await signIn(guest, `${organization}@x.test`, '')).body.error).toBe('invalid_grant')
    })

    it.each([
      [
        'no organization',
        { organization: undefined },
        'illegal_argument',
        'The organization parameter was missing',
      ],
      [
        'an empty organization',
        { organization: '' },
        'illegal_argument',
        'The organization parameter was missing',
      ],
      ['no e-mail address', { email: undefined }, 'illegal_argument', 'The email parameter was missing'],
      ['a reserved organization', { organization: 'management' }, 'illegal_argument', undefined],
      ['an organization like a uuid', { organization: MANAGEMENT }, 'illegal_argument', undefined],
      ['a slash in the organization', { organization: 'a/b' }, 'illegal_argument', undefined],
      ['a list for the organization', { organization: ['a'] }, 'illegal_argument', undefined],
      ['the username me', { username: 'me' }, 'illegal_argument', "Username 'me' is reserved"],
      ['a weak password', { password: 'short' }, 'error_password_policy_violation', undefined],
    ])('not with %s', async (_, change, error, description) => {
      const guest = await guestOf()
      const organization = unusedName()
      const email = `${organization}@x.test`

      const reply = await guest.post('/management/orgs', {
        organization,
        email,
        password: PASSWORD,
        ...change,
      })

      expect([reply.status, reply.body.error]).toEqual([400, error])
      if (description !== undefined) expect(reply.body.error_description).toBe(description)
      expect((await guest.post('/management/orgs', { organization, email, password: PASSWORD })).status).toBe(
        200,
      )
    })

    it.each([
      ['organization', (name: string) => ({ organization: name.toUpperCase() })],
      ['username', (name: string) => ({ username: `U-${name}` })],
      ['email', (name: string) => ({ email: `${name}@X.test` })],
    ])('with a taken %s leave nothing behind', async (_, taken) => {
      const guest = await guestOf()
      const [first, second] = [unusedName(), unusedName()]
      const bodyOf = (name: string) => ({
        organization: name,
        username: `u-${name}`,
        email: `${name}@x.test`,
        password: PASSWORD,
      })
      await guest.post('/management/orgs', bodyOf(first))

      const { status, body } = await guest.post('/management/orgs', { ...bodyOf(second), ...taken(first) })

      expect([status, body.error]).toEqual([400, 'duplicate_unique_property_exists'])
      expect((await guest.post('/management/orgs', bodyOf(second))).status).toBe(200)
    })

    it('by the system administrator, for an administrator that there is', async () => {
      const app = await server.application()
      const { owner } = server.server
      const token = (await signIn(app.as(undefined, ''), owner.username, owner.password)).body.access_token
      const organization = unusedName()

      const { body } = await app
        .as(token, '')
        .post('/management/orgs', { organization, email: app.owner.email })

      expect(body.data.owner).toMatchObject({ uuid: app.owner.uuid })
      expect((await app.management.get(`/management/orgs/${organization}`)).status).toBe(200)
    })
  })

  it('show their applications and members', async () => {
    const app = await server.application()

    for (const path of [
      `orgs/${app.organization}`,
      `organizations/${app.organizationUuid}`,
      `orgs/${app.organization.toUpperCase()}`,
    ]) {
      const { status, body } = await app.management.get(`/management/${path}`)

      expect(status).toBe(200)
      expect(body).toEqual({
        organization: {
          uuid: app.organizationUuid,
          name: app.organization,
          passwordHistorySize: 0,
          properties: {},
          applications: { [app.name]: app.uuid },
          users: {
            [app.owner.username]: {
              ...adminJson(app.owner.email, app.owner.email),
              username: app.owner.username,
            },
          },
        },
        timestamp: TIME,
        duration: TIME,
      })
    }
  })

  it('merge properties, and remove empty ones', async () => {
    const app = await server.application()
    const path = `/management/orgs/${app.organization}`
    await app.management.put(path, { properties: { a: 1, b: 2, passwordHistorySize: 3 } })

    const { body } = await app.management.put(path, { properties: { b: '', c: 3 }, name: 'other' })
    const unchanged = await app.management.put(path, { other: 1 })

    expect(body).toMatchObject({
      action: 'put',
      organization: { name: app.organization, passwordHistorySize: 3 },
    })
    expect(body.organization.properties).toEqual({ a: 1, c: 3, passwordHistorySize: 3 })
    expect(unchanged.body.organization.properties).toEqual(body.organization.properties)
  })

  it('cannot be deleted', async () => {
    const app = await server.application()

    const { status, body } = await app.management.delete(`/management/orgs/${app.organization}`)

    expect([status, body.error]).toEqual([501, 'not_implemented'])
  })

  it.each([
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['GET', '/users'],
    ['POST', '/users'],
    ['GET', '/apps'],
    ['POST', '/apps'],
    ['GET', '/credentials'],
    ['POST', '/credentials'],
    ['GET', '/apps/sandbox'],
    ['GET', '/apps/sandbox/credentials'],
    ['DELETE', '/apps/sandbox?confirm_application_identifier=sandbox'],
  ])('are for their members only, whether they exist or not: %s %s', async (method, rest) => {
    const app = await server.application()
    const other = await server.application()
    const user = await app.signedUp('ada')
    const strangers = [app.as(undefined, ''), other.management, app.as(user.token, '')]

    for (const stranger of strangers)
      for (const organization of [app.organization, app.organizationUuid, 'nobody', MANAGEMENT]) {
        const body = method === 'GET' ? undefined : { name: 'x', properties: { a: 1 } }
        const reply = await stranger.send(method, `/management/orgs/${organization}${rest}`, body)
        expect([reply.status, reply.body.error, reply.body.error_description]).toEqual([
          401,
          'unauthorized',
          'No organization access authorized',
        ])
      }
  })

  it('are listed to the system administrator', async () => {
    const app = await server.application()
    const { owner } = server.server
    const { access_token } = (await signIn(app.as(undefined, ''), owner.username, owner.password)).body

    const { body } = await app.as(access_token, '').get('/management/orgs?limit=1')
    const refused = await app.management.get('/management/orgs')
    const unknown = await app.as(access_token, '').get('/management/orgs/nobody')

    expect(body).toEqual({
      organizations: [
        {
          name: app.organization,
          uuid: app.organizationUuid,
          properties: {},
          applications: { [app.name]: app.uuid },
        },
      ],
      count: 1,
      cursor: expect.any(String),
      timestamp: TIME,
      duration: TIME,
    })
    expect([refused.status, refused.body.error]).toEqual([401, 'unauthorized'])
    expect(unknown.body).toMatchObject({
      error: 'management',
      error_description: 'Could not find organization for name: nobody',
      code: 400,
    })
  })

  describe('members', () => {
    it('are listed, made and invited', async () => {
      const app = await server.application()
      const path = `/management/orgs/${app.organization}/users`
      const [username, invited] = [unusedName(), unusedName()]
      const { data } = (
        await app
          .as(undefined, '')
          .post('/management/users', { username: invited, email: `${invited}@x.test`, password: PASSWORD })
      ).body

      const created = await app.management.post(path, {
        username,
        name: username,
        email: `${username}@x.test`,
        password: PASSWORD,
      })
      const joined = await app.management.post(path, { email: `${invited}@x.test`, invite: true })
      const listed = await app.management.get(path)

      expect(created.body).toEqual({
        action: 'create user',
        data: { user: adminJson(username, `${username}@x.test`) },
        timestamp: TIME,
        duration: TIME,
      })
      expect(joined.body.data.user.uuid).toBe(data.user.uuid)
      expect(listed.body.action).toBe('get organization users')
      expect(listed.body.data.map((user: { username: string }) => user.username).sort()).toEqual(
        [app.owner.username, username, invited].sort(),
      )
      for (const name of [username, invited]) {
        const { access_token } = (await signIn(app.as(undefined, ''), name)).body
        expect((await app.as(access_token, '').get(`/management/orgs/${app.organization}`)).status).toBe(200)
        expect((await app.as(access_token).delete('/dogs?limit=1')).status).toBe(200)
      }
    })

    it('need an e-mail address of their own', async () => {
      const app = await server.application()
      const path = `/management/orgs/${app.organization}/users`

      expect((await app.management.post(path, { username: unusedName() })).body).toMatchObject({
        error: 'illegal_argument',
        code: 400,
      })
      expect((await app.management.post(path, { email: app.owner.email })).body).toMatchObject({
        error: 'duplicate_unique_property_exists',
      })
    })
  })

  it('administrators without one may register themselves', async () => {
    const guest = await guestOf()
    const username = unusedName()
    const account = { username, name: username, email: `${username}@x.test`, password: PASSWORD }

    const { body } = await guest.post('/management/users', new URLSearchParams(account))
    const twice = await guest.post('/management/users', account)

    expect(body).toEqual({
      action: 'create user',
      data: { user: adminJson(username, `${username}@x.test`) },
      timestamp: TIME,
      duration: TIME,
    })
    expect(twice.body.error).toBe('duplicate_unique_property_exists')
    expect((await guest.post('/management/users', { username: unusedName() })).body).toMatchObject({
      error: 'illegal_argument',
      error_description: 'email form parameter is required',
    })
    expect(
      (await guest.post('/management/users', { ...account, username: 'me' })).body.error_description,
    ).toBe("Username 'me' is reserved")
  })
})
