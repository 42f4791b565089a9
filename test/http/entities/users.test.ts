import { createHash } from 'node:crypto'
import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, TIME, UUID } from '../../support/application.js'

const CHOSEN = '4b9d2c10-6f1b-11ee-8c99-0242ac120002'
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

const metadataOf = (uuid: string) => ({
  path: `/users/${uuid}`,
  size: TIME,
  sets: { rolenames: `/users/${uuid}/roles`, permissions: `/users/${uuid}/permissions` },
  collections: Object.fromEntries(
    ['activities', 'devices', 'feed', 'groups', 'roles', 'following', 'followers'].map((word) => [
      word,
      `/users/${uuid}/${word}`,
    ]),
  ),
})

describe.each(DATABASES)('users on %s', (database) => {
  const server = sharedServer(database)

  it('are shown with what hangs on them, and never with a password', async () => {
    const app = await server.application()

    const reply = await app.post('/users', {
      username: 'Ada',
      email: 'Ada@Example.org',
      name: 'Ada L',
      password: PASSWORD,
      pin: '271828',
      city: 'London',
    })

    const [{ uuid, created }] = reply.body.entities
    expect(reply.body).toEqual({
      action: 'post',
      application: app.uuid,
      params: {},
      path: '/users',
      uri: `${app.url}/${app.name}/users`,
      entities: [
        {
          uuid: UUID,
          type: 'user',
          name: 'Ada L',
          created,
          modified: created,
          username: 'Ada',
          email: 'Ada@Example.org',
          city: 'London',
          activated: true,
          picture: `https://www.gravatar.com/avatar/${md5('ada@example.org')}`,
          metadata: metadataOf(uuid),
        },
      ],
      timestamp: TIME,
      duration: TIME,
      organization: app.organization,
      applicationName: 'sandbox',
    })
    const changed = await app.put('/users/ada', {
      password: 'another password',
      pin: '1',
      credentials: { a: 1 },
    })
    for (const { text } of [reply, changed, await app.get('/users'), await app.get('/users/ada')])
      expect(text).not.toMatch(/correct horse|another password|"pin"|"password"|"credentials"/)
  })

  it('have no picture without an e-mail address, and keep one of their own', async () => {
    const app = await server.application()

    const { body } = await app.post('/users', [
      { username: 'a' },
      { username: 'b', email: 'b@x.test', picture: 'http://x.test/b.png' },
      { username: 'c', email: 'c@x.test' },
    ])

    expect(body.entities[0]).not.toHaveProperty('picture')
    expect(body.entities[1].picture).toBe('http://x.test/b.png')
    expect(body.entities[2].picture).toBe(`https://www.gravatar.com/avatar/${md5('c@x.test')}`)
  })

  it.each([
    ['nothing', undefined, 'required_property_not_found', 'username'],
    ['no username', { email: 'a@x.test' }, 'required_property_not_found', 'username'],
    ['an empty username', { username: '' }, 'required_property_not_found', 'username'],
    ['a username that is a list', { username: ['a'] }, 'property_type_conversion', 'username'],
    ['a username like a uuid', { username: CHOSEN }, 'illegal_argument', 'username'],
    ['a username of two scripts', { username: 'аda' }, 'illegal_argument', 'username'],
    ['a username with what nobody sees', { username: 'ad\u200ba' }, 'illegal_argument', 'username'],
    ['what is no e-mail address', { username: 'a', email: 'a b@x.test' }, 'illegal_argument', 'email'],
    [
      'an e-mail address that is an object',
      { username: 'a', email: {} },
      'property_type_conversion',
      'email',
    ],
    ['a word for activated', { username: 'a', activated: 'perhaps' }, undefined, undefined],
    ['a short password', { username: 'a', password: 'short' }, 'error_password_policy_violation', undefined],
    ['a password that is a number', { username: 'a', password: 12345678 }, 'illegal_argument', 'password'],
  ])('of %s are refused', async (_, sent, error, field) => {
    const app = await server.application()

    const { status, body } = await app.post('/users', sent)

    expect([status, body.error]).toEqual(error === undefined ? [200, undefined] : [400, error])
    expect(body.fields?.[0].field).toBe(error === undefined ? undefined : (field ?? body.fields?.[0].field))
    expect((await app.get('/users')).body.count).toBe(error === undefined ? 1 : 0)
  })

  it('say which property is required', async () => {
    const app = await server.application()

    expect((await app.post('/users', { name: 'x' })).body.error_description).toBe(
      'Entity user requires a property named username',
    )
  })

  it.each([
    ['username', { username: 'ADA' }],
    ['username', { Username: 'ada' }],
    ['email', { username: 'other', email: 'ADA@x.test' }],
  ])('share no %s: %j', async (property, sent) => {
    const app = await server.application()
    await app.post('/users', { username: 'ada', email: 'ada@x.test' })

    const { status, body } = await app.post('/users', sent)

    expect([status, body.error]).toEqual([400, 'duplicate_unique_property_exists'])
    expect(body.error_description).toMatch(
      `Entity "user" requires that property named "${property}" be unique`,
    )
  })

  it('are the same person however their names are typed', async () => {
    const app = await server.application()
    const { body } = await app.post('/users', {
      username: 'ＥVA',
      email: 'e\u0301va@ｘ.test',
      password: PASSWORD,
    })

    expect(body.entities[0]).toMatchObject({ username: 'EVA', email: '\u00e9va@x.test' })
    for (const ref of ['eva', 'ｅｖａ', 'E\u0301VA@x.test', '\u00e9va@ｘ.TEST'])
      expect((await app.get(`/users/${encodeURIComponent(ref)}`)).body.entities).toMatchObject([
        { username: 'EVA' },
      ])
    const signedIn = await app.post('/token', {
      grant_type: 'password',
      username: 'ｅva',
      password: PASSWORD,
    })
    expect(signedIn.status).toBe(200)
    for (const ref of ['a|b', 'a\u200bb', '<b>']) {
      const { status, body } = await app.get(`/users/${encodeURIComponent(ref)}`)
      expect([status, body.error, body.error_description]).toEqual([
        400,
        'illegal_argument',
        `Not a valid user identifier: ${ref}`,
      ])
    }
  })

  it('may share a display name', async () => {
    const app = await server.application()

    const { body } = await app.post('/users', [
      { username: 'a', name: 'Ada' },
      { username: 'b', name: 'ada' },
    ])

    expect(body.entities).toHaveLength(2)
  })

  it('may be numbers, which become strings', async () => {
    const app = await server.application()

    expect((await app.post('/users', { username: 42 })).body.entities[0].username).toBe('42')
    expect((await app.put('/users/42', { username: 43 })).body.entities[0].username).toBe('43')
  })

  it('change by PUT, all but the password', async () => {
    const app = await server.application()
    const ada = await app.signedUp('ada', { email: 'ada@x.test', city: 'London' })

    const { body } = await app.put('/users/ada', {
      email: 'new@x.test',
      name: 'Ada',
      city: null,
      password: 'another password',
    })

    expect(body.entities[0]).toMatchObject({
      uuid: ada.uuid,
      username: 'ada',
      email: 'new@x.test',
      name: 'Ada',
      metadata: metadataOf(ada.uuid),
    })
    expect(body.entities[0]).not.toHaveProperty('city')
    expect((await app.get('/users/new@x.test')).status).toBe(200)
    expect((await app.get('/users/ada@x.test')).status).toBe(404)
    const signIn = (password: string) =>
      app.post('/token', { grant_type: 'password', username: 'ada', password })
    expect((await signIn(PASSWORD)).status).toBe(200)
    expect((await signIn('another password')).status).toBe(400)
  })

  it.each([
    [{ username: null }, 'required_property_not_found'],
    [{ username: '' }, 'required_property_not_found'],
    [{ username: 'me' }, 'illegal_argument'],
    [{ username: CHOSEN }, 'illegal_argument'],
    [{ username: 'ad|a' }, 'illegal_argument'],
    [{ email: 'ada' }, 'illegal_argument'],
    [{ username: 'ｂｅｎ' }, 'duplicate_unique_property_exists'],
    [{ username: 'ben' }, 'duplicate_unique_property_exists'],
    [{ email: 'BEN@x.test' }, 'duplicate_unique_property_exists'],
  ])('cannot become %j', async (change, error) => {
    const app = await server.application()
    await app.post('/users', [{ username: 'ada' }, { username: 'ben', email: 'ben@x.test' }])

    const { status, body } = await app.put('/users/ada', change)

    expect([status, body.error]).toEqual([400, error])
  })

  it('are created by PUT under an unknown word, which becomes the name', async () => {
    const app = await server.application()

    const refused = await app.put('/users/ada', { city: 'London' })
    const { body } = await app.put('/users/Ada%20L', { username: 'ada', password: PASSWORD })

    expect([refused.status, refused.body.error]).toEqual([400, 'required_property_not_found'])
    expect(body.entities[0]).toMatchObject({ username: 'ada', name: 'Ada L' })
    expect((await app.put('/users/', { username: 'ben' })).body.entities[0]).toMatchObject({
      username: 'ben',
    })
    expect((await app.put(`/users/${CHOSEN}`, { username: 'cy' })).body.entities[0]).toMatchObject({
      uuid: CHOSEN,
      username: 'cy',
    })
    expect((await app.put("/users?ql=username='ben'", { city: 'Oslo' })).body.entities).toMatchObject([
      { username: 'ben', city: 'Oslo' },
    ])
  })

  it('in a batch sign in with the passwords they were given', async () => {
    const app = await server.application()

    const { body } = await app.post('/users', [
      { username: 'ada', password: PASSWORD },
      { username: 'ADA' },
      { username: 'ben', password: 'x' },
      { name: 'x' },
    ])

    expect(body.entities).toMatchObject([{ username: 'ada', activated: true }])
    expect(body.failed.map(({ error }: { error: string }) => error)).toEqual([
      'duplicate_unique_property_exists',
      'error_password_policy_violation',
      'required_property_not_found',
    ])
    expect(
      (await app.post('/token', { grant_type: 'password', username: 'ada', password: PASSWORD })).status,
    ).toBe(200)
  })

  it('are gone with their names and tokens when they are deleted', async () => {
    const app = await server.application()
    const ada = await app.signedUp('ada', { email: 'ada@x.test' })

    const { body } = await app.delete('/users/ada')

    expect(body.entities[0]).toMatchObject({ uuid: ada.uuid, username: 'ada' })
    expect((await ada.get('/users/me')).body.error).toBe('auth_bad_access_token')
    expect((await app.post('/users', { username: 'ada', email: 'ada@x.test' })).status).toBe(200)
  })

  it('are found by queries on username and e-mail', async () => {
    const app = await server.application()
    await app.post('/users', [{ username: 'Ada', email: 'ada@x.test' }, { username: 'ben' }])
    const count = async (ql: string) => (await app.get(`/users?ql=${encodeURIComponent(ql)}`)).body.count

    expect(await count("select * where username='ada'")).toBe(1)
    expect(await count("select * where username='x' or email='ADA@X.TEST'")).toBe(1)
    expect(await count("username contains 'ada'")).toBe(1)
    expect(await count("username = 'a*'")).toBe(1)
  })

  it('whom nobody but administrators may write cannot be changed by themselves', async () => {
    const app = await server.application()
    const ada = await app.signedUp('ada')
    const decided = {
      activated: false,
      confirmed: true,
      disabled: true,
      deactivated: 5,
      credentials: { a: 1 },
      permissions: ['/**'],
      roles: ['admin'],
      rolenames: ['admin'],
      groups: ['x'],
      devices: ['x'],
      activities: ['x'],
      feed: ['x'],
      following: ['x'],
      followers: ['x'],
      Activated: false,
      ROLES: ['admin'],
      uuid: CHOSEN,
      type: 'role',
      created: 1,
      modified: 1,
      metadata: {},
    }

    const self = (await ada.put('/users/me', { ...decided, city: 'London' })).body.entities[0]
    const signedUp = (await app.post('/users', { username: 'ben', ...decided })).body.entities[0]

    expect(Object.keys(self).sort()).toEqual([
      'activated',
      'city',
      'created',
      'metadata',
      'modified',
      'type',
      'username',
      'uuid',
    ])
    expect(self).toMatchObject({ activated: true, uuid: ada.uuid })
    expect(Object.keys(signedUp).sort()).toEqual([
      'activated',
      'created',
      'metadata',
      'modified',
      'type',
      'username',
      'uuid',
    ])
    expect(signedUp).toMatchObject({ activated: true })
    expect((await ada.get('/users/me')).status).toBe(200)
    expect((await app.admin.put('/users/ben', { disabled: true })).body.entities[0]).toMatchObject({
      disabled: true,
    })
  })

  it('follow one another', async () => {
    const app = await server.application()
    const { body } = await app.post('/users', [{ username: 'ada' }, { username: 'ben' }])
    const [ada, ben] = body.entities

    const followed = await app.post('/users/ada/following/users/ben')
    await app.post('/users/ada/following/ben')

    expect(followed.body).toMatchObject({
      path: `/users/${ada.uuid}/following`,
      entities: [{ uuid: ben.uuid, metadata: { path: `/users/${ada.uuid}/following/${ben.uuid}` } }],
    })
    expect((await app.get('/users/ada/following')).body.entities).toMatchObject([{ username: 'ben' }])
    expect((await app.get('/users/ben/followers')).body.entities).toMatchObject([{ username: 'ada' }])
    expect((await app.get('/users/ada/following/ben')).status).toBe(200)
    expect((await app.get('/users/ben/following/ada')).body.error).toBe('service_resource_not_found')
    await app.delete('/users/ada/following/ben')
    expect((await app.get('/users/ben/followers')).body.entities).toEqual([])
  })

  it('show the paths that lead on from where they were found', async () => {
    const app = await server.application()
    const { body } = await app.post('/users', [{ username: 'ada' }, { username: 'ben' }])
    const [ada, ben] = body.entities
    await app.post('/users/ada/following/ben')

    const { metadata } = (await app.get('/users/ada/following')).body.entities[0]

    const path = `/users/${ada.uuid}/following/${ben.uuid}`
    expect(metadata).toMatchObject({
      path,
      sets: { rolenames: `${path}/roles` },
      collections: { groups: `${path}/groups` },
    })
    expect(metadata).not.toHaveProperty('connecting')
    expect((await app.get(metadata.collections.groups)).status).toBe(200)
  })
})
