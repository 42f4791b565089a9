import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

const MIXED = [
  { name: 'true', v: true },
  { name: 'Banana', v: 'Banana' },
  { name: 'none' },
  { name: 'two', v: 2 },
  { name: 'apple', v: 'apple' },
  { name: 'false', v: false },
  { name: 'minus', v: -1.5 },
  { name: 'object', v: { w: 1 } },
  { name: 'list', v: [3, 'cherry'] },
  { name: 'ten', v: 10 },
  { name: 'empty', v: [] },
]

describe.each(DATABASES)('the order of a listing on %s', (database) => {
  const app = sharedApp(database)
  let mixed: Promise<unknown> | undefined
  const sorted = async (ql: string) => {
    mixed ??= app().create('mixed', ...MIXED)
    await mixed
    return app().find('/mixed', ql)
  }

  it.each([
    [
      'order by v',
      ['minus', 'two', 'list', 'ten', 'apple', 'Banana', 'false', 'true', 'empty', 'object', 'none'],
    ],
    [
      'order by v asc',
      ['minus', 'two', 'list', 'ten', 'apple', 'Banana', 'false', 'true', 'empty', 'object', 'none'],
    ],
    [
      'order by v desc',
      ['true', 'false', 'list', 'Banana', 'apple', 'ten', 'two', 'minus', 'empty', 'object', 'none'],
    ],
    [
      'order by V DESC, NAME',
      ['true', 'false', 'list', 'Banana', 'apple', 'ten', 'two', 'minus', 'empty', 'none', 'object'],
    ],
    [
      'order by v.w',
      ['object', 'empty', 'ten', 'list', 'minus', 'false', 'apple', 'two', 'none', 'Banana', 'true'],
    ],
    ["v > 'a' order by v", ['list', 'apple', 'Banana']],
    ['v >= 2 order by v desc', ['list', 'ten', 'two']],
    [
      "not v = 2 and not v = 'apple' order by v",
      ['minus', 'list', 'ten', 'Banana', 'false', 'true', 'empty', 'object', 'none'],
    ],
    ['order by nothing', MIXED.map(({ name }) => name).reverse()],
    ['', MIXED.map(({ name }) => name).reverse()],
    ["name contains 'two ten true' order by v", ['two', 'ten', 'true']],
    ['order by created desc', MIXED.map(({ name }) => name).reverse()],
  ])('%s', async (ql, names) => {
    expect(await sorted(ql)).toEqual(names)
  })

  it('follows several properties, newest first among equals', async () => {
    const path = `/${newCollection()}`
    const bodies = [
      { name: 'a', p: 1, q: 'x' },
      { name: 'b', p: 2, q: 'x' },
      { name: 'c', p: 1, q: 'Y' },
      { name: 'd', p: 2, q: 'y' },
      { name: 'e', p: 1 },
      { name: 'f', q: 'x' },
      { name: 'g', p: 1, q: 'X' },
    ]
    await app().create(path.slice(1), ...bodies)

    expect(await app().find(path, 'order by p, q')).toEqual(['g', 'a', 'c', 'e', 'b', 'd', 'f'])
    expect(await app().find(path, 'order by p desc, q')).toEqual(['b', 'd', 'g', 'a', 'c', 'e', 'f'])
    expect(await app().find(path, 'order by p, q desc')).toEqual(['c', 'g', 'a', 'e', 'd', 'b', 'f'])
    expect(await app().find(path, 'order by q, p')).toEqual(['g', 'a', 'b', 'f', 'c', 'd', 'e'])
    expect(await app().find(path, 'order by p')).toEqual(['g', 'e', 'c', 'a', 'd', 'b', 'f'])
    expect(await app().find(path, 'order by p desc')).toEqual(['d', 'b', 'g', 'e', 'c', 'a', 'f'])
    expect(await app().find(path, "q = 'x' order by p desc")).toEqual(['b', 'g', 'a', 'f'])
  })

  it('orders by creation where nothing else is asked, whatever is updated later', async () => {
    const path = `/${newCollection()}`
    for (const name of ['a', 'b', 'c']) await app().post(path, { name, x: 1 })
    await app().put(`${path}/a`, { x: 2 })
    await app().post(`${path}/a`, { x: 3 })

    expect(await app().find(path, '')).toEqual(['c', 'b', 'a'])
    expect(await app().find(path, 'x > 0')).toEqual(['c', 'b', 'a'])
    expect(await app().find(path, 'order by created')).toEqual(['a', 'b', 'c'])
    expect(await app().find(path, 'order by created desc')).toEqual(['c', 'b', 'a'])
    expect((await app().find(path, 'order by modified desc'))[0]).toBe('a')
  })

  it('compares the whole of long texts', async () => {
    const path = `/${newCollection()}`
    const long = 'x'.repeat(5000)
    await app().create(
      path.slice(1),
      { name: 'b', v: `${long}b` },
      { name: 'c', v: `${long}c` },
      { name: 'a', v: `${long}A` },
    )

    expect(await app().find(path, 'order by v, name')).toEqual(['a', 'b', 'c'])
  })

  it('uses an index declared in the settings without changing the result', async () => {
    const path = `/${newCollection()}`
    const bodies = Array.from({ length: 40 }, (_, i) => ({
      name: `n${i}`,
      kind: i % 2,
      ...(i % 7 ? { rank: i % 5 } : {}),
    }))
    await app().create(path.slice(1), ...bodies)
    const queries = [
      'kind = 1 order by rank desc',
      'kind = 0 order by rank desc',
      'order by rank desc, kind',
      'order by kind, rank desc',
    ]
    const before = await Promise.all(queries.map((ql) => app().find(path, ql)))

    await app().post(`${path}/_settings`, {
      indexes: [
        ['kind', '-rank'],
        ['-rank', 'kind'],
      ],
    })

    expect(await Promise.all(queries.map((ql) => app().find(path, ql)))).toEqual(before)
    const pages = await app().pages(path, { ql: queries[0]!, limit: 3 })
    expect(pages.flat().map(({ name }) => name)).toEqual(before[0])
  })
})
