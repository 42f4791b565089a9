import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it, vi } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('the analysis of a query on %s', (database) => {
  const app = sharedApp(database)
  const dogs = async () => {
    const path = `/${newCollection()}`
    const bodies = Array.from({ length: 30 }, (_, n) => ({ name: `n${n}`, n, kind: n % 2, colour: 'brown' }))
    await app().create(path.slice(1), ...bodies)
    return path
  }
  const warnings = async (path: string, ql: string) => {
    const { status, body } = await app().get(path, { ql, analyzeOnly: 'true' })
    expect([status, body.status, body.entities]).toEqual([200, 'ok', []])
    return body.metadata.queryWarnings
  }

  it('answers in its own envelope, without data', async () => {
    const path = await dogs()

    const { status, body } = await app().get(path, { ql: 'kind = 1', analyzeOnly: 'true' })

    expect(status).toBe(200)
    expect(body).toMatchObject({
      action: 'query analysis only',
      params: { ql: ['kind = 1'], analyzeOnly: ['true'] },
      path,
      status: 'ok',
      metadata: { queryWarnings: [] },
      entities: [],
    })
    expect(body).not.toHaveProperty('count')
  })

  it.each([
    '',
    'kind = 1',
    'n > 3 and n < 9',
    "name = 'n1*'",
    "name contains 'n1'",
    'location within 5 of 1,1',
    'kind = 1 or n = 3',
    'order by n',
    'kind = 1 order by n',
    'nothing = 1',
  ])('has nothing to say about %s', async (ql) => {
    expect(await warnings(await dogs(), ql)).toEqual([])
  })

  it.each([
    ['not kind = 1', 'not'],
    ["name contains '*5'", 'name'],
    ['kind = 1 or not n = 3', 'or'],
    ["type = 'dog'", 'type'],
  ])('tells that all entities are looked at for %s', async (ql, words) => {
    const [warning, ...others] = await warnings(await dogs(), ql)

    expect(others).toEqual([])
    expect(warning).toEqual({
      warning: 'full_scan',
      entities: 30,
      message: expect.stringContaining('30 entities'),
    })
    expect(warning.message).toContain(words)
  })

  it('counts the connections that are looked at for a filter', async () => {
    const path = await dogs()
    const { entities } = (await app().get(path, { limit: 5 })).body
    for (const { uuid } of entities) await app().post(`${path}/n0/likes/${uuid}`)

    expect(await warnings(`${path}/n0/likes`, 'kind = 1')).toEqual([
      { warning: 'connections_scan', entities: 5, message: expect.stringContaining('5 connections') },
    ])
    expect(await warnings(`${path}/n0/likes`, '')).toEqual([])
    expect(await warnings(`${path}/all/likes`, '')).toEqual([])
  })

  it('refuses what the query itself would refuse', async () => {
    const path = await dogs()

    expect((await app().get(path, { ql: 'n !', analyzeOnly: 'true' })).body.error).toBe('query_token')
    expect((await app().get(`${path}/nobody/likes`, { analyzeOnly: 'true' })).body.error).toBe(
      'service_resource_not_found',
    )
  })

  it('names the index that would spare sorting many matches', async () => {
    const path = await dogs()
    const more = Array.from({ length: 970 }, (_, i) => ({
      name: `m${i}`,
      n: i,
      kind: i % 2,
      colour: 'brown',
    }))
    await app().create(path.slice(1), ...more, { name: 'one', n: 50, colour: 'brown' })

    expect(await warnings(path, "name = '*5'")).toMatchObject([{ warning: 'full_scan', entities: 1001 }])
    expect(await warnings(path, 'n >= 0 order by n')).toEqual([])
    expect(await warnings(path, "colour = 'brown'")).toEqual([])
    const [warning, ...others] = await warnings(path, "colour = 'brown' order by kind, n desc")
    expect(others).toEqual([])
    expect(warning).toMatchObject({ warning: 'sort', indexes: [['colour', 'kind', '-n']] })
    await app().post(`${path}/_settings`, { indexes: warning.indexes })
    await vi.waitFor(async () =>
      expect(await warnings(path, "colour = 'brown' order by kind, n desc")).toEqual([]),
    )
  })
})
