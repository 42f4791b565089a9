import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:net'
import type { Mail } from '@entigrid/core'
import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PASSWORD, sharedServer } from '../support/application.js'
import { es256, type ForgedIssuer, hs256, NONE, newKey, openForgedIssuer } from '../support/forged-issuer.js'
import { linkIn } from '../support/mail-sink.js'
import { beginning, GOAL, newPkce, openShop, PUBLIC, type Shop } from '../support/sign-in-elsewhere.js'

const OPTIONS = { publicUrl: PUBLIC, allowPrivateNetworks: true }
const ALL_AT_ONCE = 50

/** An issuer that tests speak for, configured under a name. */
const configured = async (shop: Shop, name: string, kid?: string): Promise<ForgedIssuer> => {
  const issuer = await openForgedIssuer(kid)
  onTestFinished(() => issuer.close())
  const { status } = await shop.admin.put(`/auth/providers/${name}`, {
    issuer: issuer.issuer,
    clientId: issuer.clientId,
  })
  expect(status).toBe(200)
  return issuer
}

const NONCE = 'the-nonce-of-the-program'

/** Signs somebody in as a device does. */
const withToken = (shop: Shop, name: string, issuer: ForgedIssuer, claims: object) =>
  shop.guest.post(`/auth/${name}`, {
    id_token: issuer.token(issuer.claims({ nonce: NONCE, ...claims })),
    nonce: NONCE,
  })

const verified = (email: string) => ({ email, email_verified: true })

describe.each(DATABASES)('attacks on sign-in with others, on %s', (database) => {
  const shared = sharedServer(database, OPTIONS)
  const open = async () => openShop(await shared.application())

  it('attack 16: who registers the e-mail address of somebody else is put out when its owner signs in', async () => {
    const shop = await open()
    const [first, second] = [await configured(shop, 'first'), await configured(shop, 'second')]
    // The attacker signs in with a provider of his own, and claims the address; his password is another way in.
    const his = await withToken(shop, 'first', first, { sub: 'attacker' })
    const token = his.body.access_token
    const { uuid } = his.body.user
    await shop.admin.put(`/users/${uuid}/password`, { newpassword: PASSWORD })
    const again = await withToken(shop, 'first', first, { sub: 'attacker', jti: '2' })
    const attacker = shop.as(again.body.access_token)
    expect((await attacker.put('/users/me', { email: 'victim@x.test', confirmed: true })).status).toBe(200)
    const phone = (await attacker.post('/users/me/devices', { name: 'phone' })).body.entities[0]
    expect(phone.uuid).toEqual(expect.any(String))

    const victims = await withToken(shop, 'second', second, { sub: 'victim', ...verified('victim@x.test') })

    expect(victims.body.user).toMatchObject({ uuid, email: 'victim@x.test', confirmed: true })
    expect((await attacker.get('/users/me')).status).toBe(401)
    expect((await shop.as(token).get('/users/me')).status).toBe(401)
    expect((await shop.password(his.body.user.username)).status).toBe(400)
    const stranger = await withToken(shop, 'first', first, { sub: 'attacker', jti: '3' })
    expect(stranger.body.user.uuid).not.toBe(uuid)
    const devices = await shop.as(victims.body.access_token).get('/users/me/devices')
    expect(devices.body.entities).toEqual([])
  })

  it('attack 20: of many parallel uses of a code, a state and an ID token, one succeeds', async () => {
    const shop = await open()
    const issuer = await configured(shop, 'google')
    const idToken = issuer.token(issuer.claims({ nonce: NONCE }))
    const parallel = <T>(use: () => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: ALL_AT_ONCE }, use))

    const tokens = await parallel(() => shop.guest.post('/auth/google', { id_token: idToken, nonce: NONCE }))
    expect(tokens.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(new Set(tokens.map(({ body }) => body.error))).toEqual(new Set([undefined, 'invalid_grant']))

    // Nor do several first sign-ins at once make several users of one person.
    const firsts = await parallel(() =>
      withToken(shop, 'google', issuer, { sub: 'new', ...verified('new@x.test'), jti: Math.random() }),
    )
    expect(firsts.filter(({ status }) => status !== 200)).toEqual([])
    expect(new Set(firsts.map(({ body }) => body.user.uuid)).size).toBe(1)

    const pkce = newPkce()
    const started = await shop.guest.get(`/auth/google/start?${new URLSearchParams(beginning(pkce))}`)
    const asked = new URL(started.headers.get('location')!).searchParams
    issuer.answer(() => ({
      access_token: 'a',
      token_type: 'Bearer',
      id_token: issuer.token(issuer.claims({ nonce: asked.get('nonce') })),
    }))
    const back = await parallel(() =>
      fetch(shop.here(shop.address('/auth/google/callback', { code: 'c', state: asked.get('state')! })), {
        redirect: 'manual',
      }),
    )
    const returned = back.filter(({ status }) => status === 302)
    expect([returned.length, back.filter(({ status }) => status === 400).length]).toEqual([
      1,
      ALL_AT_ONCE - 1,
    ])

    const code = new URL(returned[0]!.headers.get('location')!).searchParams.get('code')
    const exchanged = await parallel(() => shop.exchange(code, pkce))
    expect(exchanged.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(new Set(exchanged.map(({ body }) => body.error))).toEqual(new Set([undefined, 'invalid_grant']))
  })
})

