import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('a bad query on %s', (database) => {
  const app = sharedApp(database)

  it.each([
    ['parentheses within parentheses', `${'('.repeat(5000)}x = 1${')'.repeat(5000)}`, 'query_parse'],
    ['parentheses that never close', '('.repeat(10_000), 'query_parse'],
    ['many not', 'not '.repeat(2000), 'query_parse'],
    ['a thousand terms', Array.from({ length: 1000 }, () => 'x=1').join(' or '), 'query_parse'],
    [
      'hundreds of sort keys',
      `order by ${Array.from({ length: 300 }, (_, i) => `k${i}`).join(',')}`,
      'query_parse',
    ],
    [
      'hundreds of chosen properties',
      `select ${Array.from({ length: 300 }, (_, i) => `k${i}`).join(',')}`,
      'query_parse',
    ],
    ['an open string', `x = '${'a'.repeat(10_000)}`, 'query_parse'],
    ['unbalanced quotes', "'".repeat(5001), 'query_parse'],
    ['look-alike operators', 'x ＝ 1', 'query_token'],
    ['look-alike quotes', 'x = ＇a＇', 'query_token'],
    ['a zero byte', 'x \u0000= 1', 'query_token'],
    ['a dollar', 'x = $where', 'query_token'],
    ['a JSON operator', '{"x":{"$gt":1}}', 'query_token'],
    ['a number with an endless exponent', `x = 1e${'9'.repeat(5000)}`, 'query_parse'],
  ])('attack 30: with %s is refused at once', async (_, ql, error) => {
    const startedAt = performance.now()

    const { status, body } = await app().get('/things', { ql })

    expect([status, body.error]).toEqual([400, error])
    expect(body.error_description.length).toBeLessThan(300)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it('that is too long for a URL is refused', async () => {
    const { status, body } = await app().get('/things', { ql: `x = '${'a'.repeat(17_000)}'` })

    expect([status, body.error]).toEqual([414, 'uri_too_long'])
  })

  it.each([
    "v = 'a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b'",
    `v = '${'*a'.repeat(3000)}'`,
    `v contains '${'*a'.repeat(3000)}'`,
    `v contains '${'a* '.repeat(2000)}'`,
    `v = '${'a'.repeat(7000)}*'`,
  ])('attack 31: whose pattern could take for ever does not: %#', async (ql) => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'long', v: 'a'.repeat(20_000) }, { name: 'short', v: 'aa' })
    const startedAt = performance.now()

    expect((await app().get(path, { ql })).status).toBe(200)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it('that is deep, wide or long, but within bounds, is answered', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a', x: 1 })

    for (const ql of [
      `${'('.repeat(64)}x = 1${')'.repeat(64)}`,
      Array.from({ length: 512 }, (_, i) => `x = ${i}`).join(' or '),
      Array.from({ length: 400 }, (_, i) => `x > -${i + 1}`).join(' and '),
      Array.from({ length: 300 }, (_, i) => `not x = ${i + 2}`).join(' and '),
      Array.from({ length: 64 }, (_, i) => `(x = ${i} and name = 'a')`).join(' or '),
      Array.from({ length: 300 }, (_, i) => `name contains 'a${i}'`).join(' or ') + " or name contains 'a'",
      Array.from({ length: 100 }, (_, i) => `location within ${i} of 1,1`).join(' or ') + ' or x = 1',
      `x = 1 order by ${Array.from({ length: 16 }, (_, i) => `k${i}`).join(',')}`,
      `select ${Array.from({ length: 250 }, (_, i) => `k${i}`).join(',')},name`,
    ]) {
      expect([ql.slice(0, 40), await app().find(path, ql)]).toEqual([ql.slice(0, 40), ['a']])
    }
  })

  it.each([
    ['limit', 'NaN'],
    ['limit', '1;2'],
    ['limit', "1' or '1'='1"],
    ['limit', '0x10'],
    ['start', '../..'],
    ['reversed', 'maybe'],
    ['connections', '__proto__'],
    ['analyzeOnly', 'perhaps'],
    ['tree', 'true'],
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['ql[]', 'x'],
    ['ql[$ne]', 'x'],
  ])('parameter %s=%s does no harm', async (name, value) => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a' })

    const { status, body } = await app().get(`${path}?${name}=${encodeURIComponent(value)}`)

    expect([status, body.entities.length]).toEqual([200, 1])
    expect(Object.entries(body.params)).toEqual([[name, [value]]])
    expect(Object.prototype).not.toHaveProperty('x')
  })
})
