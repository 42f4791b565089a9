import { describe, expect, it, vi } from 'vitest'
import { type Act, failure, openWire } from '../../../test/support/wire.js'
import {
  add,
  addUnique,
  ConflictError,
  ConnectionError,
  EntigridError,
  inc,
  NotFoundError,
  RateLimitError,
  remove,
  TimeoutError,
  UnavailableError,
  unset,
} from './index.js'

const dog = { uuid: 'd1', type: 'dog', name: 'fido', created: 1, modified: 1, metadata: { path: '/dogs/d1' } }
const found: Act = { json: { entities: [dog] } }
const tagged: Act = { json: { entities: [dog] }, headers: { etag: '"t1"' } }
const refused: Act = { status: 412, json: { error: 'precondition_failed' } }
const tooMany = (seconds: number): Act => ({
  status: 429,
  json: { error: 'too_many_requests' },
  headers: { 'retry-after': String(seconds) },
})
const fido = { collection: 'dogs', ref: 'fido' }
const busy: Act = { status: 503, json: { error: 'unavailable', error_description: 'Busy' } }

describe('a request', () => {
  it('names collection, entity and query percent-encoded', async () => {
    await using wire = await openWire([found])

    await wire.dogs.get('a/b c?é')
    await wire.dogs.find((q) => q.where('name', '=', "x&y+z's").limit(3))

    expect(wire.received.map(({ method, url }) => [method, url])).toEqual([
      ['GET', '/demo/sandbox/dogs/a%2Fb%20c%3F%C3%A9'],
      [
        'GET',
        `/demo/sandbox/dogs?ql=${encodeURIComponent("select * where name = 'x&y+z\\'s'").replaceAll("'", '%27')}&limit=3&etags=true`,
      ],
    ])
  })

  it.each(['', '.', '..', 'all', 'ALL', '{"ql":"select *"}'])(
    'is not made for the name "%s", which would address something else',
    async (name) => {
      await using wire = await openWire([found])

      await expect(wire.dogs.delete(name)).rejects.toThrow(TypeError)
      expect(() => wire.client.collection(name)).toThrow(TypeError)
      expect(wire.received).toEqual([])
    },
  )

  it.each([undefined, {}, 5])('is not made for the reference %j, which is none', async (ref) => {
    await using wire = await openWire([found])

    await expect(wire.dogs.delete(ref as never)).rejects.toThrow(TypeError)

    expect(wire.received).toEqual([])
  })

  it('uses an entity at hand as a reference', async () => {
    await using wire = await openWire([found])
    const fido = { ...(await wire.dogs.get('fido')), collection: 'stamps' }

    await wire.dogs.update(fido, { age: 4 })
    await wire.client.connect(fido, 'likes', { collection: 'toys', ref: fido })

    expect(wire.received.slice(1).map(({ method, url, body }) => [method, url, body])).toEqual([
      ['PUT', '/demo/sandbox/dogs/d1', '{"age":4}'],
      ['POST', '/demo/sandbox/dog/d1/likes/toys/d1', ''],
    ])
  })

  it('changes many entities only with a query that is not blank', async () => {
    await using wire = await openWire([{ json: { entities: [] } }])

    await expect(wire.dogs.deleteWhere({ ql: ' ' })).rejects.toThrow(TypeError)
    await expect(wire.dogs.updateWhere({}, { age: 1 })).rejects.toThrow(TypeError)
    await wire.dogs.deleteWhere((q) => q)

    expect(wire.received.map(({ url }) => url)).toEqual(['/demo/sandbox/dogs?ql=select%20*&limit=1000'])
  })
})