describe('attacks on sign-in with others', () => {
  const mails = new EventEmitter<Record<string, [Mail]>>()
  const mailer = { send: async (mail: Mail) => void mails.emit(mail.to, mail) }
  const shared = sharedServer('sqlite', { ...OPTIONS, mailer })
  const open = async () => openShop(await shared.application())

  it('attack 16: who comes into an account by its e-mail address is alone in it', async () => {
    const shop = await open()
    const issuer = await configured(shop, 'google')
    const his = await withToken(shop, 'google', issuer, { sub: 'attacker' })
    await shop.as(his.body.access_token).put('/users/me', { email: 'victim@x.test' })
    const mailed = once(mails, 'victim@x.test')
    await shop.guest.post('/users/resetpw', { email: 'victim@x.test' })
    const [mail] = (await mailed) as [Mail]
    const token = linkIn(mail).searchParams.get('token')
    const path = `/users/${his.body.user.uuid}/resetpw`
    const set = await shop.guest.post(path, { token, password1: PASSWORD, password2: PASSWORD })
    expect(set.status).toBe(200)

    const again = await withToken(shop, 'google', issuer, { sub: 'attacker', jti: '2' })

    expect(again.body.user.uuid).not.toBe(his.body.user.uuid)
    expect((await shop.as(his.body.access_token).get('/users/me')).status).toBe(401)
    expect((await shop.password('victim@x.test')).body.user.uuid).toBe(his.body.user.uuid)
  })

  it('attack 17: an e-mail address that the provider has not verified is nobody’s, with two providers, too', async () => {
    const shop = await open()
    const issuers = [await configured(shop, 'first'), await configured(shop, 'second')] as const
    const { uuid } = await shop.user({ username: 'victim', email: 'victim@x.test', confirmed: true })

    const claimed = [
      await withToken(shop, 'first', issuers[0], { email: 'victim@x.test' }),
      await withToken(shop, 'first', issuers[0], { email: 'victim@x.test', email_verified: false }),
      await withToken(shop, 'first', issuers[0], { email: 'victim@x.test', email_verified: 'yes' }),
      await withToken(shop, 'first', issuers[0], { email: ['victim@x.test'], email_verified: true }),
      await withToken(shop, 'second', issuers[1], { sub: 'attacker', email: 'victim@x.test' }),
      // Letters that lower case takes for others, and an address beside the verified one.
      await withToken(shop, 'first', issuers[0], verified('vıctim@x.test')),
      await withToken(shop, 'second', issuers[1], {
        ...verified('other@x.test'),
        preferred_username: 'victim@x.test',
        emails: ['victim@x.test'],
      }),
    ]
    for (const { status, body } of claimed) {
      expect(status).toBe(200)
      expect(body.user.uuid).not.toBe(uuid)
      expect(body.user.email).not.toBe('victim@x.test')
    }
    // One who has an address of his own cannot change it into another's.
    const his = claimed[6]!.body
    const changed = await shop.as(his.access_token).put('/users/me', { email: 'later@x.test' })
    expect(changed.body.entities[0].confirmed).toBeUndefined()
    const owner = await withToken(shop, 'first', issuers[0], { sub: 'later', ...verified('later@x.test') })
    expect(owner.body.user.uuid).toBe(his.user.uuid)
    expect((await shop.as(his.access_token).get('/users/me')).status).toBe(401)
    // Both sides have verified this one.
    const right = await withToken(shop, 'first', issuers[0], { sub: 'right', ...verified('VICTIM@x.test') })
    expect(right.body.user.uuid).toBe(uuid)
    expect((await shop.password('victim')).status).toBe(200)
  })

  it('attack 17: an address counts as verified only where it stands beside the word that it is', async () => {
    const shop = await open()
    const issuer = await configured(shop, 'google')
    issuer.describes({ userinfo_endpoint: `${issuer.issuer}/userinfo` })
    const { uuid } = await shop.user({ username: 'victim', email: 'victim@x.test', confirmed: true })
    const pkce = newPkce()
    const started = await shop.guest.get(`/auth/google/start?${new URLSearchParams(beginning(pkce))}`)
    const asked = new URL(started.headers.get('location')!).searchParams
    const claims = issuer.claims({ nonce: asked.get('nonce'), sub: 'attacker', email: 'victim@x.test' })
    issuer.answer((form) =>
      form.has('code')
        ? { access_token: 'a', token_type: 'Bearer', id_token: issuer.token(claims) }
        : { sub: 'attacker', email: 'attacker@x.test', email_verified: true },
    )

    const back = await shop.guest.get(
      `/auth/google/callback?${new URLSearchParams({ code: 'c', state: asked.get('state')! })}`,
    )
    const code = new URL(back.headers.get('location')!).searchParams.get('code')
    const { user } = (await shop.exchange(code, pkce)).body

    expect(user).toMatchObject({ email: 'attacker@x.test', confirmed: true })
    expect(user.uuid).not.toBe(uuid)
  })

  it('attack 17: who changes his address into one that only reads the same has to prove it anew', async () => {
    const shop = await open()
    const issuer = await configured(shop, 'google')
    await shop.user({ username: 'eve', email: 'eve@σασ.test', confirmed: true })
    const eve = shop.as((await shop.password('eve')).body.access_token)

    const same = await eve.put('/users/me', { email: 'EVE@σασ.test' })
    const other = await eve.put('/users/me', { email: 'eve@σας.test' })

    expect(same.body.entities[0].confirmed).toBe(true)
    expect(other.body.entities[0].confirmed).toBeUndefined()
    await withToken(shop, 'google', issuer, { sub: 'victim', ...verified('eve@σας.test') })
    expect((await eve.get('/users/me')).status).toBe(401)
  })

  it('attack 18: ID tokens that are not in order are refused, from devices and in browsers', async () => {
    const shop = await open()
    const issuer = await configured(shop, 'google', 'key')
    const other = await configured(shop, 'other', 'key of the other')
    const hour = Math.floor(Date.now() / 1000) + 3600
    const stranger = newKey().privateKey
    const right = issuer.claims({ nonce: NONCE })
    const { sub: _, ...nobody } = right
    const { nonce: __, ...withoutNonce } = right
    /** By what is wrong with it: a token for a nonce, and the error. */
    const forgeries: [string, (claims: object) => string, string?][] = [
      ['alg=none', (claims) => issuer.token(claims, NONE)],
      ['HS256 with the public key', (claims) => issuer.token(claims, hs256(issuer.publicKey, 'key'))],
      ['another key of the same id', (claims) => issuer.token(claims, es256(stranger, 'key'))],
      ['the key id of another provider', (claims) => other.token(claims)],
      ['wrong aud', (claims) => issuer.token({ ...claims, aud: 'another' })],
      ['two aud', (claims) => issuer.token({ ...claims, aud: [issuer.clientId, 'another'] })],
      ['wrong iss', (claims) => issuer.token({ ...claims, iss: other.issuer })],
      ['over', (claims) => issuer.token({ ...claims, exp: hour - 7200, iat: hour - 7500 }), 'expired_token'],
      ['not good yet', (claims) => issuer.token({ ...claims, nbf: hour }), 'expired_token'],
      ['no nonce', () => issuer.token(withoutNonce)],
      ['another nonce', (claims) => issuer.token({ ...claims, nonce: 'another' })],
      ['nobody', ({ nonce }: { nonce?: unknown }) => issuer.token({ ...nobody, nonce })],
      ['an empty sub', (claims) => issuer.token({ ...claims, sub: '' })],
      [
        'the signature of another',
        (claims) => {
          const [head, , signature] = issuer.token(claims).split('.')
          return [head, issuer.token({ ...claims, sub: 'victim' }).split('.')[1], signature].join('.')
        },
      ],
    ]
    /** What the browser gets back when the token endpoint answers so. */
    const returned = async (answerFor: (nonce: string) => object) => {
      const started = await shop.guest.get(`/auth/google/start?${new URLSearchParams(beginning(newPkce()))}`)
      const asked = new URL(started.headers.get('location')!).searchParams
      issuer.answer(() => answerFor(asked.get('nonce')!))
      const params = new URLSearchParams({ code: 'c', state: asked.get('state')! })
      const back = await shop.guest.get(`/auth/google/callback?${params}`)
      return new URL(back.headers.get('location')!).searchParams
    }
    const tokens = { access_token: 'a', token_type: 'Bearer' }

    for (const [what, forge, error = 'auth_unverified_oath'] of forgeries) {
      const { status, body } = await shop.guest.post('/auth/google', { id_token: forge(right), nonce: NONCE })
      expect([what, status, body.error]).toEqual([what, 401, error])
      const goal = await returned((nonce) => ({ ...tokens, id_token: forge({ ...right, nonce }) }))
      expect([what, goal.get('error'), goal.get('code')]).toEqual([what, 'access_denied', null])
    }
    for (const partial of [
      {},
      tokens,
      { ...tokens, id_token: null },
      { ...tokens, id_token: '' },
      { id_token: 'a.b.c' },
    ]) {
      const goal = await returned(() => partial)
      expect([partial, goal.get('error'), goal.get('code')]).toEqual([partial, 'access_denied', null])
    }
    expect((await shop.admin.get('/users')).body.entities).toEqual([])
    const inOrder = (nonce: string) => ({ ...tokens, id_token: issuer.token({ ...right, nonce }) })
    expect((await returned(inOrder)).get('code')).toEqual(expect.any(String))
  })

  it('attack 18: what is no ID token is a bad request, and asks nobody', async () => {
    const shop = await open()
    const issuer = await configured(shop, 'google')
    const bodies = [
      {},
      [],
      { nonce: NONCE },
      { id_token: '', nonce: NONCE },
      { id_token: null, nonce: NONCE },
      { id_token: 'no token', nonce: NONCE },
      { id_token: { $ne: '' }, nonce: NONCE },
      { id_token: ['a.b.c'], nonce: NONCE },
      { id_token: 5, nonce: NONCE },
      { id_token: `a.${'b'.repeat(1_000_000)}.c`, nonce: NONCE },
      { id_token: 'a.b.c' },
      { id_token: 'a.b.c', nonce: '' },
      { id_token: 'a.b.c', nonce: { $ne: '' } },
    ]

    for (const body of bodies) {
      const { status, body: reply } = await shop.guest.post('/auth/google', body)
      expect([body, status, reply.error]).toEqual([body, 400, 'invalid_request'])
    }
    expect(issuer.asked).toEqual([])
  })

  it('attack 19: providers are kept apart under many concurrent sign-ins', async () => {
    const shop = await open()
    // Both call their key the same, so that nothing but the provider tells them apart.
    const [one, two] = [await configured(shop, 'one', 'key'), await configured(shop, 'two', 'key')]
    const tries = Array.from({ length: 100 }, async (_, i) => {
      const [name, issuer] = i % 2 === 0 ? (['one', one] as const) : (['two', two] as const)
      const isRight = i % 4 < 2
      const claims = issuer.claims({ nonce: NONCE, sub: `person-${i}` })
      const idToken = (isRight ? issuer : i % 2 === 0 ? two : one).token(claims)
      const { status, body } = await shop.guest.post(`/auth/${name}`, { id_token: idToken, nonce: NONCE })
      return [status, body.user?.username, isRight ? [200, `${name}_person-${i}`] : [401, undefined]] as const
    })

    for (const [status, username, expected] of await Promise.all(tries))
      expect([status, username]).toEqual(expected)
    for (const { asked } of [one, two])
      expect(asked.filter((path) => path.endsWith('openid-configuration'))).toHaveLength(1)
  })

  it('attack 19: a state of one provider is nothing at another', async () => {
    const shop = await open()
    await configured(shop, 'one')
    const two = await configured(shop, 'two')
    const started = await shop.guest.get(`/auth/one/start?${new URLSearchParams(beginning(newPkce()))}`)
    const state = new URL(started.headers.get('location')!).searchParams.get('state')!

    const back = await fetch(shop.here(shop.address('/auth/two/callback', { code: 'c', state })), {
      redirect: 'manual',
    })

    expect([back.status, two.asked]).toEqual([400, []])
  })

  it('attack 18: an issuer that says nonsense of itself sends nobody anywhere', async () => {
    const shop = await open()
    const issuer = await configured(shop, 'google')
    const nonsense: (string | Record<string, unknown>)[] = [
      'no JSON',
      '',
      '[]',
      { issuer: 'https://another.test' },
      { issuer: null },
      { authorization_endpoint: undefined },
      { authorization_endpoint: 5 },
      { authorization_endpoint: 'nowhere' },
      { authorization_endpoint: 'javascript:alert(1)' },
    ]

    for (const [i, itself] of nonsense.entries()) {
      issuer.describes(itself)
      // What is known of an issuer is known for these settings.
      await shop.admin.put('/auth/providers/google', { issuer: issuer.issuer, clientId: `client${i}` })
      const started = await shop.guest.get(`/auth/google/start?${new URLSearchParams(beginning(newPkce()))}`)
      const goal = new URL(started.headers.get('location')!)
      expect([itself, goal.origin, goal.searchParams.get('error')]).toEqual([
        itself,
        new URL(GOAL).origin,
        'temporarily_unavailable',
      ])
    }
    issuer.describes({})
    await shop.admin.put('/auth/providers/google', { issuer: issuer.issuer, clientId: 'right' })
    const started = await shop.guest.get(`/auth/google/start?${new URLSearchParams(beginning(newPkce()))}`)
    expect(started.headers.get('location')).toMatch(issuer.issuer)
  })

  it('attack 26: no browser is sent to an address that is not registered, with an error neither', async () => {
    const shop = await open()
    await configured(shop, 'google')
    const { client_id: client } = (await shop.admin.get('/credentials')).body.credentials
    const strangers = [
      'https://evil.example/',
      `${GOAL}/`,
      `${GOAL}?more`,
      `${GOAL}#part`,
      GOAL.toUpperCase(),
      `${GOAL}.evil.example`,
      'https://shop.example.org@evil.example/signed-in',
      'https://shop.example.org\\@evil.example/signed-in',
      '//shop.example.org/signed-in',
      `${GOAL}\r\nSet-Cookie: a=b`,
      'javascript:alert(1)//https://shop.example.org/signed-in',
      'http://127.0.0.1:80@evil.example/cb',
      'http://127.0.0.1.evil.example/cb',
      'http://127.0.0.1/cb/..',
      '',
    ]
    const params = { ...beginning(newPkce()), client_id: client, response_type: 'code' }

    for (const redirectUri of strangers)
      for (const below of ['/auth/google/start', '/authorize']) {
        const response = await fetch(
          shop.here(shop.address(below, { ...params, redirect_uri: redirectUri })),
          {
            redirect: 'manual',
            headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
          },
        )
        const page = await response.text()
        expect([redirectUri, response.status, response.headers.get('location')]).toEqual([
          redirectUri,
          400,
          null,
        ])
        expect(page).not.toContain('<form')
      }
    const twice = `${shop.here(shop.address('/authorize', params))}&redirect_uri=https://evil.example/`
    expect((await fetch(twice, { redirect: 'manual' })).status).toBe(400)
  })

  it('attack 26: providers send browsers back to the public address, whatever host was asked', async () => {
    const shop = await open()
    await configured(shop, 'google')

    const started = await fetch(shop.here(shop.address('/auth/google/start', beginning(newPkce()))), {
      redirect: 'manual',
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    })

    const callback = new URL(started.headers.get('location')!).searchParams.get('redirect_uri')
    expect(callback).toBe(`${PUBLIC}${shop.path}/auth/google/callback`)
  })
})

