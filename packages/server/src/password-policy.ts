import type { PasswordPolicy } from '@entigrid/core'

const NUMBERS = {
  length: 'minLength',
  uppercase: 'minUppercase',
  digits: 'minDigits',
  special: 'minSpecial',
} as const
const RULE = /^(length|uppercase|digits|special)=(\d{1,3})$/
const CHARACTERS = /(?:^|,)characters=(.+)$/s
const FORM = 'rules such as length=12,uppercase=1,digits=1,special=1,characters=!?*'

/**
 * Reads `length=12,special=1,characters=!?*`: what passwords must have at least, and at the end which characters
 * are special. @throws {Error}
 */
export const readPasswordPolicy = (text: string): Partial<PasswordPolicy> => {
  const characters = CHARACTERS.exec(text)
  const rules = (characters === null ? text : text.slice(0, characters.index)).split(',')
  const policy: Partial<PasswordPolicy> = characters === null ? {} : { specialChars: characters[1]! }
  if (characters?.index === 0) return policy
  for (const rule of rules) {
    const [, name, number] = RULE.exec(rule.trim()) ?? []
    if (name === undefined) throw new Error(FORM)
    policy[NUMBERS[name as keyof typeof NUMBERS]] = Number(number)
  }
  return policy
}
