import { describe, expect, it } from 'vitest'
import { readPasswordPolicy } from './password-policy.js'

describe('a password policy as a setting', () => {
  it.each([
    ['length=12', { minLength: 12 }],
    [
      'length=12, uppercase=1,digits=2,special=3',
      { minLength: 12, minUppercase: 1, minDigits: 2, minSpecial: 3 },
    ],
    ['special=1,characters=!,=', { minSpecial: 1, specialChars: '!,=' }],
    ['characters=%', { specialChars: '%' }],
  ])('%s is read', (text, policy) => {
    expect(readPasswordPolicy(text)).toEqual(policy)
  })

  it.each([
    '12',
    'length',
    'length=',
    'length=-1',
    'length=1.5',
    'Length=8',
    'length=8,',
    'colour=red',
    'length=8;digits=1',
  ])('%j is refused', (text) => {
    expect(() => readPasswordPolicy(text)).toThrow('rules such as')
  })
})
