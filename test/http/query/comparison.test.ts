import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { namesOf, newCollection, sharedApp } from '../../support/app-client.js'

const UUID = '7f8d3c1e-5a4b-4c2d-9e6f-0a1b2c3d4e5f'
/** Longer than what an index key holds. */
const LONG = 'x'.repeat(7000)

/** What the queries of the tables below are asked of. */
const THINGS = [
  { name: 'number', v: 41 },
  { name: 'fraction', v: 41.5 },
  { name: 'negative', v: -3 },
  { name: 'big', v: 4102444800000 },
  { name: 'digits', v: '41' },
  { name: 'word', v: 'Apple' },
  { name: 'phrase', v: 'I am a green Apple-tree, yes' },
  { name: 'spaced', v: ' apple ' },
  { name: 'true', v: true },
  { name: 'false', v: false },
  { name: 'truth', v: 'true' },
  { name: 'uuid', v: UUID },
  { name: 'list', v: [7, 'seven', true] },
  { name: 'object', v: { w: 41, Deep: { er: 'X' } } },
  {
    name: 'objects',
    v: [
      { w: 1, name: 'Ann' },
      { w: 2, name: 'Bob' },
    ],
  },
  { name: 'nested-list', v: [[99]] },
  { name: 'star', v: 'a*b' },
  { name: 'long', v: `${LONG}a` },
  { name: 'longer', v: `${LONG}b` },
  { name: 'greek', v: 'ΣΊΣΥΦΟΣ' },
  { name: 'absent' },
  { name: 'null', v: null },
]
const ALL = THINGS.map(({ name }) => name)
const without = (...names: string[]) => ALL.filter((name) => !names.includes(name))

