import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('the grammar of queries on %s', (database) => {
  const app = sharedApp(database)
  const filled = new Map<string, Promise<unknown>>()
  const fixture = async (name: string, ...bodies: object[]) => {
    if (!filled.has(name)) filled.set(name, app().create(name, ...bodies))
    await filled.get(name)
    return `/${name}`
  }
  const numbers = () =>
    fixture('numbers', { name: 'a', x: 1, y: 1 }, { name: 'b', x: 2, y: 1 }, { name: 'c', x: 3, y: 2 })
  const texts = () =>
    fixture(
      'texts',
      { name: 'quote', t: "it's" },
      { name: 'double', t: 'say "hi"' },
      { name: 'backslash', t: 'a\\b' },
      { name: 'newline', t: 'a\nb' },
      { name: 'tab', t: 'a\tb' },
      { name: 'accent', t: 'café' },
      { name: 'astral', t: '𝔘nicode' },
    )

  it.each([
    ['x = 1 or x = 2 and y = 2', ['a']],
    ['x = 2 and y = 2 or x = 1', ['a']],
    ['(x = 1 or x = 2) and y = 1', ['b', 'a']],
    ['x = 1 || x = 2 && y = 2', ['a']],
    ['x=1||x=3', ['c', 'a']],
    ['x>1&&y=1', ['b']],
    ['not x = 1', ['c', 'b']],
    ['not x = 1 and y = 1', ['b']],
    ['not x = 1 or x = 1', ['c', 'b', 'a']],
    ['not (x = 1 or x = 2)', ['c']],
    ['not (not x = 1)', ['a']],
    ['((((x = 1))))', ['a']],
    ['x lt 2', ['a']],
    ['x lte 2', ['b', 'a']],
    ['x gt 2', ['c']],
    ['x gte 2', ['c', 'b']],
    ['x eq 2', ['b']],
    ['x < 2', ['a']],
    ['x <= 2', ['b', 'a']],
    ['x > 2', ['c']],
    ['x >= 2', ['c', 'b']],
    ['x=2', ['b']],
    ['x = 2.0', ['b']],
    ['x = 2.', ['b']],
    ['x = 2e0', ['b']],
    ['x > -1 and x < .5e1', ['c', 'b', 'a']],
    ['limit = 5', []],
    ['select * order by x', ['a', 'b', 'c']],
    ['select *  order   by x desc', ['c', 'b', 'a']],
    ['select * order\tby\nx', ['a', 'b', 'c']],
    ['x > 1 sort by x asc', ['b', 'c']],
    ['order by y desc, x asc', ['c', 'a', 'b']],
    ['y = 1 order by x desc', ['b', 'a']],
  ])('reads %s', async (ql, names) => {
    expect(await app().find(await numbers(), ql)).toEqual(names)
  })

  it.each([
    [String.raw`t = 'it\'s'`, 'quote'],
    [String.raw`t = 'say \"hi\"'`, 'double'],
    [`t = 'say "hi"'`, 'double'],
    [String.raw`t = 'a\\b'`, 'backslash'],
    [String.raw`t = 'a\nb'`, 'newline'],
    [String.raw`t = 'a\tb'`, 'tab'],
    [String.raw`t = 'caf\u00e9'`, 'accent'],
    [String.raw`t = 'caf\351'`, 'accent'],
    [`t = 'CAFÉ'`, 'accent'],
    [`t = '𝔘nicode'`, 'astral'],
  ])('understands the string in %s', async (ql, name) => {
    expect(await app().find(await texts(), ql)).toEqual([name])
  })

  it('takes words of operators as properties, but not those of logic', async () => {
    const path = await fixture('keywords', {
      name: 'k',
      asc: 1,
      desc: 2,
      contains: 'word here',
      direct: 4,
      within: 5,
    })

    for (const ql of ['asc = 1', 'desc = 2', 'direct = 4', 'within = 5', "contains contains 'word'"]) {
      expect(await app().find(path, ql), ql).toEqual(['k'])
    }
    for (const word of [
      'and',
      'or',
      'not',
      'of',
      'true',
      'false',
      'eq',
      'lt',
      'lte',
      'gt',
      'gte',
      'select',
      'where',
    ]) {
      const { status, body } = await app().get(path, { ql: `${word} = 1` })
      expect([word, status, body.error]).toEqual([word, 400, 'query_parse'])
    }
  })

  it('takes names with dots, dashes, underscores and digits', async () => {
    const path = await fixture('names', {
      name: 'n',
      'file-metadata': { 'content-length': 7 },
      _x9: 1,
      'a.b': 2,
    })

    for (const ql of ['file-metadata.content-length = 7', '_x9 = 1', 'a.b = 2', '_X9 = 1']) {
      expect(await app().find(path, ql), ql).toEqual(['n'])
    }
  })

  it.each([
    ['x != 1', 'query_token', '!'],
    ['x <> 1', 'query_parse', '>'],
    ['x = "1"', 'query_token', '"'],
    ['x = ‘a’', 'query_token', '‘'],
    ['x = fido', 'query_parse', 'fido'],
    ['= 1', 'query_parse', '='],
    ['x =', 'query_parse', 'the end'],
    ['x 1', 'query_parse', '1'],
    ['x', 'query_parse', 'the end'],
    ['x = 1 order by', 'query_parse', 'the end'],
    ['order by', 'query_parse', 'the end'],
    ['x = 1 order', 'query_parse', 'order'],
    ['order by x, ', 'query_parse', 'the end'],
    ['order by x sideways', 'query_parse', 'sideways'],
    ['order by x, y, X', 'query_parse', 'X'],
    ['x = 1 limit 5', 'query_parse', 'limit'],
    ['x = 1 and', 'query_parse', 'the end'],
    ['and x = 1', 'query_parse', 'and'],
    ['not not x = 1', 'query_parse', 'not'],
    ['(x = 1', 'query_parse', 'the end'],
    ['x = 1)', 'query_parse', ')'],
    ['()', 'query_parse', ')'],
    ["x = 'open", 'query_parse', 'character 5'],
    [String.raw`x = 'bad \q'`, 'query_parse', 'character 10'],
    ['x = null', 'query_parse', 'null'],
    ['x in (1, 2)', 'query_parse', 'in'],
    ["x like 'a%'", 'query_parse', 'like'],
    ['x = 1 + 1', 'query_token', '+'],
    ['x = 1e999', 'query_parse', 'too large'],
    ['x contains 1', 'query_parse', '1'],
    ['select', 'query_parse', 'the end'],
    ['select * where', 'query_parse', 'the end'],
    ['select a, where x = 1', 'query_parse', 'where'],
    ['select {a} where x = 1', 'query_parse', '}'],
    ['select * from dogs', 'query_parse', 'dogs'],
    ['x = 1; drop table entity', 'query_token', ';'],
    ['x = 1 -- comment', 'query_token', '-'],
    ['location within 5', 'query_parse', 'of'],
    ['location within 5 of 1', 'query_parse', ','],
    ['location within -5 of 1, 1', 'query_parse', 'negative'],
    ['location within 5 of 91, 1', 'query_parse', 'latitude'],
    ['location within 5 of 1, 181', 'query_parse', 'longitude'],
  ])('refuses %s as %s', async (ql, error, words) => {
    const { status, body } = await app().get(await numbers(), { ql })

    expect({ status, error: body.error, code: body.code }).toEqual({ status: 400, error, code: 400 })
    expect(body.error_description).toContain(words)
    expect(body.exception).toBe(error === 'query_parse' ? 'QueryParseException' : 'QueryTokenException')
    expect(body).not.toHaveProperty('entities')
  })

  it('refuses a bad query whatever is asked for', async () => {
    const path = await numbers()
    const [a, b] = await app().create(newCollection(), { name: 'a' }, { name: 'b' })
    const likes = `/${a!.type}s/${a!.uuid}/likes`
    await app().post(`${likes}/${b!.uuid}`)
    const ql = { ql: 'x ! 1' }

    for (const reply of [
      await app().get('/nothing-here', ql),
      await app().get(`${path}/a`, ql),
      await app().get(likes, ql),
      await app().send('PUT', path, { params: ql, body: { z: 1 } }),
      await app().delete(path, ql),
    ]) {
      expect([reply.status, reply.body.error]).toEqual([400, 'query_token'])
    }
  })
})