describe('pages', () => {
  it('are read one after the other, each when it is needed', async () => {
    const page = (name: string, cursor?: string): Act => ({ json: { entities: [{ ...dog, name }], cursor } })
    await using wire = await openWire([page('a', 'c1'), page('b', 'c2'), page('c')])

    const names: unknown[] = []
    for await (const { name } of wire.dogs.all({ limit: 1 })) names.push([name, wire.received.length])

    expect(names).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    expect(wire.received.map(({ url }) => url.split('?')[1])).toEqual([
      'limit=1&etags=true',
      'limit=1&cursor=c1&etags=true',
      'limit=1&cursor=c2&etags=true',
    ])
  })
})

describe('credentials', () => {
  const token = {
    json: { access_token: 't1', expires_in: 60, user: { ...dog, type: 'user', username: 'ann' } },
  }

  it('are a token after signing in, and none after signing out, which ends it', async () => {
    const changes: unknown[] = []
    const done = { json: {} }
    await using wire = await openWire([token, found, done, found], {
      onTokenChange: (token) => changes.push(token),
    })

    const ann = await wire.client.signIn({ username: 'ann', password: 'secret' })
    await wire.dogs.get('fido')
    await wire.client.signOut()
    await wire.dogs.get('fido')

    expect(ann).toMatchObject({ username: 'ann' })
    expect(wire.received.map(({ authorization }) => authorization)).toEqual([
      undefined,
      'Bearer t1',
      'Bearer t1',
      undefined,
    ])
    expect(wire.received[2]).toMatchObject({
      method: 'POST',
      url: '/demo/sandbox/users/me/revoketoken',
      body: '{"token":"t1"}',
    })
    expect(JSON.parse(wire.received[0]!.body)).toEqual({
      grant_type: 'password',
      username: 'ann',
      password: 'secret',
    })
    expect(changes).toEqual(['t1', undefined])
  })

  it('tell when a token from a sign-in expires, in milliseconds', async () => {
    await using wire = await openWire([token])
    const before = Date.now()

    await wire.client.signIn({ username: 'ann', password: 'secret' })

    expect(wire.client.tokenExpiresAt).toBeGreaterThanOrEqual(before + 60_000)
    expect(wire.client.tokenExpiresAt).toBeLessThanOrEqual(Date.now() + 60_000)
  })

  it('are not sent when signing in, where a token that has expired would be refused', async () => {
    await using wire = await openWire([token], { token: 'old' })

    await wire.client.signIn({ username: 'ann', password: 'secret' })

    expect(wire.received[0]!.authorization).toBeUndefined()
    expect(wire.client.token).toBe('t1')
  })

  it('of a program are sent with every request until a user signs in', async () => {
    await using wire = await openWire([found, token, found], { clientId: 'id', clientSecret: 'secret' })

    await wire.dogs.get('fido')
    await wire.client.signIn({ username: 'ann', password: 'secret' })
    await wire.dogs.get('fido')

    expect(wire.received.map(({ authorization }) => authorization)).toEqual([
      `Basic ${btoa('id:secret')}`,
      undefined,
      'Bearer t1',
    ])
  })

  it('stay as they are when signing in fails', async () => {
    const refused = {
      status: 400,
      json: { error: 'invalid_grant', error_description: 'invalid username or password' },
    }
    await using wire = await openWire([refused], { token: 'old' })

    const error = await failure(wire.client.signIn({ username: 'ann', password: 'wrong' }))

    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'invalid_grant', status: 400 })
    expect(wire.client.token).toBe('old')
  })

  it.each([
    ['PUT /demo/sandbox/users/me/revoketokens', { everywhere: true }],
    ['POST /demo/sandbox/users/me/revoketoken', {}],
  ])('are forgotten even when the server cannot end the tokens: %s', async (request, options) => {
    await using wire = await openWire([busy], { token: 't1', retry: { limit: 0 } })

    await expect(wire.client.signOut(options)).rejects.toBeInstanceOf(UnavailableError)

    expect(wire.received.map(({ method, url }) => `${method} ${url}`)).toEqual([request])
    expect(wire.client.token).toBeUndefined()
  })

  it('that are over need no end', async () => {
    await using wire = await openWire([{ status: 401, json: { error: 'expired_token' } }], { token: 't1' })

    await wire.client.signOut()
    await wire.client.signOut()

    expect(wire.received).toHaveLength(1)
  })
})

