import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  accountName,
  checkMail,
  checkUsername,
  isPlainMailAddress,
  isUserIdentifier,
} from './account-names.js'

const refusal = (check: (name: string) => void, text: string): string | null => {
  try {
    check(accountName(text))
    return null
  } catch (error) {
    return (error as Error).message
  }
}

describe('a username', () => {
  it.each([
    'ada',
    'Ada Lovelace',
    "o'hara",
    'a.b/c-d_e+f',
    '_x',
    '42',
    'ada@x.test',
    'müller',
    'straße',
    'Иван',
    'Ελένη',
    '山田太郎',
    'りさ3',
    'アニメA',
    'محمد',
    'रवि',
    '민수 kim',
    'a'.repeat(254),
  ])('may be %s', (name) => {
    expect(refusal(checkUsername, name)).toBeNull()
    expect(isUserIdentifier(name)).toBe(true)
  })

  it.each([
    ['me', 'reserved'],
    ['ME', 'reserved'],
    ['ｍｅ', 'reserved'],
    ['all', 'reserved'],
    ['..', 'reserved'],
    ['0190c7a1-7b3e-7c44-9d2a-000000000b0b', 'uuid'],
    ['a'.repeat(255), '254'],
    ['', 'letters, digits'],
    ['a|b', 'letters, digits'],
    ['a@b@', 'letters, digits'],
    ['a\0', 'letters, digits'],
    ['a\nb', 'letters, digits'],
    ['ad\u200ba', 'letters, digits'],
    ['ad\u200da', 'letters, digits'],
    ['\u202eada', 'letters, digits'],
    ['ada\u2066', 'letters, digits'],
    ['a\ufeffda', 'letters, digits'],
    ['\u0301ada', 'letters, digits'],
    ['😀', 'letters, digits'],
    ['<b>', 'letters, digits'],
    ['аda', 'scripts'],
    ['pаypal@x.test', 'scripts'],
    ['αda', 'scripts'],
    ['ada 民수 м', 'scripts'],
  ])('is not %j: %s', (name, reason) => {
    expect(refusal(checkUsername, name)).toContain(reason)
  })

  it.each([
    ['ａｄａ', 'ada'],
    ['ﬁnn', 'finn'],
    ['e\u0301va', '\u00e9va'],
    ['  ada ', 'ada'],
    ['ad\u2160', 'adI'],
  ])('%j is stored as %j', (typed, stored) => {
    expect(accountName(typed)).toBe(stored)
  })

  it('is the same after any number of readings', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        expect(accountName(accountName(text))).toBe(accountName(text))
      }),
    )
  })
})

describe('an e-mail address', () => {
  it.each([
    'ada@x.test',
    'Ada.L+news@mail.example.org',
    'admin@localhost',
    "o'hara@x.test",
    'иван@example.org',
    'ada@münchen.de',
    'a@xn--mnchen-3ya.de',
  ])('may be %s', (address) => {
    expect(refusal(checkMail, address)).toBeNull()
  })

  it.each([
    'ada',
    'ada@',
    '@x.test',
    'ada@x..test',
    'ada@-x.test',
    'a b@x.test',
    'ada@x.test, ben@x.test',
    'ada@x.test\r\nBcc: ben@x.test',
    'ada <ada@x.test>',
    '"ada"@x.test',
    'ada@[127.0.0.1]',
    'ada@x@y.test',
    'ad\u200ba@x.test',
    '\u202eada@x.test',
    `${'a'.repeat(65)}@x.test`,
    `a@${'x'.repeat(253)}`,
  ])('is not %j', (address) => {
    expect(refusal(checkMail, address)).toBe('This is not an e-mail address')
  })

  it.each(['аda@x.test', 'ada@gοogle.test'])(
    'is not %s, with letters of two scripts in one word',
    (address) => {
      expect(refusal(checkMail, address)).toContain('scripts')
    },
  )
})

describe('an address that is stored as it is', () => {
  it.each(['ada@x.test', 'Ada@x.test', '\u00e9va@x.test', 'иван@example.org'])('may be %s', (address) => {
    expect(isPlainMailAddress(address)).toBe(true)
  })

  it.each([
    'ａda@x.test',
    'e\u0301va@x.test',
    ' ada@x.test',
    'аda@x.test',
    'ada',
    '',
    5,
    null,
    undefined,
    ['ada@x.test'],
  ])('is not %j', (address) => {
    expect(isPlainMailAddress(address)).toBe(false)
  })
})

describe('what a path calls a user', () => {
  it.each(['a|b', 'a\u200bb', 'x'.repeat(255), 'a@b@', 'a*', '<b>'])('is not %j', (text) => {
    expect(isUserIdentifier(text)).toBe(false)
  })

  it('takes no time to look at', () => {
    const started = performance.now()

    for (const text of [
      '\ufdfa'.repeat(1_000_000),
      'a.'.repeat(60_000),
      `a@${'b-'.repeat(60_000)}`,
      'é\u0301'.repeat(60_000),
    ])
      expect(isUserIdentifier(text)).toBe(false)

    expect(performance.now() - started).toBeLessThan(500)
  })
})
