import { gunzipSync, gzipSync } from 'node:zlib'
import { AppError, errorReply } from '@entigrid/core'
import { describe, expect, it } from 'vitest'
import { exchange, openHttp, request } from '../../support/http-server.js'

const big = JSON.stringify({ text: 'x'.repeat(5_000) })

describe('a request', () => {
  it('reaches the engine freed from HTTP', async () => {
    await using http = await openHttp()

    const reply = await http.request('/acme/sandbox/d%6Fgs/?limit=2?access_token=t', {
      method: 'POST',
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
      body: '{"name":"fido"}',
    })

    expect(reply.json).toEqual({
      method: 'POST',
      path: '/acme/sandbox/d%6Fgs/',
      search: 'limit=2?access_token=t',
      authorization: 'Bearer t',
      body: { name: 'fido' },
      form: false,
      baseUrl: http.url,
      address: '127.0.0.1',
    })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream', undefined])(
    'takes a body that looks like JSON for JSON, though declared %s',
    async (type) => {
      await using http = await openHttp()

      const reply = await http.request('/a/b/dogs', {
        method: 'POST',
        headers: type === undefined ? {} : { 'content-type': type },
        body: ' \r\n[{"n":1}]',
      })

      expect(reply.json.body).toEqual([{ n: 1 }])
    },
  )

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'may have a JSON body, an empty one or none with %s',
    async (method) => {
      await using http = await openHttp()

      for (const body of ['{}', '', ' \n', undefined])
        await http.request('/a/b/dogs', { method, ...(body === undefined ? {} : { body }) })

      expect(http.engine.requests.map(({ body }) => body)).toEqual([{}, undefined, undefined, undefined])
    },
  )

  it.each([
    '/a/b/token',
    '/a/b/token/',
    '/management/token',
    '/management/orgs',
    '/management/users',
    '/a/b/authorize',
    '/a/b/users/x/resetpw',
  ])('may have a form body at %s, whose first values count', async (path) => {
    await using http = await openHttp()

    const reply = await http.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: 'username=ann&password=a%20b+c&username=bob&__proto__=x',
    })

    expect(reply.json.form).toBe(true)
    expect(reply.text).toContain('"username":"ann","password":"a b c"')
    expect(Object.entries(http.engine.requests[0]!.body as object)).toContainEqual(['__proto__', 'x'])
  })

  it.each([
    ['application/x-www-form-urlencoded', 'a=b'],
    ['text/plain', 'hello'],
    ['multipart/form-data; boundary=x', '--x\r\n'],
    [undefined, 'hello'],
  ])('with a body of type %s that is not JSON gets 415', async (type, body) => {
    await using http = await openHttp()

    const reply = await http.request('/a/b/dogs', {
      method: 'POST',
      headers: type ? { 'content-type': type } : {},
      body,
    })

    expect(reply).toMatchObject({
      status: 415,
      json: { error: 'not_supported', exception: 'NotSupportedException', code: 415 },
    })
    expect(http.engine.requests).toEqual([])
  })

  it('with a malformed body gets 400 that names the position', async () => {
    await using http = await openHttp()

    const reply = await http.request('/a/b/dogs', { method: 'POST', body: '{"a":1,}' })

    expect(reply.status).toBe(400)
    expect(reply.json).toEqual({
      error: 'json_parse',
      timestamp: expect.any(Number),
      duration: expect.any(Number),
      error_description: 'Malformed JSON at position 7 (line 1, column 8): unexpected "}"',
      exception: 'JsonParseException',
      code: 400,
      message: 'Malformed JSON at position 7 (line 1, column 8): unexpected "}"',
    })
  })

  it.each([
    ['is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['is nested too deeply', '['.repeat(65) + ']'.repeat(65)],
  ])('gets 400 when its body %s', async (_, body) => {
    await using http = await openHttp()

    expect(await http.request('/a/b/dogs', { method: 'POST', body })).toMatchObject({
      status: 400,
      json: { error: 'json_parse' },
    })
  })

  it('leaves prototypes alone whatever its keys are', async () => {
    await using http = await openHttp()

    await http.request('/a/b/dogs', {
      method: 'POST',
      body: '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    })

    expect(Object.keys(http.engine.requests[0]!.body as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('may be compressed, with the limit on what comes out', async () => {
    await using http = await openHttp(undefined, { limits: { body: 2_000 } })
    const post = (body: Buffer, encoding = 'gzip') =>
      http.request('/a/b/dogs', { method: 'POST', headers: { 'content-encoding': encoding }, body })

    expect((await post(gzipSync('{"a":1}'))).json.body).toEqual({ a: 1 })
    expect(await post(gzipSync(big))).toMatchObject({ status: 413, json: { error: 'payload_too_large' } })
    expect(await post(Buffer.from('no gzip'))).toMatchObject({
      status: 400,
      json: { error: 'illegal_argument' },
    })
    expect(await post(Buffer.from('{}'), 'br')).toMatchObject({
      status: 415,
      json: { error: 'not_supported' },
    })
  })

  it.each(['TRACE', 'PROPFIND'])('with the method %s gets 405', async (method) => {
    await using http = await openHttp()

    const reply = await http.request('/a/b/dogs', { method })

    expect(reply).toMatchObject({
      status: 405,
      json: { error: 'not_allowed' },
      headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
    })
  })

  it('with a URL above the limit gets 414', async () => {
    await using http = await openHttp()

    expect((await http.request(`/${'a'.repeat(16_383)}`)).status).toBe(200)
    expect(await http.request(`/${'a'.repeat(16_384)}`)).toMatchObject({
      status: 414,
      json: { error: 'uri_too_long' },
    })
  })
})

describe('a reply', () => {
  it('has exact headers', async () => {
    await using http = await openHttp(() => ({ status: 200, body: '{"naïve":true}' }))

    const { headers } = await http.request('/a/b')

    expect(headers).toEqual({
      'access-control-allow-origin': '*',
      connection: 'close',
      'content-length': '15',
      'content-type': 'application/json',
      date: expect.any(String),
      vary: 'Accept-Encoding, Origin',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
    })
  })

  it('carries the headers of the engine, its content type included', async () => {
    await using http = await openHttp(() => ({
      status: 429,
      body: '<p>',
      headers: { 'Retry-After': '7', 'Content-Type': 'text/html' },
    }))

    expect(await http.request('/a/b')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '7', 'content-type': 'text/html' },
    })
  })

  it('to HEAD has the headers of GET and no body', async () => {
    await using http = await openHttp(() => ({ status: 200, body: '{"a":1}' }))

    const reply = await http.request('/a/b', { method: 'HEAD' })

    expect(reply).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-length': '7', 'content-type': 'application/json' },
    })
    expect(http.engine.requests[0]!.method).toBe('GET')
  })

  it.each([
    ['gzip', true],
    ['br, GZIP;q=0.5', false],
    ['deflate, gzip;q=0.5', true],
    ['gzip;q=0', false],
    ['identity', false],
  ])('to Accept-Encoding %s is compressed: %s', async (offer, compressed) => {
    await using http = await openHttp(() => ({ status: 200, body: big }))

    const reply = await http.request('/a/b', { headers: { 'accept-encoding': offer } })

    expect(reply.headers['content-encoding']).toBe(compressed ? 'gzip' : undefined)
    expect(Number(reply.headers['content-length'])).toBe(reply.bytes.length)
    expect((compressed ? gunzipSync(reply.bytes) : reply.bytes).toString()).toBe(big)
  })

  it.each([
    [1_024, undefined],
    [1_025, 'gzip'],
  ])('of %d bytes has the encoding %s', async (length, encoding) => {
    await using http = await openHttp(() => ({ status: 200, body: 'x'.repeat(length) }))

    const reply = await http.request('/a/b', { headers: { 'accept-encoding': 'gzip' } })

    expect(reply.headers['content-encoding']).toBe(encoding)
  })

  it('keeps the connection for the next request', async () => {
    await using http = await openHttp(() => ({ status: 200, body: '{}' }))

    const received = await exchange(
      http.port,
      'GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    )

    expect(received.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2)
    expect(http.engine.requests.map(({ path }) => path)).toEqual(['/1', '/2'])
  })

  it.each(['abc', 'A-b_c.9:1', 'x'.repeat(64)])('returns the request id %s', async (id) => {
    await using http = await openHttp()

    expect((await http.request('/a/b', { headers: { 'x-request-id': id } })).headers['x-request-id']).toBe(id)
  })

  it.each(['a b', 'x'.repeat(65), '', 'a"b'])('replaces the request id "%s"', async (id) => {
    await using http = await openHttp()

    const reply = await http.request('/a/b', { headers: { 'x-request-id': id } })

    expect(reply.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
  })
})

describe('JSONP', () => {
  it.each([200, 404])('wraps a reply of status %d in the given name, with status 200', async (status) => {
    await using http = await openHttp(() => ({ status, body: '{"a":"\u2028"}' }))

    const reply = await http.request('/a/b?x=1&callback=my.$fn_1')

    expect(reply).toMatchObject({
      status: 200,
      text: 'my.$fn_1({"a":"\\u2028"})',
      headers: { 'content-type': 'application/javascript' },
    })
  })

  it('wraps errors of the HTTP layer, too', async () => {
    await using http = await openHttp()

    const reply = await http.request('/a/b?callback=f', { method: 'TRACE' })

    expect(reply.status).toBe(200)
    expect(reply.text).toMatch(/^f\(\{"error":"not_allowed",.*\}\)$/)
  })

  it.each(['alert(1)', 'a b', '%3Cscript%3E', '1a', 'a'.repeat(200)])(
    'refuses the callback %s',
    async (name) => {
      await using http = await openHttp()

      const reply = await http.request(`/a/b?callback=${encodeURI(name)}`)

      expect(reply).toMatchObject({
        status: 400,
        json: { error: 'illegal_argument' },
        headers: { 'content-type': 'application/json' },
      })
    },
  )

  it('does not take another parameter for the callback', async () => {
    await using http = await openHttp()

    expect((await http.request('/a/b?my_callback=f&callback=')).headers['content-type']).toBe(
      'application/json',
    )
  })
})

describe('CORS', () => {
  it.each([
    [{ origin: 'https://app.test' }, 'https://app.test', 'true'],
    [{ origin: 'null', referer: 'https://r.test/' }, 'null', 'true'],
    [{ referer: 'https://r.test:8443/page?x=y' }, 'https://r.test:8443', 'true'],
    [{ referer: 'about:blank' }, '*', undefined],
    [{}, '*', undefined],
  ])('allows %j as %s, credentials %s', async (headers, origin, credentials) => {
    await using http = await openHttp()

    for (const method of ['GET', 'PATCH']) {
      const reply = await http.request('/a/b', { method, headers: headers as Record<string, string> })

      expect(reply.headers['access-control-allow-origin']).toBe(origin)
      expect(reply.headers['access-control-allow-credentials']).toBe(credentials)
    }
  })

  it('allows what a preflight asks for', async () => {
    await using http = await openHttp()

    const reply = await http.request('/any/thing', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.test',
        'access-control-request-method': 'DELETE',
        'access-control-request-headers': 'authorization,x-a',
      },
    })

    expect(reply).toMatchObject({
      status: 200,
      text: '{}',
      headers: {
        'access-control-allow-origin': 'https://app.test',
        'access-control-allow-methods': 'DELETE',
        'access-control-allow-headers': 'authorization,x-a',
      },
    })
    expect(http.engine.requests).toEqual([])
  })
})

describe('the base URL', () => {
  it.each([
    [{ host: 'api.test' }, 'http://api.test'],
    [{ host: '[::1]:99' }, 'http://[::1]:99'],
    [{ host: 'my_service:8080' }, 'http://my_service:8080'],
    [{ host: 'api.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' }, 'http://api.test'],
  ])('is told from %j', async (headers, baseUrl) => {
    await using http = await openHttp()

    expect((await http.request('/a/b', { headers: headers as Record<string, string> })).json.baseUrl).toBe(
      baseUrl,
    )
  })

  it.each(['a b', 'evil.test/path', 'x@y', 'a:b', '"><script>', ''])(
    'is the address of the socket when Host is "%s"',
    async (host) => {
      await using http = await openHttp()

      expect((await http.request('/a/b', { headers: { host } })).json.baseUrl).toBe(http.url)
    },
  )

  it('believes forwarded headers of a trusted proxy, unless they are nonsense', async () => {
    await using http = await openHttp(undefined, { trustProxy: true })
    const baseUrl = async (headers: Record<string, string>) =>
      (await http.request('/a/b', { headers })).json.baseUrl

    expect(await baseUrl({ 'x-forwarded-host': 'api.test, inner', 'x-forwarded-proto': 'https,http' })).toBe(
      'https://api.test',
    )
    expect(await baseUrl({ host: 'h', 'x-forwarded-host': 'a/b', 'x-forwarded-proto': 'javascript' })).toBe(
      'http://h',
    )
  })

  it('is the configured one, whatever the request says', async () => {
    await using http = await openHttp(undefined, { publicUrl: 'https://api.test/v1/' })

    expect((await http.request('/a/b', { headers: { host: 'evil.test' } })).json.baseUrl).toBe(
      'https://api.test/v1',
    )
  })
})

describe('errors of the engine', () => {
  it('keep their status and body', async () => {
    const error = new AppError('entity_not_found', 'Cannot find entity with name: x')
    await using http = await openHttp(() => errorReply(error, 1, 2))

    expect(await http.request('/a/b/dogs/x')).toMatchObject({
      status: 404,
      json: { error: 'entity_not_found', timestamp: 1, duration: 1 },
    })
  })

  it('that were not meant for callers become a 500 whose text is only in the log', async () => {
    await using http = await openHttp(() => {
      throw new Error('secret text')
    })

    const reply = await http.request('/a/b')

    expect(reply).toMatchObject({ status: 500, json: { error: 'internal', error_id: expect.any(String) } })
    expect(reply.text).not.toContain('secret')
    expect(http.lines[0]).toMatchObject({
      message: 'internal error',
      errorId: reply.json.error_id,
      err: { message: 'secret text' },
    })
  })

  it.each([
    [false, 1],
    [true, 0],
  ])('through a proxy are noted once if it is not trusted (%s)', async (trustProxy, count) => {
    await using http = await openHttp(() => ({ status: 200, body: '{}' }), { trustProxy })

    await http.request('/a')
    for (const client of ['192.0.2.1', '192.0.2.2'])
      await http.request('/a', { headers: { 'x-forwarded-for': client } })

    const notes = http.lines.filter(({ message }) => message.includes('X-Forwarded-For'))
    expect(notes).toHaveLength(count)
    expect(http.engine.requests.map(({ address }) => address)).toEqual(
      trustProxy ? ['127.0.0.1', '192.0.2.1', '192.0.2.2'] : Array(3).fill('127.0.0.1'),
    )
  })

  it('that cannot be written as HTTP cost a connection, not the process', async () => {
    await using http = await openHttp(({ path }) =>
      path === '/bad'
        ? { status: 200, body: '{}', headers: { 'X-Bad': 'a\nb' } }
        : { status: 200, body: '{}' },
    )

    await expect(request(`${http.url}/bad`)).rejects.toThrow('socket hang up')

    expect((await http.request('/good')).status).toBe(200)
  })
})
