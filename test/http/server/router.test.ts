import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { entigrid, type HandlerOptions } from '@entigrid/server'
import express, { type Express } from 'express'
import { describe, expect, it } from 'vitest'
import { RecordingEngine, request } from '../../support/http-server.js'

/** An Express application of a user, set up by the test, on a free port. */
const openHost = async (
  setUp: (app: Express, api: ReturnType<typeof entigrid>) => void,
  options?: HandlerOptions,
) => {
  const engine = new RecordingEngine()
  const app = express()
  setUp(app, entigrid(engine, options))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    engine,
    url,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the Express router', () => {
  it('works below any path, which is part of the base URL but not of the path', async () => {
    await using host = await openHost((app, api) => app.use('/api/v1', api))

    const reply = await request(`${host.url}/api/v1/a/b?x=y`)

    expect(reply.json).toMatchObject({ path: '/a/b', search: 'x=y', baseUrl: `${host.url}/api/v1` })
    expect(await request(`${host.url}/api/v1`)).toMatchObject({
      status: 307,
      headers: { location: `${host.url}/api/v1/status` },
    })
    expect((await request(`${host.url}/api/v1/health`)).json).toEqual({ status: 'ok' })
  })

  it('parses bodies itself and leaves the other routes of the application alone', async () => {
    await using host = await openHost((app, api) => {
      app.use('/api', api)
      app.post('/own', (req, res) => void res.json({ body: req.body ?? null }))
    })
    const post = (path: string) => request(host.url + path, { method: 'POST', body: '{"a":1}' })

    expect((await post('/api/a/b')).json.body).toEqual({ a: 1 })
    const own = await post('/own')
    expect(own.json).toEqual({ body: null })
    expect(own.headers['access-control-allow-origin']).toBeUndefined()
  })

  it.each([
    ['json', express.json(), 'application/json', '{"a":1}'],
    ['text', express.text(), 'text/plain', '{"a":1}'],
    ['raw', express.raw(), 'application/octet-stream', '{"a":1}'],
  ])('uses the body that express.%s() has read already', async (_, parser, type, body) => {
    await using host = await openHost((app, api) => app.use(parser).use('/api', api))

    const reply = await request(`${host.url}/api/a/b`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })

    expect(reply.json.body).toEqual({ a: 1 })
  })

  it('uses a form that express.urlencoded() has read, where forms are taken', async () => {
    await using host = await openHost((app, api) => app.use(express.urlencoded()).use('/api', api))
    const post = (path: string) =>
      request(host.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'a=b',
      })

    expect((await post('/api/a/b/token')).json).toMatchObject({ body: { a: 'b' }, form: true })
    expect((await post('/api/a/b/dogs')).status).toBe(415)
  })

  it('does not wait for a body that the application has read and dropped', async () => {
    await using host = await openHost((app, api) => {
      app.use((req, _, next) => {
        req.resume().on('end', next)
      })
      app.use('/api', api)
    })

    expect(
      (await request(`${host.url}/api/a/b`, { method: 'POST', body: '{"a":1}' })).json.body,
    ).toBeUndefined()
  })

  it('holds a body parsed by the application to the depth limit', async () => {
    await using host = await openHost((app, api) => app.use(express.json()).use('/api', api), {
      limits: { depth: 2 },
    })
    const post = (body: string) =>
      request(`${host.url}/api/a/b`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })

    expect((await post('[[]]')).status).toBe(200)
    expect(await post('[[[]]]')).toMatchObject({ status: 400, json: { error: 'json_parse' } })
  })

  it('answers its own errors, not the error handler of the application', async () => {
    await using host = await openHost((app, api) => app.use('/api', api))

    const reply = await request(`${host.url}/api/a/b`, { method: 'POST', body: '{' })

    expect(reply).toMatchObject({
      status: 400,
      json: { error: 'json_parse' },
      headers: { 'content-type': 'application/json' },
    })
  })

  it('lives twice in one application, each with an engine of its own', async () => {
    const second = new RecordingEngine()
    await using host = await openHost((app, api) => app.use('/one', api).use('/two', entigrid(second)))

    await request(`${host.url}/one/a`)
    await request(`${host.url}/two/b`)

    expect(host.engine.requests.map(({ path }) => path)).toEqual(['/a'])
    expect(second.requests.map(({ path }) => path)).toEqual(['/b'])
  })
})
