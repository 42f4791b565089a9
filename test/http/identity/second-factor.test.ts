import { describe, expect, it } from 'vitest'
import { PASSWORD, sharedServer, UUID } from '../../support/application.js'
import { Authenticator } from '../../support/authenticator.js'
import {
  type Account,
  adminAccount,
  Clock,
  ORIGIN,
  PASSKEYS,
  userAccount,
  withPasskey,
  withTotp,
} from '../../support/factors.js'
import { codeAt } from '../../support/totp.js'

const CODE = expect.stringMatching(/^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/)
const TOKEN = expect.stringMatching(/^MmYt/)
const NONE = { totp: null, passkeys: [], recoveryCodes: 0 }
const MINUTE = 60_000

const clock = new Clock()
const server = sharedServer('sqlite', { clock: clock.read, passkeys: PASSKEYS })

const sysadmin = async (): Promise<string> => {
  const { url, owner } = server.server
  const response = await fetch(`${url}/management/token`, {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'password', ...owner }),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

describe.each([
  ['user of an application', async () => userAccount(await server.application())],
  ['administrator', async () => adminAccount(await server.application(), await sysadmin())],
] as const)('the second factor of a %s', (_, open: () => Promise<Account>) => {
  it('is a code of an authenticator app, which counts once it was confirmed', async () => {
    const account = await open()
    const factors = account.factors()

    const begun = await factors.post('/totp')
    expect(begun.body.data).toEqual({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      uri: expect.stringContaining(`secret=${begun.body.data.secret}`),
    })
    expect(begun.headers.get('cache-control')).toBe('no-store')
    expect((await factors.get('')).body.data).toEqual({
      ...NONE,
      totp: { confirmed: false, created: clock.now },
    })
    expect((await account.signIn()).status).toBe(200)
    expect((await factors.post('/totp/confirm', { code: '000000' })).status).toBe(400)

    const { confirmed } = await withTotp(account, clock)

    expect(confirmed.body.data).toEqual({ recoveryCodes: Array(10).fill(CODE) })
    const { status, body } = await account.signIn()
    expect([status, body.error]).toEqual([403, 'second_factor_required'])
    expect(body).toMatchObject({ second_factor_token: TOKEN, factors: ['totp', 'recovery'] })
    expect(body).not.toHaveProperty('access_token')
  })

  it('ends in the sign-in that was asked for', async () => {
    const account = await open()
    const { shows } = await withTotp(account, clock)

    const refused = await account.signIn({ ttl: 5 * MINUTE })
    const { status, body } = await account.go(refused, { code: shows() })

    expect([status, body.expires_in]).toEqual([200, 300])
    expect(body.user.uuid).toBe(account.uuid)
    expect((await account.factors(body.access_token).get('')).status).toBe(200)
  })

  it('may come together with the password', async () => {
    const account = await open()
    const { shows, recoveryCodes } = await withTotp(account, clock)

    expect((await account.signIn({ code: '000000' })).body.error).toBe('invalid_grant')
    expect((await account.signIn({ code: shows() })).status).toBe(200)
    expect((await account.signIn({ recovery_code: recoveryCodes[0] })).status).toBe(200)
    expect((await account.signIn({ recovery_code: recoveryCodes[0] })).status).toBe(400)
  })

  it('is good once, and so is what carries the sign-in on', async () => {
    const account = await open()
    const { shows } = await withTotp(account, clock)
    const [first, second] = [await account.signIn(), await account.signIn()]
    const code = shows()

    expect((await account.go(first, { code })).status).toBe(200)

    expect((await account.go(second, { code })).body.error).toBe('invalid_grant')
    clock.next()
    expect((await account.go(first, { code: shows() })).body.error).toBe('invalid_grant')
    expect((await account.go(second, { code: shows() })).status).toBe(200)
  })

  it('may be a recovery code, however it is typed; new ones replace all others', async () => {
    const account = await open()
    const { recoveryCodes } = await withTotp(account, clock)
    const [first, second] = recoveryCodes as [string, string]

    const typed = ` ${first.toLowerCase().replaceAll('-', ' ')} `
    expect((await account.go(await account.signIn(), { recovery_code: typed })).status).toBe(200)
    expect((await account.go(await account.signIn(), { recovery_code: first })).status).toBe(400)
    expect((await account.factors().get('')).body.data.recoveryCodes).toBe(9)

    const renewed = (await account.factors().post('/recovery-codes')).body.data.recoveryCodes
    expect(renewed).toEqual(Array(10).fill(CODE))
    expect((await account.go(await account.signIn(), { recovery_code: second })).status).toBe(400)
    expect((await account.go(await account.signIn(), { recovery_code: renewed[0] })).status).toBe(200)
  })

  it('may be a passkey, also of a device that did not ask who uses it', async () => {
    const account = await open()
    const key = new Authenticator({ origin: ORIGIN, verifies: false })
    const { added, id } = await withPasskey(account, key)
    expect(added.body.data).toEqual({
      ...{ id, name: 'My phone', created: clock.now, used: null },
      recoveryCodes: Array(10).fill(CODE),
    })

    const refused = await account.signIn()
    expect(refused.body).toMatchObject({
      factors: ['recovery', 'passkey'],
      passkey: { rpId: 'example.org', challenge: expect.any(String), allowCredentials: [{ id }] },
    })
    const passkey = key.get(refused.body.passkey)
    expect((await account.go(refused, { passkey })).status).toBe(200)

    expect((await account.go(refused, { passkey })).body.error).toBe('invalid_grant')
    const [shown] = (await account.factors().get('')).body.data.passkeys
    expect(shown).toEqual({ id, name: 'My phone', created: clock.now, used: clock.now })
  })

  it('is not asked for after a passkey alone, by a device that asked who uses it', async () => {
    const account = await open()
    await withTotp(account, clock)
    const { authenticator } = await withPasskey(account)
    const signIn = async (key: Authenticator) => {
      const { options, token } = (await account.door.post('/auth/passkey/options')).body
      expect(options).toMatchObject({ userVerification: 'required', allowCredentials: [] })
      const grant = { grant_type: 'passkey', token, response: key.get(options) }
      return { grant, ...(await account.door.post('/token', grant)) }
    }

    const { status, body, grant } = await signIn(authenticator)

    expect([status, body.user.uuid]).toEqual([200, account.uuid])
    expect((await account.door.post('/token', grant)).body.error).toBe('invalid_grant')
    const careless = authenticator.copy({ verifies: false })
    expect((await signIn(careless)).body.error).toBe('invalid_grant')
    expect((await signIn(authenticator.copy({ origin: 'https://example.com' }))).status).toBe(400)
  })

  it('is refused from the copy of a passkey that counts', async () => {
    const account = await open()
    const { authenticator } = await withPasskey(account)
    const thief = authenticator.copy()
    const refused = await account.signIn()
    await account.go(refused, { passkey: authenticator.get(refused.body.passkey) })

    const again = await account.signIn()
    expect((await account.go(again, { passkey: thief.get(again.body.passkey) })).status).toBe(400)
  })

  it('is removed by its owner, after a fresh sign-in or with his password', async () => {
    const account = await open()
    await withTotp(account, clock)
    const { id } = await withPasskey(account)
    clock.now += 10 * MINUTE

    expect((await account.factors().delete('/totp')).body.error).toBe('auth_missing_credentials')
    expect((await account.factors().post('/totp')).status).toBe(401)
    expect((await account.factors().post('/passkeys/options')).status).toBe(401)
    expect((await account.factors().post('/recovery-codes')).status).toBe(401)
    const wrong = await account.factors().delete('/totp', { password: 'wrong' })
    expect(wrong.body.error).toBe('auth_invalid_username_or_password')
    const removed = await account.factors().delete('/totp', { password: PASSWORD })
    expect(removed.body.data).toMatchObject({ totp: null, passkeys: [{ id }], recoveryCodes: 10 })
    const last = await account.factors().delete(`/passkeys/${id}`, { password: PASSWORD })

    expect(last.body.data).toEqual(NONE)
    expect((await account.signIn()).status).toBe(200)
    await withTotp(account, clock)
    expect((await account.factors().delete('/totp', { password: PASSWORD })).body.data).toEqual(NONE)
    expect((await account.factors().delete(`/passkeys/${id}`, { password: PASSWORD })).status).toBe(404)
  })

  it('is removed by those who help him when he has lost it, but set up by nobody else', async () => {
    const account = await open()
    await withTotp(account, clock)
    await withPasskey(account)

    expect((await account.helper.get('')).body.data).toMatchObject({ totp: { confirmed: true } })
    for (const path of ['/totp', '/totp/confirm', '/recovery-codes', '/passkeys/options', '/passkeys'])
      expect((await account.helper.post(path, { code: '000000', response: {} })).status).toBe(401)
    expect((await account.helper.delete('')).body.data).toEqual(NONE)

    expect((await account.signIn()).status).toBe(200)
  })

  it('is not there for the next one who goes on where a password was changed since', async () => {
    const account = await open()
    const { shows } = await withTotp(account, clock)
    const refused = await account.signIn()

    const changed = await account.me.put('/password', {
      oldpassword: PASSWORD,
      newpassword: 'another horse',
    })

    expect(changed.status).toBe(200)
    expect((await account.go(refused, { code: shows() })).body.error).toBe('invalid_grant')
  })

  it('is neither set up nor passed with a token that is for something else', async () => {
    const account = await open()
    const { shows } = await withTotp(account, clock)
    const refused = await account.signIn()
    const { token } = (await account.door.post('/auth/passkey/options')).body

    for (const other of [refused.body.second_factor_token, token]) {
      expect((await account.factors(other).get('')).status).toBe(401)
      expect((await account.factors(other).post('/totp')).status).toBe(401)
    }
    const mixed = { body: { second_factor_token: token } } as typeof refused
    expect((await account.go(mixed, { code: shows() })).status).toBe(400)
    expect((await account.go(refused, { code: shows() })).status).toBe(200)
  })

  it('begins again where what was begun is over', async () => {
    const account = await open()
    const { shows } = await withTotp(account, clock)
    const refused = await account.signIn()
    clock.now += 10 * MINUTE

    const { status, body } = await account.go(refused, { code: shows() })

    expect([status, body.error]).toEqual([400, 'invalid_grant'])
    const asked = (await account.factors().post('/passkeys/options', { password: PASSWORD })).body.data
    const offered = (await account.factors().post('/totp', { password: PASSWORD })).body.data
    clock.now += 10 * MINUTE + 1
    const response = new Authenticator({ origin: ORIGIN }).create(asked)
    expect((await account.factors().post('/passkeys', { response })).status).toBe(400)
    const late = { code: codeAt(offered.secret, clock.now) }
    expect((await account.factors().post('/totp/confirm', late)).status).toBe(400)
  })
})

describe('second factors of users', () => {
  it('are asked for after a pin, too', async () => {
    const ann = await userAccount(await server.application())
    await ann.me.put('/setpin', { pin: '271828' })
    const grant = { grant_type: 'pin', username: 'ann', pin: '271828' }
    expect((await ann.door.post('/token', grant)).status).toBe(200)
    const { shows } = await withTotp(ann, clock)

    const refused = await ann.door.post('/token', grant)

    expect(refused.body.error).toBe('second_factor_required')
    expect((await ann.go(refused, { code: shows() })).status).toBe(200)
  })

  it('are not asked for again where a sign-in goes on by its refresh token', async () => {
    const ann = await userAccount(await server.application())
    const { shows } = await withTotp(ann, clock)
    const refused = await ann.signIn({ refresh: true })

    const { refresh_token } = (await ann.go(refused, { code: shows() })).body
    const renewed = await ann.door.post('/token', { grant_type: 'refresh_token', refresh_token })

    expect([renewed.status, renewed.body.user.uuid]).toEqual([200, ann.uuid])
  })

  it('are nobody’s business but theirs', async () => {
    const app = await server.application()
    const ann = await userAccount(app)
    const admin = app.as(app.adminToken, `/${app.organization}/shop`)
    await admin.post('/users', { username: 'bob', password: PASSWORD })
    const bob = (
      await ann.door.post('/token', { grant_type: 'password', username: 'bob', password: PASSWORD })
    ).body.access_token

    for (const ref of [ann.uuid, 'ann', 'nobody'])
      for (const [method, path] of [
        ['GET', ''],
        ['POST', '/totp'],
        ['POST', '/totp/confirm'],
        ['DELETE', ''],
      ] as const) {
        const { status, body } = await ann.factors(bob, ref).send(method, path, undefined)
        expect([method, ref, path, status, body.error]).toEqual([method, ref, path, 401, 'unauthorized'])
      }
    expect((await ann.door.get('/users/ann/factors')).status).toBe(401)
    const stranger = await server.application()
    await admin.put(`/users/${stranger.owner.uuid}`, { username: 'of the same uuid' })
    expect((await ann.factors(stranger.adminToken, stranger.owner.uuid).get('')).status).toBe(401)
  })

  it('are passed in the application that they are asked for in', async () => {
    const app = await server.application()
    const [here, there] = [await userAccount(app, 'here'), await userAccount(app, 'there')]
    const { shows } = await withTotp(here, clock)
    const refused = await here.signIn()

    expect((await there.go(refused, { code: shows() })).body.error).toBe('invalid_grant')
    expect((await here.go(refused, { code: shows() })).status).toBe(200)
  })

  it('cannot be set up with a token that no sign-in of theirs gave', async () => {
    const app = await server.application()
    const ann = await userAccount(app)
    const minted = await app.as(app.adminToken, `/${app.organization}/shop`).get('/users/ann/token')

    const { status } = await ann.factors(minted.body.access_token).post('/totp')

    expect(status).toBe(401)
  })

  it('are not asked for where an administrator of the application takes a token for them', async () => {
    const app = await server.application()
    await withTotp(await userAccount(app), clock)

    const { status, body } = await app.as(app.adminToken, `/${app.organization}/shop`).get('/users/ann/token')

    expect([status, body.user.uuid]).toEqual([200, UUID])
  })

  it('work on the pages that the application names', async () => {
    const app = await server.application()
    const ann = await userAccount(app)
    const admin = app.as(app.adminToken, `/${app.organization}/shop`)
    const origin = 'https://shop.test'
    await admin.put('', { passkeys: { origins: [origin], name: 'The shop' } })
    const key = new Authenticator({ origin })
    await withPasskey(ann, key)

    const refused = await ann.signIn()

    expect(refused.body.passkey.rpId).toBe('shop.test')
    expect((await ann.go(refused, { passkey: key.get(refused.body.passkey) })).status).toBe(200)
  })

  it.each([
    [{ origins: ['http://shop.test'] }],
    [{ origins: ['https://shop.test/path'] }],
    [{ origins: [] }],
    [{ origins: 'https://shop.test' }],
    [{ origins: ['https://shop.test'], rpId: 'example.org' }],
    [{ origins: ['https://evilshop.test'], rpId: 'shop.test' }],
    ['https://shop.test'],
  ])('do not work on pages such as %j', async (passkeys) => {
    const app = await server.application()

    const { status, body } = await app.admin.put('', { passkeys })

    expect([status, body.error]).toEqual([400, 'illegal_argument'])
  })
})

describe('a second factor that is enforced', () => {
  const enforced = async () => {
    const app = await server.application()
    const ann = await userAccount(app)
    await app.as(app.adminToken, `/${app.organization}/shop`).put('', { enforce2fa: true })
    return { app, ann }
  }

  it('acts on the next sign-in, and leaves tokens that are out alone', async () => {
    const { ann } = await enforced()

    const { status, body } = await ann.signIn()

    expect([status, body.error]).toEqual([403, 'second_factor_enrolment_required'])
    expect(body).toMatchObject({ second_factor_token: TOKEN })
    expect((await ann.factors().get('')).status).toBe(200)
  })

  it('ends sign-ins of before with their access tokens', async () => {
    const app = await server.application()
    const ann = await userAccount(app)
    const { refresh_token } = (await ann.signIn({ refresh: true })).body
    const shop = app.as(app.adminToken, `/${app.organization}/shop`)
    const renew = () => ann.door.post('/token', { grant_type: 'refresh_token', refresh_token })

    await shop.put('', { enforce2fa: true })
    const refused = await renew()
    await shop.put('', { enforce2fa: false })

    expect([refused.status, refused.body.error]).toEqual([403, 'second_factor_enrolment_required'])
    expect(refused.body).not.toHaveProperty('second_factor_token')
    expect((await renew()).status).toBe(200)
  })

  it('lets somebody without one set one up, and do nothing else', async () => {
    const { app, ann } = await enforced()
    const token = (await ann.signIn()).body.second_factor_token
    const enrolling = app.as(token, `/${app.organization}/shop`)

    for (const [method, path] of [
      ['GET', '/users/me'],
      ['PUT', '/users/me'],
      ['GET', `/users/${ann.uuid}`],
      ['POST', '/users'],
      ['PUT', '/users/me/revoketokens'],
      ['POST', '/users/me/deactivate'],
      ['GET', '/users/me/token'],
      ['GET', '/notes'],
      ['POST', '/notes'],
    ] as const) {
      const { status } = await enrolling.send(method, path, method === 'GET' ? undefined : {})
      expect([method, path, status]).toEqual([method, path, 401])
    }
    expect((await app.as(token, '/management').get('/users/me')).status).toBe(401)
    expect((await app.as(token, `/${app.organization}/sandbox`).get('/users')).status).toBe(401)
    expect((await ann.factors(token, 'bob').get('')).status).toBe(401)
    expect((await ann.factors(token).post('/devices', {})).status).toBe(404)
    expect((await ann.factors(token).get('')).body.data).toEqual(NONE)
  })

  it('is set up with the sign-in that it holds up', async () => {
    const { ann } = await enforced()
    const refused = await ann.signIn({ ttl: 5 * MINUTE })
    const token = refused.body.second_factor_token

    const { confirmed, shows } = await withTotp(ann, clock, token)

    expect(confirmed.body.data).toMatchObject({
      recoveryCodes: Array(10).fill(CODE),
      signIn: { access_token: expect.any(String), expires_in: 300, user: { uuid: ann.uuid } },
    })
    expect((await ann.factors(token).get('')).status).toBe(401)
    expect((await ann.go(refused, { code: shows() })).status).toBe(400)
    expect((await ann.signIn({ code: shows() })).status).toBe(200)
  })

  it('is set up as a passkey as well', async () => {
    const { ann } = await enforced()
    const token = (await ann.signIn()).body.second_factor_token

    const { added } = await withPasskey(ann, undefined, token)

    expect(added.body.data.signIn.user.uuid).toBe(ann.uuid)
  })

  it('is not set up by whoever knew a password that was changed since, or came second', async () => {
    const { ann } = await enforced()
    const [first, second] = [await ann.signIn(), await ann.signIn()].map(
      ({ body }) => body.second_factor_token as string,
    )
    const offered = (await ann.factors(second).post('/passkeys/options')).body.data
    const response = new Authenticator({ origin: ORIGIN }).create(offered)
    await withTotp(ann, clock, first)

    expect((await ann.factors(second).post('/passkeys', { response })).status).toBe(401)

    await ann.factors().delete('', { password: PASSWORD })
    const third = (await ann.signIn()).body.second_factor_token
    await ann.me.put('/password', { oldpassword: PASSWORD, newpassword: 'another horse' })
    expect((await ann.factors(third).post('/totp')).status).toBe(401)
  })

  it('holds for the members of an organization', async () => {
    const app = await server.application()
    const owner = await adminAccount(app, await sysadmin())
    const path = `/management/orgs/${app.organization}`
    const { organization } = (await app.management.put(path, { settings: { enforce2fa: true } })).body
    expect(organization.settings).toEqual({ enforce2fa: true })

    const refused = await owner.signIn()
    expect([refused.status, refused.body.error]).toEqual([403, 'second_factor_enrolment_required'])
    const token = refused.body.second_factor_token
    const enrolling = app.as(token, '')
    for (const there of [path, '/management/users/me', '/management/users', `/${app.name}/users`])
      expect([there, (await enrolling.get(there)).status]).toEqual([there, 401])
    const { confirmed } = await withTotp(owner, clock, token)

    const signedIn = app.as(confirmed.body.data.signIn.access_token, '')
    expect((await signedIn.get(path)).status).toBe(200)
    await signedIn.put(path, { settings: { enforce2fa: false } })
    await owner.helper.delete('')
    expect((await owner.signIn()).status).toBe(200)
  })

  it('of an organization asks nothing at sign-in of whom strangers have added, but keeps him out', async () => {
    const [app, stranger] = [await server.application(), await server.application()]
    const owner = await adminAccount(app, await sysadmin())
    const path = `/management/orgs/${stranger.organization}`
    const users = `/${stranger.name}/roles/default/permissions`
    await stranger.management.put(path, { settings: { enforce2fa: true } })
    expect((await stranger.management.put(`${path}/users/${app.owner.username}`)).status).toBe(200)

    const signedIn = await owner.signIn()

    expect(signedIn.status).toBe(200)
    const me = app.as(signedIn.body.access_token, '')
    expect((await me.get(`/management/orgs/${app.organization}`)).status).toBe(200)
    for (const there of [path, users]) expect([there, (await me.get(there)).status]).toEqual([there, 401])
    await withTotp(owner, clock, signedIn.body.access_token)
    for (const there of [path, users]) expect([there, (await me.get(there)).status]).toEqual([there, 200])
    await owner.helper.delete('')
    expect((await me.get(path)).status).toBe(401)
    await stranger.as(await sysadmin(), '').put(path, { settings: { enforce2fa: false } })
    expect((await me.get(path)).status).toBe(200)
  })

  it.each([[{ enforce2fa: 'true' }], [{ enforce2fa: 1 }], [{ unknown: true }], [[]], ['yes']])(
    'is not switched by the settings %j',
    async (settings) => {
      const app = await server.application()

      const { status, body } = await app.management.put(`/management/orgs/${app.organization}`, { settings })

      expect([status, body.error]).toEqual([400, 'illegal_argument'])
      expect((await app.admin.put('', { enforce2fa: 'true' })).status).toBe(400)
    },
  )
})

describe('Basic credentials of a system administrator', () => {
  it('are refused once he has a second factor, for they have no room for it', async () => {
    const { owner } = server.server
    const app = await server.application()
    const factors = app.as(await sysadmin(), '/management/users/me/factors')
    const basic = { authorization: `Basic ${btoa(`${owner.username}:${owner.password}`)}` }
    const ask = () => app.as(undefined, '').get('/management/orgs', { headers: basic })
    expect((await ask()).status).toBe(200)
    const { secret } = (await factors.post('/totp')).body.data
    await factors.post('/totp/confirm', { code: codeAt(secret, clock.now) })

    const { status, body } = await ask()

    expect([status, body.error]).toEqual([403, 'second_factor_required'])
    await factors.delete('')
    expect((await ask()).status).toBe(200)
  })
})

describe('second factors in compatibility mode', () => {
  const compatible = sharedServer('memory', {
    compatibility: 'usergrid',
    clock: clock.read,
    passkeys: PASSKEYS,
  })

  it('are set up after a sign-in, asked for, and counted', async () => {
    const ann = await userAccount(await compatible.application())
    const { secret } = (await ann.factors().post('/totp')).body.data
    await ann.factors().post('/totp/confirm', { code: codeAt(secret, clock.now) })
    clock.next()

    for (let i = 0; i < 10; i++) await ann.signIn({ code: '000000' })

    expect((await ann.signIn()).body.error).toBe('second_factor_required')
    expect((await ann.signIn({ code: codeAt(secret, clock.now) })).status).toBe(429)
    clock.now += MINUTE
    expect((await ann.signIn({ code: codeAt(secret, clock.now) })).status).toBe(200)
  })
})