describe('attack 41: discovery', () => {
  const warnings: object[] = []
  const log = {
    info: () => undefined,
    warn: (line: object) => void warnings.push(line),
    error: () => undefined,
  }
  const shared = sharedServer('sqlite', { publicUrl: PUBLIC, log })

  it('connects to no private address', async () => {
    let connections = 0
    const trap = createServer((socket) => {
      connections++
      socket.destroy()
    })
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void trap.close())
    const { port } = trap.address() as { port: number }
    const shop = await openShop(await shared.application())
    const put = (issuer: string) => shop.admin.put('/auth/providers/google', { issuer, clientId: 'c' })

    for (const host of [
      '127.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '2130706433',
      '0177.0.0.1',
      '169.254.169.254',
    ]) {
      const { status, body } = await put(`https://${host}:${port}`)
      expect([host, status, body.error]).toEqual([host, 400, 'illegal_argument'])
    }
    expect((await put(`http://localhost:${port}`)).status).toBe(400)
    // A name is not known to be private before somebody connects.
    expect((await put(`https://localhost:${port}`)).status).toBe(200)
    const native = await shop.guest.post('/auth/google', { id_token: 'a.b.c', nonce: NONCE })
    const browser = await shop.guest.get(`/auth/google/start?${new URLSearchParams(beginning(newPkce()))}`)

    expect([native.status, native.body.error]).toEqual([400, 'invalid_request'])
    expect(native.text).not.toMatch(/localhost|127|address|refused/i)
    expect(new URL(browser.headers.get('location')!).searchParams.get('error')).toBe(
      'temporarily_unavailable',
    )
    expect(connections).toBe(0)
    // Those who run the server are told.
    expect(warnings).toContainEqual(
      expect.objectContaining({ provider: 'google', reason: expect.stringContaining('not public') }),
    )
  })
})
