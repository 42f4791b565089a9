import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer } from '../../support/application.js'
import { type Issuer, openIssuer } from '../../support/issuer.js'
import { beginning, GOAL, newPkce, openShop, PUBLIC } from '../../support/sign-in-elsewhere.js'

describe('sign-in with an OpenID provider', () => {
  const shared = sharedServer('sqlite', { publicUrl: PUBLIC, allowPrivateNetworks: true })
  let issuer: Issuer
  beforeAll(async () => {
    // What the applications of the tests below are called.
    const applications = Array.from({ length: 20 }, (_, i) => `/org${i + 1}/shop`)
    issuer = await openIssuer(applications.map((path) => `${PUBLIC}${path}/auth/google/callback`))
  })
  afterAll(() => issuer.close())

  /** A shop whose people sign in at `google`. */
  const open = async (settings: object = {}) => {
    const app = await shared.application()
    const shop = await openShop(app)
    const callback = `${PUBLIC}${shop.path}/auth/google/callback`
    const provider = { issuer: issuer.issuer, ...issuer.client, ...settings }
    const configured = await shop.admin.put('/auth/providers/google', provider)
    return { app, shop, callback, provider, configured }
  }

  it('makes a user, and knows him again', async () => {
    const { shop } = await open()
    issuer.person({ sub: 'mia-1', email: 'Mia@x.test', email_verified: true, name: 'Mia' })

    const first = await shop.signIn('google', 'mia-1')

    expect(first).toMatchObject({
      status: 200,
      body: {
        access_token: expect.any(String),
        expires_in: 604_800,
        user: {
          username: 'google_mia-1',
          email: 'Mia@x.test',
          confirmed: true,
          activated: true,
          name: 'Mia',
        },
      },
    })
    const mia = shop.as(first.body.access_token)
    expect((await mia.get('/users/me')).body.entities[0].uuid).toBe(first.body.user.uuid)
    const again = await shop.signIn('google', 'mia-1')
    expect(again.body.user.uuid).toBe(first.body.user.uuid)
    expect((await mia.get('/users/me/signins')).body.data).toHaveLength(2)
  })

  it('links a user whose e-mail address is confirmed on both sides, and leaves his password', async () => {
    const { shop } = await open()
    const { uuid } = await shop.user({ username: 'mia', email: 'mia@x.test', confirmed: true })
    issuer.person({ sub: 'mia-1', email: 'MIA@x.test', email_verified: true })

    const linked = await shop.signIn('google', 'mia-1')

    expect(linked.body.user).toMatchObject({ uuid, username: 'mia', email: 'mia@x.test' })
    expect((await shop.password('mia')).status).toBe(200)
  })

  it('is as any other sign-in: a lifetime, a refresh token, a second factor, users who are switched off', async () => {
    const { shop } = await open()
    issuer.person({ sub: 'mia-1' })
    const pkce = newPkce()
    const visit = async () =>
      (await shop.visit('google', 'mia-1', beginning(pkce))).url.searchParams.get('code')

    const refreshed = await shop.exchange(await visit(), pkce, { ttl: 60_000, refresh: true })
    expect(refreshed.body).toMatchObject({ expires_in: 60, refresh_token: expect.any(String) })
    const { uuid } = refreshed.body.user
    await shop.admin.put('', { enforce2fa: true })
    expect((await shop.exchange(await visit(), pkce)).body.error).toBe('second_factor_enrolment_required')
    await shop.admin.put(`/users/${uuid}`, { disabled: true })
    expect((await shop.exchange(await visit(), pkce)).body).toMatchObject({
      error: 'invalid_grant',
      error_description: 'user disabled',
    })
  })

  it('makes nobody where nobody may sign up, and tells the program', async () => {
    const { shop, provider } = await open({ signUp: false })
    issuer.person({ sub: 'mia-1', email: 'mia@x.test', email_verified: true })
    const answer = async (person = 'mia-1') =>
      Object.fromEntries((await shop.visit('google', person)).url.searchParams)

    expect(await answer()).toEqual({
      error: 'access_denied',
      error_description: 'There is no account for you here',
      state: 'the state of the program',
    })
    await shop.admin.put('/auth/providers/google', { ...provider, signUp: true })
    await shop.admin.put('', { allow_open_registration: false })
    expect(await answer()).toMatchObject({ error: 'access_denied' })
    await shop.admin.put('', { allow_open_registration: true })
    expect(await answer('stranger')).toMatchObject({ error: 'access_denied' })
    expect((await shop.admin.get('/users')).body.entities).toEqual([])
    expect(await answer()).toMatchObject({ code: expect.any(String), state: 'the state of the program' })
  })

  it('counts as the confirmation that an application asks for, not as its approval', async () => {
    const { shop } = await open()
    await shop.admin.put('', { registration_requires_email_confirmation: true })
    await shop.admin.post('/roles/guest/permissions', { permission: 'post:/users' })
    const waiting = { username: 'mia', email: 'mia@x.test', password: PASSWORD }
    const { uuid } = (await shop.guest.post('/users', waiting)).body.entities[0]
    issuer.person({ sub: 'mia-1', email: 'mia@x.test', email_verified: true })
    issuer.person({ sub: 'ann-1', email: 'ann@x.test', email_verified: true })
    issuer.person({ sub: 'eve-1', email: 'eve@x.test', email_verified: true })
    issuer.person({ sub: 'bob-1' })

    const mia = await shop.signIn('google', 'mia-1')
    expect(mia.body.user).toMatchObject({ uuid, confirmed: true, activated: true })
    expect((await shop.password('mia')).status).toBe(400)
    expect((await shop.signIn('google', 'ann-1')).body.user).toMatchObject({
      confirmed: true,
      activated: true,
    })
    const bob = await shop.visit('google', 'bob-1')
    expect(bob.url.searchParams.get('error_description')).toBe(
      'An e-mail address is required, to be confirmed',
    )
    await shop.admin.put('', { registration_requires_admin_approval: true })
    expect((await shop.signIn('google', 'eve-1')).body.error_description).toBe('user not activated')
  })

  it('exchanges a code for who began it, at the same address, in the same application', async () => {
    const { app, shop } = await open()
    const other = await openShop(app, 'other')
    issuer.person({ sub: 'mia-1' })
    const pkce = newPkce()
    const code = async () =>
      (await shop.visit('google', 'mia-1', beginning(pkce))).url.searchParams.get('code')
    const refused = { status: 400, body: { error: 'invalid_grant' } }

    expect(await shop.exchange(await code(), newPkce())).toMatchObject(refused)
    expect(await shop.exchange(await code(), pkce, { redirect_uri: `${GOAL}/` })).toMatchObject(refused)
    expect(await other.exchange(await code(), pkce)).toMatchObject(refused)
    const lost = await code()
    expect((await shop.exchange(lost, newPkce())).status).toBe(400)
    expect(await shop.exchange(lost, pkce)).toMatchObject(refused)
    expect(await shop.exchange(null, pkce)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect((await shop.exchange(await code(), pkce)).status).toBe(200)
  })

  it('sends no browser to a provider without a challenge of S256', async () => {
    const { shop } = await open()
    const { code_challenge: challenge, ...rest } = beginning(newPkce())
    const wrong = [
      rest,
      { ...rest, code_challenge: challenge!, code_challenge_method: 'plain' },
      { ...rest, code_challenge: 'short' },
    ]

    for (const params of wrong) {
      const { url } = await shop.visit('google', 'mia-1', params)
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        error: 'invalid_request',
        state: 'the state of the program',
      })
    }
    expect((await shop.visit('nobody', 'mia-1')).status).toBe(400)
  })

  it('is configured by administrators, who are not told the secret', async () => {
    const { shop, configured, provider, callback } = await open({ scopes: 'email' })
    const shown = {
      name: 'google',
      issuer: provider.issuer,
      clientId: provider.clientId,
      hasSecret: true,
      scopes: ['openid', 'email'],
      signUp: true,
      callback,
    }
    await shop.user({ username: 'mia' })
    const mia = shop.as((await shop.password('mia')).body.access_token)

    expect([configured.status, configured.body.data]).toEqual([200, shown])
    expect((await shop.admin.get('/auth/providers')).body.data).toEqual([shown])
    expect((await shop.admin.get('/auth/providers/GOOGLE')).body.data).toEqual(shown)
    for (const caller of [shop.guest, mia]) {
      expect((await caller.get('/auth/providers')).status).toBe(401)
      expect((await caller.put('/auth/providers/google', provider)).status).toBe(401)
      expect((await caller.delete('/auth/providers/google')).status).toBe(401)
      expect((await caller.get('/auth/redirects')).status).toBe(401)
      expect((await caller.put('/auth/redirects', { redirectUris: [] })).status).toBe(401)
    }
    expect((await shop.admin.get('/auth/redirects')).body.data.redirectUris).toContain(GOAL)
    expect((await shop.admin.delete('/auth/providers/google')).status).toBe(200)
    expect((await shop.admin.delete('/auth/providers/google')).status).toBe(404)
    expect((await shop.guest.post('/auth/google', { id_token: 'a.b.c', nonce: 'n' })).body).toMatchObject({
      error: 'invalid_request',
      error_description: 'Signing in with google is not configured',
    })
  })

  it('refuses providers and addresses that make no sense', async () => {
    const { shop, provider } = await open()
    const names = ['facebook', 'Providers', 'redirects', 'passkey', 'a b', 'ä', '-a', 'a'.repeat(41)]
    const issuers = [
      undefined,
      null,
      5,
      '',
      'nowhere',
      'ftp://x.test',
      'https://x.test/?a=b',
      'https://x.test/?',
      'https://x.test/#',
      'https://user:secret@x.test/',
      'https://x.test/.well-known/openid-configuration',
      `https://x.test/${'a'.repeat(500)}`,
    ]
    const others = [
      { clientId: undefined },
      { clientId: '' },
      { clientId: { $ne: '' } },
      { clientSecret: 5 },
      { clientSecret: '' },
      { scopes: 5 },
      { scopes: ['a b'] },
      { scopes: Array.from({ length: 21 }, (_, i) => `s${i}`) },
      { signUp: 'no' },
    ]
    const bad = [...issuers.map((issuer) => ({ issuer })), ...others]
    const redirects = [
      'x',
      'http://x.test/',
      'https://x.test/#a',
      'https://a@x.test/',
      'javascript:alert(1)',
      'myapp:/cb',
      5,
    ]

    for (const name of names)
      expect([
        name,
        (await shop.admin.put(`/auth/providers/${encodeURIComponent(name)}`, provider)).status,
      ]).toEqual([name, 400])
    for (const more of bad) {
      const { status, body } = await shop.admin.put('/auth/providers/new', { ...provider, ...more })
      expect([more, status, body.error]).toEqual([more, 400, 'illegal_argument'])
    }
    for (const body of [[], undefined])
      expect((await shop.admin.put('/auth/providers/new', body)).status).toBe(400)
    for (const uri of redirects)
      expect([uri, (await shop.admin.put('/auth/redirects', { redirectUris: [uri] })).status]).toEqual([
        uri,
        400,
      ])
    expect((await shop.admin.put('/auth/redirects', { redirectUris: 'https://x.test/' })).status).toBe(400)
    expect((await shop.admin.get('/auth/providers')).body.data).toHaveLength(1)
    const right = ['https://x.test/cb', 'http://localhost:3000/cb', 'org.example.shop:/cb']
    expect((await shop.admin.put('/auth/redirects', { redirectUris: right })).body.data.redirectUris).toEqual(
      right,
    )
  })

  it.each([
    ['facebook', 'fb_access_token'],
    ['foursquare', 'fq_access_token'],
    ['pingident', 'ping_access_token'],
  ])('is not offered at %s, to those who may ask', async (name, field) => {
    const app = await shared.application()
    const { guest, admin } = await openShop(app)
    const missing = {
      status: 400,
      body: { error: 'invalid_request', error_description: 'missing access token' },
    }
    const unknown = { status: 400, body: { error: 'invalid_request' } }

    expect((await guest.get(`/auth/${name}?${field}=t`)).body.error).toBe('unauthorized')
    expect((await guest.post(`/auth/${name}`, { [field]: 't' })).body.error).toBe('unauthorized')
    expect(await app.get(`/auth/${name}`)).toMatchObject(missing)
    expect(await app.post(`/auth/${name}`, { [field]: '' })).toMatchObject(missing)
    expect(await app.get(`/auth/${name}?${field}=t`)).toMatchObject(unknown)
    expect(await app.post(`/auth/${name}`, { [field]: 't' })).toMatchObject(unknown)
    const why = await admin.get(`/_access?user=guest&method=GET&path=/auth/${name}`)
    expect(why.body.data).toMatchObject({ allowed: false, rights: [{ needs: `get:/auth/${name}` }] })
    await admin.post('/roles/guest/permissions', { permission: `get:/auth/${name}` })
    expect(await guest.get(`/auth/${name}`)).toMatchObject(missing)
  })
})
