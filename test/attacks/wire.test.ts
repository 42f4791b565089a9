import { DATABASES, type SqlConnection, type SqlDatabase } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { exchange, request } from '../support/http-server.js'
import { unchangedPrototypes } from './prototypes.js'
import { attacked, GUEST } from './ways.js'

describe.each(DATABASES)('attacks on the wire, on %s', (database) => {
  unchangedPrototypes()
  let failure: Error | undefined
  const broken = (connection: SqlConnection): SqlConnection => ({
    all: (sql, values) => (failure === undefined ? connection.all(sql, values) : Promise.reject(failure)),
    run: (sql, values) => (failure === undefined ? connection.run(sql, values) : Promise.reject(failure)),
  })
  /** The database, until it is told to fail. */
  const wrap = (sql: SqlDatabase): SqlDatabase => ({
    dialect: sql.dialect,
    writers: sql.writers,
    read: (work) => sql.read((connection) => work(broken(connection))),
    snapshot: (work) => sql.snapshot((connection) => work(broken(connection))),
    write: (work) => sql.write((connection) => work(broken(connection))),
    classify: (error) => (error === failure ? 'other' : sql.classify(error)),
    close: () => sql.close(),
  })
  const target = attacked(database, wrap)

  it.each([
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '%252e%252e%252fetc',
    '..%5c..%5cwindows%5cwin.ini',
    '..%c0%af..%c0%afetc',
    '%c0%ae%c0%ae',
    '%e0%80%ae%e0%80%ae',
    '%f0%80%80%ae',
    '%00',
    'x%00.json',
    '.',
    '..',
    '...',
    '~',
    '%7e',
    'file:%2f%2f%2fetc%2fpasswd',
    'c:%5cwindows',
    'CON',
    'nul',
    'AUX.json',
    'COM1',
    'LPT1:',
    'PRN.',
    '%ff%fe',
    '%u002e%u002e',
    '%',
    '%2',
    '.git%2fconfig',
    '.env',
    'package.json',
    'node_modules%2fpg',
  ])(
    'attack 32: %s leads to no file, as an organization, application, collection, entity or connection',
    async (word) => {
      await target().admins('PUT', '/docs/one', {})
      const { port } = new URL(target().server.url)
      const forms = [
        `/${word}`,
        `/${word}/shop/docs`,
        `/test/${word}`,
        `/test/${word}/docs`,
        `/test/shop/docs/${word}`,
        `/test/shop/docs/one/likes/docs/${word}`,
        `/test/shop/docs/${word}/likes`,
        `/test/shop/users/${word}`,
        `/management/orgs/${word}`,
        `/management/orgs/test/apps/${word}`,
        `/management/${word}`,
        `/status/${word}`,
      ]

      for (const path of forms) {
        // As it is: a URL parser would resolve the dots.
        const reply = await exchange(
          Number(port),
          `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${target().admin.token}\r\nConnection: close\r\n\r\n`,
        )
        const [head = '', body = ''] = reply.split('\r\n\r\n')
        expect([path, head.split(' ')[1]]).toEqual([path, expect.stringMatching(/^40[04]$/)])
        expect([path, JSON.parse(body).error]).toEqual([
          path,
          expect.stringMatching(/not_found$|^illegal_argument$|^management$/),
        ])
        expect([path, /root:|\[fonts\]|"dependencies"|ENOENT|EISDIR/.test(reply)]).toEqual([path, false])
      }
      for (const way of ['handle', 'session', 'batch', 'batch in process']) {
        const answer = await target().ways.get(way)!(target().admin, 'GET', `/test/shop/docs/${word}`).catch(
          (error: unknown) => {
            // The test's own session decodes the path.
            if (error instanceof URIError) return null
            throw error
          },
        )
        if (answer !== null) expect([way, [400, 404].includes(answer.status)]).toEqual([way, true])
      }
    },
  )

  it('attack 33: no line of a reply is written by a request', async () => {
    const { server, admin } = target()
    const lines = [
      'a\r\nX-Injected: 1',
      'a\nX-Injected: 1',
      'a\rX-Injected: 1',
      'a\u010d\u010aX-Injected: 1',
      '\r\n\r\n<script>',
      'a\u0000b',
      'a%0d%0aX-Injected: 1',
      'a\\r\\nX-Injected: 1',
    ]
    const authorization = `Bearer ${admin.token}`

    for (const line of lines) {
      const text = encodeURIComponent(line)
      for (const path of [
        `/test/shop/docs/${text}`,
        `/test/shop/${text}`,
        `/${text}/shop`,
        `/test/shop/docs?callback=${text}`,
        `/test/shop/docs?ql=${text}`,
        `/test/shop/docs?cursor=${text}`,
        `/test/shop/docs?access_token=${text}`,
        `/?x=${text}`,
        `/management/orgs/${text}`,
      ]) {
        const { headers } = await request(`${server.url}${path}`, { headers: { authorization } })
        expect([path, headers['x-injected'], JSON.stringify(headers).includes('Injected')]).toEqual([
          path,
          undefined,
          false,
        ])
      }
      const names: Record<string, unknown> = { name: line, [line]: line }
      const created = await target().do(admin, 'POST', '/test/shop/docs', { body: names })
      expect([created.status, created.body.entities[0].name]).toEqual([200, line])
      const read = await request(`${server.url}/test/shop/docs/${created.body.entities[0].uuid}`, {
        headers: { authorization },
      })
      expect([read.status, JSON.stringify(read.headers).includes('Injected')]).toEqual([200, false])
      await target().do(admin, 'DELETE', `/test/shop/docs/${created.body.entities[0].uuid}`)
    }
    const { port } = new URL(server.url)
    for (const header of [
      'X-Request-Id',
      'Origin',
      'Referer',
      'Host',
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Access-Control-Request-Headers',
      'Access-Control-Request-Method',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
    ])
      for (const value of [
        'a\rX-Injected: 1',
        'a\nX-Injected: 1',
        'a\x00X-Injected: 1',
        'http://a\x0b\x0cX-Injected: 1',
        'a\x85X-Injected: 1',
      ])
        for (const method of ['GET', 'OPTIONS', 'POST']) {
          const host = header === 'Host' ? '' : 'Host: x\r\n'
          const reply = await exchange(
            Number(port),
            `${method} / HTTP/1.1\r\n${host}${header}: ${value}\r\nConnection: close\r\n\r\n`,
          )
          expect([header, value, /^HTTP\/1\.1 [2-4]\d\d /.test(reply), /^x-injected/im.test(reply)]).toEqual([
            header,
            value,
            true,
            false,
          ])
        }
    // A redirect leads where we are, not where a header says.
    const redirect = await exchange(
      Number(port),
      'GET / HTTP/1.1\r\nHost: evil.test\r\nX-Forwarded-Host: worse.test\r\nConnection: close\r\n\r\n',
    )
    expect(redirect).toMatch(/^location: http:\/\/evil\.test\/status\r$/im)
    expect(redirect).not.toContain('worse.test')
  })

  it('attack 38: what goes wrong inside is told to nobody but the log', async () => {
    const path = `SELECT secret FROM entity_index WHERE app_id = 7 -- ${process.cwd()}/secret.ts:1:1`
    const user = await target().user('/test/shop', `insider-${database}`, 'get,put,post,delete:/**')
    const requests = [
      ['GET', '/docs', undefined],
      ['GET', '/docs/one', undefined],
      ['PUT', '/docs/one', { a: 1 }],
      ['PATCH', '/docs/one', { a: 1 }],
      ['POST', '/docs', { a: 1 }],
      ['DELETE', '/docs/one', undefined],
      ['GET', '/docs/one/likes', undefined],
      ['POST', '/_batch', { operations: [{ method: 'PUT', path: 'docs/one', body: { a: 1 } }] }],
    ] as const

    failure = Object.assign(new TypeError(path), { code: 'SQLITE_ERROR', detail: path, query: path })
    try {
      for (const who of [GUEST, user, target().admin])
        for (const way of ['http', 'express', 'handle'])
          for (const [method, suffix, body] of requests) {
            const { status, body: reply } = (await target().ways.get(way)!(
              who,
              method,
              `/test/shop${suffix}`,
              { body },
            ))!
            if (who === GUEST && status === 401) continue
            const told = [way, method, suffix]
            expect([...told, status]).toEqual([...told, 500])
            const { error_id: id, timestamp: _, duration: __, ...rest } = reply
            expect(id).toMatch(/^[0-9a-f-]{36}$/)
            expect(rest).toEqual({
              error: 'internal',
              exception: 'InternalException',
              code: 500,
              error_description: 'An internal error occurred. Quote error_id when reporting it',
              message: 'An internal error occurred. Quote error_id when reporting it',
            })
          }
      for (const suffix of ['/status', '/health/ready', '/lb-status'])
        expect(JSON.stringify((await request(`${target().server.url}${suffix}`)).text)).not.toContain(
          'secret',
        )
    } finally {
      failure = undefined
    }
    expect((await target().do(user, 'GET', '/test/shop/docs')).status).toBe(200)
  })
})
