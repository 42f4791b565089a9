import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deriveKey, secretBox } from './secret-box.js'

const secret = randomBytes(32)
const box = secretBox(secret, 'client secrets')

describe('a secret box', () => {
  it('gives back any text that was put into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(box.open(box.seal(text))).toBe(text)
      }),
    )
  })

  it('opens what an equal secret sealed, in another process say', () => {
    expect(secretBox(Buffer.from(secret), 'client secrets').open(box.seal('b3U6'))).toBe('b3U6')
  })

  it('seals the same text differently each time, and never in clear', () => {
    const sealed = box.seal('b3U6secret')

    expect(sealed).toMatch(/^v1\.[\w-]+$/)
    expect(sealed).not.toBe(box.seal('b3U6secret'))
    expect(Buffer.from(sealed.slice(3), 'base64url').includes('secret')).toBe(false)
  })

  it('opens nothing with another secret or for another purpose', () => {
    const sealed = box.seal('b3U6secret')

    expect(() => secretBox(randomBytes(32), 'client secrets').open(sealed)).toThrow('cannot be read')
    expect(() => secretBox(secret, 'webhook secrets').open(sealed)).toThrow('cannot be read')
  })

  it('notices a change of any byte', () => {
    const sealed = Buffer.from(box.seal('b3U6').slice(3), 'base64url')

    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed[index]! ^= 1
      expect(() => box.open(`v1.${changed.toString('base64url')}`)).toThrow('cannot be read')
    }
  })

  it.each(['', 'v1.', 'v1.AAAA', 'v2.', 'b3U6secret', `v1.${'A'.repeat(37)}`])('cannot open "%s"', (text) => {
    expect(() => box.open(text)).toThrow('cannot be read')
  })

  it('does not open a sealed text under another version, or cut short', () => {
    const sealed = box.seal('b3U6secret')

    expect(() => box.open(sealed.replace('v1.', 'v2.'))).toThrow('cannot be read')
    expect(() => box.open(sealed.slice(0, -4))).toThrow('cannot be read')
  })
})

describe('derived keys', () => {
  it('depend on the secret and on the purpose alone', () => {
    expect(deriveKey(secret, 'a')).toEqual(deriveKey(secret, 'a'))
    expect(deriveKey(secret, 'a')).not.toEqual(deriveKey(secret, 'b'))
    expect(deriveKey(secret, 'a')).not.toEqual(deriveKey(randomBytes(32), 'a'))
    expect(deriveKey(secret, 'a')).toHaveLength(32)
  })

  it('are not made from a secret that could be guessed', () => {
    expect(() => deriveKey(Buffer.from('super secret token value'), 'a')).toThrow(RangeError)
  })
})
