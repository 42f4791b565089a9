import { Agent, request as httpRequest } from 'node:http'
import { DATABASES } from '@entigrid/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AppClient, sharedApp } from '../../support/app-client.js'

/** Raise it for a longer search. */
const RUNS = Number(process.env.ENTIGRID_FUZZ_RUNS ?? 1500)
const AT_A_TIME = 10

interface Request {
  method: string
  path: string
  search: string
  headers: Record<string, string>
  body: string
}

const WORDS = [
  'dogs',
  'Dogs',
  'dog',
  'cats',
  'users',
  'user',
  'groups',
  'roles',
  'devices',
  'activities',
  'assets',
  'events',
  'likes',
  'connections',
  'connecting',
  'following',
  'followers',
  'feed',
  'permissions',
  'rolenames',
  'password',
  'revoketokens',
  'token',
  'me',
  'all',
  'any',
  'rex',
  'ann',
  'staff',
  'admin',
  'guest',
  '_settings',
  '_reindex',
  '_clear',
  'constructor',
  '__proto__',
  '..',
  '.',
  '%',
  '%00',
  '%2e%2e',
  '%c0%ae',
  '~members',
  '*',
  'null',
  '0',
  '-1',
  '01a20eb6-ffd4-711b-943a-cf273f46ad61',
  ';ql=a=1',
  'all;limit=3',
  'dogs;ql=a > 1;limit=2',
  '%7b%7d',
  '%7B%22ql%22:%22a=1%22%7D',
]
const QL = [
  'select',
  '*',
  'where',
  'order',
  'by',
  'asc',
  'desc',
  'and',
  'or',
  'not',
  '(',
  ')',
  ',',
  '{',
  '}',
  ':',
  '=',
  '<',
  '<=',
  '>',
  '>=',
  'eq',
  'lt',
  'gte',
  'contains',
  'within',
  'of',
  'direct',
  'a',
  'b.c',
  'name',
  'uuid',
  'type',
  'created',
  'location',
  'true',
  'false',
  '1',
  '-2.5',
  '1e9',
  "'x'",
  "'a*'",
  "'*'",
  "''",
  String.raw`'\u0000'`,
  "'it\\'s'",
  '52.5',
  '13.4',
  '5000',
  '"',
  '!',
  '%',
  '\u0000',
  '🐕',
]
const PARAMS = [
  'ql',
  'ql',
  'ql',
  'ql',
  'q',
  'query',
  'limit',
  'cursor',
  'connections',
  'analyzeOnly',
  'callback',
  'permission',
  'replace_all',
  '__proto__',
]
const COLLECTIONS = ['dogs', 'users', 'groups', 'roles', 'cats', 'devices']
const NAMES = ['rex', 'fido', 'ann', 'staff', 'admin', 'me', 'all', 'all;limit=2', 'nobody']
const STEPS = [
  'likes/any',
  'likes',
  'groups',
  'users',
  'roles',
  'following',
  'connections',
  'connecting',
  'connecting/likes',
  'permissions',
  'devices',
]
const TERMS = [
  'a = 1',
  "a = 'x*'",
  "name contains 'rex'",
  'location within 9e9 of 52.5,13.4',
  'not a > 0',
  "name = '*'",
  'a >= 0',
  'direct rex, ann',
]
const ORDERS = ['', ' order by a', ' order by a desc, name', ' order by location', ' order by created desc']

const sound = fc
  .tuple(
    fc.array(fc.constantFrom(...TERMS), { minLength: 1, maxLength: 3 }),
    fc.constantFrom(' and ', ' or '),
    fc.constantFrom(...ORDERS),
  )
  .map(([terms, word, order]) => terms.join(word) + order)
