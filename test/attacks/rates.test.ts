import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { request } from '../support/http-server.js'
import { openTestServer } from '../support/server.js'

const QUOTA = 50
const OPEN = { options: { rates: { address: QUOTA, principal: 0 } } }
const FROM_PROXY = { ...OPEN, server: { trustProxy: true } }

/** What the header `RateLimit` says is left of a quota. */
const left = (headers: Record<string, unknown>, quota = 'address'): number =>
  Number(new RegExp(`"${quota}";r=(\\d+);t=\\d+`).exec(String(headers['ratelimit']))?.[1])

const operations = Array.from({ length: 7 }, () => ({ method: 'POST', path: 'notes', body: {} }))

describe('attack 35: the rate of an address', () => {
  it.each([
    '/test/sandbox/_batch',
    '/TEST/Sandbox/_BATCH',
    '/test/sandbox/_batch/',
    '//test///sandbox//_batch//',
    '/test/sandbox/%5Fbatch',
    '/test/sandbox/_batch%20',
    '/orgs/test/apps/sandbox/_batch',
  ])('counts every operation of a batch sent to %s', async (path) => {
    await using server = await openTestServer({ database: 'memory', ...OPEN })
    const body = JSON.stringify({ operations })

    const { status, headers } = await request(server.url + path, { method: 'POST', body })

    expect([status, left(headers)]).toEqual([200, QUOTA - 7])
  })

  it('counts every entity of an array, in a batch or by itself', async () => {
    await using server = await openTestServer({ database: 'memory', ...OPEN })
    const post = (path: string, body: unknown) =>
      request(`${server.url}/test/sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) })

    const array = await post('notes', [{}, {}, {}])
    const batch = await post('_batch', {
      operations: [...operations, { method: 'POST', path: 'notes', body: [{}, {}, {}, {}] }],
    })

    expect([left(array.headers), left(batch.headers)]).toEqual([QUOTA - 3, QUOTA - 3 - 11])
  })

  it('counts requests that fail, and those that ask for another method', async () => {
    await using server = await openTestServer({ database: 'memory', ...OPEN })
    const asked = [
      request(`${server.url}/nowhere`),
      request(`${server.url}/test/sandbox/notes/%ff`),
      request(`${server.url}/test/sandbox/notes`, { headers: { authorization: 'Bearer wrong' } }),
      request(`${server.url}/test/sandbox/notes`, { headers: { 'x-http-method-override': 'OPTIONS' } }),
      request(`${server.url}/test/sandbox/notes`, { method: 'HEAD' }),
    ]

    const replies = await Promise.all(asked)

    expect(Math.min(...replies.map(({ headers }) => left(headers)))).toBe(QUOTA - asked.length)
  })

  it('refuses what exceeds it with 429, and says when to come back', async () => {
    const clock = () => Date.UTC(2026, 0, 1, 12, 0, 20)
    await using server = await openTestServer({
      database: 'memory',
      options: { clock, rates: { address: 6, principal: 0 } },
    })
    const url = `${server.url}/test/sandbox/_batch`
    const body = JSON.stringify({ operations })

    const origin = 'https://page.test'
    const { status, json, headers } = await request(url, { method: 'POST', body, headers: { origin } })

    expect([status, json.error]).toEqual([429, 'too_many_requests'])
    expect(headers).toMatchObject({
      'retry-after': '40',
      'ratelimit-policy': '"address";q=6;w=60',
      ratelimit: '"address";r=6;t=40',
    })
    expect(headers['access-control-expose-headers']).toContain('RateLimit-Policy, RateLimit')
    const notes = await request(`${server.url}/test/sandbox/notes`)
    expect(notes.json.entities).toEqual([])
  })

  it('does not begin anew with a forged X-Forwarded-For', async () => {
    await using server = await openTestServer({ database: 'memory', ...OPEN })

    for (const [i, forged] of ['203.0.113.1', '203.0.113.2, 10.0.0.1', '::1'].entries()) {
      const { headers } = await request(`${server.url}/test/sandbox/notes`, {
        headers: { 'x-forwarded-for': forged },
      })
      expect(left(headers)).toBe(QUOTA - i - 1)
    }
  })

  it.each([
    ['what the client wrote before it', '203.0.113.1', '198.51.100.9, 203.0.113.1', 1],
    ['a port', '203.0.113.1', '203.0.113.1:4711', 1],
    ['the IPv6 form of an IPv4 address', '203.0.113.1', '::ffff:203.0.113.1', 1],
    ['the lower half of an IPv6 address', '2001:db8:1:2::1', '[2001:db8:1:2:ffff::9]:443', 1],
    ['another address before it', '203.0.113.1', '203.0.113.1, 198.51.100.9', 0],
    ['the upper half of an IPv6 address', '2001:db8:1:2::1', '2001:db8:1:3::1', 0],
  ])(
    'behind a trusted proxy, tells addresses apart by the last one: %s',
    async (_, first, second, shared) => {
      await using server = await openTestServer({ database: 'memory', ...FROM_PROXY })
      const from = (address: string) =>
        request(`${server.url}/test/sandbox/notes`, { headers: { 'x-forwarded-for': address } })

      await from(first)
      const { headers } = await from(second)

      expect(left(headers)).toBe(QUOTA - 1 - shared)
    },
  )
})

describe.each(DATABASES)('attack 35: the rate of a user on %s', (database) => {
  it('holds at whatever address and with whatever token, and not for the host program', async () => {
    const rates = { address: 1000, principal: 4 }
    await using server = await openTestServer({ database, options: { rates }, server: { trustProxy: true } })
    const { engine, owner } = server
    const baseUrl = server.url
    const path = '/management/token'
    const token = async () =>
      JSON.parse(
        (
          await engine.handle({
            method: 'POST',
            path,
            search: '',
            baseUrl,
            body: { grant_type: 'password', ...owner },
          })
        ).body,
      ).access_token
    const tokens = [await token(), await token()]

    const replies = []
    for (let i = 0; i < 6; i++)
      replies.push(
        await request(`${server.url}/test/sandbox/notes`, {
          headers: { authorization: `Bearer ${tokens[i % 2]}`, 'x-forwarded-for': `203.0.113.${i}` },
        }),
      )

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429, 429])
    expect(replies.map(({ headers }) => left(headers, 'principal'))).toEqual([3, 2, 1, 0, 0, 0])
    expect(replies[0]!.headers['ratelimit-policy']).toBe('"address";q=1000;w=60, "principal";q=4;w=60')
    expect(replies[5]!.json.error_description).toBe(
      'Too many requests: at most 4 operations in 60 seconds for each principal',
    )
    for (let i = 0; i < 10; i++) {
      const reply = await engine.handle({
        method: 'GET',
        path: '/test/sandbox/notes',
        search: '',
        baseUrl,
        principal: { kind: 'sysadmin' },
      })
      expect([reply.status, reply.headers?.['RateLimit']]).toEqual([200, undefined])
    }
  })
})
