import { type ApiRequest, openEngine } from '@entigrid/core'
import { DATABASES, openTestDatabase, type TestDatabaseName } from '@entigrid/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Caller } from '../support/application.js'
import { PASSWORD } from '../support/application.js'
import { Authenticator } from '../support/authenticator.js'
import { accountAt, Clock, ORIGIN, PASSKEYS, withPasskey, withTotp } from '../support/factors.js'

const OWNER = { username: 'owner', password: 'a password for tests', organization: 'test' }
const MINUTE = 60_000
const MEGABYTE = 'x'.repeat(1 << 20)

/** Engines on one database, two on PostgreSQL, which take turns; and as many people as are asked for. */
const openWorld = async (database: TestDatabaseName) => {
  const place = await openTestDatabase(database)
  const clock = new Clock()
  const open = () =>
    openEngine({
      ...{ database: place.url, ...place.options, clock: clock.read, passkeys: PASSKEYS },
      secret: 'a secret that only tests know, long enough',
      passwordCost: { memoryCost: 1024, timeCost: 1, parallelism: 1 },
      rates: { address: 0, principal: 0 },
    })
  const engines = database === 'postgres' ? [await open(), await open()] : [await open()]
  await engines[0]!.bootstrap(OWNER)
  let asked = 0
  const handle = (request: ApiRequest) => engines[asked++ % engines.length]!.handle(request)
  const as = (token: string | undefined, base: string, address = '1.1.1.1'): Caller =>
    callerOf(handle, { base, token, address })
  let made = 0
  const person = async (app = '/test/sandbox', admin?: Caller) => {
    const username = `ann${++made}`
    const door = as(undefined, app)
    const { entities } = (await (admin ?? door).post('/users', { username, password: PASSWORD })).body
    return accountAt(door, (token, path) => as(token, app + path), {
      ...{ uuid: entities[0].uuid, username },
      helper: (ref) => as(undefined, `${app}/users/${ref}/factors`),
    })
  }
  const owner = await as(undefined, '/management').post('/token', { grant_type: 'password', ...OWNER })
  const admin = (base: string) => as(owner.body.access_token, base)
  const close = async () => {
    await Promise.all(engines.map((engine) => engine.close()))
    await place.remove()
  }
  return { clock, as, person, admin, close }
}

const shared = (database: TestDatabaseName): Awaited<ReturnType<typeof openWorld>> => {
  const world = {} as Awaited<ReturnType<typeof openWorld>>
  beforeAll(async () => {
    Object.assign(world, await openWorld(database))
  })
  afterAll(() => world.close())
  return world
}

const callerOf = (
  handle: (
    request: ApiRequest,
  ) => Promise<{ status: number; body: string; headers?: Record<string, string> }>,
  { base, token, address }: { base: string; token: string | undefined; address: string },
): Caller => {
  const send = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const reply = await handle({
      method: method as ApiRequest['method'],
      path: base + path,
      search: '',
      baseUrl: '',
      body: body as ApiRequest['body'],
      authorization: token === undefined ? undefined : `Bearer ${token}`,
      address,
    })
    const headers = new Headers(reply.headers)
    return { status: reply.status, headers, text: reply.body, body: JSON.parse(reply.body) }
  }
  return {
    send,
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
    delete: (path, body) => send('DELETE', path, body),
  }
}

const times = async (count: number, work: (i: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)))
const statusesOf = (replies: readonly Answer[]) => replies.map(({ status }) => status)
const successes = (replies: readonly Answer[]) => replies.filter(({ status }) => status === 200).length