const ql = fc.oneof(
  sound,
  fc.array(fc.constantFrom(...QL), { maxLength: 14 }).map((words) => words.join(' ')),
)
const text = fc.oneof(fc.string({ maxLength: 20, unit: 'binary' }), fc.constantFrom(...WORDS), ql)
const segment = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
)
const key = fc.oneof(
  fc.constantFrom(
    'name',
    'a',
    'b',
    'location',
    'username',
    'email',
    'path',
    'uuid',
    'type',
    'metadata',
    'created',
    'permission',
    'fields',
    'indexes',
    '__proto__',
    'updatedBefore',
    'oldpassword',
    'newpassword',
    'activated',
    'grant_type',
  ),
  fc.string({ maxLength: 8, unit: 'binary' }),
)
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      text,
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom('get:/**', ':', 'all', 'none'),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
}))
const body = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 5, arbitrary: json.object.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.array(json.value, { maxLength: 5 }).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: json.value.map((value) => JSON.stringify(value).slice(0, -1)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40, unit: 'binary' }) },
)
const headers = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.dictionary(
    fc.constantFrom(
      'authorization',
      'content-type',
      'accept',
      'origin',
      'x-forwarded-for',
      'accept-encoding',
      'if-modified-since',
      'range',
      'x-request-id',
    ),
    fc.constantFrom(
      '',
      'x',
      'Bearer x',
      'Bearer a.b.c',
      'Basic eDp5',
      'Basic %',
      'application/json',
      'text/html',
      '*/*',
      'null',
      'gzip',
      'bytes=0-',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ),
    { maxKeys: 3 },
  ),
)
const search = fc
  .array(
    fc.tuple(
      fc.constantFrom(...PARAMS),
      fc.oneof({ weight: 3, arbitrary: ql }, { weight: 1, arbitrary: text }),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${encoded(value)}`).join('&'))
const step = fc.tuple(
  fc.constantFrom(...STEPS),
  fc.constantFrom('', ...COLLECTIONS),
  fc.constantFrom('', ...NAMES),
)
const path = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...COLLECTIONS), fc.constantFrom(...NAMES), fc.array(step, { maxLength: 2 }))
      .map((parts) => parts.flat(2)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...COLLECTIONS).map((word) => [word]) },
  { weight: 2, arbitrary: fc.array(segment, { maxLength: 7 }) },
)
const request: fc.Arbitrary<Request> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'),
  path: path.map((segments) => segments.map(encoded).join('/')),
  search,
  headers,
  body,
})

/** As a careless client would: what cannot stand in a request line is encoded, the rest is not. */
const encoded = (value: string): string =>
  value.replace(/[^\x21-\x7e]|[#?&]/gu, (character) =>
    /\p{Cs}/u.test(character) ? '%3F' : encodeURIComponent(character),
  )

const SECRETS =
  /SQLITE_|SELECT |INSERT |UPDATE |entity_index|node_modules|\/src\/|\.ts:|at [A-Z#]\w+\.|TypeError|RangeError|ECONN|relation "/

describe.each(DATABASES)('a server on %s that is sent anything at all', (database) => {
  const errors: unknown[] = []
  const silent = () => undefined
  const app = sharedApp(database, {
    options: { log: { info: silent, warn: silent, error: (fields) => errors.push(fields) } },
  })

  it(`answers ${RUNS} requests with what the protocol knows, tells nothing of itself, and lives`, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME })
    await app().create(
      'dogs',
      { name: 'rex', a: 1, location: { lat: 52.5, lon: 13.4 } },
      { name: 'fido', a: 'x' },
    )
    await app().post('/users', { username: 'ann' })
    await app().post('/groups', { path: 'staff' })

    const property = fc.asyncProperty(
      fc.array(request, { minLength: AT_A_TIME, maxLength: AT_A_TIME }),
      async (requests) => {
        const replies = await Promise.all(requests.map((one) => send(app(), agent, one)))
        for (const { status, text: reply } of replies) {
          expect([status >= 500, errors]).toEqual([false, []])
          expect(reply).not.toMatch(SECRETS)
          if (status >= 400 && reply !== '')
            expect(JSON.parse(reply)).toMatchObject({
              error: expect.any(String),
              error_description: expect.any(String),
            })
        }
      },
    )
    await fc.assert(property, { numRuns: Math.ceil(RUNS / AT_A_TIME), endOnFailure: true })

    agent.destroy()
    expect((await app().get('/users', { ql: "username = 'nobody'" })).status).toBe(200)
    expect(Object.keys(Object.prototype)).toEqual([])
  }, 120_000)
})

const send = (
  app: AppClient,
  agent: Agent,
  { method, path, search: query, headers: own, body: content }: Request,
) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    const url = new URL(app.root)
    const options = {
      host: url.hostname,
      port: url.port,
      agent,
      method,
      path: `${url.pathname}/${path}${query === '' ? '' : `?${query}`}`,
      headers: {
        authorization: app.authorization,
        'content-length': String(Buffer.byteLength(content)),
        ...own,
      },
    }
    const outgoing = httpRequest(options, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk) => {
        text += chunk
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode!, text }))
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(content)
  })
