import { describe, expect, it } from 'vitest'
import type { Engine } from '../../app.js'
import type { Json, JsonObject } from '../../domain/json.js'
import { DATABASES, openTestEngine } from '../../testing/index.js'

const SYSTEM = { kind: 'system', reason: 'test' } as const

const post = async (engine: Engine, path: string, body: JsonObject) => {
  const reply = await engine.handle({
    method: 'POST',
    path,
    search: '',
    baseUrl: '',
    body,
    principal: SYSTEM,
  })
  expect(reply.status, reply.body).toBe(200)
  return JSON.parse(reply.body) as { entities: { uuid: string }[] }
}

/** A closed application where users may read dogs, and ann likes fido. */
const open = async (database: (typeof DATABASES)[number]) => {
  const { engine, close } = await openTestEngine(database)
  await engine.bootstrap({ username: 'owner', password: 'a password for tests', organization: 'test' })
  await post(engine, '/management/orgs/test/apps', { name: 'closed' })
  await post(engine, '/test/closed/roles/default/permissions', { permission: 'get:/dogs/*' })
  const {
    entities: [ann],
  } = await post(engine, '/test/closed/users', { username: 'ann', password: 'a password' })
  const {
    entities: [fido],
  } = await post(engine, '/test/closed/dogs', { name: 'fido', age: 3 })
  await post(engine, `/test/closed/users/ann/likes/${fido!.uuid}`, {})
  const token = await post(engine, '/test/closed/token', {
    grant_type: 'password',
    username: 'ann',
    password: 'a password',
  })
  const authorization = `Bearer ${(token as unknown as { access_token: string }).access_token}`
  const put = async (path: string, body: Json) =>
    (
      await engine.handle({
        method: 'PUT',
        path: `/test/closed${path}`,
        search: '',
        baseUrl: '',
        body,
        authorization,
      })
    ).status
  const fidoNow = async () => (await engine.app('test/closed').asSystem('test')).get('dogs', 'fido')
  return { engine, ann: ann!, fido: fido!, put, fidoNow, [Symbol.asyncDispose]: close }
}

describe.each(DATABASES)('an entity behind a connection on %s', (database) => {
  it.each([
    ['by uuid', ({ uuid }: { uuid: string }) => `/users/me/likes/${uuid}`],
    ['by type and uuid', ({ uuid }: { uuid: string }) => `/users/me/likes/dogs/${uuid}`],
    ['by type and name', () => '/users/me/likes/dogs/fido'],
    ['with a new verb', ({ uuid }: { uuid: string }) => `/users/me/owns/${uuid}`],
  ])('is not changed by whoever may only read it, %s', async (_, path) => {
    await using app = await open(database)

    expect(await app.put(path(app.fido), { age: 99 })).toBe(401)

    expect(await app.fidoNow()).toMatchObject({ age: 3 })
  })

  it('is changed by whoever may change it by its own path', async () => {
    await using app = await open(database)
    await post(app.engine, '/test/closed/roles/default/permissions', { permission: 'put:/dogs/*' })

    expect(await app.put(`/users/me/likes/${app.fido.uuid}`, { age: 4 })).toBe(200)
    expect(await app.put('/users/me/likes/dogs/fido', { breed: 'corgi' })).toBe(200)

    expect(await app.fidoNow()).toMatchObject({ age: 4, breed: 'corgi' })
  })
})