describe.each(DATABASES)('comparisons on %s', (database) => {
  const app = sharedApp(database)
  let filled: Promise<unknown> | undefined
  const find = async (ql: string) => {
    filled ??= app().create('things', ...THINGS)
    await filled
    const found = await app().find('/things', ql)
    return ALL.filter((name) => found.includes(name))
  }

  it.each([
    // Strings
    ["v = 'apple'", ['word']],
    ["v = 'APPLE'", ['word']],
    ["v = '  apple '", ['word']],
    ["v = 'app'", []],
    ["v = 'app*'", ['word']],
    ["v = '*pple'", ['word']],
    ["v = '*apple*'", ['word', 'phrase', 'spaced']],
    ["v = 'i am*'", ['phrase']],
    ["v = '*a*a*'", ['phrase', 'uuid']],
    ["v = 'a*e'", ['word']],
    ["v = 'a*b'", ['star']],
    [
      "v = '*'",
      ['digits', 'word', 'phrase', 'spaced', 'truth', 'uuid', 'list', 'star', 'long', 'longer', 'greek'],
    ],
    [
      "v = '**'",
      ['digits', 'word', 'phrase', 'spaced', 'truth', 'uuid', 'list', 'star', 'long', 'longer', 'greek'],
    ],
    ["v = ''", []],
    ["v = 'σίσυφος'", ['greek']],
    ["v < 'b' and v > 'a'", ['word', 'star']],
    ["v <= 'apple' and v >= 'apple'", ['word']],
    ["v > 'apple' and v < 'i b'", ['phrase']],
    ["v >= 'seven' and v <= 'seven'", ['list']],
    // Words
    ["v contains 'apple'", ['word', 'phrase', 'spaced']],
    ["v contains 'tree'", ['phrase']],
    ["v contains 'tre'", []],
    ["v contains 'tre*'", ['phrase']],
    ["v contains '*ee*'", ['phrase']],
    ["v contains 'missing TREE'", ['phrase']],
    ["v contains 'seven tree'", ['phrase', 'list']],
    ["v contains ''", []],
    ["v contains '41'", ['digits']],
    ["name contains 'nested'", ['nested-list']],
    // Numbers
    ['v = 41', ['number']],
    ['v = 41.0', ['number']],
    ['v = 41.5', ['fraction']],
    ['v > 41', ['fraction', 'big']],
    ['v >= 41', ['number', 'fraction', 'big']],
    ['v < 0', ['negative']],
    ['v <= 7', ['negative', 'list']],
    ['v = 4102444800000', ['big']],
    ["v = '41'", ['digits']],
    // Booleans
    ['v = true', ['true', 'list']],
    ['v = false', ['false']],
    ["v = 'true'", ['truth']],
    ['v > false', ['true', 'list']],
    // Uuids
    [`v = ${UUID}`, ['uuid']],
    [`v = ${UUID.toUpperCase()}`, ['uuid']],
    [`v = '${UUID}'`, ['uuid']],
    // Arrays and paths
    ['v = 7', ['list']],
    ["v = 'seven'", ['list']],
    ['v = 99', []],
    ['v.w = 41', ['object']],
    ['v.w = 2', ['objects']],
    ["v.name = 'bob'", ['objects']],
    ["V.DEEP.ER = 'x'", ['object']],
    ['v.w > 1 and v.w < 2', ['objects']],
    // What is missing or of another type
    ['nothing = 1', []],
    ['not nothing = 1', ALL],
    ['not v = 41', without('number')],
    [
      "not v = '*'",
      without(
        'digits',
        'word',
        'phrase',
        'spaced',
        'truth',
        'uuid',
        'list',
        'star',
        'long',
        'longer',
        'greek',
      ),
    ],
    ["not v contains 'apple'", without('word', 'phrase', 'spaced')],
    ['not (v = 41 or v = true)', without('number', 'true', 'list')],
    ["not v > 'a'", without('word', 'phrase', 'truth', 'list', 'star', 'long', 'longer', 'greek')],
    // Plain logic, whatever answers the parts
    ["v contains 'tree' or v = 41", ['number', 'phrase']],
    ["v = 'a*' or v = true", ['word', 'true', 'list', 'star']],
    ["v contains 'apple' and v = 'i*'", ['phrase']],
    ["v contains 'apple' and not v = 'apple'", ['phrase', 'spaced']],
    ["v = 41 or v = 'apple' or v.w = 41", ['number', 'word', 'object']],
  ])('%s', async (ql, names) => {
    expect(await find(ql)).toEqual(names)
  })

  it('compares the whole of long texts', async () => {
    expect(await find(`v = '${LONG}A'`)).toEqual(['long'])
    expect(await find(`v = '${LONG}'`)).toEqual([])
    expect(await find(`v > '${LONG}a' and v < 'y'`)).toEqual(['longer'])
    expect(await find(`v >= '${LONG}' and v < '${LONG}b'`)).toEqual(['long'])
  })

  it('finds system properties', async () => {
    const collection = newCollection()
    const [a, b] = await app().create(collection, { name: 'a' }, { name: 'B' })
    const path = `/${collection}`
    await app().put(`${path}/a`, { changed: true })
    const { modified } = (await app().get(`${path}/a`)).body.entities[0]

    expect(await app().find(path, `uuid = ${a!.uuid}`)).toEqual(['a'])
    expect(await app().find(path, `uuid = '${a!.uuid}'`)).toEqual(['a'])
    expect(await app().find(path, `not uuid = ${a!.uuid}`)).toEqual(['B'])
    expect(await app().find(path, `uuid = ${a!.uuid} or uuid = ${b!.uuid}`)).toEqual(['B', 'a'])
    expect(await app().find(path, `type = '${a!.type}'`)).toEqual(['B', 'a'])
    expect(await app().find(path, "type = 'other'")).toEqual([])
    expect(await app().find(path, "name = 'b'")).toEqual(['B'])
    expect(await app().find(path, `created = ${a!.created} and name = 'a'`)).toEqual(['a'])
    expect(await app().find(path, `created >= ${a!.created}`)).toEqual(['B', 'a'])
    expect(await app().find(path, `created > ${Date.now() + 60_000}`)).toEqual([])
    expect(await app().find(path, `modified = ${modified} and created <= ${modified}`)).toContain('a')
  })

  it('finds users by what only users have', async () => {
    const ann = { username: 'Ann', email: 'Ann@Example.org', name: 'Ann Lee' }
    await app().post('/users', ann)
    await app().post('/users', { username: 'bob' })
    const find = async (ql: string) =>
      (await app().get('/users', { ql })).body.entities.map(({ username }: { username: string }) => username)

    expect(await find("username = 'ann'")).toEqual(['Ann'])
    expect(await find("email = 'ann@example.org'")).toEqual(['Ann'])
    expect(await find("username contains 'ann'")).toEqual(['Ann'])
    expect(await find("select * where username = 'x' or email = 'y'")).toEqual([])
    expect(await find('activated = true')).toEqual(['bob', 'Ann'])
    expect(await find("not username = 'ann'")).toEqual(['bob'])
  })

  it('lets the literal decide where one property holds several types', async () => {
    const path = `/${newCollection()}`
    await app().create(
      path.slice(1),
      { name: 'a', v: 41 },
      { name: 'b', v: 'word' },
      { name: 'c', v: { w: 1 } },
    )

    expect(await app().find(path, 'v = 41')).toEqual(['a'])
    expect(await app().find(path, "v = 'word'")).toEqual(['b'])
    expect(await app().find(path, 'v.w = 1')).toEqual(['c'])
  })

  it('narrows what PUT and DELETE change', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a', v: 1 }, { name: 'b', v: 2 }, { name: 'c', v: 3 })

    const updated = await app().send('PUT', path, { params: { ql: 'v > 1' }, body: { w: 9 } })
    expect([updated.status, namesOf(updated.body).sort()]).toEqual([200, ['b', 'c']])
    expect(updated.body.entities[0]).toHaveProperty('metadata.path')
    const nothing = await app().send('PUT', path, { params: { ql: 'v > 100' }, body: { w: 9 } })
    expect([nothing.status, nothing.body.error]).toEqual([404, 'service_resource_not_found'])
    expect(await app().find(path, 'w = 9 order by v')).toEqual(['b', 'c'])
    const removed = await app().delete(path, { ql: 'w = 9', limit: 1 })
    expect([removed.status, namesOf(removed.body)]).toEqual([200, ['c']])
    expect(await app().find(path, '')).toEqual(['b', 'a'])
    expect((await app().delete(path, { ql: 'v > 100' })).body.entities).toEqual([])
    expect((await app().delete(path, { ql: ' ' })).status).toBe(405)
    expect((await app().delete(path)).body.error).toBe('unsupported_service_operation')
    const all = await app().send('PUT', path, { params: { ql: '' }, body: { w: 8 } })
    expect(namesOf(all.body)).toEqual(['b', 'a'])
  })
})
