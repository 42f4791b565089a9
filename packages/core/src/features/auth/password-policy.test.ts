import { describe, expect, it } from 'vitest'
import {
  checkPassword,
  DEFAULT_PASSWORD_POLICY,
  madeUpPassword,
  type PasswordPolicy,
  passwordPolicyOf,
  USERGRID_PASSWORD_POLICY,
} from './password-policy.js'

const strict = passwordPolicyOf(DEFAULT_PASSWORD_POLICY, {
  minLength: 6,
  minUppercase: 2,
  minDigits: 2,
  minSpecial: 1,
})

const complaint = (text: string, policy: PasswordPolicy): unknown => {
  try {
    checkPassword(text, policy)
    return null
  } catch (error) {
    return error
  }
}

describe('the password policy', () => {
  it.each([
    ['eight letters', 'abcdefgh', DEFAULT_PASSWORD_POLICY],
    ['eight accented letters', 'àéîõüàéî', DEFAULT_PASSWORD_POLICY],
    ['four letters where Usergrid is followed', 'pw12', USERGRID_PASSWORD_POLICY],
    ['the longest password', 'a'.repeat(1024), DEFAULT_PASSWORD_POLICY],
    ['enough of each kind', 'ABc12!', strict],
    ['other alphabets', 'ЖЩя١٢_', strict],
  ])('accepts %s', (_, text, policy) => {
    expect(complaint(text, policy)).toBeNull()
  })

  it.each([
    ['abcdefg', DEFAULT_PASSWORD_POLICY, 'error_length_policy: must be at least 8 characters'],
    ['', DEFAULT_PASSWORD_POLICY, 'error_length_policy: must be at least 8 characters'],
    ['e\u0301'.repeat(7), DEFAULT_PASSWORD_POLICY, 'error_length_policy: must be at least 8 characters'],
    ['😀'.repeat(7), DEFAULT_PASSWORD_POLICY, 'error_length_policy: must be at least 8 characters'],
    ['abc', USERGRID_PASSWORD_POLICY, 'error_length_policy: must be at least 4 characters'],
    ['a'.repeat(1025), DEFAULT_PASSWORD_POLICY, 'error_length_policy: must be at most 1024 characters'],
    ['Abcd12!', strict, 'error_uppercase_policy: requires 2 uppercase characters'],
    ['ABcd1!', strict, 'error_digits_policy: requires 2 digits'],
    ['ABcd12é ', strict, 'error_special_chars_policy: requires 1 special characters'],
    [
      'A1',
      strict,
      'error_length_policy: must be at least 6 characters error_uppercase_policy: requires 2 uppercase characters ' +
        'error_digits_policy: requires 2 digits error_special_chars_policy: requires 1 special characters',
    ],
  ])('answers "%s" under %j with the violated rules', (text, policy, message) => {
    expect(complaint(text, policy)).toMatchObject({
      code: 'error_password_policy_violation',
      status: 400,
      message,
    })
  })

  it('refuses a megabyte without counting its characters', () => {
    const megabyte = 'A1!'.repeat(350_000)
    const started = performance.now()

    expect(complaint(megabyte, strict)).toMatchObject({ code: 'error_password_policy_violation' })
    expect(performance.now() - started).toBeLessThan(250)
  })
})

describe('a changed policy', () => {
  it('counts as special what it names', () => {
    const policy = passwordPolicyOf(USERGRID_PASSWORD_POLICY, { minSpecial: 2, specialChars: '§ä' })

    expect(complaint('ab!?', policy)).toMatchObject({
      message: 'error_special_chars_policy: requires 2 special characters',
    })
    expect(complaint('abä§', policy)).toBeNull()
  })

  it.each([
    { minLength: -1 },
    { minDigits: 1.5 },
    { minUppercase: 257 },
    { minSpecial: 1, specialChars: '' },
  ])('cannot be %j', (changes) => {
    expect(() => passwordPolicyOf(DEFAULT_PASSWORD_POLICY, changes)).toThrow('policy')
  })

  it('accepts the passwords that are made up for it', () => {
    const policies = [
      strict,
      DEFAULT_PASSWORD_POLICY,
      passwordPolicyOf(strict, { minSpecial: 9, minLength: 60 }),
    ]

    for (const policy of policies) {
      const made = [madeUpPassword(policy), madeUpPassword(policy)]
      expect(made.map((password) => complaint(password, policy))).toEqual([null, null])
      expect(made[0]).not.toBe(made[1])
    }
  })
})
