import { describe, expect, it } from 'vitest'
import { openHttp } from '../../support/http-server.js'

describe('probes', () => {
  it('answer while the database can be reached', async () => {
    await using http = await openHttp(undefined, { clock: () => 5_000 })

    expect(await http.request('/health')).toMatchObject({
      status: 200,
      json: { status: 'ok' },
      headers: { 'cache-control': 'no-store' },
    })
    expect(await http.request('/health/ready')).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(await http.request('/lb-status')).toMatchObject({ status: 200, text: '' })
    expect((await http.request('/status/')).json).toEqual({
      timestamp: 5_000,
      duration: 0,
      status: {
        started: 5_000,
        uptime: 0,
        version: '1.2.3',
        databaseAvailable: true,
        cassandraAvailable: true,
        cassandraStatus: 'green',
        managementAppIndexStatus: 'green',
      },
    })
  })

  it('tell a lost database from a dead process, without the words of the driver', async () => {
    await using http = await openHttp()
    http.engine.failure = new Error('connect ECONNREFUSED 10.0.0.7')

    expect((await http.request('/health')).status).toBe(200)
    expect((await http.request('/status')).json.status).toMatchObject({
      databaseAvailable: false,
      cassandraStatus: 'red',
    })
    for (const path of ['/health/ready', '/lb-status']) {
      const reply = await http.request(path)

      expect(reply).toMatchObject({
        status: 503,
        json: { error: 'unavailable', code: 503 },
        headers: { 'retry-after': '1' },
      })
      expect(reply.text).not.toContain('10.0.0.7')
    }
  })

  it('are found through the redirect of the root', async () => {
    await using http = await openHttp()

    expect(await http.request('/')).toMatchObject({
      status: 307,
      headers: { location: `${http.url}/status` },
    })
  })

  it('leave other methods and longer paths to the engine', async () => {
    await using http = await openHttp()

    await http.request('/status', { method: 'POST' })
    await http.request('/status/sandbox')

    expect(http.engine.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /status',
      'GET /status/sandbox',
    ])
  })
})
