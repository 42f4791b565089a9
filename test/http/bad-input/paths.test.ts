import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'
import { exchange, request } from '../../support/http-server.js'

describe.each(DATABASES)('a bad path on %s', (database) => {
  const app = sharedApp(database)
  const raw = (path: string, method = 'GET', body?: string) =>
    request(`${app().server.url}${path}`, { method, ...(body === undefined ? {} : { body }) })
  const root = () => new URL(app().root).pathname

  it.each([
    ['/%', 400, 'illegal_argument'],
    ['/%zz', 400, 'illegal_argument'],
    ['/dogs/%c0%ae%c0%ae', 400, 'illegal_argument'],
    ['/dogs/%00', 400, 'illegal_argument'],
    ['/dogs%00', 400, 'illegal_argument'],
    ['/dogs/a%00b/likes', 400, 'illegal_argument'],
    ['/entity', 400, 'illegal_argument'],
    ['/entities', 400, 'illegal_argument'],
    ['/dynamicentity', 400, 'illegal_argument'],
    ['/~members', 400, 'illegal_argument'],
    ['/%7b', 400, 'illegal_argument'],
    ['/%7b%22ql%22', 400, 'illegal_argument'],
    ['/$where', 400, 'illegal_argument'],
    ['/%3Cscript%3E', 400, 'illegal_argument'],
    [`/${'d'.repeat(101)}`, 400, 'illegal_argument'],
    [`/dogs/a/${'v'.repeat(101)}`, 400, 'illegal_argument'],
    ['/dogs/a/~members', 400, 'illegal_argument'],
    ['/dogs/a/x%0d%0aSet-Cookie:x', 400, 'illegal_argument'],
    [`/dogs/${'x/'.repeat(30)}`, 400, 'illegal_argument'],
    [`/${'d'.repeat(16_384)}`, 414, 'uri_too_long'],
    ['/dogs/nobody', 404, 'entity_not_found'],
    [`/dogs/${'n'.repeat(1200)}`, 404, 'entity_not_found'],
    ['/dogs/%F0%9F%90%95', 404, 'entity_not_found'],
    ['/dogs/..%2f..%2fetc%2fpasswd', 404, 'entity_not_found'],
    ["/dogs/'; drop table entity; --", 404, 'entity_not_found'],
    ['/dogs/__proto__', 404, 'entity_not_found'],
    ['/dogs/constructor', 404, 'entity_not_found'],
    ['/dogs/toString', 404, 'entity_not_found'],
    ['/users/nobody', 404, 'service_resource_not_found'],
    ['/users/me', 404, 'service_resource_not_found'],
  ])('(%s) is answered with %i %s', async (path, status, error) => {
    const reply = await raw(`${root()}${path.replaceAll(' ', '%20')}`)

    expect([reply.status, reply.json.error]).toEqual([status, error])
    expect(reply.json.error_description).toMatch(/\w/)
    expect(reply.text).not.toMatch(/node_modules|\/src\/|SELECT|sqlite|postgres/i)
  })

  it.each(['constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf'])(
    'attack 29: of a word that JavaScript knows (%s) names a collection, a verb and an entity like any other',
    async (word) => {
      const path = `/${word.toLowerCase()}`

      expect((await app().get(path)).body.entities).toEqual([])
      const [entity] = (await app().post(path, { name: word })).body.entities
      expect((await app().get(`${path}/${word}`)).body.entities[0].uuid).toBe(entity.uuid)
      expect((await app().get(`${path}/${word}/${word}`)).body.entities).toEqual([])
      expect((await app().post(`${path}/${word}/${word}/${entity.uuid}`)).status).toBe(200)
      expect((await app().get(`${path}/${word}/${word}`)).body.entities).toHaveLength(1)
      expect((await app().get(`/users/${word}`)).status).toBe(404)
      expect((await app().delete(`${path}/${word}`)).status).toBe(200)
    },
  )

  it.each([
    ['/', 307, undefined],
    ['/nobody/nothing/dogs', 404, 'organization_application_not_found'],
    ['/test', 404, 'not_found'],
    ['/test/nothing', 404, 'organization_application_not_found'],
    ['/__proto__/constructor', 404, 'organization_application_not_found'],
    ['/..%2f..%2f/sandbox/dogs', 404, 'organization_application_not_found'],
    ['/%00/%00', 400, 'illegal_argument'],
    ['/management/nothing', 404, 'not_found'],
    ['/management/__proto__', 404, 'not_found'],
    ['/00000000-0000-4000-8000-000000000000/dogs', 404, 'organization_application_not_found'],
  ])('at the root (%s) is answered with %i', async (path, status, error) => {
    const reply = await raw(path)

    expect([reply.status, reply.json.error]).toEqual([status, error])
  })

  it.each([
    'dogs/..',
    'dogs/%2e%2e',
    'dogs/../../../etc/passwd',
    'dogs/..%5c..%5cwindows',
    'dogs/..;/..;/etc',
    '../../etc/passwd',
    '%252e%252e/dogs',
    'dogs/con',
    'dogs/file:///etc/passwd',
  ])('attack 32: that climbs (%s) leads nowhere', async (path) => {
    const { port } = new URL(app().root)

    const reply = await exchange(
      Number(port),
      `GET ${root()}/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )

    expect(reply).toMatch(/^HTTP\/1.1 (400|404) /)
    expect(reply).toMatch(
      /"error":"(entity_not_found|service_resource_not_found|not_found|illegal_argument)"/,
    )
    expect(reply).not.toMatch(/root:|\/bin\//)
  })

  it.each(['//dogs', '/dogs//', '///dogs/', '/dogs/?', '/DOGS', '/dog', '/Dog/'])(
    '(%s) that only looks odd is read',
    async (path) => {
      await app().put('/dogs/rex', { a: 1 })

      const reply = await raw(`${root()}${path}`)

      expect([reply.status, reply.json.entities[0].name]).toEqual([200, 'rex'])
    },
  )

  it.each(['TRACE', 'PROPFIND', 'LINK', 'MKCOL', 'SEARCH', 'get'])(
    'with the method %s is refused',
    async (method) => {
      const path = `${root()}/${newCollection()}`

      if (method === 'get') return expect((await raw(path, 'get')).status).toBe(200)
      const reply = await raw(path, method)
      expect([reply.status, reply.json.error]).toEqual([405, 'not_allowed'])
      expect(reply.headers.allow).toContain('GET')
    },
  )

  it('does not become another method by a header or parameter', async () => {
    const path = `/${newCollection()}`
    await app().put(`${path}/a`, { x: 1 })

    const header = await app().send('GET', `${path}/a`, {
      headers: { 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE' },
    })
    const parameter = await app().get(`${path}/a`, { _method: 'DELETE', method: 'DELETE' })
    expect([header.body.action, parameter.body.action]).toEqual(['get', 'get'])
    expect((await app().get(`${path}/a`)).status).toBe(200)
  })

  it.each([
    ['DELETE', '', 405],
    ['POST', '/dogs/_settings/x', 404],
    ['DELETE', '/dogs', 405],
    ['PATCH', '/dogs', 405],
    ['PATCH', '/dogs/nobody', 404],
    ['DELETE', '/dogs/nobody', 404],
    ['POST', '/dogs/nobody', 404],
  ])('%s %s is answered with %i', async (method, path, status) => {
    const reply = await app().send(method, path)

    expect([reply.status, typeof reply.body.error]).toEqual([status, 'string'])
  })
})
