import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, TIME, UUID } from '../../support/application.js'

const errorBody = (error: string, description: unknown = expect.any(String)) => ({
  error,
  timestamp: TIME,
  duration: TIME,
  error_description: description,
  exception: expect.stringMatching(/^[A-Z]\w+Exception$/),
  code: expect.any(Number),
  message: description,
})

describe.each(DATABASES)('the envelope on %s', (database) => {
  const server = sharedServer(database)

  it('of a new entity', async () => {
    const app = await server.application()
    const before = Date.now()

    const { status, headers, body } = await app.post('/dogs', { name: 'fido', breed: 'corgi' })

    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    const [{ uuid, created }] = body.entities
    expect(body).toEqual({
      action: 'post',
      application: app.uuid,
      params: {},
      path: '/dogs',
      uri: `${app.url}/${app.name}/dogs`,
      entities: [
        {
          uuid: UUID,
          type: 'dog',
          name: 'fido',
          created,
          modified: created,
          breed: 'corgi',
          metadata: { path: `/dogs/${uuid}`, size: TIME },
        },
      ],
      timestamp: TIME,
      duration: TIME,
      organization: app.organization,
      applicationName: 'sandbox',
    })
    expect(created).toBeGreaterThanOrEqual(before)
    expect(body.timestamp).toBeGreaterThanOrEqual(before)
    expect(body.timestamp).toBeLessThanOrEqual(Date.now())
  })

  it('of a listing has count, and cursor as long as there is more', async () => {
    const app = await server.application()
    await app.post('/dogs', [{ name: 'a' }, { name: 'b' }, { name: 'c' }])

    const { body } = await app.get('/dogs?limit=2')

    expect(body).toEqual({
      action: 'get',
      application: app.uuid,
      params: { limit: ['2'] },
      path: '/dogs',
      uri: `${app.url}/${app.name}/dogs`,
      entities: [expect.objectContaining({ name: 'c' }), expect.objectContaining({ name: 'b' })],
      timestamp: TIME,
      duration: TIME,
      organization: app.organization,
      applicationName: 'sandbox',
      count: 2,
      cursor: expect.stringMatching(/^[\w-]{1,1024}$/),
    })
    const rest = (await app.get(`/dogs?limit=2&cursor=${body.cursor}`)).body
    expect(rest.entities).toEqual([expect.objectContaining({ name: 'a' })])
    expect(rest).not.toHaveProperty('cursor')
    expect(rest.count).toBe(1)
  })

  it('of a collection that never was is an empty page', async () => {
    const app = await server.application()

    const { status, body } = await app.get('/unicorns')

    expect(status).toBe(200)
    expect(body).toEqual({
      action: 'get',
      application: app.uuid,
      params: {},
      path: '/unicorns',
      uri: `${app.url}/${app.name}/unicorns`,
      entities: [],
      timestamp: TIME,
      duration: TIME,
      organization: app.organization,
      applicationName: 'sandbox',
      count: 0,
    })
  })

  it.each([
    ['GET of one', 'GET', '/dogs/fido', undefined, 'get', '/dogs'],
    ['POST to one', 'POST', '/dogs/fido', {}, 'post', '/dogs'],
    ['PUT of one', 'PUT', '/dogs/fido', { age: 3 }, 'put', '/dogs'],
    ['PUT by query', 'PUT', "/dogs?ql=name='fido'", { age: 3 }, 'put', '/dogs'],
    ['DELETE of one', 'DELETE', '/dogs/fido', undefined, 'delete', '/dogs'],
    ['DELETE by query', 'DELETE', "/dogs?ql=name='fido'", undefined, 'delete', '/dogs'],
    ['a singular', 'GET', '/DOG/fido', undefined, 'get', '/dogs'],
  ])('of %s has the path of the collection and no count', async (_, method, path, body, action, expected) => {
    const app = await server.application()
    await app.post('/dogs', { name: 'fido' })

    const reply = await app.get(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })

    expect(reply.status).toBe(200)
    expect(reply.body).toMatchObject({ action, path: expected, uri: `${app.url}/${app.name}${expected}` })
    expect(reply.body.entities).toHaveLength(1)
    for (const key of [
      'count',
      'cursor',
      'data',
      'status',
      'success',
      'err',
      'statusGroup',
      'logger',
      'list',
    ])
      expect(reply.body).not.toHaveProperty(key)
  })

  it('of a sub-collection has the owner by uuid and no count', async () => {
    const app = await server.application()
    const { uuid } = (await app.post('/users', { username: 'ada' })).body.entities[0]

    const { body } = await app.get('/users/ada/groups')

    expect(body).toMatchObject({ path: `/users/${uuid}/groups`, entities: [] })
    expect(body).not.toHaveProperty('count')
  })

  it('shows the resolved names when the address has uuids', async () => {
    const app = await server.application()

    const { body } = await app.as(undefined, '').get(`/${app.organizationUuid}/${app.uuid}/dogs`)

    expect(body).toMatchObject({ organization: app.organization, applicationName: 'sandbox' })
  })

  it('echoes parameters as lists of strings', async () => {
    const app = await server.application()

    const { body } = await app.get("/dogs?ql=select%20*%20where%20a='b+c'&limit=2&x=1&x=2&empty=&pretty")

    expect(body.params).toEqual({
      ql: ["select * where a='b c'"],
      limit: ['2'],
      x: ['1', '2'],
      empty: [''],
      pretty: [''],
    })
  })

  it.each([
    'token',
    'username',
    'password',
    'client_credentials',
    'fb_access_token',
    'fq_access_token',
    'ping_access_token',
    'refresh_token',
    'second_factor_token',
    'code',
    'Password',
  ])('does not echo the parameter %s', async (name) => {
    const app = await server.application()

    expect((await app.get(`/dogs?${name}=secret&limit=1`)).body.params).toEqual({ limit: ['1'] })
  })

  it('does not echo credentials that are used', async () => {
    const app = await server.application()
    const { credentials } = (await app.admin.get('/credentials')).body
    const query = `client_id=${credentials.client_id}&client_secret=${credentials.client_secret}`

    expect((await app.get(`/dogs?access_token=${app.adminToken}`)).body.params).toEqual({})
    expect((await app.get(`/dogs?${query}`)).body.params).toEqual({})
  })

  it('takes a second question mark for an ampersand', async () => {
    const app = await server.application()

    expect((await app.get('/dogs?limit=3?x=1')).body.params).toEqual({ limit: ['3'], x: ['1'] })
  })

  it('passes text through unescaped', async () => {
    const app = await server.application()

    const { text } = await app.post('/dogs', { name: 'Žofka 🐕' })

    expect(text).toContain('"Žofka 🐕"')
  })

  it('is the same for HEAD, without the body', async () => {
    const app = await server.application()

    const { status, text, headers } = await app.get('/dogs', { method: 'HEAD' })

    expect({ status, text, type: headers.get('content-type') }).toEqual({
      status: 200,
      text: '',
      type: 'application/json',
    })
  })

  it.each([undefined, '*/*', 'text/html,application/xhtml+xml,*/*;q=0.8', 'text/plain', 'application/json'])(
    'is JSON for Accept: %s',
    async (accept) => {
      const app = await server.application()

      const { headers } = await app.get('/dogs', { headers: accept === undefined ? {} : { accept } })

      expect(headers.get('content-type')).toBe('application/json')
    },
  )

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/xml'])(
    'answers a JSON body sent as %s',
    async (type) => {
      const app = await server.application()

      const { status, body } = await app.post('/dogs', ' {"name":"fido"}', {
        headers: { 'content-type': type },
      })

      expect(status).toBe(200)
      expect(body.entities[0].name).toBe('fido')
    },
  )

  it('wraps successes and errors in a JSONP function, always with status 200', async () => {
    const app = await server.application()
    const load = async (path: string) => {
      const response = await fetch(`${app.url}/${app.name}${path}`)
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        text: await response.text(),
      }
    }

    const success = await load('/dogs?callback=my.fn')
    const failure = await load('/dogs/nobody?callback=my.fn')

    expect(success).toMatchObject({
      status: 200,
      type: 'application/javascript',
      text: expect.stringMatching(/^my\.fn\(\{.*\}\)$/),
    })
    expect(failure).toMatchObject({ status: 200, type: 'application/javascript' })
    expect(JSON.parse(failure.text.slice('my.fn('.length, -1))).toEqual(errorBody('entity_not_found'))
  })

  it('lets the page of any origin read it', async () => {
    const app = await server.application()
    const cors = async (headers: Record<string, string>, path = '/dogs') => {
      const reply = await app.get(path, { headers })
      return [
        reply.headers.get('access-control-allow-origin'),
        reply.headers.get('access-control-allow-credentials'),
      ]
    }

    expect(await cors({ origin: 'http://a.test' })).toEqual(['http://a.test', 'true'])
    expect(await cors({ origin: 'http://a.test' }, '/dogs/nobody')).toEqual(['http://a.test', 'true'])
    expect(await cors({})).toEqual(['*', null])
  })
})

