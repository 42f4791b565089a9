import { describe, expect, it } from 'vitest'
import { toBase32 } from './base32.js'
import { matchTotp, totpCode, totpStep, totpUri } from './totp.js'

/** Of the test vectors of RFC 6238, appendix B, the last six digits. */
const SECRET = Buffer.from('12345678901234567890')

describe('codes that change with time', () => {
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('are those of RFC 6238 after %d seconds', (seconds, code) => {
    expect(totpCode(SECRET, totpStep(seconds * 1000))).toBe(code)
  })

  it('count one step around now, and none that is over', () => {
    const now = 1_000_000_000_000
    const step = totpStep(now)
    const match = (of: number, last: number) => matchTotp(SECRET, totpCode(SECRET, of), now, last)

    expect([-2, -1, 0, 1, 2].map((away) => match(step + away, 0))).toEqual([
      null,
      step - 1,
      step,
      step + 1,
      null,
    ])
    expect([match(step, step), match(step - 1, step), match(step + 1, step)]).toEqual([null, null, step + 1])
  })

  it.each(['', '12345', '1234567', ' 28708', '２８７０８２', '-12345', '1e0000'])('are not %j', (code) => {
    expect(matchTotp(SECRET, code, 59_000, -1)).toBeNull()
  })

  it('are told to an authenticator app by a link that no name breaks', () => {
    const link = new URL(totpUri(SECRET, 'Käse & Co: shop', 'ann@example.org?x=1'))

    expect(link.href.slice(0, 15)).toBe('otpauth://totp/')
    expect(decodeURIComponent(link.pathname.split('/').at(-1)!)).toBe('Käse & Co  shop:ann@example.org?x=1')
    expect(Object.fromEntries(link.searchParams)).toEqual({
      secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
      issuer: 'Käse & Co  shop',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    })
  })

  it.each([
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('write %j in base32 as RFC 4648 does', (text, expected) => {
    expect(toBase32(Buffer.from(text))).toBe(expected)
  })
})