describe('a failed reply', () => {
  it('becomes an error with the request id', async () => {
    const missing = { error: 'entity_not_found', error_description: 'Cannot find entity with name: fido' }
    await using wire = await openWire([{ status: 404, json: missing, headers: { 'x-request-id': 'r1' } }])

    const error = await failure(wire.dogs.get('fido'))

    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({
      code: 'entity_not_found',
      status: 404,
      requestId: 'r1',
      message: missing.error_description,
    })
  })

  it.each([
    [502, '<html>Bad gateway</html>', UnavailableError],
    [200, '<html>Welcome</html>', EntigridError],
    [200, '', EntigridError],
    [200, '{"entities":[]}', EntigridError],
  ])('is an error also with status %i and the body "%s"', async (status, text, family) => {
    await using wire = await openWire([{ status, text }])

    const error = await failure(wire.dogs.get('fido'))

    expect(error).toBeInstanceOf(family)
    expect(error).toMatchObject({ code: 'unexpected_reply', status })
  })

  it('of an update that matches nothing is an empty list', async () => {
    await using wire = await openWire([{ status: 404, json: { error: 'service_resource_not_found' } }])

    expect(await wire.dogs.updateWhere((q) => q.where('age', '>', 9), { old: true })).toEqual([])
  })

  it('of an update in an application that is not there stays an error', async () => {
    await using wire = await openWire([
      { status: 404, json: { error: 'organization_application_not_found' } },
    ])

    await expect(wire.dogs.updateWhere((q) => q, { old: true })).rejects.toBeInstanceOf(NotFoundError)
  })
})

