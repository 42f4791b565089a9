import { AppError } from '../../domain/errors.js'

export interface PasswordPolicy {
  /** Unicode characters; combining marks do not count. */
  minLength: number
  minUppercase: number
  minDigits: number
  /** Of the printable ASCII characters that are neither letters, digits nor blanks. */
  minSpecial: number
}

export const DEFAULT_PASSWORD_POLICY: PasswordPolicy = {
  minLength: 8,
  minUppercase: 0,
  minDigits: 0,
  minSpecial: 0,
}

/** Usergrid's default. */
export const USERGRID_PASSWORD_POLICY: PasswordPolicy = { ...DEFAULT_PASSWORD_POLICY, minLength: 4 }

/** UTF-16 units. Nothing is ever cut off: a longer text is refused, here and when signing in. */
export const MAX_PASSWORD_LENGTH = 1024

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

const TOO_LONG = `error_length_policy: must be at most ${MAX_PASSWORD_LENGTH} characters`

const violationsOf = (
  text: string,
  { minLength, minUppercase, minDigits, minSpecial }: PasswordPolicy,
): string[] => {
  const rules: [number, RegExp, string][] = [
    [minLength, /\P{M}/gu, `error_length_policy: must be at least ${minLength} characters`],
    [minUppercase, /\p{Lu}/gu, `error_uppercase_policy: requires ${minUppercase} uppercase characters`],
    [minDigits, /\p{Nd}/gu, `error_digits_policy: requires ${minDigits} digits`],
    [minSpecial, /[!-/:-@[-`{-~]/g, `error_special_chars_policy: requires ${minSpecial} special characters`],
  ]
  return rules
    .filter(([least, kind]) => (text.match(kind)?.length ?? 0) < least)
    .map(([, , message]) => message)
}