describe.each(DATABASES)('the error envelope on %s', (database) => {
  const server = sharedServer(database)

  it.each([
    ['GET', '/dogs/nobody', 404, 'entity_not_found', 'Cannot find entity with name: nobody'],
    [
      'GET',
      '/dogs/0190c7a1-7b3e-7c44-9d2a-00000000000b',
      404,
      'entity_not_found',
      'Cannot find entity associated with uuid: 0190c7a1-7b3e-7c44-9d2a-00000000000b',
    ],
    ['GET', '/users/nobody', 404, 'service_resource_not_found', 'Service resource not found'],
    ['GET', '/users/nobody@x.test', 404, 'service_resource_not_found', 'Service resource not found'],
    ['GET', '/users/0190c7a1-7b3e-7c44-9d2a-00000000000b', 404, 'entity_not_found', undefined],
    ['GET', '/users/me', 404, 'service_resource_not_found', undefined],
    ['DELETE', '/dogs/nobody', 404, 'service_resource_not_found', undefined],
    ['POST', '/dogs/nobody', 404, 'service_resource_not_found', undefined],
    ['PUT', "/dogs?ql=name='nobody'", 404, 'service_resource_not_found', undefined],
    ['GET', '/dogs/nobody/likes', 404, 'service_resource_not_found', undefined],
    ['DELETE', '/dogs', 405, 'unsupported_service_operation', undefined],
    ['DELETE', '/dogs?ql=', 405, 'unsupported_service_operation', undefined],
    ['DELETE', '', 405, 'unsupported_service_operation', 'Delete must be done from the management endpoint'],
    ['GET', '/dogs?ql=where%20a%20=%20b', 400, 'query_parse', undefined],
    ['GET', '/dogs?ql=where%20a%20!=%201', 400, 'query_token', undefined],
    ['GET', '/dogs?ql=where%20a%20=%20%22b%22', 400, 'query_token', undefined],
    ['GET', '/dogs?cursor=nonsense!', 400, 'illegal_argument', undefined],
    ['GET', '/entities', 400, 'illegal_argument', 'Invalid entity type "entities"'],
    ['GET', '/dynamicentity', 400, 'illegal_argument', undefined],
  ])('%s %s is %i %s', async (method, path, status, error, description) => {
    const app = await server.application()

    const reply = await app.get(path, { method, ...(method === 'PUT' ? { body: '{"a":1}' } : {}) })

    expect(reply.status).toBe(status)
    expect(reply.headers.get('content-type')).toBe('application/json')
    expect(reply.body).toMatchObject({ ...errorBody(error, description ?? expect.any(String)), code: status })
  })

  it('names the properties at fault', async () => {
    const app = await server.application()
    await app.post('/dogs', { name: 'fido' })

    const { status, body } = await app.post('/dogs', { name: 'FIDO' })

    expect(status).toBe(400)
    expect(body).toEqual({
      ...errorBody(
        'duplicate_unique_property_exists',
        'Entity "dog" requires that property named "name" be unique, value of FIDO exists',
      ),
      exception: 'DuplicateUniquePropertyExistsException',
      code: 400,
      fields: [{ field: 'name', message: 'is taken' }],
    })
  })

  it.each([
    ['{"name":', 'application/json', 400, 'json_parse'],
    ['nonsense', 'application/json', 400, 'json_parse'],
    ['"text"', 'application/json', 400, 'illegal_argument'],
    ['[1]', 'application/json', 200, undefined],
    ['name=fido', 'application/x-www-form-urlencoded', 415, 'not_supported'],
  ])('a body of %s as %s is %i %s', async (body, type, status, error) => {
    const app = await server.application()

    const reply = await app.post('/dogs', body, { headers: { 'content-type': type } })

    expect(reply.status).toBe(status)
    expect(reply.body.error).toBe(error)
  })

  it.each([
    ['/nobody/nothing/dogs', 'organization_application_not_found'],
    ['/nobody/nothing', 'organization_application_not_found'],
    ['/0190c7a1-7b3e-7c44-9d2a-00000000000b/dogs', 'organization_application_not_found'],
    ['/alone', 'not_found'],
    ['/management/nowhere', 'not_found'],
  ])('%s is nowhere: %s', async (path, error) => {
    const app = await server.application()

    const { status, body } = await app.as(undefined, '').get(path)

    expect(status).toBe(404)
    expect(body).toEqual({ ...errorBody(error), code: 404 })
  })

  it('comes before any question of rights where there is no such application', async () => {
    const app = await server.application()

    expect((await app.as('BADTOKEN', '').get(`/${app.organization}/nothing/dogs`)).body.error).toBe(
      'organization_application_not_found',
    )
  })
})
