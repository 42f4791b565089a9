import { type EngineOptions, openEngine } from '@entigrid/core'
import { DATABASES, openTestDatabase } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { OWNER, PASSWORD, sharedEngine, tokenClient } from '../support/engine-client.js'

const SECOND = 1000
const DAY = 86_400 * SECOND
const DEAD = [400, 'invalid_grant', 'invalid refresh token']

type Client = ReturnType<typeof tokenClient>

const signIn = async ({ grant }: Client, username: string, more: object = {}) => {
  const { body } = await grant({
    grant_type: 'password',
    username,
    password: PASSWORD,
    refresh: true,
    ...more,
  })
  return body as { access_token: string; refresh_token: string; expires_in: number }
}

const renew = async ({ grant }: Client, refresh_token: unknown, more: object = {}) => {
  const { status, body } = await grant({ grant_type: 'refresh_token', refresh_token, ...more })
  return { status, body, refusal: [status, body.error, body.error_description] }
}

const readsHimself = async ({ as }: Client, token: string) => (await as(token, 'GET', '/users/me')).status

describe.each(DATABASES)('refresh tokens on %s', (database) => {
  const server = sharedEngine(database)

  it('are told of nowhere unless they are asked for', async () => {
    const { client } = server
    const username = await server.newUser()
    const ask = async (more: object) =>
      (await client.grant({ grant_type: 'password', username, password: PASSWORD, ...more })).body

    for (const more of [{}, { refresh: false }, { refresh: 'no' }, { scope: 'offline' }])
      expect(Object.keys(await ask(more))).toEqual(['access_token', 'expires_in', 'user'])
    for (const more of [{ refresh: true }, { refresh: 'true' }, { scope: 'openid offline_access' }])
      expect(await ask(more)).toMatchObject({
        refresh_token: expect.stringMatching(/^cnQt[\w-]{86}$/),
        refresh_expires_in: 30 * 86_400,
      })
  })

  it('give the same reply as signing in, with a new pair', async () => {
    const { client } = server
    const username = await server.newUser()
    const first = await signIn(client, username, { ttl: 60_000 })

    const { status, body } = await renew(client, first.refresh_token)

    expect(status).toBe(200)
    expect(body).toEqual({
      ...first,
      access_token: expect.not.stringMatching(first.access_token),
      refresh_token: expect.not.stringMatching(first.refresh_token),
    })
    expect(body.expires_in).toBe(60)
    expect(await readsHimself(client, body.access_token)).toBe(200)
    expect((await renew(client, body.refresh_token, { ttl: 5000 })).body.expires_in).toBe(5)
  })

  it('of administrators are exchanged at the management endpoint, and nowhere else', async () => {
    const { client, engine } = server
    const management = tokenClient(engine, '/management')
    const { username, password } = OWNER
    const first = await signIn(management, username, { password })
    const user = await signIn(client, await server.newUser())

    expect((await renew(client, first.refresh_token)).refusal).toEqual(DEAD)
    expect((await renew(management, user.refresh_token)).refusal).toEqual(DEAD)
    const { body } = await renew(management, first.refresh_token)
    expect([body.user.username, Object.keys(body.user.organizations)]).toEqual([username, ['test']])
    expect((await renew(client, user.refresh_token)).status).toBe(200)
  })

  it('attack 20: fifty uses at once are one exchange', async () => {
    const { client } = server
    const first = await signIn(client, await server.newUser())

    const replies = await Promise.all(Array.from({ length: 50 }, () => renew(client, first.refresh_token)))

    const successors = new Set(replies.map(({ body }) => body.refresh_token))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    expect([successors.size, successors.has(first.refresh_token)]).toEqual([1, false])
    const [successor] = successors
    expect((await renew(client, successor)).status).toBe(200)
    expect((await renew(client, first.refresh_token)).refusal).toEqual(DEAD)
  })

  it('attack 20: fifty uses of one that was exchanged before give nothing', async () => {
    const { client, time } = server
    const first = await signIn(client, await server.newUser())
    const second = await renew(client, first.refresh_token)
    time.now += 10 * SECOND

    const replies = await Promise.all(Array.from({ length: 50 }, () => renew(client, first.refresh_token)))

    for (const { refusal } of replies) expect(refusal).toEqual(DEAD)
    expect((await renew(client, second.body.refresh_token)).refusal).toEqual(DEAD)
  })

  it('attack 22: a replay ends the sign-in with all that came from it, and no other', async () => {
    const { client, time } = server
    const username = await server.newUser()
    const other = await signIn(client, username)
    const first = await signIn(client, username)
    const second = await renew(client, first.refresh_token)
    const third = await renew(client, second.body.refresh_token)
    time.now += 10 * SECOND

    expect((await renew(client, second.body.refresh_token)).refusal).toEqual(DEAD)

    for (const { refresh_token, access_token } of [first, second.body, third.body]) {
      expect((await renew(client, refresh_token)).refusal).toEqual(DEAD)
      expect(await readsHimself(client, access_token)).toBe(401)
    }
    expect(await readsHimself(client, other.access_token)).toBe(200)
    expect((await renew(client, other.refresh_token)).status).toBe(200)
  })

  it('attack 22: a second use within ten seconds is answered with the same successor', async () => {
    const { client, time } = server
    const first = await signIn(client, await server.newUser())
    const one = await renew(client, first.refresh_token)
    time.now += 10 * SECOND - 1
    const two = await renew(client, first.refresh_token)

    expect(two.body.refresh_token).toBe(one.body.refresh_token)
    expect(await readsHimself(client, two.body.access_token)).toBe(200)
    time.now += 1
    expect((await renew(client, first.refresh_token)).refusal).toEqual(DEAD)
    expect(await readsHimself(client, two.body.access_token)).toBe(401)
  })

  it('cannot be made up, not even to end the sign-in of somebody else', async () => {
    const { client } = server
    const { refresh_token: token } = await signIn(client, await server.newUser())
    const bytes = Buffer.from(token.slice(4), 'base64url')

    for (const at of [0, 20, 40, 63]) {
      const forged = Buffer.from(bytes)
      forged[at]! ^= 1
      expect((await renew(client, `cnQt${forged.toString('base64url')}`)).refusal).toEqual(DEAD)
    }
    expect((await renew(client, token)).status).toBe(200)
  })

  it('attack 21: of a wrong type or length are refused', async () => {
    const { client } = server
    const { refresh_token: token } = await signIn(client, await server.newUser())

    for (const wrong of [
      { $ne: '' },
      [token],
      1,
      true,
      null,
      undefined,
      '',
      `${token}A`,
      'x'.repeat(1_000_000),
    ])
      expect((await renew(client, wrong)).refusal).toEqual(DEAD)
  })

  it('live thirty days from their last use, and a year at most', async () => {
    const { client, time } = server
    const username = await server.newUser()
    const unused = await signIn(client, username)
    const used = await signIn(client, username)
    const start = time.now

    time.now = start + 30 * DAY - 1
    let { body } = await renew(client, used.refresh_token)
    time.now++
    expect((await renew(client, unused.refresh_token)).refusal).toEqual(DEAD)
    for (let days = 40; days < 365; days += 25) {
      time.now = start + days * DAY
      const next = await renew(client, body.refresh_token)
      body = next.body
      expect(body.refresh_expires_in).toBe(Math.min(30, 365 - days) * 86_400)
    }
    time.now = start + 365 * DAY
    expect((await renew(client, body.refresh_token)).refusal).toEqual(DEAD)
  })

  it.each<[string, (client: Client, username: string, token: string) => Promise<unknown>]>([
    [
      'a new password',
      ({ system }, name) => system('PUT', `/users/${name}/password`, { newpassword: 'another one' }),
    ],
    ['revoketokens', ({ as }, name, token) => as(token, 'PUT', `/users/${name}/revoketokens`)],
    [
      'revoketoken of its access token',
      ({ as }, name, token) => as(token, 'PUT', `/users/${name}/revoketoken`, { search: `token=${token}` }),
    ],
    ['deactivation', ({ as }, name, token) => as(token, 'POST', `/users/${name}/deactivate`)],
    ['removing the user', ({ system }, name) => system('DELETE', `/users/${name}`)],
  ])('end with %s', async (_, end) => {
    const { client } = server
    const username = await server.newUser()
    const { refresh_token, access_token } = await signIn(client, username)

    await end(client, username, access_token)

    expect((await renew(client, refresh_token)).refusal).toEqual(DEAD)
    expect(await readsHimself(client, access_token)).toBe(401)
  })

  it('are good again after a user was disabled for a while', async () => {
    const { client } = server
    const username = await server.newUser()
    const { refresh_token } = await signIn(client, username)

    await client.system('PUT', `/users/${username}`, { disabled: true })
    expect((await renew(client, refresh_token)).refusal).toEqual([400, 'invalid_grant', 'user disabled'])
    await client.system('PUT', `/users/${username}`, { disabled: false })
    expect((await renew(client, refresh_token)).status).toBe(200)
  })

  it('of the sign-in that changes the password stay, others end', async () => {
    const { client } = server
    const username = await server.newUser()
    const [here, elsewhere] = [await signIn(client, username), await signIn(client, username)]

    await client.as(here.access_token, 'PUT', `/users/${username}/password`, {
      body: { oldpassword: PASSWORD, newpassword: 'another password' },
    })

    expect(await readsHimself(client, here.access_token)).toBe(200)
    const renewed = await renew(client, here.refresh_token)
    expect(await readsHimself(client, renewed.body.access_token)).toBe(200)
    expect((await renew(client, elsewhere.refresh_token)).refusal).toEqual(DEAD)
  })

  it('are revoked by revoketoken, which only their user may', async () => {
    const { client } = server
    const [ann, bob] = [await server.newUser(), await server.newUser()]
    const { refresh_token, access_token } = await signIn(client, ann)
    const strange = await signIn(client, bob)
    const revoke = (token: string) =>
      client.as(access_token, 'PUT', '/users/me/revoketoken', { search: `token=${token}` })

    expect((await revoke(strange.refresh_token)).status).toBe(400)
    expect((await revoke(refresh_token)).status).toBe(200)
    expect(await readsHimself(client, access_token)).toBe(401)
    expect((await renew(client, strange.refresh_token)).status).toBe(200)
  })

  it('end with revoketoken of an access token that is over by itself', async () => {
    const { client, time } = server
    const username = await server.newUser()
    const { refresh_token, access_token } = await signIn(client, username, { ttl: 1000 })
    time.now += 1000

    const revoked = await client.ask({
      method: 'PUT',
      path: `/test/sandbox/users/${username}/revoketoken`,
      search: `token=${access_token}`,
      principal: { kind: 'sysadmin' },
    })

    expect(revoked.status).toBe(200)
    expect((await renew(client, refresh_token)).refusal).toEqual(DEAD)
  })
})

it('attack 20: fifty uses at two processes on one PostgreSQL are one exchange', async () => {
  await using place = await openTestDatabase('postgres')
  const options: EngineOptions = {
    database: place.url,
    ...place.options,
    secret: 'a secret for two processes, long enough',
    passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
  }
  const engines = [await openEngine(options), await openEngine(options)] as const
  await engines[0].bootstrap(OWNER)
  const clients = engines.map((engine) => tokenClient(engine, '/management'))
  const { refresh_token } = await signIn(clients[0]!, OWNER.username, { password: OWNER.password })

  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, i) => renew(clients[i % 2]!, refresh_token)),
  )

  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
  expect(new Set(replies.map(({ body }) => body.refresh_token)).size).toBe(1)
  await Promise.all(engines.map((engine) => engine.close()))
})
