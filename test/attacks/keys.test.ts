import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, sign, verify } from 'node:crypto'
import { type EngineOptions, openEngine } from '@entigrid/core'
import { openTestDatabase } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { OWNER, PASSWORD, sharedEngine, tokenClient } from '../support/engine-client.js'

const WEEK = 604_800_000
const MINUTE = 60_000
const UNVERIFIED = [401, 'auth_unverified_oath']

type Client = ReturnType<typeof tokenClient>
type Jwk = JsonWebKey & { kid: string; alg: string }

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (token: string): { header: Record<string, unknown>; payload: object } => {
  const [header, payload] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  return { header, payload }
}
const signIn = async ({ grant }: Client, username: string, more: object = {}): Promise<string> =>
  (await grant({ grant_type: 'password', username, password: PASSWORD, ...more })).body.access_token
const read = async ({ as }: Client, token: string) => {
  const { status, body } = await as(token, 'GET', '/users/me')
  return [status, body.error]
}
const GOOD = [200, undefined]
const published = async ({ ask }: Client): Promise<Jwk[]> =>
  (await ask({ method: 'GET', path: '/.well-known/jwks.json' })).body.keys

describe.each(['ES256', 'RS256'] as const)('attack 18: our own tokens, signed with %s', (algorithm) => {
  const server = sharedEngine('memory', { signing: { algorithm } })

  it('others verify them by the published key, which is only the public part', async () => {
    const { client } = server
    const token = await signIn(client, await server.newUser())
    const { header } = decode(token)

    const { status, headers, body } = await client.ask({ method: 'GET', path: '/.well-known/jwks.json' })

    expect([status, headers['Cache-Control']]).toEqual([200, 'public, max-age=300'])
    const jwk = body.keys.find(({ kid }: Jwk) => kid === header.kid)
    expect(Object.keys(jwk).sort()).toEqual(
      (algorithm === 'ES256'
        ? ['kty', 'x', 'y', 'crv', 'kid', 'alg', 'use']
        : ['kty', 'n', 'e', 'kid', 'alg', 'use']
      ).sort(),
    )
    expect([header.alg, jwk.alg, jwk.use]).toEqual([algorithm, algorithm, 'sig'])
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
    const [, text = '', signature = ''] = /^(.+)\.(.+)$/.exec(token) ?? []
    expect(verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(await read(client, token)).toEqual(GOOD)
  })

  it('refuses no algorithm, another one, the public key as a secret, and strange keys', async () => {
    const { client } = server
    const token = await signIn(client, await server.newUser())
    const { header, payload } = decode(token)
    const [, body] = token.split('.')
    const [jwk] = await published(client)
    const key = createPublicKey({ key: jwk!, format: 'jwk' })
    const secrets = [
      key.export({ format: 'pem', type: 'spki' }),
      key.export({ format: 'der', type: 'spki' }),
      JSON.stringify(jwk),
    ]
    const strange = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const bySecret = (head: object, secret: string | Buffer) => {
      const text = `${encode(head)}.${body}`
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
    }
    const byKey = (head: object, claims = body) => {
      const text = `${encode(head)}.${claims}`
      return `${text}.${sign('sha256', Buffer.from(text), { key: strange, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    }

    const forged = [
      `${encode({ ...header, alg: 'none' })}.${body}.`,
      `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
      ...secrets.flatMap((secret) => [
        bySecret({ ...header, alg: 'HS256' }, secret),
        bySecret({ alg: 'HS256', typ: 'JWT' }, secret),
        bySecret({ typ: 'JWT', alg: 'HS256' }, secret),
      ]),
      byKey({ ...header, alg: 'ES256' }),
      byKey({ alg: 'ES256', typ: 'JWT' }),
      byKey({ ...header, alg: 'ES256', kid: '0190c7a1-7b3e-7c44-9d2a-0000000000a1' }),
      byKey({ ...header, alg: 'ES256', kid: 'keys' }),
      byKey({ ...header, alg: 'ES256', kid: { $ne: '' } }),
      byKey({ ...header, alg: 'ES256', jwk: strange.export({ format: 'jwk' }) }),
      token.replace(`.${body}.`, `.${encode({ ...payload, sub: OWNER.username })}.`),
      `bm9uc2Vuc2U.${body}.${token.split('.')[2]}`,
    ]
    for (const text of forged) expect([text, ...(await read(client, text))]).toEqual([text, ...UNVERIFIED])
    expect(await read(client, token)).toEqual(GOOD)
  })
})

describe('keys that sign tokens', () => {
  const server = sharedEngine('memory', { signing: { algorithm: 'ES256' } })

  it('stay, once they have a successor, until the last token that they signed is over', async () => {
    const { client, engine, time } = server
    const username = await server.newUser()
    const old = await signIn(client, username)
    const kid = await engine.rotateKeys()
    const young = await signIn(client, username)
    const kids = async () => (await published(client)).map((key) => key.kid)

    expect([decode(young).header.kid, (await kids())[0]]).toEqual([kid, kid])
    expect(await kids()).toContain(decode(old).header.kid)
    expect([await read(client, old), await read(client, young)]).toEqual([GOOD, GOOD])
    time.now += WEEK + MINUTE
    expect(await kids()).not.toContain(decode(old).header.kid)
    expect(await read(client, old)).toEqual(UNVERIFIED)
    expect(await read(client, young)).toEqual([401, 'expired_token'])
  })

  it('stay longer where tokens live longer, and for ever where they never end', async () => {
    const { client, engine, time } = server
    const username = await server.newUser()
    const signedFor = async (accesstokenttl: number) => {
      await client.system('PUT', '', { accesstokenttl })
      const token = await signIn(client, username)
      await engine.rotateKeys()
      return token
    }
    const [month, endless] = [await signedFor(4 * WEEK), await signedFor(0)]

    time.now += 4 * WEEK - 1
    expect([await read(client, month), await read(client, endless)]).toEqual([GOOD, GOOD])
    time.now += 100 * WEEK
    await engine.rotateKeys()
    expect([await read(client, month), await read(client, endless)]).toEqual([UNVERIFIED, GOOD])
    await client.system('PUT', '', { accesstokenttl: null })
  })

  it('are forgotten at once when that is asked for, with all tokens that they signed', async () => {
    const { client, engine } = server
    const username = await server.newUser()
    const token = await signIn(client, username)
    expect(await read(client, token)).toEqual(GOOD)

    const kid = await engine.rotateKeys({ forgetting: true })

    expect(await read(client, token)).toEqual(UNVERIFIED)
    expect((await published(client)).map((key) => key.kid)).toEqual([kid])
    expect(await read(client, await signIn(client, username))).toEqual(GOOD)
  })
})

describe('keys of an installation', () => {
  const secret = 'a secret for several processes, long enough'
  const passwordCost = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
  const opener = (place: Awaited<ReturnType<typeof openTestDatabase>>) => (options: Partial<EngineOptions>) =>
    openEngine({ database: place.url, ...place.options, secret, passwordCost, ...options })
  const management = (engine: Awaited<ReturnType<typeof openEngine>>) => tokenClient(engine, '/management')
  const owner = { password: OWNER.password }

  it('are the same for two processes, which learn of new ones at once', async () => {
    await using place = await openTestDatabase('postgres')
    const open = opener(place)
    const signing = { algorithm: 'ES256' } as const
    const [one, two] = [await open({ signing }), await open({ signing })]
    await one.bootstrap(OWNER)

    const first = await Promise.all(
      [one, two, one, two].map((engine) => signIn(management(engine), 'owner', owner)),
    )
    expect(new Set(first.map((token) => decode(token).header.kid)).size).toBe(1)
    await one.rotateKeys()
    const second = await signIn(management(one), 'owner', owner)

    expect((await management(two).as(second, 'GET', '/me')).status).toBe(200)
    expect((await management(two).as(first[0]!, 'GET', '/me')).status).toBe(200)
    await Promise.all([one.close(), two.close()])
  })

  it('may change to another algorithm and back, which signs nobody out', async () => {
    await using place = await openTestDatabase('sqlite')
    const open = opener(place)
    const tokens: string[] = []
    for (const algorithm of ['HS256', 'ES256', 'RS256', 'HS256'] as const) {
      const engine = await open({ signing: { algorithm } })
      await engine.bootstrap(OWNER)
      tokens.push(await signIn(management(engine), 'owner', owner))

      for (const token of tokens) expect((await management(engine).as(token, 'GET', '/me')).status).toBe(200)
      expect((await published(management(engine))).map(({ alg }) => alg)).toEqual(
        { HS256: tokens.length === 1 ? [] : ['RS256', 'ES256'], ES256: ['ES256'], RS256: ['RS256', 'ES256'] }[
          algorithm
        ],
      )
      await engine.close()
    }
    expect(tokens.map((token) => decode(token).header.alg)).toEqual(['HS256', 'ES256', 'RS256', 'HS256'])
  })

  it('are stored sealed: with another secret there are new ones', async () => {
    await using place = await openTestDatabase('sqlite')
    const open = opener(place)
    const signing = { algorithm: 'ES256' } as const
    const one = await open({ signing })
    await one.bootstrap(OWNER)
    const token = await signIn(management(one), 'owner', owner)
    await one.close()

    const two = await open({ signing, secret: 'another secret of the same length as that' })
    const other = await signIn(management(two), 'owner', owner)

    expect(decode(other).header.kid).not.toBe(decode(token).header.kid)
    expect((await management(two).as(other, 'GET', '/me')).status).toBe(200)
    await two.close()
  })

  it('cannot be rotated where the secret signs', async () => {
    await using place = await openTestDatabase('memory')
    const engine = await opener(place)({})

    await expect(engine.rotateKeys()).rejects.toThrow('There is no key to rotate')
    await engine.close()
  })
})
