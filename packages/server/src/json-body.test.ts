import { describe, expect, it } from 'vitest'
import { parseJson } from './json-body.js'
import { jsonErrorAt } from './json-error.js'

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

describe('parseJson', () => {
  it('keeps __proto__ as an own property and pollutes nothing', () => {
    const body = parseJson('{"__proto__":{"polluted":true}}', 64)

    expect(Object.keys(body as object)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it.each([
    ['{"a": 1, "b" 2}', 'position 13 (line 1, column 14): unexpected "2"'],
    ['{\n  "a": tru\n}', 'position 9 (line 2, column 8): unexpected "t"'],
    ['{"a": 1', 'the body ends at position 7, too early'],
    ['{"a": 1}}', 'position 8 (line 1, column 9): unexpected "}"'],
    ['["a\nb"]', 'position 3 (line 1, column 4): unexpected "\\n"'],
  ])('says where %j is malformed', (text, message) => {
    expect(() => parseJson(text, 64)).toThrow(
      expect.objectContaining({ code: 'json_parse', message: expect.stringContaining(message) }),
    )
  })

  it('accepts a body at the depth limit and refuses one below it', () => {
    expect(parseJson(nested(64), 64)).toBeInstanceOf(Array)
    expect(() => parseJson(nested(65), 64)).toThrow('nested deeper than 64 levels')
    expect(() => parseJson('['.repeat(1_000_000), 64)).toThrow('nested deeper than 64 levels')
  })

  it('does not count brackets inside strings', () => {
    const text = JSON.stringify({ a: '[{"\\'.repeat(100) })

    expect(parseJson(text, 2)).toEqual(JSON.parse(text))
  })
})

describe('jsonErrorAt', () => {
  it.each(['{}', '[]', ' [1, -2.5e+3, "\\u00e9\\n", true, false, null, {"a": {"b": []}}] ', '"x"', '0'])(
    'reads %j to its end',
    (text) => {
      JSON.parse(text)

      expect(jsonErrorAt(text)).toBe(text.length)
    },
  )

  it.each([
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    '[01]',
    '["\\x"]',
    '["\\u12g4"]',
    '{"a":}',
    '[1 2]',
    '{]',
    'nul',
    '[',
    '"abc',
  ])('stops within %j, which is no JSON', (text) => {
    const at = jsonErrorAt(text)

    expect(() => JSON.parse(text)).toThrow()
    expect(at < text.length || !/[\]}]$/.test(text)).toBe(true)
    // What precedes the position can be continued: nothing in it is wrong by itself.
    expect(jsonErrorAt(text.slice(0, at))).toBe(at)
  })
})
