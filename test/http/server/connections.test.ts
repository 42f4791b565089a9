import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import type { ApiReply } from '@entigrid/core'
import { describe, expect, it } from 'vitest'
import { exchange, openHttp, request } from '../../support/http-server.js'

const OK: ApiReply = { status: 200, body: '{}' }

/** An engine whose answer waits for the test. */
const gate = () => {
  let open = () => {}
  let entered = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const reached = new Promise<void>((resolve) => {
    entered = resolve
  })
  const answer = async () => {
    entered()
    await opened
    return OK
  }
  return { open, reached, answer }
}

describe('a body above the limit', () => {
  it('is refused before it is sent, when its length is announced', async () => {
    await using http = await openHttp(undefined, { limits: { body: 10 } })

    const received = await exchange(
      http.port,
      'POST /a/b HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n{',
      { halfClose: false },
    )

    expect(received).toMatch(/^HTTP\/1.1 413 Payload Too Large\r\n/)
    expect(received).toMatch(/\r\nConnection: close\r\n/)
    expect(received).toContain('"error":"payload_too_large"')
    expect(http.engine.requests).toEqual([])
  })

  it('is refused in the middle, when it is not, and the client reads why', async () => {
    await using http = await openHttp()

    const reply = await request(`${http.url}/a/b`, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(4_000_000, '['),
    })

    expect(reply).toMatchObject({
      status: 413,
      json: { error: 'payload_too_large' },
      headers: { connection: 'close' },
    })
  })

  it('is accepted at exactly the limit', async () => {
    await using http = await openHttp(undefined, { limits: { body: 12 } })

    expect((await http.request('/a/b', { method: 'POST', body: '{"a":"1234"}' })).status).toBe(200)
    expect((await http.request('/a/b', { method: 'POST', body: '{"a":"12345"}' })).status).toBe(413)
  })

  it('is not asked for with 100 Continue', async () => {
    await using http = await openHttp(undefined, { limits: { body: 10 } })
    const head = (length: number) =>
      `POST /a/b HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`

    expect(await exchange(http.port, head(11))).toMatch(/^HTTP\/1.1 413 /)
    expect(await exchange(http.port, `${head(2)}{}`)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
  })
})

describe('a connection', () => {
  it.each([
    ['NONSENSE\r\n\r\n', 400, 'invalid_request'],
    ['GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n', 400, 'invalid_request'],
    [`GET / HTTP/1.1\r\nHost: h\r\nX: ${'y'.repeat(60_000)}\r\n\r\n`, 431, 'request_header_too_large'],
    ['CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n', 405, 'not_allowed'],
  ])('that says %.20j gets a JSON error %d and ends', async (text, status, error) => {
    await using http = await openHttp()

    const received = await exchange(http.port, text)

    const [head, body] = received.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head).toContain('Content-Type: application/json\r\n')
    expect(JSON.parse(body!)).toMatchObject({
      error,
      code: status,
      error_description: expect.any(String),
      exception: expect.any(String),
    })
  })

  it.each([
    ['head', 'POST /a/b HTTP/1.1\r\nHost:'],
    ['body', 'POST /a/b HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{'],
  ])('that takes too long over its %s gets 408 and ends', async (_, text) => {
    await using http = await openHttp(undefined, { timeouts: { headers: 40, request: 80, check: 10 } })

    const received = await exchange(http.port, text)

    expect(received).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/)
    expect(received).toContain('"error":"request_timeout"')
  })

  it('that asks for a tunnel and breaks off harms nobody', async () => {
    await using http = await openHttp()
    const socket = connect(http.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write('CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n')
    socket.resetAndDestroy()
    await once(socket, 'close')

    expect((await http.request('/a/b')).status).toBe(200)
  })

  it('that is half closed still gets its reply', async () => {
    const { answer, open, reached } = gate()
    await using http = await openHttp(answer)
    const received = exchange(http.port, 'GET /a/b HTTP/1.1\r\nHost: h\r\n\r\n', { halfClose: true })
    await reached

    open()

    expect(await received).toMatch(/^HTTP\/1.1 200 OK/)
  })

  it('that sends rubbish after a request gets the reply to the request first', async () => {
    const { answer, open, reached } = gate()
    await using http = await openHttp(answer)
    const received = exchange(http.port, 'GET /a/b HTTP/1.1\r\nHost: h\r\n\r\nRUBBISH\r\n\r\n')
    await reached

    open()

    expect(await received).toMatch(/^HTTP\/1.1 200 OK/)
  })

  it('that a proxy opened may name the whole URL', async () => {
    await using http = await openHttp()

    const received = await exchange(
      http.port,
      'GET http://h/a/b?c=d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    )

    expect(received).toContain('"path":"/a/b","search":"c=d"')
  })

  it('that breaks off in the middle of a body harms nobody, and is logged', async () => {
    await using http = await openHttp()
    const outgoing = httpRequest(`${http.url}/a/b`, { method: 'POST', headers: { 'content-length': '10' } })
    outgoing.on('error', () => {})
    outgoing.write('{"a"')
    const socket = await once(outgoing, 'socket').then(([opened]) => opened)
    await once(socket, 'connect')

    outgoing.destroy()

    await expect
      .poll(() => http.lines)
      .toMatchObject([{ message: 'request', status: 'aborted', path: '/a/b' }])
    expect(http.engine.requests).toEqual([])
    expect((await http.request('/a/b')).status).toBe(200)
  })

  it('that breaks off while the engine works harms nobody, and is logged', async () => {
    const { answer, open, reached } = gate()
    await using http = await openHttp(answer)
    const socket = connect(http.port, '127.0.0.1')
    socket.write('GET /a/b HTTP/1.1\r\nHost: h\r\n\r\n')
    await reached
    socket.resetAndDestroy()
    await once(socket, 'close')

    open()

    await expect.poll(() => http.lines.length).toBe(1)
    expect((await http.request('/a/b')).status).toBe(200)
  })
})

describe('closing', () => {
  it('lets running requests finish, takes no more and ends the connection', async () => {
    const { answer, open, reached } = gate()
    const http = await openHttp(answer)
    const running = exchange(http.port, 'GET /a/b HTTP/1.1\r\nHost: h\r\n\r\n')
    await reached

    const closed = http.close()
    await expect(http.request('/a/b')).rejects.toThrow('ECONNREFUSED')
    open()

    expect(await running).toMatch(/^HTTP\/1.1 200 OK\r\n(.+\r\n)*Connection: close\r\n/)
    await closed
  })

  it('does not wait for idle connections', async () => {
    const http = await openHttp(() => OK)
    const socket = connect(http.port, '127.0.0.1')
    socket.write('GET /a/b HTTP/1.1\r\nHost: h\r\n\r\n')
    await once(socket, 'data')

    await http.close()

    await once(socket, 'close')
  })

  it('cuts requests that outlast the grace period', async () => {
    const { answer, open, reached } = gate()
    const http = await openHttp(answer, { grace: 20 })
    const running = request(`${http.url}/a/b`)
    running.catch(() => {})
    await reached

    await http.close()

    await expect(running).rejects.toThrow('socket hang up')
    open()
  })
})

describe('the request log', () => {
  it('has one line per request, without the query string', async () => {
    let now = 1_000
    await using http = await openHttp(
      () => {
        now += 25
        return OK
      },
      { clock: () => now },
    )

    await http.request('/a/b/dogs?access_token=secret', { headers: { 'x-request-id': 'id-1' } })

    expect(http.lines).toEqual([
      { message: 'request', requestId: 'id-1', method: 'GET', path: '/a/b/dogs', status: 200, duration: 25 },
    ])
  })
})
