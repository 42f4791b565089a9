// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${user} is a variable of permission strings.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from './errors.js'
import {
  allowsPath,
  compileGrants,
  formatPermission,
  type PathSegments,
  parsePermission,
  reachOf,
  readsSelf,
  type Verb,
} from './permission.js'

const U = '0190c7a1-7b3e-7c44-9d2a-000000000b0b'
const ALICE = '0190c7a1-7b3e-7c44-9d2a-00000000a11c'
const bob = { uuid: U, username: 'bob' }
const Bob = { uuid: U, username: 'Bob' }
const allows = (...question: Parameters<typeof reachOf>): boolean => reachOf(...question) === 'all'
const rewrite = (text: string) => formatPermission(parsePermission(text))
const single = (path: string): PathSegments =>
  path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => [segment])

describe('a permission string', () => {
  it.each([
    'get,post,put,delete:/**',
    'get,put,post,delete:/**',
    'post:/users',
    'put:/devices/*',
    '/dogs',
    ':/dogs',
    '*:/**',
    '*',
    'get:dogs',
    'get:/dogs/',
    'get,post:/dogs,/cats',
    'get:/users/${user}/**',
    'get:/{x}/a;b',
    'get:/les chiens/ça',
  ])('%s is stored as it was written', (text) => {
    expect(rewrite(text)).toBe(text)
  })

  it.each([
    ['GET:/Dogs', 'get:/dogs'],
    ['get, put:/dogs', 'get,put:/dogs'],
    ['  get : /dogs , /cats ', 'get:/dogs,/cats'],
    ['get:/users/${User}', 'get:/users/${user}'],
    ['get:/E\u0301t\u0301e', 'get:/ét́e'],
  ])('%s is stored as %s', (text, stored) => {
    expect(rewrite(text)).toBe(stored)
  })

  it.each([
    ['', 'empty path'],
    ['   ', 'empty path'],
    ['get:', 'empty path'],
    [':', 'empty path'],
    ['get:/dogs,', 'empty path'],
    ['get:/dogs:x', 'second colon'],
    ['patch:/dogs', 'unknown verb "patch"'],
    ['get,,put:/dogs', 'unknown verb ""'],
    ['get:/dogs/../cats', 'segments . or ..'],
    ['get:/./cats', 'segments . or ..'],
    ['get:/dogs\u0000', 'control characters'],
    ['get:/dogs\n', 'control characters'],
    ['get:/\ud800', 'control characters'],
    [`get:/${'a'.repeat(996)}`, '1000 characters'],
    ['get:' + '/a'.repeat(31), '30 segments'],
    [`get:/${'a'.repeat(128)}*`, '128 characters'],
  ])('%j is refused: %s', (text, reason) => {
    const refusal = (() => {
      try {
        return parsePermission(text)
      } catch (error) {
        return error
      }
    })()

    expect(refusal).toBeInstanceOf(AppError)
    expect(refusal).toMatchObject({ code: 'illegal_argument', fields: [{ field: 'permission' }] })
    expect((refusal as AppError).message).toContain(reason)
  })

  it('of a megabyte is refused without being looked at', () => {
    const started = performance.now()

    expect(() => parsePermission(`get:${'/**'.repeat(350_000)}`)).toThrow('1000 characters')
    expect(performance.now() - started).toBeLessThan(250)
  })

  it('is the same after any number of readings', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        fc.pre(compiles(text))
        const once = rewrite(text)
        expect(rewrite(once)).toBe(once)
      }),
      { numRuns: 500 },
    )
  })
})

const compiles = (text: string): boolean => {
  try {
    parsePermission(text)
    return true
  } catch {
    return false
  }
}

const ALL = 'get,put,post,delete:/**'