describe.each(DATABASES)('attack 20: of 50 uses at once one succeeds, on %s,', (database) => {
  const world = shared(database)

  it('of a code of an authenticator app', async () => {
    const ann = await world.person()
    const { shows } = await withTotp(ann, world.clock)
    const refused = await times(50, () => ann.signIn())
    const code = shows()

    const replies = await times(50, (i) => ann.go(refused[i]!, { code }))

    expect(successes(replies)).toBe(1)
    expect(new Set(statusesOf(replies))).toEqual(new Set([200, 400, 429]))
  })

  it('of a recovery code, also when it comes with the password', async () => {
    const ann = await world.person()
    const { recoveryCodes } = await withTotp(ann, world.clock)
    const refused = await times(25, () => ann.signIn())
    const code = { recovery_code: recoveryCodes[0] }

    const replies = await times(50, (i) => (i % 2 === 0 ? ann.go(refused[i / 2]!, code) : ann.signIn(code)))

    expect(successes(replies)).toBe(1)
    expect((await ann.factors().get('')).body.data.recoveryCodes).toBe(9)
  })

  it('of the token that carries a sign-in on, whatever it is used with', async () => {
    const ann = await world.person()
    const { shows, recoveryCodes } = await withTotp(ann, world.clock)
    const { authenticator } = await withPasskey(ann)
    const refused = await ann.signIn()
    const proofs = [
      ...recoveryCodes.map((code) => ({ recovery_code: code })),
      { code: shows() },
      ...Array.from({ length: 39 }, () => ({ passkey: authenticator.get(refused.body.passkey) })),
    ]

    const replies = await times(50, (i) => ann.go(refused, proofs[i]!))

    expect(successes(replies)).toBe(1)
  })

  it('of what a passkey has signed, alone or after the password', async () => {
    const ann = await world.person()
    const { authenticator } = await withPasskey(ann, new Authenticator({ origin: ORIGIN, counts: false }))
    const { options, token } = (await ann.door.post('/auth/passkey/options')).body
    const grant = { grant_type: 'passkey', token, response: authenticator.get(options) }
    const refused = await ann.signIn()
    const passkey = authenticator.get(refused.body.passkey)

    expect(successes(await times(50, () => ann.door.post('/token', grant)))).toBe(1)
    expect(successes(await times(50, () => ann.go(refused, { passkey })))).toBe(1)
  })

  it('of copies of a passkey that counts', async () => {
    const ann = await world.person()
    const { authenticator } = await withPasskey(ann)
    const refused = await times(50, () => ann.signIn())
    const signed = refused.map(({ body }) => authenticator.copy().get(body.passkey))

    const replies = await times(50, (i) => ann.go(refused[i]!, { passkey: signed[i] }))

    expect(successes(replies)).toBe(1)
  })

  it('of the token that sets up a first factor', async () => {
    const { application } = (
      await world.admin('/management/orgs/test').post('/apps', { name: `app${database}` })
    ).body
    expect(application).toEqual(expect.any(String))
    const admin = world.admin(`/test/app${database}`)
    const ann = await world.person(`/test/app${database}`, admin)
    await admin.put('', { enforce2fa: true })
    const token = (await ann.signIn()).body.second_factor_token
    const key = new Authenticator({ origin: ORIGIN })
    const { data } = (await ann.factors(token).post('/passkeys/options')).body
    const response = key.create(data)

    const replies = await times(50, () => ann.factors(token).post('/passkeys', { response }))

    expect(successes(replies)).toBe(1)
    expect((await ann.factors().get('')).body.data.passkeys).toHaveLength(1)
  })
})

describe.each(DATABASES)('attack 25: guessing codes on %s', (database) => {
  const world = shared(database)

  it('verifies no more of a hundred at once than may fail, wherever they come from', async () => {
    const ann = await world.person()
    const { clock } = world
    const { shows } = await withTotp(ann, clock)
    const refused = await ann.signIn()
    const guess = (i: number) =>
      world.as(undefined, '/test/sandbox', `2.2.${i}.1`).post('/token', {
        grant_type: 'second_factor',
        second_factor_token: refused.body.second_factor_token,
        code: String(Number(shows()) + i + 1)
          .padStart(6, '0')
          .slice(-6),
      })

    const replies = await times(100, guess)

    const [failed, locked] = [400, 429].map(
      (status) => statusesOf(replies).filter((is) => is === status).length,
    )
    expect([failed, locked]).toEqual([10, 90])
    const right = await ann.go(refused, { code: shows() })
    expect([right.status, right.headers.get('retry-after')]).toEqual([429, '60'])
    clock.now += MINUTE
    expect((await ann.go(refused, { code: shows() })).status).toBe(200)
  })
})

describe('attack 25: guessing codes', () => {
  const world = shared('memory')

  it('is not forgiven by right passwords in between, and counts recovery codes, too', async () => {
    const ann = await world.person()
    const { clock } = world
    await withTotp(ann, clock)
    const statuses: number[] = []

    for (let i = 0; i < 6; i++) {
      statuses.push((await ann.signIn({ code: '000000' })).status)
      statuses.push(
        (await ann.go(await ann.signIn(), { recovery_code: `AAAA-AAAA-AAAA-AAA${i + 2}` })).status,
      )
    }

    expect(statuses).toEqual([...Array(10).fill(400), 429, 429])
  })

  it('keeps nobody from a passkey, nor longer than a quarter of an hour', async () => {
    const ann = await world.person()
    const { clock } = world
    const { shows } = await withTotp(ann, clock)
    const { authenticator } = await withPasskey(ann)
    for (let i = 0; i < 10; i++) await ann.signIn({ code: '000000' })
    expect((await ann.signIn({ code: shows() })).status).toBe(429)

    const refused = await ann.signIn()
    const passkey = authenticator.get(refused.body.passkey)
    expect((await ann.go(refused, { passkey })).status).toBe(200)

    for (const minutes of [1, 5, 15, 15]) {
      clock.now += minutes * MINUTE
      expect((await ann.signIn({ code: '000000' })).status).toBe(400)
      expect((await ann.signIn({ code: shows() })).status).toBe(429)
    }
    clock.now += 15 * MINUTE
    expect((await ann.signIn({ code: shows() })).status).toBe(200)
  })
})