describe('a repeat', () => {
  type Dogs = Awaited<ReturnType<typeof openWire>>['dogs']

  it.each<[string, (dogs: Dogs) => Promise<unknown>]>([
    ['get', (dogs) => dogs.get('fido')],
    ['find', (dogs) => dogs.find()],
    ['update', (dogs) => dogs.update('fido', { age: 4, tags: addUnique('old'), breed: unset() })],
    ['patch', (dogs) => dogs.patch('fido', { address: { city: 'Oslo', lines: remove('a') } })],
    ['delete', (dogs) => dogs.delete('fido')],
  ])('is made twice for %s, with growing waits', async (_, call) => {
    await using wire = await openWire([busy, 'break', found])

    await call(wire.dogs)

    expect(wire.received).toHaveLength(3)
    expect(wire.waits).toEqual([100, 200])
  })

  it.each<[string, (dogs: Dogs) => Promise<unknown>]>([
    ['update with inc', (dogs) => dogs.update('fido', { age: inc() })],
    ['update with add', (dogs) => dogs.update('fido', { name: 'rex', tags: add('old') })],
    ['patch with inc', (dogs) => dogs.patch('fido', { visits: { oslo: inc() } })],
    ['updateWhere', (dogs) => dogs.updateWhere((q) => q, { age: 4 })],
    ['deleteWhere', (dogs) => dogs.deleteWhere((q) => q)],
  ])('is never made for %s', async (_, call) => {
    await using wire = await openWire([busy, found])

    await expect(call(wire.dogs)).rejects.toBeInstanceOf(UnavailableError)

    expect(wire.received).toHaveLength(1)
  })

  it.each<[string, (client: Awaited<ReturnType<typeof openWire>>['client']) => Promise<unknown>]>([
    ['create', (client) => client.collection('dogs').create({ age: 3 })],
    ['createMany', (client) => client.collection('dogs').createMany([{ age: 3 }])],
    ['connect', (client) => client.connect(fido, 'likes', fido)],
    ['batch', (client) => client.batch((tx) => tx.collection('dogs').create({ age: 3 }))],
  ])('of %s has the same idempotency key, and the next call another', async (_, call) => {
    const done = { json: { entities: [dog], results: [{ entities: [dog] }] } }
    await using wire = await openWire([busy, 'break', done])

    await call(wire.client)
    await call(wire.client)

    const keys = wire.received.map(({ key }) => key)
    expect(keys).toEqual([keys[0], keys[0], keys[0], keys[3]])
    expect(keys[3]).not.toBe(keys[0])
    expect(keys[0]).toMatch(/^[\x21-\x7e]{16,255}$/)
  })

  it("has the caller's own idempotency key where there is one", async () => {
    await using wire = await openWire([busy, found])

    await wire.dogs.create({ age: 3 }, { idempotencyKey: 'order-7' })
    await wire.client.request('POST', '/users/me/likes/dogs', { body: {}, idempotencyKey: 'order-8' })

    expect(wire.received.map(({ key }) => key)).toEqual(['order-7', 'order-7', 'order-8'])
  })

  it('is made for disconnecting, and not for signing in', async () => {
    await using wire = await openWire([busy, found, busy])

    await wire.client.disconnect(fido, 'likes', fido)
    await expect(wire.client.signIn({ username: 'ann', password: 'x' })).rejects.toBeInstanceOf(
      UnavailableError,
    )

    expect(wire.received.map(({ method }) => method)).toEqual(['DELETE', 'DELETE', 'POST'])
  })

  it('is made under a condition even of what counts, as that cannot be done twice then', async () => {
    await using wire = await openWire([tagged, 'break', found])

    await wire.dogs.update(await wire.dogs.get('fido'), { name: 'rex', age: inc() })

    expect(wire.received.map(({ method, ifMatch }) => [method, ifMatch])).toEqual([
      ['GET', undefined],
      ['PUT', '"t1"'],
      ['PUT', '"t1"'],
    ])
  })

  it.each<[string, (dogs: Dogs) => Promise<unknown>]>([
    ['update', async (dogs) => dogs.update(await dogs.get('fido'), { age: 4 })],
    ['modify', (dogs) => dogs.modify('fido', () => ({ age: 4 }))],
    ['delete', async (dogs) => dogs.delete(await dogs.get('fido'), { ifMatch: true })],
  ])('of %s that fails on its condition leaves open whether the first was carried out', async (_, call) => {
    await using wire = await openWire([tagged, 'break', refused])

    await expect(call(wire.dogs)).rejects.toBeInstanceOf(ConnectionError)

    expect(wire.received).toHaveLength(3)
  })

  it('is made at most twice', async () => {
    await using wire = await openWire([busy])

    await expect(wire.dogs.get('fido')).rejects.toMatchObject({ code: 'unavailable', status: 503 })

    expect(wire.received).toHaveLength(3)
  })

  it.each([400, 401, 404, 409, 412, 500, 501])('is not made after status %i', async (status) => {
    await using wire = await openWire([{ status, json: { error: 'some_code' } }, found])

    await expect(wire.dogs.get('fido')).rejects.toMatchObject({ status })

    expect(wire.received).toHaveLength(1)
  })

  it('waits as long as the server asks', async () => {
    await using wire = await openWire([{ ...busy, headers: { 'retry-after': '7' } }, found])

    await wire.dogs.get('fido')

    expect(wire.waits).toEqual([7000])
  })

  it('is made of anything that was turned away because of too many requests, after the wait asked for', async () => {
    await using wire = await openWire([tooMany(7), tooMany(8), found])

    await wire.dogs.update('fido', { age: inc() })

    expect(wire.received).toHaveLength(3)
    expect(wire.waits).toEqual([7000, 8000])
  })

  it('is not made when the wait asked for is longer than what is left of the time', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const sleep = async (ms: number) => void vi.advanceTimersByTime(ms)
      await using wire = await openWire([tooMany(7)], { timeout: 10_000, retry: { sleep } })

      const error = await failure(wire.dogs.create({ age: 3 }))

      expect(error).toBeInstanceOf(RateLimitError)
      expect(error).toMatchObject({ code: 'too_many_requests', retryAfter: 7 })
      expect(wire.received).toHaveLength(2)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is not made when the server asks for more time than the call has', async () => {
    await using wire = await openWire([{ ...busy, headers: { 'retry-after': '7' } }, found], {
      timeout: 5000,
    })

    await expect(wire.dogs.get('fido')).rejects.toMatchObject({ status: 503, retryAfter: 7 })

    expect(wire.waits).toEqual([])
  })
})