// The rows of Usergrid's matcher, by number. Its traps are mended: `get:` (5) grants nothing; a trailing slash
// (9, 10, 12), blanks among verbs (18), letter case (27) and the target's collection (33) make no difference;
// and a segment that denotes the caller is he under all his names (24, 26, 31).
describe('the worked table', () => {
  it.each<[number, string, Verb, string, boolean]>([
    [1, ALL, 'get', '/', true],
    [1, ALL, 'post', '/dogs', true],
    [1, ALL, 'put', '/dogs/x/likes/y', true],
    [1, ALL, 'delete', '/dogs', true],
    [2, '*:/**', 'delete', '/dogs', true],
    [2, '/**', 'delete', '/dogs', true],
    [2, '*', 'delete', '/dogs', true],
    [3, '/dogs', 'put', '/dogs', true],
    [3, ':/dogs', 'put', '/dogs', true],
    [4, 'get:*', 'get', '/dogs/a/b', true],
    [4, 'get:*', 'put', '/dogs/a/b', false],
    [5, 'get:', 'get', '/dogs', false],
    [5, 'get:', 'get', '/', false],
    [6, 'get:/*', 'get', '/dogs', true],
    [6, 'get:/*', 'get', '/', true],
    [7, 'get:/*', 'get', '/dogs/rex', false],
    [8, 'get:/dogs', 'get', '/dogs', true],
    [9, 'get:/dogs', 'get', '/dogs/rex', false],
    [9, 'get:/dogs', 'get', '/dogs/', true],
    [9, 'get:/dogs', 'post', '/dogs', false],
    [10, 'get:/dogs/', 'get', '/dogs', true],
    [11, 'get:/dogs/*', 'get', '/dogs', true],
    [11, 'get:/dogs/*', 'get', '/dogs/rex', true],
    [12, 'get:/dogs/*', 'get', '/dogs/rex/likes', false],
    [12, 'get:/dogs/*', 'get', '/dogs/rex/', true],
    [13, 'get:/dogs/**', 'get', '/dogs', true],
    [13, 'get:/dogs/**', 'get', '/dogs/', true],
    [13, 'get:/dogs/**', 'get', '/dogs/rex', true],
    [13, 'get:/dogs/**', 'get', '/dogs/rex/likes', true],
    [14, 'get:/dogs/**', 'get', '/dogs2', false],
    [15, 'get:/dog*', 'get', '/dogs', true],
    [15, 'get:/dog?', 'get', '/dogs', true],
    [15, 'get:/dog?', 'get', '/dog', false],
    [16, 'get:dogs', 'get', '/dogs', true],
    [16, 'GET:/Dogs', 'get', '/DOGS', true],
    [17, 'get,post:/dogs,/cats', 'get', '/cats', true],
    [18, 'get, put:/dogs', 'put', '/dogs', true],
    [19, 'get:/dogs/*/likes/*', 'get', '/dogs/rex/likes', true],
    [19, 'get:/dogs/*/likes/*', 'get', '/dogs/rex/likes/u2', true],
    [20, 'get:/dogs/*/likes/*', 'get', '/dogs/rex/likes/u2/x', false],
    [20, 'get:/dogs/*/likes/*', 'get', '/dogs', false],
    [21, 'get:/**/likes', 'get', '/likes', true],
    [21, 'get:/**/likes', 'get', '/users/x/likes', true],
    [22, 'get:/dogs/**/likes', 'get', '/dogs/likes', true],
    [22, 'get:/dogs/**/likes', 'get', '/dogs/a/b/likes', true],
    [22, 'get:/dogs/**/likes', 'get', '/dogs/a/b/hates', false],
    [23, 'get:/users/${user}', 'get', '/users/bob', true],
    [23, 'get:/users/${user}', 'get', `/users/${U}`, true],
    [24, 'get:/users/${user}', 'get', '/users/me', true],
    [24, 'get:/users/${user}', 'get', '/users/alice', false],
    [25, 'get:/users/${user}/**', 'get', '/users/bob/feed', true],
    [25, 'get:/users/${user}/**', 'get', `/users/${U}/feed`, true],
    [25, 'get:/users/${user}/**', 'get', '/users/bob', true],
    [26, 'get:/users/${user}/**', 'get', '/users/me/feed', true],
    [28, 'get:/users/me/**', 'get', '/users/me', true],
    [28, 'get:/users/me/**', 'get', '/users/me/feed', true],
    [28, 'get:/users/me/**', 'get', '/users/bob/feed', true],
    [28, 'get:/users/me/**', 'get', `/users/${U}`, true],
    [28, 'get:/users/me/**', 'get', `/users/${U}/feed`, true],
    [29, 'get:/users/me/**', 'get', '/users/alice/feed', false],
    [30, 'get:/users/me', 'get', '/users/me', true],
    [31, 'get:/users/me', 'get', `/users/${U}`, true],
    [31, 'get:/users/me', 'get', '/users/bob', true],
    [32, 'post:/users/*/following/${user}', 'post', `/users/X/following/${U}`, true],
    [34, 'put:/devices/*', 'put', '/devices/d1', true],
    [35, 'post:/users', 'post', '/users/bob', false],
    [36, 'get:/books/*/review/*', 'post', '/books/b1/review/r1', false],
    [37, 'get:/groups/${group}/**', 'get', '/groups/g1/feed', false],
    [38, 'patch:/dogs', 'get', '/dogs', false],
    [38, 'get:/dogs:x', 'get', '/dogs', false],
    [38, 'get', 'get', '/dogs', false],
    [39, 'get:/reviews/**', 'get', '/reviews', true],
  ])('row %i: %s, %s %s -> %s', (_, permission, method, path, allowed) => {
    expect(allowsPath([permission], method, path, bob)).toBe(allowed)
  })

  it.each<[number, string, Verb, string, typeof bob | null, boolean]>([
    [26, 'get:/users/${user}/**', 'get', '/users/bob/feed', null, false],
    [26, 'get:/users/${user}/**', 'get', '/users/me/feed', null, false],
    [27, 'get:/users/${user}/**', 'get', '/users/Bob/feed', Bob, true],
    [27, 'get:/users/${user}/**', 'get', '/users/bob/feed', Bob, true],
    [28, 'get:/users/me/**', 'get', '/users/bob/feed', null, false],
    [34, 'put:/devices/*', 'put', '/devices/d1', null, true],
  ])('row %i: %s, %s %s by %j -> %s', (_, permission, method, path, self, allowed) => {
    expect(allowsPath([permission], method, path, self)).toBe(allowed)
  })

  it.each([
    ['post:/users/*/following/users/${user}', true],
    ['post:/users/*/following/${user}', true],
    ['post:/users/*/following/*', true],
    ['post:/users/*/following/groups/${user}', false],
    ['post:/users/*/following', false],
  ])('row 33: %s covers a connection with or without its target collection: %s', (permission, allowed) => {
    const path = [['users'], [ALICE, 'alice'], ['following'], ['users', ''], [U, 'bob', 'me']]

    expect(reachOf(compileGrants([permission]), 'post', path, bob)).toBe(allowed ? 'all' : 'none')
  })
})

