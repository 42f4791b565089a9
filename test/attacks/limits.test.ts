import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { request } from '../support/http-server.js'
import { unchangedPrototypes } from './prototypes.js'
import { attacked } from './ways.js'

const LONG = 65_536
const UUID = '4b9d2c10-6f1b-41ee-8c99-0242ac120002'
/** Far more than any of these takes, also where much else is going on; without bounds they take minutes. */
const AT_ONCE = 15_000

describe.each(DATABASES)('attacks on time and memory, on %s', (database) => {
  unchangedPrototypes()
  const target = attacked(database)

  const quickly = async <T>(told: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    const result = await work()
    expect([told, performance.now() - startedAt < AT_ONCE]).toEqual([told, true])
    return result
  }

  // Measured one by one: 3 ms for those of a megabyte and of 16,000 quotes, most of it for decoding the URL; 0.3 ms for others.
  it.each([
    ['ten thousand parentheses', `${'('.repeat(10_000)}a = 1${')'.repeat(10_000)}`],
    ['ten thousand open parentheses', '('.repeat(10_000)],
    ['a thousand or', Array.from({ length: 1000 }, () => 'a = 1').join(' or ')],
    ['a thousand not', `${'not ('.repeat(1000)}a = 1${')'.repeat(1000)}`],
    ['a megabyte', `a = '${'x'.repeat(1_000_000)}'`],
    ['a megabyte of parentheses', '('.repeat(1_000_000)],
    ['a megabyte of quotes', "'".repeat(1_000_001)],
    ['a megabyte of words', 'a '.repeat(500_000)],
    ['unbalanced quotes', "a = 'x' and b = 'y"],
    ['an escape at the end', "a = 'x\\"],
    ['a homoglyph equals', 'a ＝ 1'],
    ['homoglyph quotes', 'a = ’x’'],
    ['a homoglyph parenthesis', '（a = 1）'],
    ['a homoglyph or', 'a = 1 оr b = 2'],
    ['too many words', `a contains '${Array.from({ length: 600 }, (_, i) => `w${i}*`).join(' ')}'`],
  ])('attack 30: a query with %s is refused at once', async (name, ql) => {
    const { admin, ways } = target()

    const search = `ql=${encodeURIComponent(ql)}`
    // A head of so many bytes is no HTTP for the server, nor for that of the Express application.
    const most: Record<string, number> = { http: 40_000, express: 12_000 }

    for (const way of ['http', 'express', 'handle', 'session'])
      for (const path of ['/test/shop/things', '/test/shop/things/a/likes']) {
        if (search.length > (most[way] ?? Number.POSITIVE_INFINITY)) continue
        const answer = (await quickly(`${way} ${name}`, () =>
          ways.get(way)!(admin, 'GET', path, { search }),
        ))!
        const errors = ['query_parse', 'query_token', ...(search.length > 16_000 ? ['uri_too_long'] : [])]
        // There is no such thing as to connect from; a session asks for that first.
        if (path.endsWith('likes')) errors.push('service_resource_not_found')
        expect([way, path, errors]).toEqual([way, path, expect.arrayContaining([answer.body.error])])
        expect(answer.body.error_description.length).toBeLessThan(400)
      }
  })

  it('attack 31: no pattern, word, name or list takes more than the time to read it', async () => {
    const { admin, ways } = target()
    const marks = `${'\u0301'.repeat(100_000)}${'\u0323'.repeat(100_000)}`
    const many = Array.from({ length: 90_000 }, (_, i) => i)
    await target().admins('POST', '/texts', { name: 'long', v: 'a'.repeat(900_000) })
    await target().admins('POST', '/texts', {
      name: 'words',
      v: Array.from({ length: 140_000 }, (_, i) => i.toString(36)).join(' '),
    })
    await target().admins('POST', '/texts', { name: 'list', v: many })
    const search = (ql: string) => ({ search: `ql=${encodeURIComponent(ql)}` })

    for (const ql of [
      `v = '*${'a'.repeat(3500)}b${'a'.repeat(3500)}*'`,
      `v = '${'a*'.repeat(3500)}b'`,
      `v contains '${'a*'.repeat(3500)}b'`,
      `v contains '${Array.from({ length: 300 }, (_, i) => `zzzz${i}*`).join(' ')}'`,
      `not v contains '${Array.from({ length: 300 }, (_, i) => `*zzzz${i}`).join(' ')}'`,
      Array.from({ length: 200 }, (_, i) => `v = '*${i}b*'`).join(' or '),
    ])
      expect(
        (await quickly(ql.slice(0, 40), () =>
          ways.get('http')!(admin, 'GET', '/test/shop/texts', search(ql)),
        ))!.status,
      ).toBe(200)
    for (const way of ['http', 'session', 'batch']) {
      const send = ways.get(way)!
      for (const body of [
        { v: { $addUnique: many } },
        { v: { $remove: many } },
        { v: { $addUnique: many.map((n) => ({ n })).slice(0, 50_000) } },
      ])
        expect(
          (await quickly(`${way} ${Object.keys(body.v)[0]}`, () =>
            send(admin, 'PUT', '/test/shop/texts/list', { body }),
          ))!.status,
        ).toBe(200)
      for (const [method, path, body] of [
        ['POST', '/users', { username: `a${marks}`, email: `${marks}@x.test` }],
        ['POST', '/texts', { name: `a${marks}`.slice(0, 900), v: marks }],
        ['POST', '/groups', { path: marks }],
      ] as const)
        expect([
          way,
          path,
          (await quickly(`${way} ${path}`, () => send(admin, method, `/test/shop${path}`, { body })))!
            .status < 500,
        ]).toEqual([way, path, true])
    }
    const signIn = { grant_type: 'password', username: `a${marks}`, password: `p${marks}` }
    for (const path of ['/test/shop/token', '/management/token'])
      expect(
        (await quickly(path, () =>
          ways.get('http')!({ principal: { kind: 'guest' } }, 'POST', path, { body: signIn }),
        ))!.status,
      ).toBe(400)
  })

  it('attack 31: no header, path or parameter of one character repeated takes long', async () => {
    const { server } = target()
    const headers = [
      'authorization',
      'accept',
      'accept-encoding',
      'content-type',
      'if-match',
      'if-none-match',
      'idempotency-key',
      'origin',
      'referer',
      'host',
      'x-forwarded-for',
      'x-request-id',
      'range',
      'cookie',
    ]
    const beginnings: Record<string, string[]> = {
      authorization: ['Bearer ', 'Basic ', 'Bearer a.'],
      'accept-encoding': ['gzip;', 'gzip;q=0'],
      'if-match': ['"', 'W/"'],
      origin: ['http://'],
      referer: ['https://'],
      'content-type': ['application/'],
    }

    for (const character of [' ', 'a', '0', ',', ';', '"', '.', '/', '=', '-', '\t', '%'])
      for (const header of headers)
        for (const beginning of ['', ...(beginnings[header] ?? [])]) {
          // A head may have 48 kB, of which replies repeat the origin.
          const length = ['origin', 'referer'].includes(header) ? 12_000 : 40_000
          const value = `${beginning}${character.repeat(length)}x`
          const { status } = await quickly(`${header}: ${beginning}${character}`, () =>
            request(`${server.url}/test/shop/things`, { headers: { [header]: value } }),
          )
          expect([header, character, status < 500]).toEqual([header, character, true])
        }
    for (const character of [' ', 'a', '0', '*', '.', ';', '%', "'", '(', '{', '$', 's'])
      for (const form of [
        '/test/shop/X',
        '/test/shop/things/X',
        '/test/shop/things/a/X',
        '/X/Y',
        '/test/shop/users/X@Y',
        '/test/shop/things;ql=X',
        '/test/shop/X/_settings',
      ]) {
        const path = form.replace(/[XY]/g, encodeURIComponent(character.repeat(LONG)))
        const { engine } = server
        const reply = await quickly(`${form} ${character}`, () =>
          engine.handle({
            method: 'GET',
            path,
            search: `limit=${character.repeat(LONG)}&cursor=${character.repeat(LONG)}&ttl=${character.repeat(LONG)}`,
            baseUrl: '',
            principal: { kind: 'sysadmin' },
          }),
        )
        expect([form, character, reply.status < 500]).toEqual([form, character, true])
      }
  })

  it('attack 34: what is too much is refused before any work, by every way that it can come', async () => {
    const { admin, ways } = target()
    const deep = (levels: number) =>
      Array.from({ length: levels - 1 }).reduce<unknown>((inner) => ({ a: inner }), { end: 1 })
    const before = (await target().admins('GET', '', undefined)).entities[0].metadata
    const refused: [body: unknown, path: string, errors: string[]][] = [
      [Array.from({ length: 1001 }, () => ({ a: 1 })), '/test/shop/heaps', ['illegal_argument']],
      [
        {
          operations: Array.from({ length: 101 }, () => ({ method: 'POST', path: 'heaps', body: { a: 1 } })),
        },
        '/test/shop/_batch',
        ['illegal_argument'],
      ],
      [
        {
          operations: Array.from({ length: 2 }, () => ({
            method: 'POST',
            path: 'heaps',
            body: Array.from({ length: 600 }, () => ({ a: 1 })),
          })),
        },
        '/test/shop/_batch',
        ['illegal_argument'],
      ],
      [{ name: 'n'.repeat(1001) }, '/test/shop/heaps', ['illegal_argument']],
      [deep(65), '/test/shop/heaps', ['json_parse', 'illegal_argument']],
      [
        { permission: `get:/${'a/'.repeat(600)}` },
        '/test/shop/roles/guest/permissions',
        ['illegal_argument'],
      ],
      [
        { indexes: Array.from({ length: 21 }, (_, i) => [`p${i}`]) },
        '/test/shop/heaps/_settings',
        ['illegal_argument'],
      ],
      [
        { username: 'heap', password: 'p'.repeat(1025) },
        '/test/shop/users',
        ['error_password_policy_violation'],
      ],
    ]

    for (const [name, send] of ways)
      for (const [body, path, errors] of refused) {
        const answer = await send(admin, 'POST', path, { body })
        if (answer === null) continue
        expect([name, path, answer.status, errors.includes(answer.body.error)]).toEqual([
          name,
          path,
          400,
          true,
        ])
      }
    expect(
      (await ways.get('http')!(admin, 'POST', '/test/shop/heaps', { body: { text: 'x'.repeat(1_100_000) } }))!
        .status,
    ).toBe(413)
    const paths = [
      `/test/shop/${'a/'.repeat(25)}`,
      `/test/shop/heaps/${UUID}${`/likes/${UUID}`.repeat(9)}`,
      `/test/shop/${'a'.repeat(101)}`,
      `/test/shop/heaps/a/${'v'.repeat(101)}`,
    ]
    for (const path of paths)
      for (const way of ['http', 'express', 'handle'])
        expect([path.length, way, (await ways.get(way)!(admin, 'GET', path))!.status]).toEqual([
          path.length,
          way,
          400,
        ])
    const tooMany = [
      `order by ${Array.from({ length: 17 }, (_, i) => `a${i}`).join(',')}`,
      `select ${Array.from({ length: 257 }, (_, i) => `a${i}`).join(',')}`,
      `direct ${Array.from({ length: 1001 }, () => 'a').join(',')}`,
    ]
    for (const ql of tooMany)
      for (const way of ['http', 'express', 'handle', 'session'])
        expect([
          way,
          (await ways.get(way)!(admin, 'GET', '/test/shop/heaps', {
            search: `ql=${encodeURIComponent(ql)}`,
          }))!.status,
        ]).toEqual([way, 400])
    const { entities } = (await ways.get('http')!(admin, 'GET', '/test/shop/roles', { search: 'limit=1e9' }))!
      .body
    expect(entities).toHaveLength(3)
    expect((await target().admins('GET', '/heaps')).entities).toEqual([])
    expect((await target().admins('GET', '', undefined)).entities[0].metadata).toEqual(before)
  })
})
