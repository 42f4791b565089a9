// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${user} is a variable of permission strings.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from './json.js'
import { compileGrants, formatPermission, parsePermission, reachOf } from './permission.js'
import { filterFor, parsePermissionFilter } from './permission-filter.js'
import { matches } from './query/evaluate.js'

const ANN = { uuid: '0190c7a1-7b3e-7c44-9d2a-000000000a0a', username: 'ann' }

const allows = (text: string, doc: JsonObject, self: typeof ANN | null = ANN): boolean =>
  matches(filterFor(parsePermissionFilter(text), self), doc)

describe('filters of permission strings', () => {
  it('are conditions of the query language, kept as they were written', () => {
    const text = "Owner = ${user} AND (rank > 3 or not state = 'Closed')"

    expect(parsePermissionFilter(text).text).toBe(text)
    expect(allows(text, { owner: 'ann', rank: 4, state: 'closed' })).toBe(true)
    expect(allows(text, { owner: 'ann', rank: 3, state: 'closed' })).toBe(false)
    expect(allows(text, { owner: 'bob', rank: 4 })).toBe(false)
  })

  it.each([
    ['owner = ${user}', [true, true, false]],
    ["owner = '${user}'", [true, true, false]],
    ['owner = ${ USER }', [true, true, false]],
    ['owner = ${user.uuid}', [false, true, false]],
    ['owner = ${user.username}', [true, false, false]],
    ['not owner = ${user}', [false, false, true]],
    ['owner = ${user.uuid} or owner = ${user.username}', [true, true, false]],
    // In the middle of a text it is no variable.
    ["owner = 'x ${user}'", [false, false, false]],
    ["owner = '\\'${user}'", [false, false, false]],
  ])('%s is for the username, the uuid, and others: %j', (text, expected) => {
    expect(['ann', ANN.uuid.toUpperCase(), 'bob'].map((owner) => allows(text, { owner }))).toEqual(expected)
  })

  it('hold for one of several owners, and for none that are missing or no text', () => {
    const owners = [['bob', 'ANN'], [], null, 7, true, { name: 'ann' }, [['ann']]]

    expect(owners.map((owner) => allows('owner = ${user}', { owner } as JsonObject))).toEqual([
      true,
      ...Array(6).fill(false),
    ])
  })

  it('compare a guest with nothing', () => {
    for (const owner of ['ann', '', '${user}', '5f2b1c5e-9f0a-4d53-8a3e-6c1d0e7b9a01'])
      expect([
        allows('owner = ${user}', { owner }, null),
        allows('not owner = ${user}', { owner }, null),
      ]).toEqual([false, true])
  })

  it('take a username as it is, whatever is in it', () => {
    const odd = fc.string({ unit: fc.constantFrom('a', 'B', '*', "'", '"', '\\', '$', '{', '}', ' ', 'ß') })
    fc.assert(
      fc.property(odd, odd, (username, owner) => {
        const self = { ...ANN, username }
        const isSame = owner.toLowerCase() === username.toLowerCase()

        expect(allows('owner = ${user}', { owner: username }, self)).toBe(true)
        expect(allows('owner = ${user.username}', { owner }, self)).toBe(isSame)
        expect(allows('not owner = ${user.username}', { owner }, self)).toBe(!isSame)
      }),
    )
    expect(allows('owner = ${user}', { owner: 'bob' }, { ...ANN, username: '*' })).toBe(false)
    expect(allows('owner = ${user}', { owner: 'bob' }, { ...ANN, username: "x' or owner = 'bob" })).toBe(
      false,
    )
  })

  it.each([
    ['', 'query language'],
    ['owner', 'query language'],
    ['owner = ${group}', 'variables'],
    ["owner = '${user.email}'", 'variables'],
    ['owner > ${user}', '"="'],
    ['not (a = 1 or owner <= ${user})', '"="'],
    ['owner contains ${user}', 'query language'],
    ['${user} = owner', 'query language'],
    ['a = 1 order by b', 'conditions'],
    ['direct a, b', 'conditions'],
  ])('refuse "%s" with the reason', (text, reason) => {
    expect(() => parsePermissionFilter(text)).toThrow(
      expect.objectContaining({ code: 'illegal_argument', message: expect.stringContaining(reason) }),
    )
  })

  it('ask documents about places, so that a list keeps its order', () => {
    const { template } = parsePermissionFilter('home within 10 of 1, 1 and not spot within 5 of 2, 2')

    expect(JSON.stringify(template).match(/"byDocument":true/g)).toHaveLength(2)
  })
})

describe('permission strings with a filter', () => {
  const reach = (strings: string[], doc: JsonObject) => {
    const found = reachOf(compileGrants(strings, ANN), 'get', [['notes'], ['x']], ANN)
    return typeof found === 'string' ? found : matches(found, doc)
  }

  it.each([
    ['GET: Notes/* WHERE Owner = ${User}', 'get:notes/* where Owner = ${User}'],
    ["get:/a,/b  where  name = 'x: y, where z'", "get:/a,/b where name = 'x: y, where z'"],
    ['/** where rank = 1', '/** where rank = 1'],
    ['get:/where/*', 'get:/where/*'],
  ])('are kept in one form: %s', (text, kept) => {
    expect(formatPermission(parsePermission(text))).toBe(kept)
    expect(formatPermission(parsePermission(kept))).toBe(kept)
  })

  it('let reach what any of them does, and all of it where one has no filter', () => {
    const [own, red] = ['get:/notes/* where owner = ${user}', "/notes/x where colour = 'red'"]

    expect(reach([own], { owner: 'ann' })).toBe(true)
    expect(reach([own], { colour: 'red' })).toBe(false)
    expect(reach([own, red], { colour: 'red' })).toBe(true)
    expect(reach([own, red, 'get:/*/x'], {})).toBe('all')
    expect(reach([own.replace('notes', 'memos'), red.replace('/x', '/y')], { owner: 'ann' })).toBe('none')
  })

  it('grant nothing where the filter is not understood', () => {
    expect(reach(['get:/notes/* where owner =', 'get:/notes/* where'], { owner: 'ann' })).toBe('none')
  })
})
