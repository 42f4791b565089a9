import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { OWNER, PASSWORD, sharedEngine, tokenClient } from '../../support/engine-client.js'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)

describe.each(DATABASES)('sign-ins on %s', (database) => {
  const server = sharedEngine(database)

  const signIn = async (username: string, more: object = {}, from: object = {}) => {
    const body = { grant_type: 'password', username, password: PASSWORD, ...more }
    return (await server.client.grant(body, from)).body as { access_token: string; refresh_token: string }
  }

  it('are listed with time and place, the last used first', async () => {
    const { client, time } = server
    const username = await server.newUser()
    const created = time.now
    const phone = await signIn(username, { refresh: true }, { address: '2001:db8::1:2' })
    time.now += 1000
    const { access_token } = await signIn(username, {}, { userAgent: FIREFOX, address: '192.0.2.7' })
    const list = async () => (await client.as(access_token, 'GET', '/users/me/signins')).body

    const { action, data } = await list()
    expect(action).toBe('get')
    expect(data).toEqual([
      {
        id: UUID,
        how: 'password',
        created: created + 1000,
        used: created + 1000,
        device: FIREFOX,
        address: '192.0.2.7',
        current: true,
      },
      {
        id: UUID,
        how: 'password',
        created,
        used: created,
        address: '2001:db8:0:0::/64',
        current: false,
      },
    ])

    time.now += 1000
    await client.grant({ grant_type: 'refresh_token', refresh_token: phone.refresh_token })
    expect((await list()).data[0]).toMatchObject({ id: data[1].id, created, used: created + 2000 })
  })

  it('end at once, with their access and refresh tokens', async () => {
    const { client } = server
    const username = await server.newUser()
    const [here, there] = [await signIn(username), await signIn(username, { refresh: true })]
    const { data } = (await client.as(here.access_token, 'GET', '/users/me/signins')).body
    const { id } = data.find(({ current }: { current: boolean }) => !current)
    const end = () => client.as(here.access_token, 'DELETE', `/users/me/signins/${id}`)

    expect((await client.as(there.access_token, 'GET', '/users/me')).status).toBe(200)
    expect((await end()).body).toMatchObject({ action: 'delete', data: { id } })

    const refused = await client.as(there.access_token, 'GET', '/users/me')
    expect([refused.status, refused.body.error]).toEqual([401, 'auth_invalid'])
    const { refresh_token } = there
    expect((await client.grant({ grant_type: 'refresh_token', refresh_token })).status).toBe(400)
    expect((await client.as(here.access_token, 'GET', '/users/me/signins')).body.data).toHaveLength(1)
    expect((await end()).status).toBe(404)
  })

  it('are for the user himself and for administrators of the application', async () => {
    const { client } = server
    const [ann, bob] = [await server.newUser(), await server.newUser()]
    const { access_token } = await signIn(ann)
    const stranger = await signIn(bob)
    const [signedIn] = (await client.as(access_token, 'GET', `/users/${ann}/signins`)).body.data

    for (const [method, path] of [
      ['GET', `/users/${ann}/signins`],
      ['DELETE', `/users/${ann}/signins/${signedIn.id}`],
      ['GET', '/users/nobody/signins'],
    ] as const) {
      expect((await client.as(stranger.access_token, method, path)).status).toBe(401)
      expect((await client.ask({ method, path: `/test/sandbox${path}` })).status).toBe(401)
    }
    expect(
      (await client.as(stranger.access_token, 'DELETE', `/users/${bob}/signins/${signedIn.id}`)).status,
    ).toBe(404)
    expect((await client.system('GET', `/users/${ann}/signins`)).body.data).toEqual([
      { ...signedIn, current: false },
    ])
    expect((await client.system('DELETE', `/users/${ann}/signins/${signedIn.id}`)).status).toBe(200)
    expect((await client.as(access_token, 'GET', '/users/me')).status).toBe(401)
  })

  it('of administrators are below /management', async () => {
    const management = tokenClient(server.engine, '/management')
    const { username, password } = OWNER
    const body = { grant_type: 'password', username, password }
    const [one, two] = [await management.grant(body), await management.grant(body)]
    const token = one.body.access_token
    const signIns = async () => (await management.as(token, 'GET', '/users/me/signins')).body.data
    const { id } = (await signIns()).find(({ current }: { current: boolean }) => !current)

    await management.as(token, 'DELETE', `/users/${username}/signins/${id}`)

    expect(await signIns()).toEqual([expect.objectContaining({ current: true })])
    expect((await management.as(two.body.access_token, 'GET', '/me')).status).toBe(401)
    expect((await management.as(token, 'GET', '/me')).status).toBe(200)
  })

  it('are a hundred at most: of more the oldest are forgotten, those that cannot be renewed first', async () => {
    const { client, time } = server
    const username = await server.newUser()
    const renewable = await signIn(username, { refresh: true })
    time.now += 1000
    const oldest = await signIn(username)
    time.now += 1000
    await Promise.all(Array.from({ length: 98 }, () => signIn(username)))
    const list = async () =>
      (await client.system('GET', `/users/${username}/signins`)).body.data as { created: number }[]
    expect(await list()).toHaveLength(100)

    time.now += 1000
    await signIn(username)

    const kept = await list()
    expect([kept.length, kept.at(-1)!.created, kept.at(-2)!.created]).toEqual([
      100,
      time.now - 3000,
      time.now - 1000,
    ])
    expect((await client.as(oldest.access_token, 'GET', '/users/me')).status).toBe(200)
    const { refresh_token } = renewable
    expect((await client.grant({ grant_type: 'refresh_token', refresh_token })).status).toBe(200)
  })

  it('are gone from the list when their tokens are over', async () => {
    const { client, time } = server
    const username = await server.newUser()
    await signIn(username, { ttl: 1000 })
    await signIn(username, { ttl: 1000, refresh: true })
    time.now += 1000

    expect((await client.system('GET', `/users/${username}/signins`)).body.data).toHaveLength(1)
  })
})

describe('sign-ins in compatibility mode', () => {
  const server = sharedEngine('sqlite', { compatibility: 'usergrid' })

  it('are listed and end as elsewhere, with tokens of 63 characters', async () => {
    const { client } = server
    const username = await server.newUser()
    const signIn = async () =>
      (await client.grant({ grant_type: 'password', username, password: PASSWORD, refresh: true })).body
    const [here, there] = [await signIn(), await signIn()]
    const token = here.access_token
    expect(token).toMatch(/^YWMt[\w-]{59}$/)

    const { data } = (await client.as(token, 'GET', '/users/me/signins')).body
    expect(data.map(({ current }: { current: boolean }) => current).sort()).toEqual([false, true])
    const { id } = data.find(({ current }: { current: boolean }) => !current)
    expect((await client.as(there.access_token, 'GET', '/users/me')).status).toBe(200)
    await client.as(token, 'DELETE', `/users/me/signins/${id}`)

    expect((await client.as(there.access_token, 'GET', '/users/me')).status).toBe(401)
    const renewed = await client.grant({ grant_type: 'refresh_token', refresh_token: here.refresh_token })
    expect(renewed.body.access_token).toMatch(/^YWMt[\w-]{59}$/)
    expect((await client.as(renewed.body.access_token, 'GET', '/users/me')).status).toBe(200)
  })
})
