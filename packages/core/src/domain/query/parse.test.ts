import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../errors.js'
import { DEFAULT_LIMITS } from '../limits.js'
import type { CompareOp, Filter, Literal, Query } from './ast.js'
import { decodeQuery, parseQuery } from './parse.js'

const UUID = '4b9d2c10-6f1b-11ee-8c99-0242ac120002'
const everything: Query = { projection: null, filter: null, direct: null, sort: [] }

const literal = (value: string | number | boolean): Literal =>
  typeof value === 'string'
    ? { kind: 'string', value }
    : typeof value === 'number'
      ? { kind: 'number', value }
      : { kind: 'boolean', value }
const compare = (path: string, op: CompareOp, value: string | number | boolean): Filter => ({
  kind: 'compare',
  path,
  op,
  value: literal(value),
})
const [a, b, c] = [compare('a', '=', 1), compare('b', '=', 2), compare('c', '=', 3)]

const failure = (text: string): AppError => {
  try {
    parseQuery(text)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error(`accepted: ${text.slice(0, 100)}`)
}

describe('a query', () => {
  it.each(['', '   ', 'select *', ' SELECT\n* '])('selects everything when it is %j', (text) => {
    expect(parseQuery(text)).toEqual(everything)
  })

  it.each([
    'select * where a = 1 order by b',
    'select * a = 1 order by b',
    'where a = 1 order by b',
    'a = 1 order by b',
    '  A=1\torder \n by  B  asc ',
    'a eq 1 sort by b',
  ])('may be written %j', (text) => {
    expect(parseQuery(text)).toEqual({ ...everything, filter: a, sort: [{ path: 'b', descending: false }] })
  })

  it('may have an order only, before any number of blanks', () => {
    const sort = [
      { path: 'name', descending: true },
      { path: 'address.city', descending: false },
    ]

    expect(parseQuery('select *  order by name DESC, address.city')).toEqual({ ...everything, sort })
    expect(parseQuery('order by name desc, address.city asc')).toEqual({ ...everything, sort })
  })

  it('has numbers, texts, booleans and uuids as values', () => {
    const values = [
      '-12',
      '.5',
      '1.',
      '1e9',
      '-1.5E-2',
      'true',
      'FALSE',
      "'5'",
      UUID.toUpperCase(),
      `'${UUID}'`,
    ]

    const found = values.map(
      (value) => parseQuery(`a = ${value}`).filter as Extract<Filter, { kind: 'compare' }>,
    )

    expect(found.map(({ value }) => value)).toEqual([
      ...[-12, 0.5, 1, 1e9, -0.015, true, false, '5'].map(literal),
      { kind: 'uuid', value: UUID },
      literal(UUID),
    ])
  })

  it('has uuids that begin with a letter or like a number', () => {
    for (const uuid of [`a${UUID.slice(1)}`, `4e9${UUID.slice(3)}`]) {
      expect(parseQuery(`uuid = ${uuid}`).filter).toMatchObject({ value: { kind: 'uuid', value: uuid } })
    }
  })

  it('reads the escapes of a text', () => {
    const { filter } = parseQuery(String.raw`a = 'it\'s \"\\\n\t\r\b\f\u00e9\101\7*'`)

    expect(filter).toEqual(compare('a', '=', 'it\'s "\\\n\t\r\b\fé\x41\x07*'))
  })

  it.each<[string, CompareOp]>([
    ['=', '='],
    ['eq', '='],
    ['<', '<'],
    ['LT', '<'],
    ['<=', '<='],
    ['lte', '<='],
    ['>', '>'],
    ['gt', '>'],
    ['>=', '>='],
    ['gte', '>='],
  ])('has the operator %s', (written, op) => {
    expect(parseQuery(`where thirdPropertyTypeInt ${written} 30000`).filter).toEqual(
      compare('thirdpropertytypeint', op, 30_000),
    )
  })

  it('has words to contain, in lower case, with wildcards', () => {
    expect(parseQuery("title contains 'Hot-dogs hot ran*'").filter).toEqual({
      kind: 'contains',
      path: 'title',
      words: ['hot', 'dogs', 'ran*'],
    })
    expect(parseQuery(`title contains '${'x'.repeat(70)} !'`).filter).toMatchObject({
      words: ['x'.repeat(64)],
    })
  })

  it.each(['37.3236882,-121.9373442', '37.3236882 , -121.9373442'])('has a circle around %s', (centre) => {
    expect(parseQuery(`select * where location within 10000 of ${centre}`).filter).toEqual({
      kind: 'within',
      path: 'location',
      radius: 10_000,
      latitude: 37.3236882,
      longitude: -121.9373442,
    })
  })

  it.each<[string, Filter]>([
    ['a = 1 or b = 2 and c = 3', { kind: 'or', items: [a, { kind: 'and', items: [b, c] }] }],
    ['(a = 1 || b = 2) && c = 3', { kind: 'and', items: [{ kind: 'or', items: [a, b] }, c] }],
    ['not a = 1 and b = 2', { kind: 'and', items: [{ kind: 'not', item: a }, b] }],
    ['not (a = 1 and b = 2)', { kind: 'not', item: { kind: 'and', items: [a, b] } }],
    ['not (not a = 1)', { kind: 'not', item: { kind: 'not', item: a } }],
    ['a = 1 and (b = 2 and c = 3)', { kind: 'and', items: [a, b, c] }],
    ['((a = 1) or (b = 2 or c = 3))', { kind: 'or', items: [a, b, c] }],
  ])('groups %s', (text, filter) => {
    expect(parseQuery(text).filter).toEqual(filter)
  })

  it('takes some keywords, and limit, for properties', () => {
    for (const name of ['asc', 'desc', 'contains', 'within', 'direct', 'limit', 'order', 'by', 'sort']) {
      expect(parseQuery(`${name} = 5`).filter).toEqual(compare(name, '=', 5))
    }
    expect(parseQuery("direct contains 'x'").filter).toMatchObject({ kind: 'contains', path: 'direct' })
    expect(parseQuery('order by desc desc').sort).toEqual([{ path: 'desc', descending: true }])
  })

  it('has property names with dots, hyphens and letters of any language', () => {
    expect(parseQuery("gcm.notifier-id_2 = 'x' and Größe > 1").filter).toEqual({
      kind: 'and',
      items: [compare('gcm.notifier-id_2', '=', 'x'), compare('größe', '>', 1)],
    })
  })
})

describe('a projection', () => {
  it('lists properties in lower case', () => {
    expect(parseQuery('select actor.displayName,sometestprop').projection).toEqual([
      { source: 'actor.displayname', name: 'actor.displayname' },
      { source: 'sometestprop', name: 'sometestprop' },
    ])
  })

  it('may rename, and keeps the spelling of new names', () => {
    expect(parseQuery('select { Name: fullName , a.b:A.B, x: x } where a = 1')).toEqual({
      ...everything,
      projection: [
        { source: 'name', name: 'fullName' },
        { source: 'a.b', name: 'a.b' },
        { source: 'x', name: 'x' },
      ],
      filter: a,
    })
  })

  it('may be followed by a filter without where', () => {
    expect(parseQuery("select uuid name = 'John*'")).toEqual({
      ...everything,
      projection: [{ source: 'uuid', name: 'uuid' }],
      filter: compare('name', '=', 'John*'),
    })
  })

  it('may be followed by an order at once', () => {
    expect(parseQuery('select uuid order by name').sort).toEqual([{ path: 'name', descending: false }])
  })
})

describe('direct', () => {
  it('lists uuids and names as they are written', () => {
    expect(parseQuery(`select * where direct ${UUID}, Rex,b order by name`)).toEqual({
      ...everything,
      direct: [UUID, 'Rex', 'b'],
      sort: [{ path: 'name', descending: false }],
    })
  })

  it('takes a thousand uuids and no more', () => {
    const list = (count: number) => `direct ${Array.from({ length: count }, () => UUID).join(',')}`

    expect(parseQuery(list(1000)).direct).toHaveLength(1000)
    expect(failure(list(1001)).code).toBe('too_many_direct_entities')
  })

  it.each(['direct a and b = 1', 'b = 1 and direct a', '(direct a)', 'direct', 'direct a,', 'direct 5'])(
    'is only a whole filter, so %j is refused',
    (text) => {
      expect(failure(text).code).toBe('query_parse')
    },
  )
})

describe('a bad query', () => {
  it.each([
    ["select * where name != 'go'", 'character 21'],
    ['name = "fred"', 'character 8'],
    ['name = ‘fred’', 'starts with ‘ (character 8)'],
    ['a = 1 & b = 2', 'character 7'],
    ['a = +5', 'character 5'],
    ['a = 1;', 'character 6'],
    ['a <> 1 [', 'character 8'],
    ['😀 = 1', 'starts with 😀 (character 1)'],
  ])('%j has a character that starts nothing', (text, message) => {
    expect(failure(text)).toMatchObject({ code: 'query_token', status: 400 })
    expect(failure(text).message).toContain(message)
  })

  it.each([
    [
      'name = fred',
      'Expected a number, true, false, a uuid or a string in single quotes at character 8, found fred',
    ],
    ['name =', 'at character 7, found the end'],
    ["= 'x'", 'Expected a property, not or ( at character 1, found ='],
    ['name', 'Expected =, <, <=, >, >=, contains or within at character 5, found the end'],
    ["name 'x'", 'at character 6'],
    ['name is 5', 'found is'],
    ['a <> 1', 'found >'],
    ['a = null', 'found null'],
    ['where', 'at character 6'],
    ['where order by a', 'Expected =, <'],
    ['select', 'Expected a property at character 7'],
    ['select where a = 1', 'found where'],
    ['select a,', 'at character 10'],
    ['select {a: b', 'Expected } at character 13'],
    ['select {a, b}', 'Expected :'],
    ['select *, a', 'found ,'],
    ['select * order by', 'Expected a property at character 18, found the end'],
    ['order by a,', 'found the end'],
    ['order by a foo', 'Expected the end at character 12, found foo'],
    ['order by a desc, A', 'twice (character 18)'],
    ['a = 1 limit 5', 'Expected and, or, order by or the end at character 7, found limit'],
    ['a = 1 b = 2', 'at character 7'],
    ['(a = 1', 'Expected ) at character 7'],
    ['a = 1)', 'found )'],
    ['()', 'found )'],
    ['not not a = 1', 'found not'],
    ['not', 'found the end'],
    ['a = 1 and', 'found the end'],
    ['and = 1', 'found and'],
    ['true = 1', 'found true'],
    ['a contains 5', 'Expected a string in single quotes'],
    ['a contains', 'found the end'],
    ['a within 5', 'Expected of'],
    ['a within 5 of 1', 'Expected ,'],
    ["a within '5' of 1,2", 'Expected a number'],
    ['a within -5 of 1,2', 'negative (character 10)'],
    ['a within 5 of 90.1,2', 'between -90 and 90'],
    ['a within 5 of 9,181', 'between -180 and 180'],
    ['a = 1e999', 'The number at character 5 is too large'],
    ["a = 'it", 'The string that starts at character 5 is not closed'],
    ["a = 'it\\'", 'is not closed'],
    ["a = '\\x'", 'after the \\ at character 6'],
    [`a = ${'x'.repeat(100)}`, `found ${'x'.repeat(40)}…`],
  ])('%j is refused with the place', (text, message) => {
    expect(failure(text)).toMatchObject({ code: 'query_parse', status: 400 })
    expect(failure(text).message).toContain(message)
  })
})

describe('a query that attacks', () => {
  it.each([
    ['nested parentheses', '('.repeat(10_000)],
    ['closed ones', `${'('.repeat(8000)}a=1${')'.repeat(8000)}`],
    ['nested negations', `${'not('.repeat(3000)}a=1`],
    ['many terms', Array.from({ length: 2700 }, () => 'a=1').join('or ')],
    ['many words', `a contains '${Array.from({ length: 513 }, (_, at) => `w${at}`).join(' ')}'`],
    ['a megabyte', `a = '${'x'.repeat(1_000_000)}'`],
    ['a megabyte of parentheses', '('.repeat(1_000_000)],
    ['a long text', `a = '${'x'.repeat(DEFAULT_LIMITS.queryLength)}'`],
    ['many sort keys', `order by ${Array.from({ length: 17 }, (_, at) => `a${at}`).join(',')}`],
    ['a wide projection', `select ${Array.from({ length: 257 }, (_, at) => `a${at}`).join(',')}`],
    ['an unfinished text of escapes', `a = '${"\\'".repeat(30_000)}`],
  ])('is refused for %s', (_, text) => {
    expect(failure(text).code).toBe('query_parse')
  })

  it('may go as far as the limits', () => {
    const deep = `${'('.repeat(DEFAULT_LIMITS.queryDepth)}a=1${')'.repeat(DEFAULT_LIMITS.queryDepth)}`
    const wide = Array.from({ length: DEFAULT_LIMITS.queryTerms }, () => 'a=1').join(' or ')
    const words = `a contains '${Array.from({ length: 512 }, (_, at) => `w${at}`).join(' ')}'`
    const siblings = Array.from({ length: DEFAULT_LIMITS.queryDepth + 1 }, () => '(a=1)').join(' or ')
    const sorted = `order by ${Array.from({ length: DEFAULT_LIMITS.sortKeys }, (_, at) => `a${at}`).join(',')}`

    expect(parseQuery(deep).filter).toEqual(a)
    expect(parseQuery(wide).filter).toMatchObject({ items: { length: DEFAULT_LIMITS.queryTerms } })
    expect(parseQuery(words).filter).toMatchObject({ words: { length: 512 } })
    expect(parseQuery(siblings).filter).toMatchObject({ items: { length: DEFAULT_LIMITS.queryDepth + 1 } })
    expect(parseQuery(sorted).sort).toHaveLength(DEFAULT_LIMITS.sortKeys)
    expect(parseQuery(`${' '.repeat(DEFAULT_LIMITS.queryLength - 3)}a=1`).filter).toEqual(a)
  })
})

const pick = <T>(...items: T[]) => fc.constantFrom(...items)
const path = () => pick('a', 'b.c', 'within', 'größe', '_x-1', 'order')
const leaf = (): fc.Arbitrary<Filter> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('compare' as const),
      path: path(),
      op: pick<CompareOp>('=', '<', '<=', '>', '>='),
      value: fc.oneof<fc.Arbitrary<Literal>[]>(
        fc.string({ unit: 'binary', maxLength: 10 }).map((value) => ({ kind: 'string', value })),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ kind: 'number', value })),
        fc.boolean().map((value) => ({ kind: 'boolean', value })),
        fc.uuid().map((value) => ({ kind: 'uuid', value })),
      ),
    }),
    fc.record({
      kind: fc.constant('contains' as const),
      path: path(),
      words: fc.uniqueArray(pick('a', 'bc*', '*', '42', 'é'), { maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('within' as const),
      path: path(),
      radius: fc.double({ min: 0, max: 1e8, noNaN: true }),
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    }),
  )
const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    leaf(),
    tie('filter').map((item) => ({ kind: 'not' as const, item })),
    fc
      .tuple(pick('and' as const, 'or' as const), fc.array(tie('filter'), { minLength: 2, maxLength: 3 }))
      .filter(([kind, items]) => items.every((item) => item.kind !== kind))
      .map(([kind, items]) => ({ kind, items })),
  ),
}))