describe('reachOf', () => {
  const rex = '0190c7a1-7b3e-7c44-9d2a-00000000d0d0'

  it('accepts either spelling of an entity, and mixtures of them', () => {
    const path = [['dogs'], [rex, 'Rex'], ['likes'], [ALICE, 'alice']]

    expect(reachOf(compileGrants(['get:/dogs/rex/likes/alice']), 'get', path, null)).toBe('all')
    expect(reachOf(compileGrants([`get:/dogs/${rex}/likes/ALICE`]), 'get', path, null)).toBe('all')
    expect(reachOf(compileGrants(['get:/dogs/r?x/**']), 'get', path, null)).toBe('all')
    expect(reachOf(compileGrants(['get:/dogs/max/likes/alice']), 'get', path, null)).toBe('none')
  })

  it('takes a name with a slash for one segment', () => {
    const path = [['groups'], ['staff/paris'], ['users']]

    expect(reachOf(compileGrants(['get:/groups/*/users']), 'get', path, null)).toBe('all')
    expect(reachOf(compileGrants(['get:/groups/*/*/users']), 'get', path, null)).toBe('none')
    expect(reachOf(compileGrants(['get:/groups/staff/paris/users']), 'get', path, null)).toBe('none')
  })

  it('does not add up strings that each cover a part', () => {
    const grants = compileGrants(['get:/dogs/*', 'post:/dogs/*/likes', 'get:/cats/**'])

    expect(reachOf(grants, 'post', single('/dogs/rex'), null)).toBe('none')
    expect(reachOf(grants, 'get', single('/dogs/rex/likes'), null)).toBe('none')
  })

  it('grants nothing without strings or with only unreadable ones', () => {
    for (const strings of [[], ['get:', 'x:y:z', '', 'read:/dogs']])
      expect(reachOf(compileGrants(strings), 'get', single('/dogs'), bob)).toBe('none')
  })

  it('keeps the root to itself when the string says so', () => {
    expect(allowsPath(['get:/'], 'get', '/', null)).toBe(true)
    expect(allowsPath(['get:/'], 'get', '/dogs', null)).toBe(false)
    expect(allowsPath(['get:/dogs'], 'get', '/', null)).toBe(false)
  })

  it('does not let a trailing star stand for nothing beside a double star', () => {
    expect(allowsPath(['get:/dogs/**/*'], 'get', '/dogs/rex', null)).toBe(true)
    expect(allowsPath(['get:/dogs/**/*'], 'get', '/dogs', null)).toBe(false)
  })

  it('reads braces, semicolons and percent signs literally', () => {
    expect(allowsPath(['get:/{x}/a*'], 'get', '/{x}/ab', null)).toBe(true)
    expect(allowsPath(['get:/{x}/a*'], 'get', '/y/ab', null)).toBe(false)
    expect(allowsPath(['get:/a;b'], 'get', '/a', null)).toBe(false)
    expect(allowsPath(['get:/%2a'], 'get', '/dogs', null)).toBe(false)
  })

  it('does not take a wildcard in a name for one in a permission', () => {
    expect(allowsPath(['get:/dogs/rex'], 'get', '/dogs/*', null)).toBe(false)
    expect(allowsPath(['get:/dogs/rex/likes'], 'get', '/dogs/**', null)).toBe(false)
    expect(allowsPath(['get:/users/bob'], 'get', '/users/${user}', bob)).toBe(false)
  })

  it.each([ALICE, 'me', ''])('does not let a caller named "%s" pass for somebody else', (username) => {
    const mallory = { uuid: U, username }
    const grants = compileGrants(['put:/users/${user}'])

    expect(reachOf(grants, 'put', [['users'], [ALICE, 'alice']], mallory)).toBe('none')
    expect(reachOf(grants, 'put', [['users'], ['']], mallory)).toBe('none')
  })

  it('compares composed and decomposed letters alike', () => {
    expect(allowsPath(['get:/users/jos\u00e9'], 'get', '/users/JOSE\u0301', null)).toBe(true)
  })
})