describe('attack 12: somebody of the same uuid in another application', () => {
  const world = shared('memory')

  it('locks nobody out by failures of his own, of codes or of passwords', async () => {
    const ann = await world.person()
    const { shows } = await withTotp(ann, world.clock)
    await world.admin('/management/orgs/test').post('/apps', { name: 'twins' })
    await world.admin('/test/twins').put(`/users/${ann.uuid}`, { username: 'twin', password: PASSWORD })
    const twin = await accountAt(
      world.as(undefined, '/test/twins'),
      (token, path) => world.as(token, `/test/twins${path}`),
      { uuid: ann.uuid, username: 'twin', helper: () => world.admin('/test/twins') },
    )
    await withTotp(twin, world.clock)

    for (let i = 0; i < 10; i++) await twin.signIn({ code: '000000' })
    for (let i = 0; i < 50; i++)
      await world
        .as(undefined, '/test/twins', `3.3.3.${i % 10}`)
        .post('/token', { grant_type: 'password', username: 'twin', password: 'wrong' })

    expect((await twin.signIn({ code: '000000' })).status).toBe(429)
    const elsewhere = await world
      .as(undefined, '/test/sandbox', '4.4.4.4')
      .post('/token', { grant_type: 'password', username: ann.uuid, password: PASSWORD, code: shows() })
    expect(elsewhere.status).toBe(200)
  })
})

describe('attack 21: fields of second steps that are no texts', () => {
  const world = shared('memory')
  const BAD = [{ $ne: '' }, { $gt: '' }, ['x'], [], {}, 123456, true, MEGABYTE, '\0', `MmYtv1.${MEGABYTE}`]

  it('are bad requests, and change nothing', async () => {
    const ann = await world.person()
    const { clock } = world
    const { shows } = await withTotp(ann, clock)
    const { authenticator } = await withPasskey(ann)
    const refused = await ann.signIn()
    const { options, token } = (await ann.door.post('/auth/passkey/options')).body
    const response = authenticator.get(options)
    const step = { grant_type: 'second_factor', second_factor_token: refused.body.second_factor_token }

    for (const bad of BAD) {
      const tries = [
        ann.door.post('/token', { ...step, second_factor_token: bad, code: '000000' }),
        ann.door.post('/token', { ...step, passkey: bad }),
        ann.door.post('/token', { ...step, passkey: { ...response, id: bad } }),
        ann.door.post('/token', { ...step, passkey: { ...response, response: bad } }),
        ann.door.post('/token', {
          ...step,
          passkey: { ...response, response: { ...response.response, signature: bad } },
        }),
        ann.door.post('/token', { grant_type: 'passkey', token: bad, response }),
        ann.door.post('/token', { grant_type: 'passkey', token, response: bad }),
        ann.door.post('/token', {
          ...{ grant_type: 'passkey', token },
          response: { ...response, response: { ...response.response, userHandle: bad } },
        }),
        ann.factors().post('/totp/confirm', { code: bad }),
        ann.factors().post('/totp', { password: bad }),
        ann.factors().post('/passkeys', { response: bad }),
      ]
      for (const [i, { status }] of (await Promise.all(tries)).entries())
        expect([i, typeof bad, status]).toEqual([i, typeof bad, 400])
    }
    for (const bad of BAD.filter((value) => typeof value !== 'string')) {
      expect((await ann.signIn({ code: bad })).status).toBe(400)
      expect((await ann.go(refused, { recovery_code: bad })).status).toBe(400)
    }

    expect((await ann.go(refused, { code: shows() })).status).toBe(200)
    expect((await ann.door.post('/token', { grant_type: 'passkey', token, response })).status).toBe(200)
  })

  it('are bad requests where a passkey is added, and a maker’s reference is refused unread', async () => {
    const ann = await world.person()
    const key = new Authenticator({ origin: ORIGIN })
    const asks = async () => (await ann.factors().post('/passkeys/options')).body.data
    const good = key.create(await asks())
    const certificate = new Map([['x5c', [Buffer.from('certificate')]]])

    for (const response of [
      ...BAD.flatMap((bad) => [bad, { ...good, id: bad }, { ...good, response: bad }]),
      ...BAD.map((bad) => ({ ...good, response: { ...good.response, attestationObject: bad } })),
      ...BAD.map((bad) => ({ ...good, response: { ...good.response, clientDataJSON: bad } })),
      key.create(await asks(), { fmt: 'packed', attStmt: certificate }),
      key.create(await asks(), { fmt: 'apple', attStmt: certificate }),
      key.copy({ origin: 'https://evil.test' }).create(await asks()),
    ]) {
      const { status, body } = await ann.factors().post('/passkeys', { response })
      expect([status, body.error]).toEqual([400, 'illegal_argument'])
    }
    const bad = await ann.factors().post('/passkeys', { response: key.create(await asks()), name: { a: 1 } })
    expect(bad.status).toBe(400)
    const transports = ['internal', 'x'.repeat(1000), { $ne: '' }]
    const response = key.create(await asks())
    const added = { ...response, response: { ...response.response, transports } }
    expect((await ann.factors().post('/passkeys', { response: added })).status).toBe(200)
    const [shown] = (await ann.signIn()).body.passkey.allowCredentials
    expect(shown.transports).toEqual(['internal'])
  })
})
