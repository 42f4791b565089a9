import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openHttp } from '../../support/http-server.js'

const CASES = Number(process.env['FUZZ_CASES'] ?? 400)

/** Sends bytes, ends the sending side, and resolves with what came back when the connection is over. */
const talk = (port: number, bytes: Buffer): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    // A reset is a fair answer to rubbish.
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(received))
    socket.end(bytes)
  })

const token = fc.constantFrom(
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'CONNECT',
  'get',
  'G\u0000T',
)
const target = fc.oneof(
  fc.constantFrom(
    '/',
    '/a/b',
    '*',
    '',
    'http://',
    '/?callback=f',
    '/a?b?c',
    '/%',
    '/%00',
    '//',
    '/..%2f',
    '/status',
  ),
  fc.string({ maxLength: 30 }).map((text) => `/${text.replace(/\s/g, '')}`),
)
const header = fc.oneof(
  fc.constantFrom(
    'Content-Length: 3',
    'Content-Length: -1',
    'Content-Length: 99999999999',
    'Transfer-Encoding: chunked',
    'Content-Encoding: gzip',
    'Content-Type: multipart/form-data',
    'Content-Type: application/json',
    'Expect: 100-continue',
    'Upgrade: websocket',
    'Connection: upgrade',
    'Host: \u0001',
    'X-Request-Id: \t',
    'Origin: \u00ff',
    'Accept-Encoding: gzip;q=,;;,gzip',
  ),
  fc
    .tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 20 }))
    .map(([name, value]) => `${name}: ${value}`),
)
const body = fc.oneof(
  fc.constantFrom('', '{}', '{"a"', '3\r\n{}\n\r\n0\r\n\r\n', '[[[[', '{"__proto__":1}'),
  fc.string({ maxLength: 40 }),
)
const message = fc
  .tuple(token, target, fc.array(header, { maxLength: 5 }), body)
  .map(([method, path, headers, text]) =>
    Buffer.from([`${method} ${path} HTTP/1.1`, 'Host: h', ...headers, '', text].join('\r\n'), 'latin1'),
  )
const rubbish = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))

describe('hostile clients', () => {
  it('get an HTTP reply without a stack or an internal error, or no reply, and the server lives', async () => {
    await using http = await openHttp(({ path }) => ({ status: 200, body: JSON.stringify({ path }) }), {
      limits: { body: 1_000 },
    })

    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 4, arbitrary: message }, { weight: 1, arbitrary: rubbish }),
        async (bytes) => {
          const received = await talk(http.port, bytes)

          if (received !== '') expect(received).toMatch(/^HTTP\/1\.1 (?:100|[234]\d\d) /)
          expect(received).not.toContain('node:')
        },
      ),
      { numRuns: CASES },
    )

    expect((await http.request('/a/b')).status).toBe(200)
    expect(http.lines.filter(({ message: text }) => text !== 'request')).toEqual([])
  })
})