describe('a conflict', () => {
  it('is told also where the entity cannot be read any more', async () => {
    await using wire = await openWire([tagged, refused, { status: 401, json: { error: 'unauthorized' } }])
    const fido = await wire.dogs.get('fido')

    const error = await failure(wire.dogs.update(fido, { age: 4 }))

    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ mine: { age: 4 }, theirs: undefined, base: dog })
    expect(wire.received[2]).toMatchObject({ method: 'GET', url: '/demo/sandbox/dogs/d1' })
  })

  it('is not told to a caller who has aborted meanwhile', async () => {
    await using wire = await openWire([tagged, refused, 'silence'])
    const fido = await wire.dogs.get('fido')
    const controller = new AbortController()
    const reason = new Error('changed my mind')

    const call = failure(wire.dogs.update(fido, { age: 4 }, { signal: controller.signal }))
    await expect.poll(() => wire.received.length).toBe(3)
    controller.abort(reason)

    expect(await call).toBe(reason)
  })

  it('is told within the time of the call', async () => {
    await using wire = await openWire([tagged, refused, 'silence'])
    const fido = await wire.dogs.get('fido')

    const error = await failure(wire.dogs.update(fido, { age: 4 }, { timeout: 500 }))

    expect(error).toMatchObject({ name: 'ConflictError', mine: { age: 4 }, theirs: undefined })
  })

  it('is not sought of an entity without a tag, which modify refuses to write', async () => {
    await using wire = await openWire([found])

    await expect(wire.dogs.modify('fido', () => ({ age: 4 }))).rejects.toThrow(TypeError)

    expect(wire.received.map(({ method }) => method)).toEqual(['GET'])
  })
})

describe('no reply', () => {
  it('is a connection error when nothing listens, with its cause', async () => {
    const wire = await openWire([found], { retry: { limit: 0 } })
    await wire.close()

    const error = await failure(wire.dogs.get('fido'))

    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ code: 'connection_failed', status: 0, cause: expect.any(Error) })
  })

  it('in time is a timeout, which is not repeated', async () => {
    await using wire = await openWire(['silence'], { timeout: 50 })

    const error = await failure(wire.dogs.get('fido'))

    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ code: 'timeout', status: 0 })
    expect(wire.received).toHaveLength(1)
  })

  it('in the time of a single call is a timeout too', async () => {
    await using wire = await openWire(['silence'], { timeout: Number.POSITIVE_INFINITY })

    await expect(wire.dogs.get('fido', { timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
  })

  it('is waited for until the caller aborts, and then the reason is theirs', async () => {
    await using wire = await openWire(['silence'])
    const controller = new AbortController()
    const reason = new Error('changed my mind')

    const call = failure(wire.dogs.get('fido', { signal: controller.signal }))
    await expect.poll(() => wire.received.length).toBe(1)
    controller.abort(reason)

    expect(await call).toBe(reason)
  })

  it('is not even waited for when the caller has aborted before', async () => {
    await using wire = await openWire([found])

    await expect(wire.dogs.get('fido', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })

    expect(wire.received).toEqual([])
  })

  it('is no longer waited for when the caller aborts between repeats', async () => {
    const controller = new AbortController()
    const sleep = async () => controller.abort()
    await using wire = await openWire([busy], { retry: { sleep } })

    await expect(wire.dogs.get('fido', { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })

    expect(wire.received).toHaveLength(1)
  })
})
