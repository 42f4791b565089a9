import { entityTagOf } from '@entigrid/core'
import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer } from '../../support/application.js'

const TAG = expect.stringMatching(/^"[\w.-]+"$/)

describe.each(DATABASES)('entity tags on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    await app.post('/dogs', { name: 'rex', age: 1 })
    const tag = async (path = '/dogs/rex') => (await app.get(path)).headers.get('etag')!
    const put = (body: object, headers: Record<string, string>, path = '/dogs/rex') =>
      app.put(path, body, { headers })
    const age = async () => (await app.get('/dogs/rex')).body.entities[0].age
    return { app, tag, put, age }
  }

  it('come with every reply about one entity, and with no list', async () => {
    const { app } = await open()
    await app.post('/cats', { name: 'tom' })

    const single = [
      await app.post('/dogs', { name: 'fido' }),
      await app.get('/dogs/rex'),
      await app.put('/dogs/rex', { age: 2 }),
      await app.send('PATCH', '/dogs/rex', { age: 3 }),
      await app.post('/cats/tom/fears/dogs/rex'),
      await app.get('/cats/tom/fears/dogs/rex'),
      await app.delete('/cats/tom/fears/dogs/rex'),
      await app.delete('/cats/tom'),
    ]
    const several = await Promise.all([
      app.get('/dogs'),
      app.get('/dogs?ql=where age=3'),
      app.post('/dogs', [{ a: 1 }]),
    ])

    expect(single.map(({ headers }) => headers.get('etag'))).toEqual(single.map(() => TAG))
    expect(several.map(({ headers }) => headers.get('etag'))).toEqual(several.map(() => null))
  })

  it('are in the metadata of lists where that is asked for', async () => {
    const { app, tag } = await open()
    await app.post('/cats', { name: 'tom' })
    await app.post('/cats/tom/fears/dogs/rex')

    const lists = await Promise.all([app.get('/dogs?etags=true'), app.get('/cats/tom/fears?etags=true')])

    for (const { body } of lists) expect(body.entities[0].metadata.etag).toBe(await tag())
    expect((await app.get('/dogs')).body.entities[0].metadata).not.toHaveProperty('etag')
  })

  it('of a reply to a write is that of the next read', async () => {
    const { app, tag } = await open()

    const { headers } = await app.put('/dogs/rex', { age: 2 })

    expect(headers.get('etag')).toBe(await tag())
  })

  it('change with the entity, also within one millisecond', async () => {
    const { app } = await open()

    const tags = await Promise.all(
      Array.from({ length: 20 }, async (_, age) =>
        (await app.put('/dogs/rex', { age: age + 10 })).headers.get('etag'),
      ),
    )

    expect(new Set(tags).size).toBe(20)
  })

  describe('If-Match', () => {
    it('lets the first of two writers write', async () => {
      const { tag, put, age } = await open()
      const read = await tag()

      expect((await put({ age: 2 }, { 'if-match': read })).status).toBe(200)
      expect(await put({ age: 3 }, { 'if-match': read })).toMatchObject({
        status: 412,
        body: { error: 'precondition_failed', exception: 'PreconditionFailedException' },
      })

      expect(await age()).toBe(2)
    })

    it('lets one of many at once write', async () => {
      const { tag, put } = await open()
      const read = await tag()

      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, age) => put({ age: age + 100 }, { 'if-match': read })),
      )

      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(replies.filter(({ status }) => status === 412)).toHaveLength(19)
    })

    it('guards PATCH and DELETE', async () => {
      const { app, tag, put } = await open()
      const old = await tag()
      await put({ age: 2 }, {})
      const init = { headers: { 'if-match': old } }

      expect((await app.send('PATCH', '/dogs/rex', { age: 3 }, init)).status).toBe(412)
      expect((await app.delete('/dogs/rex', undefined, init)).status).toBe(412)
      expect((await app.get('/dogs/rex')).body.entities[0]).toMatchObject({ age: 2 })
      expect(
        (await app.delete('/dogs/rex', undefined, { headers: { 'if-match': await tag() } })).status,
      ).toBe(200)
    })

    it('takes lists, the star, and tags that a compressing proxy made weak', async () => {
      const { tag, put } = await open()

      expect((await put({ age: 2 }, { 'if-match': `"other", ${await tag()}` })).status).toBe(200)
      expect((await put({ age: 3 }, { 'if-match': `W/${await tag()}` })).status).toBe(200)
      expect((await put({ age: 4 }, { 'if-match': '*' })).status).toBe(200)
      expect((await put({ age: 4 }, { 'if-match': '"*"' })).status).toBe(412)
    })

    it('keeps PUT from creating', async () => {
      const { app, put } = await open()

      expect((await put({}, { 'if-match': '*' }, '/dogs/fido')).status).toBe(412)
      expect((await app.get('/dogs/fido')).status).toBe(404)
    })

    it('is not disturbed by new connections', async () => {
      const { app, tag, put } = await open()
      await app.post('/cats', { name: 'tom' })
      const read = await tag()
      await app.post('/cats/tom/fears/dogs/rex')

      expect((await put({ age: 2 }, { 'if-match': read })).status).toBe(200)
    })

    it('is refused where a request is not about one entity', async () => {
      const { app } = await open()
      const init = { headers: { 'if-match': '*' } }

      const replies = await Promise.all([
        app.put('/dogs?ql=select *', { age: 9 }, init),
        app.delete('/dogs?ql=select *', undefined, init),
        app.post('/dogs', { name: 'new' }, init),
      ])

      expect(replies.map(({ status, body }) => [status, body.error])).toEqual(
        replies.map(() => [400, 'illegal_argument']),
      )
      expect((await app.get('/dogs')).body.entities).toMatchObject([{ name: 'rex', age: 1 }])
    })

    it.each(['rex', '"a" "b"', '"a', 'W/a', ',', ''])('refuses %j', async (header) => {
      const { put } = await open()

      // An empty header is none to fetch and to Node alike.
      expect((await put({ age: 2 }, { 'if-match': header })).status).toBe(400)
    })
  })

  describe('If-None-Match', () => {
    it('answers 304 without a body while the copy is good', async () => {
      const { app, tag, put } = await open()
      const read = await tag()
      const again = () => app.get('/dogs/rex', { headers: { 'if-none-match': read } })

      const fresh = await again()
      expect(fresh).toMatchObject({ status: 304, text: '' })
      expect(fresh.headers.get('etag')).toBe(read)

      await put({ age: 2 }, {})
      expect(await again()).toMatchObject({ status: 200, body: { entities: [{ age: 2 }] } })
    })

    it('notices a new connection, which the reply shows', async () => {
      const { app, tag } = await open()
      await app.post('/cats', { name: 'tom' })
      const read = await tag()
      await app.post('/cats/tom/fears/dogs/rex')

      const { status, body } = await app.get('/dogs/rex', { headers: { 'if-none-match': read } })

      expect([status, body.entities[0].metadata.connecting]).toEqual([200, { fears: expect.any(String) }])
    })

    it('with a star makes PUT create only', async () => {
      const { put, age } = await open()

      expect((await put({ age: 9 }, { 'if-none-match': '*' })).status).toBe(412)
      expect(await age()).toBe(1)
      expect((await put({ age: 9 }, { 'if-none-match': '*' }, '/dogs/fido')).status).toBe(200)
    })

    it('with a star lets one of many create', async () => {
      const { put } = await open()

      const replies = await Promise.all(
        Array.from({ length: 10 }, (_, age) => put({ age }, { 'if-none-match': '*' }, '/dogs/new')),
      )

      expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)])
    })
  })

  it('tell nothing to those who may not read', async () => {
    const { app } = await open()
    const closed = await app.newApplication('closed')
    await closed.admin.post('/dogs', { name: 'rex' })

    const there = await closed.guest.get('/dogs/rex', { headers: { 'if-none-match': '*' } })
    const absent = await closed.guest.get('/dogs/fido', { headers: { 'if-none-match': '*' } })
    const write = await closed.guest.put('/dogs/rex', {}, { headers: { 'if-match': '"x"' } })

    expect([there.status, absent.status, write.status]).toEqual([401, 401, 401])
    expect(there.headers.get('etag')).toBeNull()
  })

  it('guard writes in process', async () => {
    const { app } = await open()
    const session = await server.server.engine.app(app.name).asSystem('test')
    const rex = await session.get('dogs', 'rex')
    const ifMatch = entityTagOf(rex)

    expect(await session.put('dogs', 'rex', { age: 2 }, { ifMatch })).toMatchObject({ age: 2 })
    for (const write of [
      () => session.put('dogs', 'rex', { age: 3 }, { ifMatch }),
      () => session.patch('dogs', 'rex', { age: 3 }, { ifMatch }),
      () => session.remove('dogs', 'rex', { ifMatch }),
    ])
      await expect(write()).rejects.toMatchObject({ code: 'precondition_failed', status: 412 })
    expect(await session.get('dogs', 'rex')).toMatchObject({ age: 2 })
  })
})
