import { connect } from 'node:net'
import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'
import { exchange, request } from '../../support/http-server.js'

const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`

describe.each(DATABASES)('a bad body on %s', (database) => {
  const app = sharedApp(database)
  const send = (method: string, path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    request(`${app().root}${path}`, { method, body, headers })
  const refused = (reply: { status: number; json: ReturnType<typeof JSON.parse> }) => [
    reply.status,
    reply.json.error,
  ]

  it.each([
    ['POST', '{"name":', 'json_parse', 'ends at position 8'],
    ['POST', '{"name":"a",}', 'json_parse', 'position 12'],
    ['POST', "{'name':'a'}", 'json_parse', 'position 1'],
    ['POST', '{name:"a"}', 'json_parse', 'position 1'],
    ['POST', '[1,2', 'json_parse', 'ends'],
    ['POST', '{"a":1}{"b":2}', 'json_parse', 'position 7'],
    ['POST', '{"a":NaN}', 'json_parse', 'position 5'],
    ['POST', '{"a":01}', 'json_parse', 'position 6'],
    ['POST', '{"a":"\u0000"}', 'json_parse', 'position 6'],
    ['POST', '{"a":"\\x41"}', 'json_parse', 'position'],
    ['PUT', '{"a"', 'json_parse', 'ends'],
    ['DELETE', '{"a"', 'json_parse', 'ends'],
  ])('(%s %s) is refused as %s', async (method, body, error, words) => {
    const path = `/${newCollection()}`
    const address = method === 'POST' ? path : `${path}/x`

    const reply = await send(method, address, body)

    expect(refused(reply)).toEqual([400, error])
    expect(reply.json.error_description).toContain(words)
    expect((await app().get(path)).body.count).toBe(0)
  })

  it.each([64, 1000, 100_000])('of %i levels is refused', async (depth) => {
    const path = `/${newCollection()}`

    for (const body of [nested(depth), `[${'{"a":'.repeat(depth)}`]) {
      const reply = await send('POST', path, body)
      expect(refused(reply)).toEqual([400, 'json_parse'])
      expect(reply.json.error_description).toContain('deeper than 64 levels')
    }
    expect((await app().get(path)).body.count).toBe(0)
  })

  it('that is not UTF-8 is refused', async () => {
    const path = `/${newCollection()}`

    const reply = await send(
      'POST',
      path,
      Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
    )

    expect(refused(reply)).toEqual([400, 'json_parse'])
    expect((await app().get(path)).body.count).toBe(0)
  })

  it.each([
    ['POST', '"text"'],
    ['POST', '7'],
    ['POST', 'null'],
    ['POST', 'true'],
    ['PUT', '[{"a":1}]'],
    ['PUT', '"text"'],
    ['PUT', '[]'],
  ])('(%s %s) that is no entity is refused', async (method, body) => {
    const path = `/${newCollection()}`

    const reply = await send(method, method === 'PUT' ? `${path}/x` : path, body, {
      'content-type': 'application/json',
    })

    expect(refused(reply)).toEqual([400, 'illegal_argument'])
    expect((await app().get(path)).body.count).toBe(0)
  })

  it('attack 34: larger than the limit is refused, compressed or not, and the connection goes on to be of use to others', async () => {
    const path = `/${newCollection()}`
    const large = JSON.stringify({ text: 'x'.repeat(1_048_576) })

    expect(refused(await send('POST', path, large))).toEqual([413, 'payload_too_large'])
    const chunked = await send('POST', path, large, { 'transfer-encoding': 'chunked' })
    expect(refused(chunked)).toEqual([413, 'payload_too_large'])
    const bomb = Buffer.from(
      await new Response(
        new Blob([new Uint8Array(50_000_000)]).stream().pipeThrough(new CompressionStream('gzip')),
      ).arrayBuffer(),
    )
    expect(refused(await send('POST', path, bomb, { 'content-encoding': 'gzip' }))).toEqual([
      413,
      'payload_too_large',
    ])
    expect(refused(await send('POST', path, 'not gzip', { 'content-encoding': 'gzip' }))).toEqual([
      400,
      'illegal_argument',
    ])
    expect(refused(await send('POST', path, 'x', { 'content-encoding': 'br' }))[0]).toBe(415)
    expect((await app().get(path)).body.count).toBe(0)
  })

  it.each([
    ['application/x-www-form-urlencoded', 'name=a&b=1', 415],
    ['text/csv', 'a,b', 415],
    ['application/xml', '<a/>', 415],
    ['', 'plain', 415],
    ['text/plain', '{"name":"json all the same"}', 200],
    ['application/x-www-form-urlencoded', '{"name":"json all the same"}', 200],
    ['', ' \n\t{"name":"json all the same"}', 200],
  ])('of type "%s" holding %s is answered with its own status', async (type, body, status) => {
    const path = `/${newCollection()}`

    const reply = await send('POST', path, body, type === '' ? {} : { 'content-type': type })

    expect(reply.status).toBe(status)
    if (status !== 200) expect(reply.json.error).toBe('not_supported')
    expect((await app().get(path)).body.count).toBe(status === 200 ? 1 : 0)
  })

  it('with more than a thousand elements is refused whole', async () => {
    const path = `/${newCollection()}`

    const reply = await app().post(
      path,
      Array.from({ length: 1001 }, () => ({ a: 1 })),
    )

    expect([reply.status, reply.body.error]).toEqual([400, 'illegal_argument'])
    expect(reply.body.error_description).toContain('1000')
    expect((await app().get(path)).body.count).toBe(0)
  })

  it('with bad elements stores the good ones and tells which failed', async () => {
    const path = `/${newCollection()}`

    const reply = await app().post(path, [
      { name: 'a' },
      null,
      'text',
      [],
      { name: 'A' },
      { name: { first: 'x' } },
      7,
      { name: 'b' },
    ])

    expect(reply.status).toBe(200)
    expect(reply.body.entities.map(({ name }: { name: string }) => name)).toEqual(['a', 'b'])
    const [not, taken] = ['illegal_argument', 'duplicate_unique_property_exists']
    expect(
      reply.body.failed.map(({ index, error }: { index: number; error: string }) => [index, error]),
    ).toEqual([
      [1, not],
      [2, not],
      [3, not],
      [4, taken],
      [5, not],
      [6, not],
    ])
    expect((await app().get(path)).body.count).toBe(2)
  })

  it.each([
    ['name', { name: { a: 1 } }, 'illegal_argument'],
    ['name', { name: true }, 'illegal_argument'],
    ['name', { name: ['a'] }, 'illegal_argument'],
    ['name', { name: 'x'.repeat(1001) }, 'illegal_argument'],
    ['name', { name: '00000000-0000-4000-8000-000000000000' }, 'illegal_argument'],
    ['location.longitude', { location: { latitude: 1, longitude: 'west' } }, 'illegal_argument'],
  ])('with a wrong %s says so and stores nothing', async (field, body, error) => {
    const path = `/${newCollection()}`

    const reply = await app().post(path, body)

    expect([reply.status, reply.body.error, reply.body.fields[0].field]).toEqual([400, error, field])
    expect((await app().get(path)).body.count).toBe(0)
  })

  it.each([{ name: { a: 1 } }, { name: true }, { name: ['x'] }, { location: { lat: 'x', lon: 1 } }])(
    '%j is refused by a PUT that would create, too',
    async (body) => {
      const path = `/${newCollection()}`

      const reply = await app().put(`${path}/x`, body)

      expect([reply.status, reply.body.error]).toEqual([400, 'illegal_argument'])
      expect((await app().get(path)).body.count).toBe(0)
    },
  )

  it.each([
    ['/users', {}, 'required_property_not_found', 'username'],
    ['/users', undefined, 'required_property_not_found', 'username'],
    ['/users', { username: { $ne: '' } }, 'property_type_conversion', 'username'],
    ['/users', { username: 'x', activated: 'yes' }, 'property_type_conversion', 'activated'],
    ['/users', { username: 'me' }, 'illegal_argument', 'username'],
    ['/groups', { path: 'a b' }, 'illegal_argument', 'path'],
    ['/groups', { path: ['a'] }, 'property_type_conversion', 'path'],
    ['/groups', { title: 'no path' }, 'illegal_argument', 'path'],
    ['/roles', { title: 'no name' }, 'illegal_argument', 'name'],
    ['/roles', { name: 'r', inactivity: 'long' }, 'property_type_conversion', 'inactivity'],
  ])('for %s (%j) is refused as %s', async (path, body, error, field) => {
    const before = (await app().get(path, { limit: 1000 })).body.count

    const reply = await app().post(path, body)

    expect([reply.status, reply.body.error, reply.body.fields?.[0].field]).toEqual([400, error, field])
    expect((await app().get(path, { limit: 1000 })).body.count).toBe(before)
  })

  it('that never arrives whole is answered, or its connection closed, and nothing is stored', async () => {
    const { port, pathname } = new URL(app().root)
    const path = `${pathname}/${newCollection()}`
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n`

    await exchange(Number(port), `${head}{"name":"half`, { halfClose: true })
    await new Promise<void>((resolve) => {
      const socket = connect({ port: Number(port), host: '127.0.0.1' }, () => {
        socket.write(`${head}{"name":"cut`, () => socket.destroy())
      })
      socket.on('close', () => resolve())
    })

    expect((await app().get(path.slice(pathname.length))).body.count).toBe(0)
    const whole = await exchange(
      Number(port),
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"name":"a"}`,
      { halfClose: true },
    )
    expect(whole).toContain('200 OK')
  })
})
