import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, type TestApplication } from '../../support/application.js'

const namesIn = ({ body }: { body: { entities: { name: string }[] } }) =>
  body.entities.map(({ name }) => name)

describe.each(DATABASES)('paths on %s', (database) => {
  const server = sharedServer(database)

  it.each([
    ['names', (app: TestApplication) => `/${app.name}`],
    ['names in capitals', (app: TestApplication) => `/${app.name.toUpperCase()}`],
    ['uuids', (app: TestApplication) => `/${app.organizationUuid}/${app.uuid}`],
    ['a name and a uuid', (app: TestApplication) => `/${app.organization}/${app.uuid}`],
    ['a uuid and a name', (app: TestApplication) => `/${app.organizationUuid}/sandbox`],
    ['the uuid of the application', (app: TestApplication) => `/${app.uuid}`],
    ['that uuid in capitals', (app: TestApplication) => `/${app.uuid.toUpperCase()}`],
    ['/app/', (app: TestApplication) => `/app/${app.uuid}`],
    ['/apps/', (app: TestApplication) => `/apps/${app.uuid}`],
    ['/applications/', (app: TestApplication) => `/applications/${app.uuid}`],
    ['/orgs/ and /apps/', (app: TestApplication) => `/orgs/${app.organization}/apps/sandbox`],
    [
      '/organizations/ and /applications/',
      (app: TestApplication) => `/organizations/${app.organization}/applications/sandbox`,
    ],
    ['/o/ and /a/', (app: TestApplication) => `/o/${app.organizationUuid}/a/${app.uuid}`],
  ])('reach an application by %s', async (_, root) => {
    const app = await server.application()
    await app.post('/dogs', { name: 'fido' })
    const elsewhere = app.as(undefined, root(app))

    expect(namesIn(await elsewhere.get('/dogs'))).toEqual(['fido'])
    expect(namesIn(await elsewhere.get('/dogs/fido'))).toEqual(['fido'])
    expect((await elsewhere.get('')).body.entities[0].uuid).toBe(app.uuid)
    expect((await elsewhere.get('/dogs')).body).toMatchObject({
      path: '/dogs',
      uri: `${app.url}/${app.name}/dogs`,
    })
  })

  it.each([
    '/dogs',
    '/dog',
    '/DOGS',
    '/Dog',
    '/dogs/',
    '//dogs',
    '/dogs//',
    '/dogs?',
    '/%20dogs%20',
    '/d%6Fgs',
    '/dogs/all',
    '/dogs/ALL',
  ])('reach a collection by %s', async (path) => {
    const app = await server.application()
    await app.post('/dogs', { name: 'fido' })

    const reply = await app.get(path)

    expect(namesIn(reply)).toEqual(['fido'])
    expect(reply.body.path).toBe('/dogs')
  })

  it.each([
    ['/dogs/Fido'],
    ['/dogs/fido'],
    ['/dogs/FIDO/'],
    ['/dogs//fido'],
    ['/dog/fido'],
    ['/dogs/%46ido'],
    ['/dogs/%20fido%20'],
  ])('reach an entity by %s', async (path) => {
    const app = await server.application()
    await app.post('/dogs', { name: 'Fido' })

    expect(namesIn(await app.get(path))).toEqual(['Fido'])
  })

  it.each([
    'a b',
    "o'neil",
    'a+b',
    'ed+test@x.org',
    'a/b',
    'ünïcode',
    '日本語',
    '🐕',
    '100%',
    'a;b=c',
    'a?b#c',
    '<b>&"x"</b>',
    '-',
    '...',
    'a\\b',
  ])('reach an entity of the name %s', async (name) => {
    const app = await server.application()
    const { uuid } = (await app.post('/dogs', { name })).body.entities[0]
    const address = `/dogs/${encodeURIComponent(name)}`

    expect((await app.get(address)).body.entities[0]).toMatchObject({ uuid, name })
    expect((await app.put(address, { age: 1 })).body.entities[0]).toMatchObject({ uuid, age: 1 })
    expect((await app.delete(address)).body.entities[0].uuid).toBe(uuid)
  })

  it('refuse a name of the form of a uuid, which could not be reached', async () => {
    const app = await server.application()

    const { status, body } = await app.post('/dogs', { name: '0190c7a1-7b3e-7c44-9d2a-00000000000b' })

    expect([status, body.error]).toEqual([400, 'illegal_argument'])
  })

  it.each([
    ['a percent sign that begins nothing', '/dogs/%zz'],
    ['broken UTF-8', '/dogs/%ff'],
    ['NUL', '/dogs/a%00b'],
    ['too many steps', `/dogs${'/a/b'.repeat(40)}`],
    ['an empty matrix word', '/;ql=select%20*'],
    ['a JSON segment that is none', '/dogs/%7Bnonsense'],
  ])('with %s are refused', async (_, path) => {
    const app = await server.application()

    const { status, body } = await app.get(path)

    expect([status, body.error]).toEqual([400, 'illegal_argument'])
  })

  it('find users by username, e-mail and uuid, without regard to case', async () => {
    const app = await server.application()
    const { uuid } = (await app.post('/users', { username: 'Ada', email: 'Ada@X.test' })).body.entities[0]

    for (const ref of ['ada', 'ADA', 'ada@x.test', 'ADA@X.TEST', uuid, uuid.toUpperCase()])
      expect((await app.get(`/users/${ref}`)).body.entities[0].uuid).toBe(uuid)
  })

  describe('with a query of their own', () => {
    const openDogs = async () => {
      const app = await server.application()
      await app.post(
        '/dogs',
        ['a', 'b', 'c', 'd'].map((name, age) => ({ name, age })),
      )
      return app
    }

    it.each([
      ['/dogs;ql=select * where age > 1', ['d', 'c']],
      ['/dogs;ql=age>1', ['d', 'c']],
      ['/dogs;ql=where age > 0;limit=2', ['d', 'c']],
      ['/dogs;limit=1', ['d']],
      ['/dogs;ql=select%20*%20where%20name%20%3D%20%27b%27', ['b']],
      [`/dogs/${encodeURIComponent('{"ql":"age < 1"}')}`, ['a']],
      [`/dogs/${encodeURIComponent('{"limit":1}')}`, ['d']],
      ['/dogs/all', ['d', 'c', 'b', 'a']],
    ])('%s', async (path, names) => {
      const app = await openDogs()

      const reply = await app.get(path)

      expect(namesIn(reply)).toEqual(names)
      expect(reply.body).not.toHaveProperty('count')
    })

    it('keep a semicolon in a literal', async () => {
      const app = await server.application()
      await app.post('/dogs', [{ name: 'a;b' }, { name: 'ab' }])

      expect(namesIn(await app.get("/dogs;ql=name = 'a;b'"))).toEqual(['a;b'])
    })

    it('take a cursor', async () => {
      const app = await openDogs()
      const { cursor } = (await app.get('/dogs;limit=3')).body

      expect(namesIn(await app.get(`/dogs;limit=3;cursor=${cursor}`))).toEqual(['a'])
    })
  })

  it.each(['ql', 'q', 'query'])('take the query from the parameter %s', async (name) => {
    const app = await server.application()
    await app.post('/dogs', [{ name: 'a' }, { name: 'b' }])

    expect(namesIn(await app.get(`/dogs?${name}=name='a'`))).toEqual(['a'])
  })

  it('ask ql before q before query', async () => {
    const app = await server.application()
    await app.post('/dogs', [{ name: 'a' }, { name: 'b' }, { name: 'c' }])

    expect(namesIn(await app.get("/dogs?query=name='a'&q=name='b'&ql=name='c'"))).toEqual(['c'])
    expect(namesIn(await app.get("/dogs?query=name='a'&q=name='b'"))).toEqual(['b'])
  })

  it('ignore parameters that mean nothing', async () => {
    const app = await server.application()
    await app.post('/dogs', { name: 'a' })

    expect(namesIn(await app.get('/dogs?filter=x&start=1&reversed=true&whatever'))).toEqual(['a'])
  })

  it('answer what a query would do without doing it', async () => {
    const app = await server.application()
    await app.post('/dogs', { name: 'a' })

    const { body } = await app.get("/dogs?ql=name='a'&analyzeOnly=true")

    expect(body).toEqual({
      action: 'query analysis only',
      params: { ql: ["name='a'"], analyzeOnly: ['true'] },
      status: 'ok',
      metadata: { queryWarnings: [] },
      entities: [],
      application: app.uuid,
      path: '/dogs',
      uri: `${app.url}/${app.name}/dogs`,
      timestamp: expect.any(Number),
      duration: expect.any(Number),
      organization: app.organization,
      applicationName: 'sandbox',
    })
    expect((await app.get('/dogs?ql=nonsense&analyzeOnly=true')).body.error).toBe('query_parse')
  })

  it.each([
    ['none', [false, false]],
    ['in', [false, true]],
    ['out', [true, false]],
    ['all', [true, true]],
    ['whatever', [true, true]],
  ])('show connections as the parameter connections=%s says', async (value, [out, into]) => {
    const app = await server.application()
    await app.post('/dogs', [{ name: 'a' }, { name: 'b' }])
    await app.post('/dogs/a/likes/dogs/b')
    await app.post('/dogs/b/likes/dogs/a')

    const { metadata } = (await app.get(`/dogs/a?connections=${value}`)).body.entities[0]

    expect(['connections' in metadata, 'connecting' in metadata]).toEqual([out, into])
  })

  it('mean the signed-in user by "me", anywhere a user may stand first', async () => {
    const app = await server.application()
    const ada = await app.signedUp('ada')
    await app.post('/dogs', { name: 'fido' })

    const me = await ada.get('/users/me')
    await ada.post('/users/me/likes/dogs/fido')
    const changed = await ada.put('/user/Me', { city: 'Oslo' })

    expect(me.body).toMatchObject({ path: '/users', entities: [{ uuid: ada.uuid, username: 'ada' }] })
    expect(changed.body.entities[0]).toMatchObject({ uuid: ada.uuid, city: 'Oslo' })
    expect((await ada.get('/users/me/likes')).body).toMatchObject({
      path: `/users/${ada.uuid}/likes`,
      entities: [{ name: 'fido' }],
    })
  })

  it.each([
    ['GET', '/users/me'],
    ['GET', '/users/me/likes'],
    ['GET', '/users/me/groups'],
    ['GET', '/users/me/permissions'],
    ['PUT', '/users/me'],
    ['DELETE', '/users/me'],
  ])('know nobody by "me" without a user token: %s %s', async (method, path) => {
    const app = await server.application()

    for (const caller of [app, app.admin]) {
      const { status, body } = await caller.send(method, path)
      expect([status, body.error]).toEqual([404, 'service_resource_not_found'])
    }
  })

  it.each(['me', 'Me', 'ME'])('leave no room for a user named %s', async (username) => {
    const app = await server.application()

    const { status, body } = await app.post('/users', { username })

    expect([status, body.error, body.error_description]).toEqual([
      400,
      'illegal_argument',
      `Username '${username}' is reserved`,
    ])
  })

  it('join what several sources lead to', async () => {
    const app = await server.application()
    await app.post('/users', [{ username: 'ada' }, { username: 'ben' }])
    await app.post('/dogs', [{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    for (const path of ['/users/ada/likes/dogs/a', '/users/ada/likes/dogs/b', '/users/ben/likes/dogs/b'])
      await app.post(path)

    expect(namesIn(await app.get('/users/all/likes')).sort()).toEqual(['a', 'b'])
    expect(namesIn(await app.get("/users;ql=username = 'ben'/likes"))).toEqual(['b'])
    expect(namesIn(await app.get("/users;ql=username = 'nobody'/likes"))).toEqual([])
  })

  it.each([
    'authorize',
    'credentials',
    'auth',
    'export',
    'apm',
    'resetroles',
    'queues',
    'token',
    'application',
    'applications',
  ])('never mean a collection by the word %s', async (word) => {
    const app = await server.application()

    const made = await app.post(`/${word}/x/y`, { name: 'fido' })
    const listed = await app.get(`/${word}/x/y`)

    expect([made.status, listed.status]).toEqual([404, 404])
    expect((await app.admin.get('')).body.entities[0].metadata.collections).not.toHaveProperty(`${word}s`)
  })

  it.each([
    'password',
    'credentials',
    'token',
    'revoketoken',
    'revoketokens',
    'activate',
    'confirm',
    'reactivate',
    'deactivate',
    'resetpw',
    'sendpin',
    'setpin',
  ])('never mean a connection by the word %s after a user', async (word) => {
    const app = await server.application()
    const { uuid } = (await app.post('/users', { username: 'ada' })).body.entities[0]
    const dog = (await app.post('/dogs', { name: 'fido' })).body.entities[0].uuid

    expect((await app.admin.post(`/users/ada/${word}/${dog}`)).status).toBeGreaterThanOrEqual(400)
    expect((await app.admin.post(`/users/${uuid}/${word}/dogs/fido`)).status).toBeGreaterThanOrEqual(400)
    expect((await app.get('/users/ada')).body.entities[0].metadata).not.toHaveProperty('connections')
  })

  it('lead nowhere for the application that keeps administrators', async () => {
    const app = await server.application()

    for (const path of [
      '/b6768a08-b5d5-11e3-a495-11ddb1de66c8/users',
      '/management/management/users',
      '/applications/b6768a08-b5d5-11e3-a495-11ddb1de66c8/users',
    ])
      expect((await app.as(app.adminToken, '').get(path)).status, path).toBeGreaterThanOrEqual(401)
  })
})
