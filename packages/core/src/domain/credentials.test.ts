import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ClientKind,
  clientId,
  isClientSecret,
  newClientSecret,
  parseClientId,
  sameSecret,
} from './credentials.js'

const KINDS: ClientKind[] = ['organization', 'application', 'admin', 'user']
const uuid = '6f83bf17-1d4e-11e3-a495-0123456789ab'

describe('client ids', () => {
  it.each([
    ['organization', 'b3U6b4O_Fx1OEeOklQEjRWeJqw'],
    ['application', 'YXA6b4O_Fx1OEeOklQEjRWeJqw'],
    ['admin', 'YWQ6b4O_Fx1OEeOklQEjRWeJqw'],
    ['user', 'YXU6b4O_Fx1OEeOklQEjRWeJqw'],
  ] as const)('of an %s is %s', (kind, id) => {
    expect(clientId(kind, uuid)).toBe(id)
  })

  it('give back the kind and uuid they were made from', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), fc.uuid(), (kind, any) => {
        expect(parseClientId(clientId(kind, any.toUpperCase()))).toEqual({ kind, uuid: any })
      }),
    )
  })

  it.each([
    '',
    'b3U6',
    'XXXXb4O_Fx1OEeOklQEjRWeJqw',
    'b3U6b4O_Fx1OEeOklQEjRWeJq',
    'b3U6b4O_Fx1OEeOklQEjRWeJqwA',
    'b3U6b4O/Fx1OEeOklQEjRWeJqw',
    'b3U6b4O_Fx1OEeOklQEjRWeJqx',
    'b3U6b4O_Fx1OEeOklQEjRWeJ==',
    'B3U6b4O_Fx1OEeOklQEjRWeJqw',
  ])('"%s" is none', (text) => {
    expect(parseClientId(text)).toBeNull()
  })

  it('are not made from anything but a uuid', () => {
    expect(() => clientId('user', 'ann')).toThrow('Not a uuid: ann')
  })
})

describe('client secrets', () => {
  it.each(KINDS)('of an %s have 31 characters, its tag and fresh randomness', (kind) => {
    const secret = newClientSecret(kind, randomBytes)

    expect(secret).toHaveLength(31)
    expect(secret.slice(0, 4)).toBe(clientId(kind, uuid).slice(0, 4))
    expect(isClientSecret(secret)).toBe(true)
    expect(newClientSecret(kind, randomBytes)).not.toBe(secret)
  })

  it.each(['', 'b3U6', clientId('user', uuid), 'secret', `b3U6${'a'.repeat(28)}`, `b3U6${'*'.repeat(27)}`])(
    '"%s" is none',
    (text) => {
      expect(isClientSecret(text)).toBe(false)
    },
  )

  it('are the same only when every character is', () => {
    expect(sameSecret('b3U6abc', 'b3U6abc')).toBe(true)
    expect(sameSecret('b3U6abc', 'b3U6abd')).toBe(false)
    expect(sameSecret('b3U6abc', 'b3U6ab')).toBe(false)
    expect(sameSecret('', 'a')).toBe(false)
  })
})
