import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { describe, expect, it } from 'vitest'
import { AccessTokens, readSigned } from './access-token.js'
import { expiresIn, type TokenPrincipal } from './claims.js'
import { deriveKey } from './secret-box.js'

const secret = randomBytes(32)
const app = '0190c7a1-7b3e-7c44-9d2a-0000000000a1'
const uuid = '0190c7a1-7b3e-7c44-9d2a-00000000000b'
const organization = '0190c7a1-7b3e-7c44-9d2a-0000000000c1'
const ann: TokenPrincipal = { kind: 'user', app, uuid, username: 'ann' }
const now = 1_700_000_000_123
const WEEK = 604_800_000
const UNVERIFIED = {
  code: 'auth_unverified_oath',
  status: 401,
  message: 'Unable to authenticate OAuth credentials',
}
const CORRUPT = {
  code: 'auth_bad_access_token',
  status: 401,
  message: 'Unable to authenticate due to corrupt access token',
}
const EXPIRED = {
  code: 'expired_token',
  status: 401,
  message: 'Unable to authenticate due to expired access token',
}

const open = (remembered?: number) => new AccessTokens({ secret, remembered })
const refusal = (tokens: AccessTokens, token: string, at = now): unknown => {
  try {
    return tokens.verify(token, at)
  } catch (error) {
    return error
  }
}
const payloadOf = (token: string) => jwt.decode(token) as jwt.JwtPayload
/** Signed as ours are, but with a payload of the test's choosing. */
const forge = (changes: object, key = deriveKey(secret, 'access token')) => {
  const original = payloadOf(open().issue({ principal: ann, ttl: WEEK, now }).token)
  return jwt.sign(JSON.parse(JSON.stringify({ ...original, ...changes })), key, { algorithm: 'HS256' })
}

