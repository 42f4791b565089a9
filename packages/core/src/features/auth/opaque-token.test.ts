import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hashOpaqueToken, isOpaqueToken, newOpaqueToken } from './opaque-token.js'

describe('opaque tokens', () => {
  it('have 63 characters and 352 random bits', () => {
    const asked: number[] = []
    const token = newOpaqueToken((bytes) => {
      asked.push(bytes)
      return randomBytes(bytes)
    })

    expect(token).toMatch(/^YWMt[\w-]{59}$/)
    expect(asked).toEqual([44])
    expect(isOpaqueToken(token)).toBe(true)
    expect(newOpaqueToken(randomBytes)).not.toBe(token)
  })

  it.each([
    '',
    'YWMt',
    `YWMt${'a'.repeat(58)}`,
    `YWMt${'a'.repeat(60)}`,
    `YWMt${'a'.repeat(59)}\n`,
    `ZW0t${'a'.repeat(59)}`,
    `YWMt${'+'.repeat(59)}`,
    'eyJhbGciOiJIUzI1NiJ9.e30.x',
    'Y'.repeat(1_000_000),
  ])('%.80s is none', (text) => {
    expect(isOpaqueToken(text)).toBe(false)
  })

  it('are stored as a SHA-256 in hex', () => {
    expect(hashOpaqueToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})