describe('reachOf, of words that must be written out,', () => {
  const roles = [['users'], [ALICE, 'alice'], ['roles'], [U, 'admin']]
  const check = (permission: string, path: PathSegments, word: string, self: typeof bob | null = bob) =>
    allows(compileGrants([permission]), 'put', path, self, new Set([word]))

  it.each([
    ['put:/**', false],
    ['*', false],
    ['put:/users/**', false],
    ['put:/users/*/*/*', false],
    ['put:/users/*/role?/*', false],
    ['put:/users/*/rol*/**', false],
    ['put:/users/*/roles/*', true],
    ['put:/users/*/Roles/**', true],
    ['put:/**/roles/**', true],
    ['put:/users/alice/roles/admin', true],
    ['put:/users/bob/roles/*', false],
    ['post:/users/*/roles/*', false],
    ['put:/roles/**', false],
  ])('%s names the roles of a user: %s', (permission, allowed) => {
    expect(check(permission, roles, 'roles')).toBe(allowed)
  })

  it('does not count the word where it is the name of an entity', () => {
    const path = [['users'], [ALICE, 'roles'], ['roles'], [U, 'roles']]

    expect(check('put:/users/roles/**', path, 'roles')).toBe(false)
    expect(check('put:/users/*/*/roles', path, 'roles')).toBe(false)
    expect(check('put:/users/roles/roles/roles', path, 'roles')).toBe(true)
  })

  it('wants each of them', () => {
    const path = [['roles'], [U, 'admin'], ['permissions']]
    const check = (permission: string) =>
      allows(compileGrants([permission]), 'put', path, bob, new Set(['roles', 'permissions']))

    expect([check('put:/roles/**'), check('put:/*/*/permissions'), check('put:/roles/*/perm*')]).toEqual([
      false,
      false,
      false,
    ])
    expect([check('put:/roles/**/permissions'), check('put:/**/roles/admin/permissions/**')]).toEqual([
      true,
      true,
    ])
  })

  it("applies to the caller's own sub-resources too", () => {
    const path = [['users'], [U, 'bob', 'me'], ['password']]

    expect(check('put:/users/me/**', path, 'password')).toBe(false)
    expect(check('put:/users/me/password', path, 'password')).toBe(true)
    expect(check('put:/users/${user}/password', path, 'password', null)).toBe(false)
  })
})

describe('readsSelf', () => {
  it('is true of a get of the caller by any spelling, and of nothing else', () => {
    const own = [['users'], [U, 'bob', 'me']]

    expect(readsSelf('get', own, Bob)).toBe(true)
    expect(readsSelf('put', own, bob)).toBe(false)
    expect(readsSelf('get', own, null)).toBe(false)
    expect(readsSelf('get', [['users'], [ALICE, 'alice']], bob)).toBe(false)
    expect(readsSelf('get', [['dogs'], [U]], bob)).toBe(false)
    expect(readsSelf('get', [...own, ['feed']], bob)).toBe(false)
  })
})

/** Tries every spelling and every extent of `**`, straight from the rules, however long it takes. */
const naive = (permission: string, method: Verb, path: PathSegments, self: typeof bob | null): boolean => {
  const [paths, verbs] = permission.split(':').reverse() as [string, string?]
  if (verbs && verbs !== '*' && !verbs.split(',').includes(method)) return false
  return paths.split(',').some((alternative) => {
    const pattern = (alternative === '*' ? '/**' : alternative).split('/').filter((part) => part !== '')
    const shorter = pattern.at(-1) === '*' && !pattern.includes('**') ? [pattern.slice(0, -1)] : []
    return spellings(path).some((plain) => [pattern, ...shorter].some((parts) => meets(parts, plain, self)))
  })
}