describe('access tokens', () => {
  it.each<[TokenPrincipal, string, string, object]>([
    [ann, app, uuid, { kind: 'user', app, uuid }],
    [{ kind: 'admin', uuid, username: 'ada' }, 'management', uuid, { kind: 'admin', uuid }],
    [{ kind: 'application', app }, app, app, { kind: 'application', app }],
    [
      { kind: 'organization', organization },
      'management',
      organization,
      { kind: 'organization', organization },
    ],
    [{ kind: 'sysadmin' }, 'management', 'sysadmin', { kind: 'sysadmin' }],
  ])('of %j say so to any process with the same secret', (principal, audience, subject, owner) => {
    const { token, claims } = open().issue({ principal, ttl: WEEK, now })

    expect(open().verify(token, now)).toEqual(claims)
    expect(claims).toMatchObject({ owner, issuedAt: now, expiresAt: now + WEEK, ttl: WEEK })
    expect(claims.owner).toEqual(owner)
    expect(payloadOf(token)).toMatchObject({
      iss: 'entigrid',
      aud: audience,
      sub: subject,
      jti: claims.id,
      iat: 1_700_000_000,
      exp: 1_700_604_801,
    })
    expect(claims.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  })

  it('do not carry the username, which may change', () => {
    expect(JSON.stringify(payloadOf(open().issue({ principal: ann, ttl: WEEK, now }).token))).not.toContain(
      'ann',
    )
  })

  it('are all different, even when issued at once', () => {
    const tokens = open()
    const issue = () => tokens.issue({ principal: ann, ttl: WEEK, now }).claims.id

    expect(issue()).not.toBe(issue())
  })

  it('expire at the very millisecond, whether or not they were seen before', () => {
    const { token } = open().issue({ principal: ann, ttl: 1500, now })
    const tokens = open()

    expect(refusal(open(), token, now + 1500)).toMatchObject(EXPIRED)
    expect(tokens.verify(token, now + 1499).ttl).toBe(1500)
    expect(refusal(tokens, token, now + 1500)).toMatchObject(EXPIRED)
    expect(refusal(tokens, token, now + WEEK)).toMatchObject(EXPIRED)
  })

  it('without a lifetime never expire', () => {
    const { token, claims } = open().issue({ principal: ann, ttl: null, now })

    expect(payloadOf(token)).not.toHaveProperty('exp')
    expect(claims).toMatchObject({ ttl: null, expiresAt: null })
    expect(open().verify(token, now * 100)).toEqual(claims)
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('are not issued for %d ms', (ttl) => {
    expect(() => open().issue({ principal: ann, ttl, now })).toThrow(
      expect.objectContaining({ code: 'illegal_argument' }),
    )
  })

  it('signed with another secret are not verified', () => {
    const foreign = new AccessTokens({ secret: randomBytes(32) }).issue({ principal: ann, ttl: WEEK, now })

    expect(refusal(open(), foreign.token)).toMatchObject(UNVERIFIED)
    expect(refusal(open(), forge({}, secret))).toMatchObject(UNVERIFIED)
  })

  it('are verified when they are formed as ours are, or the tests below would prove nothing', () => {
    expect(open().verify(forge({}), now).owner).toEqual({ kind: 'user', app, uuid })
  })

  it.each([
    ['another issuer', { iss: 'elsewhere' }],
    ['no issuer', { iss: undefined }],
    ['the audience of the management plane', { aud: 'management' }],
    ['no audience', { aud: undefined }],
    ['several audiences', { aud: [app, 'management'] }],
    ['a kind that does not fit its audience', { kind: 'admin' }],
    ['a kind that does not fit its subject', { kind: 'application' }],
    ['the kind of the host program', { kind: 'system' }],
    ['no kind', { kind: undefined }],
    ['no subject', { sub: undefined }],
    ['no id', { jti: undefined }],
    ['an id that is no uuid', { jti: '1' }],
    ['a lifetime but no expiry', { exp: undefined }],
    ['an expiry but no lifetime', { ttl: undefined }],
    ['a lifetime beyond its expiry', { ttl: WEEK * 2 }],
    ['a lifetime that is a text', { ttl: '9' }],
    ['no time of issue', { at: undefined }],
    ['a sign-in that is no uuid', { sid: 'x' }],
    ['a sign-in that is an object', { sid: {} }],
    ['an actor without a name', { act: {} }],
    ['an actor that is a number', { act: 1 }],
  ])('with %s are not verified', (_, changes) => {
    expect(refusal(open(), forge(changes))).toMatchObject(UNVERIFIED)
  })

  it('without a signature, or with another algorithm, are not verified', () => {
    const { token } = open().issue({ principal: ann, ttl: WEEK, now })
    const [, payload] = token.split('.')
    const key = deriveKey(secret, 'access token')
    const signed = (alg: string, sign: (text: string) => string) => {
      const text = `${Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')}.${payload}`
      return `${text}.${sign(text)}`
    }
    const hmac = (hash: string) => (text: string) => createHmac(hash, key).update(text).digest('base64url')

    expect(open().verify(signed('HS256', hmac('sha256')), now).owner.kind).toBe('user')
    for (const forged of [
      signed('none', () => ''),
      signed('None', () => ''),
      signed('none', hmac('sha256')),
      signed('HS512', hmac('sha512')),
      signed('RS256', hmac('sha256')),
    ])
      expect(refusal(open(), forged)).toMatchObject(UNVERIFIED)
  })

  it('signed with the right key pair by another of its algorithms are not verified', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const payload = payloadOf(open().issue({ principal: ann, ttl: WEEK, now }).token)
    const signed = (algorithm: jwt.Algorithm) => jwt.sign(payload, privateKey, { algorithm })
    const read = (token: string) => {
      try {
        return readSigned(token, publicKey, 'RS256')
      } catch (error) {
        return error
      }
    }

    expect(read(signed('RS256'))).toMatchObject({ owner: { uuid } })
    for (const algorithm of ['RS512', 'PS256'] as const)
      expect(read(signed(algorithm))).toMatchObject(UNVERIFIED)
  })

  it('changed anywhere are not verified', () => {
    const { token } = open().issue({ principal: ann, ttl: WEEK, now })
    const tokens = open()
    tokens.verify(token, now)

    for (let index = 0; index < token.length; index++) {
      const changed = token.slice(0, index) + (token[index] === 'A' ? 'B' : 'A') + token.slice(index + 1)
      expect(refusal(tokens, changed)).toMatchObject(token[index] === '.' ? CORRUPT : UNVERIFIED)
    }
  })

  it.each(['', '.', '..', 'BADTOKEN', 'YWMt' + 'a'.repeat(59), '{}', 'null', 'é.é.é'])(
    '"%s" is none',
    (text) => {
      expect(refusal(open(), text)).toMatchObject(CORRUPT)
    },
  )

  it('of the right form but by nobody are not verified', () => {
    expect(refusal(open(), 'a.b.c')).toMatchObject(UNVERIFIED)
  })

  it('of a megabyte are refused at once', () => {
    const megabyte = `${'a'.repeat(1_000_000)}.b.c`
    const started = performance.now()

    expect(refusal(open(), megabyte)).toMatchObject(CORRUPT)
    expect(performance.now() - started).toBeLessThan(250)
  })
})

describe('the memory of verified tokens', () => {
  it('answers with the same claims, which cannot be changed', () => {
    const tokens = open()
    const { token } = tokens.issue({ principal: ann, ttl: WEEK, now })
    const claims = tokens.verify(token, now)

    expect(tokens.verify(token, now)).toBe(claims)
    expect(Object.isFrozen(claims) && Object.isFrozen(claims.owner)).toBe(true)
  })

  it('holds no more than its size, and forgets what was not used for longest', () => {
    const tokens = open(2)
    const [first, second, third] = [1, 2, 3].map(() => tokens.issue({ principal: ann, ttl: WEEK, now }).token)
    const claims = tokens.verify(first!, now)
    const forgotten = tokens.verify(second!, now)
    tokens.verify(first!, now)
    tokens.verify(third!, now)

    expect(tokens.verify(first!, now)).toBe(claims)
    expect(tokens.verify(second!, now)).not.toBe(forgotten)
    expect(tokens.verify(second!, now)).toEqual(forgotten)
  })
})

describe('expires_in', () => {
  it.each([
    [WEEK, 604_800],
    [31_536_000_000, 31_536_000],
    [1000, 1],
    [1499, 1],
    [1500, 2],
  ])('of %i ms is %i seconds', (ttl, seconds) => {
    expect(expiresIn(ttl)).toBe(seconds)
  })

  it('of a token that never expires is read by clients as they read what Usergrid sends', () => {
    expect(expiresIn(null)).toBe(Number('9223372036854775'))
  })
})
