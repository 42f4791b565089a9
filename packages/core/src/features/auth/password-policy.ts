import { randomBytes, randomInt } from 'node:crypto'
import { AppError } from '../../domain/errors.js'

export interface PasswordPolicy {
  /** Unicode characters; combining marks do not count. */
  minLength: number
  minUppercase: number
  minDigits: number
  minSpecial: number
  /** What counts as special. */
  specialChars: string
}

/** The printable ASCII characters that are neither letters, digits nor blanks. */
const SPECIAL = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'

export const DEFAULT_PASSWORD_POLICY: PasswordPolicy = {
  minLength: 8,
  minUppercase: 0,
  minDigits: 0,
  minSpecial: 0,
  specialChars: SPECIAL,
}

/** Usergrid's default. */
export const USERGRID_PASSWORD_POLICY: PasswordPolicy = { ...DEFAULT_PASSWORD_POLICY, minLength: 4 }

/** UTF-16 units. Nothing is ever cut off: a longer text is refused, here and when signing in. */
export const MAX_PASSWORD_LENGTH = 1024

/**
 * Lays changes over a policy.
 * @throws {Error} for numbers that no password can meet, for it is the operator who says them.
 */
export const passwordPolicyOf = (
  base: PasswordPolicy,
  changes: Partial<PasswordPolicy> = {},
): PasswordPolicy => {
  const policy = { ...base, ...changes }
  const { minLength, minUppercase, minDigits, minSpecial, specialChars } = policy
  for (const least of [minLength, minUppercase, minDigits, minSpecial])
    if (!Number.isSafeInteger(least) || least < 0 || least > MAX_PASSWORD_LENGTH / 4)
      throw new Error(`A password policy has whole numbers from 0 to ${MAX_PASSWORD_LENGTH / 4}`)
  if (minSpecial > 0 && specialChars === '')
    throw new Error('A password policy that asks for special characters must name some')
  return policy
}

/**
 * Accepts a new password or says everything that is wrong with it, in Usergrid's words.
 * @throws {AppError} `error_password_policy_violation`
 */
export const checkPassword = (text: string, policy: PasswordPolicy = DEFAULT_PASSWORD_POLICY): void => {
  const violations = text.length > MAX_PASSWORD_LENGTH ? [TOO_LONG] : violationsOf(text, policy)
  if (violations.length > 0)
    throw new AppError('error_password_policy_violation', violations.join(' '), {
      fields: violations.map((message) => ({ field: 'password', message })),
    })
}

/** A random password that the policy accepts. */
export const madeUpPassword = ({
  minLength,
  minUppercase,
  minDigits,
  minSpecial,
  specialChars,
}: PasswordPolicy): string => {
  const some = (characters: string, n: number): string =>
    Array.from({ length: n }, () => characters[randomInt(characters.length)]).join('')
  const random = randomBytes(Math.max(12, minLength)).toString('base64url')
  return (
    random +
    some('ABCDEFGHJKLMNPRSTUVWXYZ', minUppercase) +
    some('23456789', minDigits) +
    some(specialChars, minSpecial)
  )
}

const TOO_LONG = `error_length_policy: must be at most ${MAX_PASSWORD_LENGTH} characters`

const violationsOf = (
  text: string,
  { minLength, minUppercase, minDigits, minSpecial, specialChars }: PasswordPolicy,
): string[] => {
  const special = new Set(specialChars)
  const count = (kind: RegExp) => text.match(kind)?.length ?? 0
  const rules: [number, number, string][] = [
    [minLength, count(/\P{M}/gu), `error_length_policy: must be at least ${minLength} characters`],
    [
      minUppercase,
      count(/\p{Lu}/gu),
      `error_uppercase_policy: requires ${minUppercase} uppercase characters`,
    ],
    [minDigits, count(/\p{Nd}/gu), `error_digits_policy: requires ${minDigits} digits`],
    [
      minSpecial,
      [...text].filter((character) => special.has(character)).length,
      `error_special_chars_policy: requires ${minSpecial} special characters`,
    ],
  ]
  return rules.filter(([least, found]) => found < least).map(([, , message]) => message)
}