const spellings = (path: PathSegments): string[][] =>
  path.reduce<string[][]>(
    (heads, segment) =>
      heads.flatMap((head) => segment.map((text) => (text === '' ? head : [...head, text.toLowerCase()]))),
    [[]],
  )

const meets = (pattern: string[], path: string[], self: typeof bob | null): boolean => {
  const [part, ...rest] = pattern
  if (part === undefined) return path.length === 0
  if (part === '**')
    return meets(rest, path, self) || (path.length > 0 && meets(pattern, path.slice(1), self))
  const [segment, ...others] = path
  if (segment === undefined) return false
  const isSelf = self !== null && [self.uuid, self.username].includes(segment)
  const isOne = {
    '${user}': isSelf,
    me: isSelf || segment === 'me',
  }[part]
  const text = part
    .split('')
    .map((letter) => ({ '*': '.*', '?': '.' })[letter] ?? letter)
    .join('')
  return (isOne ?? new RegExp(`^${text}$`, 's').test(segment)) && meets(rest, others, self)
}

describe('any permission and path', () => {
  const literal = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 })
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 5 })
  const part = fc.oneof(literal, glob, fc.constantFrom('*', '**', '**', '${user}', 'me'))
  const pattern = fc.oneof(
    fc.array(part, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
    fc.constant('*'),
  )
  const verbs = fc.constantFrom('get:', 'put,post:', '*:', ':', '')
  const permission = fc
    .tuple(verbs, fc.array(pattern, { minLength: 1, maxLength: 2 }))
    .map(([head, paths]) => head + paths.join(','))
  const spelling = fc.oneof(literal, fc.constantFrom('bob', 'BOB', U, 'me', 'A', '*'))
  const head = fc.array(spelling, { minLength: 1, maxLength: 2 })
  const tail = fc.array(fc.oneof({ weight: 3, arbitrary: spelling }, fc.constant('')), {
    minLength: 1,
    maxLength: 2,
  })
  const path = fc.oneof(
    fc.constant([]),
    fc.tuple(head, fc.array(tail, { maxLength: 4 })).map(([first, rest]) => [first, ...rest]),
  )
  const method = fc.constantFrom<Verb>('get', 'put', 'post', 'delete')

  it('get the same answer as from trying everything', () => {
    fc.assert(
      fc.property(
        fc.array(permission, { maxLength: 4 }),
        method,
        path,
        fc.constantFrom(bob, null),
        (permissions, verb, segments, self) => {
          const expected = permissions.some((string) => naive(string, verb, segments, self))
          expect(allows(compileGrants(permissions), verb, segments, self)).toBe(expected)
        },
      ),
      { numRuns: 5000 },
    )
  })

  it('are allowed explicitly only when they are allowed', () => {
    fc.assert(
      fc.property(permission, method, path, literal, (string, verb, segments, word) => {
        const grants = compileGrants([string])
        const explicit = allows(grants, verb, segments, bob, new Set([word]))
        expect(!explicit || allows(grants, verb, segments, bob)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['many double stars', `get:${'/**/a'.repeat(14)}/b`, '/a'.repeat(2000)],
    ['many stars in a segment', `get:/${'*a'.repeat(60)}*b`, `/${'a'.repeat(8000)}`],
    ['a star and a long tail', `get:/*${'a'.repeat(120)}b`, `/${'a'.repeat(8000)}`],
    ['a path of a megabyte', 'get:/**/x*y', `/${'x'.repeat(500_000)}/${'xy'.repeat(250_000)}z`],
  ])('are compared without blow-up: %s', (_, string, long) => {
    const grants = compileGrants([string])
    const segments = single(long)
    const started = performance.now()

    expect(reachOf(grants, 'get', segments, bob)).toBe('none')
    expect(performance.now() - started).toBeLessThan(500)
  })

  it('are compared in microseconds, with a hundred strings at hand', () => {
    const grants = compileGrants(
      Array.from({ length: 100 }, (_, index) => `get,post:/kind${index}/*/likes/**`),
    )
    const segments = [['kind77'], [U, 'rex'], ['likes'], [ALICE, 'alice']]
    const started = performance.now()

    for (let round = 0; round < 2000; round++) allows(grants, 'get', segments, bob)

    expect((performance.now() - started) / 2000).toBeLessThan(0.1)
  })
})
