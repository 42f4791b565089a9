import { type ApiRequest, type Engine, type EngineOptions, openEngine } from '@entigrid/core'
import { DATABASES, openTestDatabase, openTestEngine, type TestDatabaseName } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { request } from '../support/http-server.js'
import { openTestServer } from '../support/server.js'

const PASSWORD = 'a password for tests'
const OWNER = { username: 'owner', password: PASSWORD, organization: 'test' }
const MINUTE = 60_000

/** An engine with the users ann and bob, and a clock that stands still until it is moved. */
const openUsers = async (database: TestDatabaseName, options: Partial<EngineOptions> = {}) => {
  const time = { now: Date.UTC(2026, 0, 1) }
  const test = await openTestEngine(database, { clock: () => time.now, ...options })
  await test.engine.bootstrap(OWNER)
  const ask = askerOf(test.engine)
  for (const username of ['ann', 'bob'])
    await ask({
      method: 'POST',
      path: '/test/sandbox/users',
      body: { username, email: `${username}@example.com`, password: PASSWORD },
      principal: { kind: 'sysadmin' },
    })
  return { ...test, time, ...signInsOf(test.engine), [Symbol.asyncDispose]: test.close }
}

const askerOf =
  (engine: Engine) => async (asked: Pick<ApiRequest, 'method' | 'path'> & Partial<ApiRequest>) => {
    const { status, body, headers = {} } = await engine.handle({ search: '', baseUrl: '', ...asked })
    return { status, body: JSON.parse(body), retryAfter: headers['Retry-After'] }
  }

/** Tries to sign in: `1.1.1.1` is where everybody is who is nowhere else. */
const signInsOf = (engine: Engine) => {
  const ask = askerOf(engine)
  const signIn = (username: string, password: string, address: string | undefined = '1.1.1.1') =>
    ask({
      method: 'POST',
      path: '/test/sandbox/token',
      body: { grant_type: 'password', username, password },
      address,
    })
  const wrong = async (count: number, username = 'ann', address?: string) => {
    const statuses = []
    for (let i = 0; i < count; i++) statuses.push((await signIn(username, `wrong ${i}`, address)).status)
    return statuses
  }
  return { ask, signIn, wrong }
}

const times = (count: number, status: number): number[] => Array(count).fill(status)
const countOf = (replies: { status: number }[], status: number) =>
  replies.filter((reply) => reply.status === status).length

