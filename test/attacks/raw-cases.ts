import type { Random } from './random.js'

const LINES = [
  'Content-Length: 3',
  'Content-Length: -1',
  'Content-Length: 3, 4',
  'Content-Length: 99999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding : chunked',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Connection: upgrade',
  'Connection: close',
  'Host: a',
  'Host: \x01',
  'Host: evil.test:99999',
  'X-Request-Id: \t',
  'X-Request-Id: a\rX-Injected: 1',
  'X-Request-Id: a\nX-Injected: 1',
  'Origin: a\r\n X-Injected: 1',
  'Referer: http://a\x00b',
  'If-Match: "a\n"',
  'Idempotency-Key: a\r\n\tb',
  `X-Long: ${'a'.repeat(60_000)}`,
  ' folded',
  ': nameless',
  'a b: c',
  'Cookie: \xff',
] // prettier-ignore
const STARTS = [
  'GET /test/sandbox/dogs HTTP/1.1',
  'POST /test/sandbox/dogs HTTP/1.1',
  'GET /test/sandbox/dogs?callback=a%0d%0aX-Injected:1 HTTP/1.1',
  'GET http://evil.test/test/sandbox/dogs HTTP/1.1',
  'GET / HTTP/1.1',
  'GET /%0d%0aX-Injected:%201 HTTP/1.1',
  'GET //evil.test/%2e%2e HTTP/1.1',
  'get /status HTTP/1.1',
  'GET /status HTTP/9.9',
  'GET /status',
  'CONNECT a:1 HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'G\x00T / HTTP/1.1',
  'PRI * HTTP/2.0',
  `GET /${'a'.repeat(50_000)} HTTP/1.1`,
  'DELETE /test/sandbox/nothing HTTP/1.0',
  '\x16\x03\x01\x02\x00',
] // prettier-ignore
const ENDS = [
  '',
  '{}',
  '{"a"',
  '3\r\n{}\n\r\n0\r\n\r\n',
  '3\r\n{}\n\r\n0\r\nX-Injected: 1\r\n\r\n',
  'fffffffff\r\n',
  '0\r\n\r\nGET /status HTTP/1.1\r\nHost: a\r\n\r\n',
  '[[[[',
] // prettier-ignore

/** What no client library sends: broken lines, lengths that contradict each other, requests within requests. */
export const rawCase = (random: Random): string =>
  [
    random.pick(STARTS),
    ...random.some(['Host: h'], 0.9),
    ...random.list(4, () => random.pick(LINES)),
    '',
    random.pick(ENDS),
  ].join(random.chance(0.95) ? '\r\n' : '\n')
