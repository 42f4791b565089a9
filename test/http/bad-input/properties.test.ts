import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

const HOSTILE = [
  "a'); drop table entity; --",
  'a"->>\'b',
  'a.b.c[0]',
  '$where',
  '*',
  '%',
  '_',
  'constructor',
  'constructor.prototype',
  'prototype',
  'toString',
  'hasOwnProperty',
  '🐕',
  'ключ',
  '\u202Eevil',
  'with space',
  '',
  '.',
  '..',
  'a..b',
  '0',
  '-1',
  'null',
  'true',
  'select',
  'k'.repeat(10_000),
  'nul\u0000byte',
  'tab\tbyte',
  '\ud83d',
]
const KEYS = ['__proto__', 'constructor', 'prototype']

describe.each(DATABASES)('hostile property names on %s', (database) => {
  const app = sharedApp(database)
  const prototypeBefore = Object.getOwnPropertyNames(Object.prototype)

  it('are data like any other', async () => {
    const path = `/${newCollection()}`

    for (const [i, name] of HOSTILE.entries()) {
      const body = { [name]: `value ${i}`, deep: { [name]: i }, list: [{ [name]: true }] }
      const { status, body: reply } = await app().put(`${path}/n${i}`, body)
      expect([name, status]).toEqual([name, 200])
      const stored = (await app().get(`${path}/n${i}`)).body.entities[0]
      expect(stored).toMatchObject(JSON.parse(JSON.stringify(body)))
      expect(stored).toEqual({ ...reply.entities[0] })
    }
    const whole = (await app().get(path, { limit: 1000 })).body.entities
    expect(whole).toHaveLength(HOSTILE.length)
    for (const { uuid } of whole) expect((await app().delete(`${path}/${uuid}`)).status).toBe(200)
    expect((await app().get(path)).body.count).toBe(0)
  })

  it('attack 27: cannot be smuggled into a query', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a', x: 1 })

    // Half a surrogate pair cannot be written in a URL.
    for (const name of HOSTILE.filter((word) => !/\p{Cs}/u.test(word))) {
      for (const ql of [
        `${name} = 1`,
        `order by ${name}`,
        `select ${name}`,
        `${name} contains 'a'`,
        `select {x: ${name}}`,
      ]) {
        const { status, body } = await app().get(path, { ql })
        expect([400, 200, 414]).toContain(status)
        if (status === 400) expect(['query_parse', 'query_token']).toContain(body.error)
        expect(JSON.stringify(body)).not.toMatch(/SQLITE|syntax error|node_modules/)
      }
      const { status } = await app().get(path, { ql: `name = '${name.replaceAll("'", String.raw`\'`)}'` })
      expect([name, status === 200 || name.length > 5000]).toEqual([name, true])
    }
    expect((await app().get(path)).body.count).toBe(1)
  })

  it('attack 27: are refused in the settings of a collection, or stay words', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a', x: 1 })

    for (const name of HOSTILE) {
      const indexes = await app().post(`${path}/_settings`, { indexes: [[name, '-x']] })
      expect([name, [200, 400].includes(indexes.status)]).toEqual([name, true])
      if (indexes.status === 400) expect(indexes.body.error).toBe('illegal_argument')
      const fields = await app().post(`${path}/_settings`, { fields: [name, 'x'] })
      expect([name, [200, 400].includes(fields.status)]).toEqual([name, true])
      expect(await app().find(path, 'x = 1')).toEqual(['a'])
    }
    for (const body of [
      { indexes: 'x' },
      { indexes: [[]] },
      { indexes: [['x', 7]] },
      { indexes: Array.from({ length: 100 }, () => ['x']) },
      { indexes: [Array.from({ length: 100 }, () => 'x')] },
      { fields: 7 },
      { fields: [7] },
      { fields: { x: 1 } },
      {},
    ]) {
      const { status, body: reply } = await app().post(`${path}/_settings`, body)
      expect([body, status, typeof reply.error]).toEqual([body, 400, 'string'])
    }
  })

  it.each(KEYS)('attack 28: such as %s stay data at every depth and change no prototype', async (key) => {
    const path = `/${newCollection()}`
    const nested = (depth: number): string =>
      depth === 0 ? '{"polluted":true}' : `{${JSON.stringify(key)}:${nested(depth - 1)}}`

    for (const depth of [1, 2, 3, 10, 20]) {
      for (const text of [nested(depth), `{"a":[${nested(depth)}]}`]) {
        const created = await app().send('POST', path, { body: text })
        expect([depth, created.status]).toEqual([depth, 200])
        const { uuid } = created.body.entities[0]
        const own = JSON.parse(text)
        const stored = (await app().get(`${path}/${uuid}`)).body.entities[0]
        for (const name of Object.keys(own)) {
          expect(JSON.stringify(Object.getOwnPropertyDescriptor(stored, name)?.value)).toBe(
            JSON.stringify(own[name]),
          )
        }
        expect((await app().send('PUT', `${path}/${uuid}`, { body: text })).status).toBe(200)
        expect(
          (await app().send('POST', `${path}/${uuid}/likes/${path.slice(1)}`, { body: text })).status,
        ).toBe(200)
      }
    }
    expect(
      (await app().send('POST', path, { body: `[${nested(1)},${nested(2)}]` })).body.entities,
    ).toHaveLength(2)
    expect(
      (await app().send('POST', '/users', { body: `{"username":"u${key}","location":${nested(2)}}` })).status,
    ).toBe(200)
    expect((await app().send('POST', `${path}/_settings`, { body: nested(3) })).status).toBeLessThan(500)
    expect(({} as { polluted?: true }).polluted).toBeUndefined()
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototypeBefore)
  })

  it('attack 29: do not collide with what JavaScript inherits when they are asked for', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a' }, { name: 'b', constructor: 'x', toString: 'y' })

    expect(await app().find(path, "constructor = 'x'")).toEqual(['b'])
    expect(await app().find(path, 'order by toString')).toEqual(['b', 'a'])
    expect(await app().find(path, "not constructor = 'x'")).toEqual(['a'])
    expect(await app().find(path, "constructor.name = 'Object'")).toEqual([])
    expect(await app().find(path, "__proto__ = 'x'")).toEqual([])
    const [, a] = (await app().get(path, { ql: 'select constructor, hasOwnProperty' })).body.entities
    expect(Object.keys(a)).toEqual(['uuid', 'type', 'metadata'])
  })

  it('may be many, deep and of any size within the limit of a body', async () => {
    const path = `/${newCollection()}`
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`p${i}`, i]))
    const deep = Array.from({ length: 60 }).reduce<object>((inner, _, i) => ({ [`d${i}`]: inner }), {
      end: 1,
    })
    const wide = { list: Array.from({ length: 10_000 }, (_, i) => `w${i}`), text: 'word '.repeat(50_000) }

    for (const [i, body] of [many, deep, wide].entries()) {
      expect((await app().put(`${path}/n${i}`, body)).status).toBe(200)
      expect((await app().get(`${path}/n${i}`)).body.entities[0]).toMatchObject(body)
    }
    for (const ql of [
      'p1 = 1',
      'order by p4999',
      'order by p3',
      "list = 'w9999'",
      "text contains 'word'",
      'd59.d58.d57 = 1',
    ]) {
      expect((await app().get(path, { ql })).status).toBe(200)
      const pages = await app().pages(path, { ql, limit: 1 })
      expect(pages.length).toBeLessThanOrEqual(3)
    }
    expect((await app().delete(`${path}/n0`)).status).toBe(200)
  })
})
