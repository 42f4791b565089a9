import { type EngineOptions, openEngine } from '@entigrid/core'
import {
  DATABASES,
  openTestDatabase,
  openTestEngine,
  StatementCounter,
  type WrapDatabase,
} from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { OWNER, PASSWORD, sharedEngine, tokenClient } from '../support/engine-client.js'

const MEGABYTE = 'x'.repeat(1_000_000)
/** What comes in place of a text. */
const WRONG = [{ $ne: '' }, { $gt: '' }, ['x'], [], {}, 1, 0, true, null, MEGABYTE, '', 'a\0b']

type Client = ReturnType<typeof tokenClient>

const signIn = async ({ grant }: Client, username: string, more: object = {}) =>
  (await grant({ grant_type: 'password', username, password: PASSWORD, refresh: true, ...more })).body as {
    access_token: string
    refresh_token: string
  }
const readsHimself = async ({ as }: Client, token: string) => (await as(token, 'GET', '/users/me')).status

describe('attacks on tokens', () => {
  let database: Parameters<WrapDatabase>[0]
  const server = sharedEngine('memory', {}, (opened) => {
    database = opened
    return opened
  })

  it('attack 12: users with one uuid in two applications, and an administrator with it, are three', async () => {
    const { client, engine } = server
    const management = tokenClient(engine, '/management')
    const { access_token, user } = (await management.grant({ grant_type: 'password', ...OWNER })).body
    await management.as(access_token, 'POST', '/orgs/test/apps', { body: { name: 'shop' } })
    const shop = tokenClient(engine, '/test/shop')
    const body = { username: 'twin', password: PASSWORD }
    for (const { system } of [client, shop]) await system('PUT', `/users/${user.uuid}`, body)
    const tokens = [await signIn(client, 'twin'), await signIn(shop, 'twin')] as const

    for (const [home, other, { access_token: token, refresh_token }] of [
      [client, shop, tokens[0]],
      [shop, client, tokens[1]],
    ] as const) {
      expect(await readsHimself(home, token)).toBe(200)
      expect(await readsHimself(other, token)).toBe(401)
      expect((await management.as(token, 'GET', '/orgs/test')).status).toBe(401)
      expect((await management.as(token, 'GET', `/users/${user.uuid}/signins`)).status).toBe(401)
      const asked = { grant_type: 'refresh_token', refresh_token }
      expect([(await other.grant(asked)).status, (await management.grant(asked)).status]).toEqual([400, 400])
      expect((await home.grant(asked)).status).toBe(200)
    }
    const [signedIn] = (await client.system('GET', '/users/twin/signins')).body.data
    expect((await shop.system('DELETE', `/users/twin/signins/${signedIn.id}`)).status).toBe(404)
    await shop.system('PUT', '/users/twin/revoketokens')
    expect(await readsHimself(client, tokens[0].access_token)).toBe(200)
    expect((await management.as(access_token, 'GET', '/me')).status).toBe(200)
  })

  it('attack 15: a token made for a user names who had it made, and is neither renewed nor multiplied', async () => {
    const { client, engine } = server
    const username = await server.newUser()
    const management = tokenClient(engine, '/management')
    const { access_token: admin, user } = (await management.grant({ grant_type: 'password', ...OWNER })).body

    const made = await client.as(admin, 'GET', `/users/${username}/token`, { search: 'refresh=true' })

    expect(Object.keys(made.body)).toEqual(['access_token', 'expires_in', 'user'])
    const token = made.body.access_token
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
    expect([claims.act, claims.sid]).toEqual([{ sub: `admin:${user.uuid}` }, undefined])
    for (const path of ['/users/me/token', `/users/${username}/token`])
      expect((await client.as(token, 'GET', path)).status).toBe(403)
    for (const path of ['/token', '/users/me/token']) {
      const { status, body } = await client.as(token, 'POST', path, { body: { refresh: true } })
      expect([path, status >= 400, body.access_token]).toEqual([path, true, undefined])
    }
    expect((await client.as(token, 'GET', '/users/me/signins')).body.data).toEqual([])
    expect((await management.as(token, 'GET', '/me')).status).toBeGreaterThanOrEqual(400)

    await client.as(token, 'PUT', '/users/me', { body: { seen: true } })
    const [last] = await database.read((connection) =>
      connection.all<{ principal: string }>('SELECT principal FROM change ORDER BY seq DESC LIMIT 1'),
    )
    expect(last?.principal).toBe(`user:${made.body.user.uuid} by admin:${user.uuid}`)
  })

  it.each<[string, (management: Client, uuid: string, token: string) => Promise<unknown>]>([
    ['leaves the organization', ({ system }, uuid) => system('DELETE', `/orgs/test/users/${uuid}`)],
    ['is disabled', ({ system }, uuid) => system('PUT', `/users/${uuid}`, { disabled: true })],
    ['revokes his tokens', ({ as }, uuid, token) => as(token, 'PUT', `/users/${uuid}/revoketokens`)],
  ])('attack 15: it ends when its maker %s', async (_, end) => {
    const { client, engine } = server
    const username = await server.newUser()
    const management = tokenClient(engine, '/management')
    const email = `${username}@test.test`
    await management.system('POST', '/orgs/test/users', { username: email, email, password: PASSWORD })
    const { access_token, user } = (
      await management.grant({ grant_type: 'password', username: email, password: PASSWORD })
    ).body
    const { body } = await client.as(access_token, 'GET', `/users/${username}/token`)
    expect(await readsHimself(client, body.access_token)).toBe(200)

    await end(management, user.uuid, access_token)

    const refused = await client.as(body.access_token, 'GET', '/users/me')
    expect([refused.status, refused.body.error]).toEqual([401, 'auth_invalid'])
  })

  it('attack 23: new client credentials end the tokens that were had for the old ones', async () => {
    const { client, engine } = server
    const username = await server.newUser()
    const management = tokenClient(engine, '/management')
    for (const [path, probe] of [
      ['/orgs/test/credentials', '/orgs/test'],
      ['/orgs/test/apps/sandbox/credentials', null],
    ] as const) {
      const grant = async (credentials: object) =>
        (await client.grant({ grant_type: 'client_credentials', ...credentials })).body.access_token
      const read = async (token: string) => {
        const reply = await (probe === null
          ? client.as(token, 'GET', '/users')
          : management.as(token, 'GET', probe))
        return [reply.status, reply.body.error]
      }
      const old = await grant((await management.system('GET', path)).body.credentials)
      expect(await read(old)).toEqual([200, undefined])
      const minted = (await client.as(old, 'GET', `/users/${username}/token`)).body.access_token
      expect(await readsHimself(client, minted)).toBe(200)

      const { credentials } = (await management.system('POST', path)).body

      expect(await read(old)).toEqual([401, 'auth_invalid'])
      expect(await readsHimself(client, minted)).toBe(401)
      expect(await read(await grant(credentials))).toEqual([200, undefined])
    }
  })

  it('attack 21: fields of a token request that are no texts, or too long, prove nothing', async () => {
    const { client } = server
    const username = await server.newUser()
    const requests = {
      password: { grant_type: 'password', username, password: PASSWORD },
      client_credentials: { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' },
      refresh_token: { grant_type: 'refresh_token', refresh_token: 'x' },
    }

    for (const request of Object.values(requests))
      for (const field of Object.keys(request))
        for (const wrong of WRONG) {
          const { status, body } = await client.grant({ ...request, [field]: wrong })
          expect([field, status, body.error]).toEqual([field, 400, 'invalid_grant'])
        }
    for (const grant_type of ['toString', 'constructor', '__proto__', 'hasOwnProperty', 'PASSWORD'])
      expect((await client.grant({ ...requests.password, grant_type })).body.error).toBe('invalid_grant')
    for (const ttl of [{}, [1], 'x', -1, 1.5, MEGABYTE])
      expect((await client.grant({ ...requests.password, ttl })).body.error).toBe('illegal_argument')
  })

  it('attack 21: what is sent in place of a token is one that is not good', async () => {
    const { client } = server
    const username = await server.newUser()
    const { access_token } = await signIn(client, username)

    for (const wrong of WRONG.filter((value) => value !== null && value !== '')) {
      const revoked = await client.as(access_token, 'PUT', '/users/me/revoketoken', {
        body: { token: wrong } as never,
      })
      expect([revoked.status, ['illegal_argument', 'auth_bad_access_token']]).toEqual([
        400,
        expect.arrayContaining([revoked.body.error]),
      ])
      const form = { method: 'GET', path: '/test/sandbox/users', form: true } as const
      if (typeof wrong === 'string')
        expect((await client.ask({ ...form, body: { access_token: wrong } })).status).toBe(401)
    }
    for (const authorization of [
      'Bearer nonsense',
      `Bearer ${access_token} x`,
      `Bearer ${access_token},x`,
      `bearer  x ${access_token}`,
      `Bearer ${MEGABYTE}`,
      'Basic x y',
      'Basic ====',
    ])
      expect([
        authorization,
        (await client.ask({ method: 'GET', path: '/test/sandbox/users', authorization })).status,
      ]).toEqual([authorization, 401])
    expect(await readsHimself(client, access_token)).toBe(200)
  })
})

it.each(DATABASES)(
  'attack 23: signing out on %s acts at once here, and in a second elsewhere',
  async (database) => {
    await using place = await openTestDatabase(database)
    const time = { now: Date.now() }
    const options: EngineOptions = {
      ...{ database: place.url, ...place.options },
      secret: 'a secret for two processes, long enough',
      passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
      clock: () => time.now,
    }
    const engines = [
      await openEngine(options),
      ...(database === 'postgres' ? [await openEngine(options)] : []),
    ]
    await engines[0]!.bootstrap(OWNER)
    const [here, ...elsewhere] = engines.map((engine) => tokenClient(engine)) as [Client, ...Client[]]
    await here.system('POST', '/users', { username: 'ann', password: PASSWORD })
    const ways: Record<string, (token: string, id: string) => Promise<unknown>> = {
      'revoking the token': (token) =>
        here.as(token, 'PUT', '/users/me/revoketoken', { search: `token=${token}` }),
      'revoking all tokens': (token) => here.as(token, 'PUT', '/users/me/revoketokens'),
      'ending the sign-in': (token, id) => here.as(token, 'DELETE', `/users/me/signins/${id}`),
    }

    for (const [way, signOut] of Object.entries(ways)) {
      const { access_token } = await signIn(here, 'ann')
      const { data } = (await here.as(access_token, 'GET', '/users/me/signins')).body
      for (const client of elsewhere)
        expect([way, await readsHimself(client, access_token)]).toEqual([way, 200])

      await signOut(access_token, data[0].id)

      expect([way, await readsHimself(here, access_token)]).toEqual([way, 401])
      time.now += 1000
      for (const client of elsewhere)
        expect([way, await readsHimself(client, access_token)]).toEqual([way, 401])
    }
    await Promise.all(engines.map((engine) => engine.close()))
  },
)

it.each(DATABASES)(
  'attack 23: on %s, what was shown before a password was set sets no password and no pin after it',
  async (database) => {
    await using test = await openTestEngine(database)
    await test.engine.bootstrap(OWNER)
    const client = tokenClient(test.engine)
    const left: unknown[] = []
    for (let i = 0; i < 10; i++) {
      const username = `ann${i}`
      await client.system('POST', '/users', { username, password: PASSWORD })
      const { access_token } = await signIn(client, username)
      const his = { oldpassword: PASSWORD, newpassword: 'what the thief wants' }

      await Promise.all([
        ...Array.from({ length: 3 }, () =>
          client.as(access_token, 'PUT', '/users/me/password', { body: his }),
        ),
        ...Array.from({ length: 3 }, () =>
          client.as(access_token, 'PUT', '/users/me/setpin', { body: { pin: '271828' } }),
        ),
        client.system('PUT', `/users/${username}/password`, { newpassword: 'what the owner wants' }),
      ])

      for (const proof of [
        { grant_type: 'password', password: 'what the owner wants' },
        { grant_type: 'password', password: 'what the thief wants' },
        { grant_type: 'pin', pin: '271828' },
      ])
        left.push((await client.grant({ ...proof, username })).status)
      left.push(await readsHimself(client, access_token))
    }
    expect(left).toEqual(Array.from({ length: 10 }, () => [200, 400, 400, 401]).flat())
  },
)

it('attack 24: whoever tries to change a password learns nothing of who has an account', async () => {
  await using test = await openTestEngine('memory')
  await test.engine.bootstrap(OWNER)
  const client = tokenClient(test.engine)
  await client.system('POST', '/users', { username: 'ann', email: 'ann@x.test', password: PASSWORD })
  const { access_token } = await signIn(client, 'ann')
  const change = { oldpassword: 'wrong password', newpassword: 'another password' }

  for (const authorization of [undefined, `Bearer ${access_token}`]) {
    const replies = []
    for (const name of ['ann', 'ann@x.test', 'nobody', 'nobody@x.test', crypto.randomUUID()]) {
      const path = `/test/sandbox/users/${name}/password`
      const { status, body } = await client.ask({ method: 'PUT', path, body: change, authorization })
      replies.push({ status, ...body, timestamp: 0, duration: 0 })
    }
    for (const reply of replies) expect(reply).toEqual(replies[0])
    expect(replies[0]).toMatchObject({ status: 400, error: 'auth_invalid_username_or_password' })
  }
})

describe('attack 24: signing in to accounts that exist and that do not', () => {
  const counter = new StatementCounter()
  // Nobody is locked out, however often they try.
  const server = sharedEngine(
    'memory',
    { compatibility: 'usergrid', passwordCost: { memoryCost: 2048, timeCost: 1, parallelism: 1 } },
    counter.wrap,
  )
  const wrong = (username: string) =>
    server.client.grant({ grant_type: 'password', username, password: 'wrong password' })

  it('is answered with the same words, after asking the database the same', async () => {
    await server.client.system('POST', '/users', { username: 'ann', email: 'ann@x.test', password: PASSWORD })
    await server.client.system('POST', '/users', { username: 'bob', email: 'bob@x.test' })
    await wrong('ann')

    for (const [there, missing] of [
      ['ann', 'nobody'],
      ['bob', 'nobody'],
      ['ann@x.test', 'nobody@x.test'],
    ] as const) {
      const replies: unknown[] = []
      const statements: string[][] = []
      for (const username of [there, missing])
        statements.push(
          await counter.during(async () => {
            const { status, body } = await wrong(username)
            replies.push({ status, ...body, timestamp: 0, duration: 0 })
          }),
        )
      expect(replies[0]).toEqual(replies[1])
      expect(statements[0]).toEqual(statements[1])
      expect(statements[0]!.length).toBeGreaterThan(1)
    }
  })

  it('takes as long', async () => {
    const username = await server.newUser()
    const times: Record<string, number[]> = { [username]: [], missing: [] }
    for (let i = 0; i < 200; i++)
      for (const name of i % 2 === 0 ? [username, 'missing'] : ['missing', username]) {
        const started = performance.now()
        await wrong(name)
        times[name]!.push(performance.now() - started)
      }

    // Of the lower quartiles, which other work on the machine reaches least.
    const [one, other] = Object.values(times).map((all) => all.sort((x, y) => x - y)[50]!)
    expect(Math.max(one! / other!, other! / one!)).toBeLessThan(1.3)
  })
})
