import { describe, expect, it } from 'vitest'
import { hashPassword, verifyAgainstNothing, verifyPassword } from './password-hash.js'

const CHEAP = { memoryCost: 64, timeCost: 1, parallelism: 1 }

describe('password hashes', () => {
  it('are Argon2id at the cost that OWASP advises', async () => {
    expect(await hashPassword('correct horse')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  it('verify their own password and no other', async () => {
    const stored = await hashPassword('correct horse', CHEAP)

    expect(await verifyPassword(stored, 'correct horse')).toBe(true)
    expect(await verifyPassword(stored, 'Correct horse')).toBe(false)
    expect(await verifyPassword(stored, 'correct horse ')).toBe(false)
    expect(await verifyPassword(stored, '')).toBe(false)
  })

  it('differ for the same password', async () => {
    expect(await hashPassword('same', CHEAP)).not.toBe(await hashPassword('same', CHEAP))
  })

  it('tell apart passwords that differ only in their last character', async () => {
    const stored = await hashPassword(`${'p'.repeat(1023)}a`, CHEAP)

    expect(await verifyPassword(stored, `${'p'.repeat(1023)}a`)).toBe(true)
    expect(await verifyPassword(stored, `${'p'.repeat(1023)}b`)).toBe(false)
  })

  it('do not depend on how a keyboard composes an accent', async () => {
    const stored = await hashPassword('caf\u00e9 cr\u00e8me', CHEAP)

    expect(await verifyPassword(stored, 'cafe\u0301 cre\u0300me')).toBe(true)
  })

  it('are not computed for a megabyte of text', async () => {
    const megabyte = 'p'.repeat(1_000_000)
    const costly = { memoryCost: 1_048_576, timeCost: 1000, parallelism: 1 }

    expect(await verifyPassword(await hashPassword('short', CHEAP), megabyte)).toBe(false)
    expect(await verifyAgainstNothing(megabyte, costly)).toBe(false)
  })

  it('that do not exist cost as much and never match', async () => {
    const time = async (work: () => Promise<unknown>) => {
      const rounds: number[] = []
      for (let round = 0; round < 5; round++) {
        const started = performance.now()
        await work()
        rounds.push(performance.now() - started)
      }
      return Math.min(...rounds)
    }
    const stored = await hashPassword('correct horse')
    const known = await time(() => verifyPassword(stored, 'wrong'))
    const unknown = await time(() => verifyAgainstNothing('wrong'))

    expect(await verifyAgainstNothing('', CHEAP)).toBe(false)
    expect(unknown).toBeGreaterThan(known / 3)
  })

  it('are refused, not kept waiting for long, when very many are asked for at once', async () => {
    const stored = await hashPassword('correct horse', CHEAP)

    const outcomes = await Promise.allSettled(
      Array.from({ length: 600 }, () => verifyPassword(stored, 'correct horse')),
    )

    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThan(50)
    expect(refused[0]).toMatchObject({ reason: { code: 'unavailable', status: 503, retryAfter: 5 } })
    const checked = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(checked.length).toBeGreaterThanOrEqual(500)
    expect(checked.every((outcome) => 'value' in outcome && outcome.value)).toBe(true)
    expect(await verifyPassword(stored, 'correct horse')).toBe(true)
  })
})
