import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { OWNER, PASSWORD, sharedEngine, tokenClient } from '../support/engine-client.js'

const MAIL_TOKEN = `ZW0t${'A'.repeat(48)}`
const ONCE = 'A'.repeat(43)
/** What comes in place of a body, or of a field of it. */
const ODD: unknown[] = [
  ...['', 'a\0b', '\ud800', 'x'.repeat(100_000)],
  ...[0, -1, 1e308, true, null, [], ['x'], {}],
  // What `String` throws for.
  { toString: 1, valueOf: 1 },
]

/** Method, path below an application or the management plane, and a body that is in order. */
type Endpoint = readonly ['POST' | 'PUT' | 'DELETE' | 'GET', string, object]

const PROOFS = [
  {
    grant_type: 'password',
    username: 'mia',
    password: PASSWORD,
    ttl: 1000,
    scope: 'offline_access',
    code: '1',
  },
  { grant_type: 'pin', username: 'mia', pin: '123456' },
  { grant_type: 'client_credentials', client_id: 'x', client_secret: 'y' },
  { grant_type: 'refresh_token', refresh_token: `cnQt${'A'.repeat(86)}` },
  { grant_type: 'authorization_code', code: ONCE, redirect_uri: 'x', code_verifier: ONCE, client_id: 'x' },
  { grant_type: 'second_factor', second_factor_token: 'MmYtv1.AAAA', code: '1', passkey: { id: 'x' } },
  { grant_type: 'passkey', token: 'MmYtv1.AAAA', response: { id: 'x', response: { userHandle: 'AAAA' } } },
]

const onBothPlanes: Endpoint[] = [
  ...PROOFS.map((proof): Endpoint => ['POST', '/token', proof]),
  ['PUT', '/users/me/password', { oldpassword: PASSWORD, newpassword: 'short' }],
  ['PUT', '/users/me/revoketoken', { token: 'x' }],
  ['DELETE', '/users/me/signins/a%00b', {}],
  ['POST', '/users/me/factors/totp', { password: PASSWORD }],
  ['POST', '/users/me/factors/totp/confirm', { code: '1' }],
  ['POST', '/users/me/factors/recovery-codes', { password: PASSWORD }],
  ['POST', '/users/me/factors/passkeys/options', { password: PASSWORD }],
  ['POST', '/users/me/factors/passkeys', { name: 'x', response: { id: 'x', response: {} } }],
  ['DELETE', '/users/me/factors/passkeys/a%00b', { password: PASSWORD }],
  ['POST', '/users/resetpw', { email: 'mia@x.test' }],
  ['POST', '/users/a%00b/resetpw', { token: MAIL_TOKEN, password1: PASSWORD, password2: PASSWORD }],
  ['GET', `/users/a%00b/confirm?token=${MAIL_TOKEN}`, {}],
  ['POST', '/users/a%00b/reactivate', {}],
  ['POST', '/auth/passkey/options', {}],
  ['PUT', '/auth/redirects', { redirectUris: ['https://x.test'] }],
  [
    'POST',
    '/authorize',
    {
      ...{ response_type: 'code', redirect_uri: 'https://x.test', client_id: 'CLIENT', state: 's' },
      ...{ code_challenge: ONCE, code_challenge_method: 'S256' },
      ...{ username: 'mia', password: PASSWORD, step: ONCE, code: '1' },
    },
  ],
]
const inApplications: Endpoint[] = [
  ['POST', '/users', { username: 'x y', email: 'x', password: PASSWORD, pin: '123456', name: 'x' }],
  ['PUT', '/users/me', { email: 'mia@x.test', name: 'x', confirmed: true, disabled: true, pin: '1' }],
  ['POST', '/users/me/setpin', { pin: '123456' }],
  ['POST', '/users/a%00b/sendpin', {}],
  [
    'PUT',
    '/auth/providers/google',
    { issuer: 'https://x.test', clientId: 'x', clientSecret: 'y', scopes: 'a' },
  ],
  ['PUT', '/auth/providers/a%00b', {}],
  ['POST', '/auth/google', { id_token: 'a.b.c', nonce: 'x' }],
  ['GET', `/auth/google/callback?state=${ONCE}&code=a%00b`, {}],
  ['PUT', '', { enforce2fa: false, passkeys: { origins: ['https://x.test'], rpId: 'x.test', name: 'x' } }],
]
const ofManagement: Endpoint[] = [
  ['POST', '/orgs', { organization: 'x y', username: 'x y', email: 'x', password: PASSWORD, name: 'x' }],
  ['POST', '/users', { username: 'x y', email: 'x', password: PASSWORD, name: 'x' }],
  ['POST', '/orgs/test/users', { email: 'x', username: 'x y', name: 'x', invite: true }],
  ['PUT', '/orgs/test', { settings: { enforce2fa: false }, properties: {} }],
  ['PUT', '/orgs/test/config', { 'usergrid.view.x': 'https://x.test' }],
  ['PUT', '/users/me', { email: 'owner@x.test', name: 'x' }],
]

/** The body itself, and all in which one field is odd. */
const variants = (body: object): unknown[] => [
  body,
  ...ODD,
  ...Object.keys(body).flatMap((field) => ODD.map((odd) => ({ ...body, [field]: odd }))),
]

describe.each(DATABASES)('attack 37 on %s: no body of requests about identity makes a fault', (database) => {
  const server = sharedEngine(database, {
    compatibility: 'usergrid',
    publicUrl: 'https://api.example.test',
    mailer: { send: async () => undefined },
  })

  it.each([
    ['/test/sandbox', 'a guest', [...onBothPlanes, ...inApplications]],
    ['/test/sandbox', 'the owner', [...onBothPlanes, ...inApplications]],
    ['/management', 'the owner', [...onBothPlanes, ...ofManagement]],
  ] as const)('below %s, by %s', async (base, who, endpoints) => {
    const { engine } = server
    const management = tokenClient(engine, '/management')
    await tokenClient(engine, base).system('PUT', '/auth/redirects', { redirectUris: ['https://x.test'] })
    const proof = { grant_type: 'password', ...OWNER }
    const faults: unknown[] = []
    for (const [method, path, body] of endpoints) {
      await management.system('PUT', '/users/owner/password', { newpassword: OWNER.password })
      const { access_token } = (await management.grant(proof)).body
      expect(access_token, `before ${path}`).toEqual(expect.any(String))
      for (const variant of variants(body)) {
        const [below = '', search = ''] = path.split('?')
        const { status, body: text } = await engine.handle({
          ...{ method, path: base + below, search, baseUrl: 'http://x', body: variant as never },
          ...(who === 'a guest' ? {} : { authorization: `Bearer ${access_token}` }),
        })
        if (status >= 500) faults.push([status, method, path, JSON.stringify(variant)?.slice(0, 200), text])
      }
    }
    expect(faults).toEqual([])
  })
})
