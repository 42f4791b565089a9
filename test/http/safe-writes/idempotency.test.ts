import { DATABASES } from '@entigrid/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppClient } from '../../support/app-client.js'
import { openTestServer } from '../../support/server.js'

const DAY = 86_400_000

describe.each(DATABASES)('Idempotency-Key on %s', (database) => {
  let app: AppClient
  let now = Date.now()
  let keys = 0
  beforeAll(async () => {
    app = new AppClient(await openTestServer({ database, options: { clock: () => now } }))
  })
  afterAll(() => app.server.close())

  const newKey = () => `key-${++keys}`
  const post = (path: string, body: unknown, key: string, headers: Record<string, string> = {}) =>
    app.send('POST', path, { body, headers: { 'idempotency-key': key, ...headers } })
  const countOf = async (collection: string) => (await app.get(`/${collection}`)).body.entities.length

  it('gives the first reply again', async () => {
    const key = newKey()

    const first = await post('/orders', { total: 5 }, key)
    now += 1000
    const again = await post('/orders', { total: 5 }, key)

    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect([again.status, again.body]).toEqual([first.status, first.body])
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    expect(await countOf('orders')).toBe(1)
  })

  it('holds when requests race', async () => {
    const key = newKey()

    const replies = await Promise.all(Array.from({ length: 20 }, () => post('/races', { n: 1 }, key)))

    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(replies.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1)
    expect(await countOf('races')).toBe(1)
  })

  it('holds for arrays, connections and batches', async () => {
    await app.create('cats', { name: 'tom' })
    const requests: [string, unknown][] = [
      ['/lists', [{ name: 'a' }, { name: 'b' }, 5]],
      ['/cats/tom/chases/mice', { size: 1 }],
      ['/_batch', { operations: [{ method: 'PUT', path: 'cats/tom', body: { lives: { $inc: 9 } } }] }],
    ]

    for (const [path, body] of requests) {
      const key = newKey()
      const first = await post(path, body, key)
      const again = await post(path, body, key)
      expect([again.status, again.body]).toEqual([200, first.body])
    }
    expect(await countOf('lists')).toBe(2)
    expect(await countOf('mice')).toBe(1)
    expect((await app.get('/cats/tom')).body.entities[0].lives).toBe(9)
  })

  it('is refused for another request', async () => {
    const key = newKey()
    await post('/firsts', { n: 1 }, key)

    for (const reply of [
      await post('/firsts', { n: 2 }, key),
      await post('/seconds', { n: 1 }, key),
      await post('/firsts?connections=none', { n: 1 }, key),
    ])
      expect(reply).toMatchObject({ status: 422, body: { error: 'idempotency_key_reused' } })
    expect(await countOf('firsts')).toBe(1)
    expect(await countOf('seconds')).toBe(0)
  })

  it('is the caller’s own', async () => {
    const key = newKey()
    const tokens = await Promise.all(
      ['ann', 'ben'].map(async (username) => {
        await app.post('/users', { username, password: 'a password' })
        const { body } = await app.post('/token', {
          grant_type: 'password',
          username,
          password: 'a password',
        })
        return `Bearer ${body.access_token}`
      }),
    )

    const replies = await Promise.all(
      tokens.map((authorization) => post('/things', { n: 1 }, key, { authorization })),
    )

    expect(replies.map(({ status }) => status)).toEqual([200, 200])
    expect(replies[0]!.body.entities[0].uuid).not.toBe(replies[1]!.body.entities[0].uuid)
  })

  it('is not used up by a failure', async () => {
    await app.create('singles', { name: 'one' })
    const key = newKey()

    expect((await post('/singles', { name: 'one' }, key)).body.error).toBe('duplicate_unique_property_exists')
    await app.delete('/singles/one')
    expect((await post('/singles', { name: 'one' }, key)).status).toBe(200)
  })

  it('asks for rights each time', async () => {
    const key = newKey()
    const guest = { authorization: '' }
    await app.post('/roles/guest/permissions', { permission: 'post:/letters' })
    await app.delete('/roles/guest/permissions', { permission: 'get,post,put,delete:/**' })
    expect((await post('/letters', { n: 1 }, key, guest)).status).toBe(200)

    await app.delete('/roles/guest/permissions', { permission: 'post:/letters' })

    expect((await post('/letters', { n: 1 }, key, guest)).status).toBe(401)
    await app.post('/roles/guest/permissions', { permission: 'get,post,put,delete:/**' })
  })

  it('lives for a day', async () => {
    const key = newKey()
    await post('/days', { n: 1 }, key)

    now += DAY - 1000
    expect((await post('/days', { n: 1 }, key)).headers.get('idempotency-replayed')).toBe('true')
    now += 2000
    expect((await post('/days', { n: 1 }, key)).headers.get('idempotency-replayed')).toBeNull()
    expect((await post('/days', { n: 1 }, key)).headers.get('idempotency-replayed')).toBe('true')
    expect(await countOf('days')).toBe(2)
  })

  it.each(['a b', '\u00e9', 'x'.repeat(256)])('refuses the key %j', async (key) => {
    const reply = await post('/keys', { n: 1 }, key)

    expect(reply).toMatchObject({ status: 400 })
    expect(await countOf('keys')).toBe(0)
  })

  it('takes a key of 255 characters', async () => {
    expect((await post('/longs', { n: 1 }, 'x'.repeat(255))).status).toBe(200)
  })
})