const quote = (text: string): string =>
  `'${text.replace(/['\\\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}'`
const printLiteral = ({ kind, value }: Literal): string => (kind === 'string' ? quote(value) : String(value))
const print = (filter: Filter): string => {
  switch (filter.kind) {
    case 'compare':
      return `${filter.path} ${filter.op} ${printLiteral(filter.value)}`
    case 'contains':
      return `${filter.path} contains ${quote(filter.words.join(' '))}`
    case 'within':
      return `${filter.path} within ${filter.radius} of ${filter.latitude},${filter.longitude}`
    case 'not':
      return `not (${print(filter.item)})`
    default:
      return filter.items.map((item) => `(${print(item)})`).join(` ${filter.kind} `)
  }
}

describe('parseQuery', () => {
  it('reads back every filter that is printed', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        const read = parseQuery(`where ${print(filter)} order by a desc`)
        const plusZero = (value: unknown) => JSON.parse(JSON.stringify(value))
        expect(plusZero(read.filter)).toEqual(plusZero(filter))
      }),
      { numRuns: 1000 },
    )
  })

  it('throws nothing but AppError', () => {
    const piece = fc.oneof(
      pick(
        'select',
        'where',
        'order by',
        'direct',
        'not',
        'and',
        'or',
        'contains',
        'within',
        'of',
        'a',
        'a.b',
      ),
      pick(
        '(',
        ')',
        '{',
        '}',
        ',',
        ':',
        '*',
        '=',
        '<=',
        "'x*'",
        "'",
        '\\',
        '5',
        '-1.5',
        'true',
        UUID,
        '!',
        '"',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), pick('', ' '), (pieces, blank) => {
        try {
          parseQuery(pieces.join(blank))
        } catch (error) {
          expect(error).toBeInstanceOf(AppError)
        }
      }),
      { numRuns: 5000 },
    )
  })
})

describe('decodeQuery', () => {
  it.each([
    ['leaves a plus', "a = 'ed+test@x.org'", "a = 'ed+test@x.org'"],
    ['decodes a plus', "a = 'ed%2Btest@x.org'", "a = 'ed+test@x.org'"],
    ['decodes letters beyond ASCII', '%C3%A4%e2%82%ac%F0%9F%98%80', 'ä€😀'],
    ['leaves what is not UTF-8', '%41%FF%c3%28%ED%A0%80%c0%80', 'A%FF%c3(%ED%A0%80%c0%80'],
    ['leaves what is not a sequence', '100% %zz %4', '100% %zz %4'],
    ['decodes once', '%2541', '%41'],
  ])('%s', (_, text, decoded) => {
    expect(decodeQuery(text)).toBe(decoded)
  })

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            pick('%', '%4', 'é'),
            fc.nat(255).map((byte) => `%${byte.toString(16)}`),
          ),
        ),
        (pieces) => {
          expect(typeof decodeQuery(pieces.join(''))).toBe('string')
        },
      ),
    )
  })
})