describe.each(DATABASES)('attack 25: guessing passwords on %s', (database) => {
  it('verifies no more of a hundred tries at once than may fail', async () => {
    await using users = await openUsers(database)

    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, i) => users.signIn('ann', `wrong ${i}`)),
    )

    expect([countOf(replies, 400), countOf(replies, 429)]).toEqual([10, 90])
    const { status, body, retryAfter } = await users.signIn('ann', PASSWORD)
    expect([status, body.error, retryAfter]).toEqual([429, 'too_many_requests', '60'])
  })

  it('lets right passwords in, however many come at once', async () => {
    await using users = await openUsers(database)

    const replies = await Promise.all(Array.from({ length: 40 }, () => users.signIn('ann', PASSWORD)))

    expect(countOf(replies, 200)).toBe(40)
  })

  it('makes whoever goes on wait longer each time, and forgets it when the password is right', async () => {
    await using users = await openUsers(database)
    await users.wrong(10)

    for (const minutes of [1, 5, 15, 15]) {
      users.time.now += minutes * MINUTE - 11
      const early = await users.signIn('ann', PASSWORD)
      expect([early.status, early.retryAfter]).toEqual([429, '1'])
      users.time.now += 11
      expect(await users.wrong(2)).toEqual([400, 429])
    }
    users.time.now += 15 * MINUTE
    expect((await users.signIn('ann', PASSWORD)).status).toBe(200)
    expect(await users.wrong(11)).toEqual([...times(10, 400), 429])
  })

  it('counts a username and an e-mail address as one account', async () => {
    await using users = await openUsers(database)

    expect(await users.wrong(6, 'ann')).toEqual(times(6, 400))
    expect(await users.wrong(6, 'ANN@example.com')).toEqual([...times(4, 400), 429, 429])
    expect((await users.signIn('bob', PASSWORD)).status).toBe(200)
  })

  it('tells a missing account from a wrong password by nothing', async () => {
    await using users = await openUsers(database)
    const all = async (username: string, address: string) => {
      const replies = []
      for (let i = 0; i < 12; i++) replies.push(await users.signIn(username, `wrong ${i}`, address))
      return replies.map((reply) => ({ ...reply, body: { ...reply.body, duration: 0 } }))
    }

    const missing = await all('nobody', '2.2.2.2')

    expect(missing.map(({ status }) => status)).toEqual([...times(10, 400), 429, 429])
    expect(await all('ann', '3.3.3.3')).toEqual(missing)
  })

  it('bears a hundred failures an hour from one address, over all accounts', async () => {
    await using users = await openUsers(database)

    for (let account = 0; account < 20; account++)
      expect(await users.wrong(5, `user${account}`, '2001:db8::1')).toEqual(times(5, 400))
    expect(await users.wrong(1, 'bob', '2001:db8::2')).toEqual([429])
    const refused = await users.ask({
      method: 'POST',
      path: '/test/sandbox/token',
      body: { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' },
      address: '2001:db8::3',
    })
    expect([refused.status, refused.retryAfter]).toEqual([429, '3600'])
    users.time.now += 60 * MINUTE
    expect((await users.signIn('bob', PASSWORD, '2001:db8::1')).status).toBe(200)
  })

  it('locks an account for strangers, and neither for its owner nor for ever', async () => {
    await using users = await openUsers(database)
    expect((await users.signIn('ann', PASSWORD, '9.9.9.9')).status).toBe(200)

    for (let i = 0; i < 10; i++) expect(await users.wrong(5, 'ann', `7.7.7.${i}`)).toEqual(times(5, 400))

    expect((await users.signIn('ann', PASSWORD, '7.7.7.77')).status).toBe(429)
    expect((await users.signIn('ann', PASSWORD, '9.9.9.9')).status).toBe(200)
    expect(await users.wrong(11, 'ann', '9.9.9.9')).toEqual([...times(10, 400), 429])
    users.time.now += 60 * MINUTE
    expect((await users.signIn('ann', PASSWORD, '7.7.7.77')).status).toBe(200)
  })

  it('remembers the ten addresses that an owner last came from', async () => {
    await using users = await openUsers(database)
    for (let i = 0; i < 11; i++) {
      users.time.now++
      await users.signIn('ann', PASSWORD, `9.9.9.${i}`)
    }
    for (let i = 0; i < 10; i++) await users.wrong(5, 'ann', `7.7.7.${i}`)

    expect((await users.signIn('ann', PASSWORD, '9.9.9.0')).status).toBe(429)
    expect((await users.signIn('ann', PASSWORD, '9.9.9.1')).status).toBe(200)
  })

  it('counts Basic credentials and old passwords, too', async () => {
    await using users = await openUsers(database)
    const basic = (password: string) =>
      users.ask({
        method: 'GET',
        path: '/management/me',
        authorization: `Basic ${Buffer.from(`owner:${password}`).toString('base64')}`,
        address: '4.4.4.4',
      })
    const change = (oldpassword: string) =>
      users.ask({
        method: 'PUT',
        path: '/test/sandbox/users/ann/password',
        body: { oldpassword, newpassword: 'another password for tests' },
        address: '5.5.5.5',
      })

    const statuses = { basic: [] as number[], change: [] as number[] }
    for (let i = 0; i < 11; i++) {
      statuses.basic.push((await basic(`wrong ${i}`)).status)
      statuses.change.push((await change(`wrong ${i}`)).status)
    }

    expect(statuses).toEqual({ basic: [...times(10, 401), 429], change: [...times(10, 400), 429] })
    expect([(await basic(PASSWORD)).status, (await change(PASSWORD)).status]).toEqual([429, 429])
    expect((await users.signIn('ann', PASSWORD, '6.6.6.6')).status).toBe(200)
  })

  it('counts by account alone what the host program passes on without an address', async () => {
    await using users = await openUsers(database)
    const statuses = []
    for (let i = 0; i < 51; i++)
      statuses.push(
        (
          await users.ask({
            method: 'POST',
            path: '/test/sandbox/token',
            body: { grant_type: 'password', username: 'ann', password: `${i}` },
          })
        ).status,
      )

    expect(statuses).toEqual([...times(50, 400), 429])
  })

  it('locks nobody in compatibility mode', async () => {
    await using users = await openUsers(database, { compatibility: 'usergrid' })

    expect(await users.wrong(15)).toEqual(times(15, 400))
    expect((await users.signIn('ann', PASSWORD)).status).toBe(200)
  })
})

it('attack 25: two processes on one PostgreSQL count together', async () => {
  await using place = await openTestDatabase('postgres')
  const passwordCost = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
  const open = () =>
    openEngine({
      database: place.url,
      ...place.options,
      secret: 'a secret for two processes, long enough',
      passwordCost,
    })
  const engines = [await open(), await open()]
  await engines[0]!.bootstrap(OWNER)

  const replies = await Promise.all(
    Array.from({ length: 60 }, (_, i) => signInsOf(engines[i % 2]!).signIn('nobody', 'wrong')),
  )

  expect([countOf(replies, 400), countOf(replies, 429)]).toEqual([10, 50])
  await Promise.all(engines.map((engine) => engine.close()))
})

it('attack 25: a locked account is refused over a socket', async () => {
  await using server = await openTestServer({ database: 'memory' })
  const body = JSON.stringify({ grant_type: 'password', username: 'owner', password: 'wrong' })
  const signIn = () => request(`${server.url}/management/token`, { method: 'POST', body })

  for (let i = 0; i < 10; i++) expect((await signIn()).status).toBe(400)

  const { status, headers, json } = await signIn()
  expect([status, json.error]).toEqual([429, 'too_many_requests'])
  expect(Number(headers['retry-after'])).toBeGreaterThan(50)
})
