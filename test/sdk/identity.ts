import {
  AuthenticationError,
  type FactorList,
  SecondFactorEnrolmentRequired,
  SecondFactorRequired,
} from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { Authenticator } from '../support/authenticator.js'
import { postForm } from '../support/pages.js'
import { codeAt } from '../support/totp.js'
import { type OpenTarget, open, type SuiteClient } from './target.js'

const password = 'correct horse battery'
const ann = { username: 'ann', email: 'ann@example.org', password }
const secret = { username: 'ann', password }
const HALF_MINUTE = 30_000

const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error,
  )

/** Makes the access token look over. */
const age = (client: SuiteClient): void => {
  client.tokens = { ...client.tokens, expiresAt: 0 }
}

export const identitySuite = (name: string, openTarget: OpenTarget): void => {
  /** Ann, who has signed up and in, and a program of the application. */
  const withAnn = async () => {
    const opened = await open(openTarget)
    const { clientId, clientSecret } = opened.target
    const { uuid } = await opened.client.signUp({ ...ann, city: 'Oslo' })
    await opened.client.signIn({ ...secret, refresh: true })
    return { ...opened, uuid, program: opened.target.client({ clientId, clientSecret }) }
  }

  describe(`whoever is signed in, ${name}`, () => {
    it('stays so beyond the life of a token, until he signs out', async () => {
      await using app = await withAnn()
      const first = app.client.tokens
      age(app.client)

      const read = await Promise.all(Array.from({ length: 5 }, () => app.client.me()))
      const second = app.client.tokens
      await app.client.signOut()

      expect(new Set(read.map(({ uuid, city }) => `${uuid} ${city}`))).toEqual(new Set([`${app.uuid} Oslo`]))
      expect(second.refreshToken).not.toBe(first.refreshToken)
      expect(app.client.tokens).toEqual({})
      const changes: unknown[] = []
      const thief = app.target.client({ ...second, onTokenChange: (token) => changes.push(token) })
      await expect(thief.me()).rejects.toMatchObject({ name: 'AuthenticationError', code: 'invalid_grant' })
      expect(thief.tokens).toEqual({})
      expect(changes).toEqual([undefined])
    })

    it('sees where else he is, and ends that, or all of it with a new password', async () => {
      await using app = await withAnn()
      const [phone, tablet] = [app.target.client(), app.target.client()]
      await phone.signIn(secret)
      await tablet.signIn(secret)

      const signIns = await app.client.signIns()
      const others = signIns.filter(({ current }) => !current)
      const { id } = (await phone.signIns()).find(({ current }) => current)!
      await app.client.endSignIn(id)

      expect([signIns.length, others.length]).toEqual([3, 2])
      expect(others.map((other) => other.id)).toContain(id)
      await expect(phone.me()).rejects.toBeInstanceOf(AuthenticationError)
      await tablet.me()
      await expect(app.client.changePassword('guess', 'another correct horse')).rejects.toMatchObject({
        code: 'auth_invalid_username_or_password',
      })
      await app.client.changePassword(password, 'another correct horse')
      await expect(tablet.me()).rejects.toBeInstanceOf(AuthenticationError)
      await app.client.me()
      await tablet.signIn({ ...secret, password: 'another correct horse' })
    })

    it('may have signed in on a page of the server', async () => {
      await using app = await withAnn()
      const redirectUri = 'https://shop.example.org/back'
      await app.program.request('PUT', '/auth/redirects', { body: { redirectUris: [redirectUri] } })
      const client = app.target.client()

      const pending = await client.signInOnPage({ redirectUri, clientId: app.target.clientId })
      const page = await postForm(pending.url, secret)
      const back = page.headers.get('location')!
      const forged = await failure(client.exchangeCode(back.replace(pending.state, 'x'), pending))
      const signedIn = await client.exchangeCode(back, pending, { refresh: true })

      expect(forged).toMatchObject({ name: 'AuthenticationError', code: 'state_mismatch' })
      expect(signedIn).toMatchObject({ uuid: app.uuid })
      expect(client.tokens.refreshToken).toBeDefined()
      await expect(client.exchangeCode(back, pending)).rejects.toMatchObject({ code: 'invalid_grant' })
      await expect(
        client.exchangeCode(`${redirectUri}?error=access_denied&state=${pending.state}`, pending),
      ).rejects.toMatchObject({ code: 'access_denied' })
    })

    it('gets a new password by mail', async () => {
      await using app = await withAnn()

      await app.client.requestPasswordReset('nobody@example.org')
      await app.client.requestPasswordReset(ann.email)
      const { pathname, searchParams } = await app.target.linkTo(ann.email)
      const [user, token] = [pathname.split('/').at(-2)!, searchParams.get('token')!]
      await app.client.resetPassword(user, token, 'another correct horse')

      expect(user).toBe(app.uuid)
      await app.target.client().signIn({ ...secret, password: 'another correct horse' })
      await expect(app.client.resetPassword(user, token, 'a third correct horse')).rejects.toThrow()
    })
  })

  describe(`a second factor, ${name}`, () => {
    /** Sets up an authenticator app; codes of the next half minute, as each is good once. */
    const withTotp = async ({ client }: Awaited<ReturnType<typeof withAnn>>) => {
      const { secret, uri } = await client.factors.addTotp({ password })
      const { recoveryCodes } = await client.factors.confirmTotp(codeAt(secret, Date.now()))
      return { uri, recoveryCodes, code: () => codeAt(secret, Date.now() + HALF_MINUTE) }
    }

    it('is asked for after the password, and may be given with it', async () => {
      await using app = await withAnn()
      const { recoveryCodes, code, uri } = await withTotp(app)
      const client = app.target.client()

      const error = (await failure(client.signIn(secret))) as SecondFactorRequired
      const wrong = await failure(error.complete({ code: '000000' }))
      const signedIn = await error.complete({ recoveryCode: recoveryCodes[0]! })

      expect(error).toBeInstanceOf(SecondFactorRequired)
      expect(error).toMatchObject({ code: 'second_factor_required', factors: ['totp', 'recovery'] })
      expect(wrong).toBeInstanceOf(AuthenticationError)
      expect(signedIn).toMatchObject({ uuid: app.uuid })
      expect(await client.me()).toMatchObject({ username: 'ann' })
      expect(uri).toMatch(/^otpauth:/)
      await app.target.client().signIn({ ...secret, code: code() })
    })

    it('can be seen and removed, by who has it or who helps him', async () => {
      await using app = await withAnn()
      const { recoveryCodes } = await withTotp(app)
      const { factors } = app.client

      const fresh = await factors.newRecoveryCodes()
      const seen = await app.program.factorsOf(ann.username).list()
      await app.program.factorsOf('ann').removeAll()

      expect(fresh).toHaveLength(10)
      expect(fresh).not.toContain(recoveryCodes[0])
      expect(seen).toMatchObject({ totp: { confirmed: true }, recoveryCodes: 10, passkeys: [] })
      expect(await factors.list()).toEqual({
        totp: null,
        recoveryCodes: 0,
        passkeys: [],
      } satisfies FactorList)
      await app.target.client().signIn(secret)
    })

    it('is set up before anything else where it must be', async () => {
      await using app = await withAnn()
      await app.program.request('PUT', '', { body: { enforce2fa: true } })
      const client = app.target.client()

      const error = (await failure(
        client.signIn({ ...secret, refresh: true }),
      )) as SecondFactorEnrolmentRequired
      const { secret: seed } = await error.factors.addTotp()
      const { recoveryCodes } = await error.factors.confirmTotp(codeAt(seed, Date.now()))

      expect(error).toBeInstanceOf(SecondFactorEnrolmentRequired)
      expect(recoveryCodes).toHaveLength(10)
      expect(await client.me()).toMatchObject({ username: 'ann' })
      expect(client.tokens.refreshToken).toBeDefined()
    })

    it('may be a passkey, which also signs in alone', async () => {
      await using app = await withAnn()
      const origin = 'https://shop.example.org'
      const authenticator = new Authenticator({ origin })
      await app.program.request('PUT', '', { body: { passkeys: { origins: [origin] } } })
      const client = app.target.client()

      const passkey = await app.client.factors.addPasskey('My phone', (options) =>
        authenticator.create(options),
      )
      const alone = await client.signInWithPasskey((options) => authenticator.get(options))
      const error = (await failure(app.target.client().signIn(secret))) as SecondFactorRequired
      const second = await error.complete({ passkey: (options) => authenticator.get(options) })

      expect(passkey).toMatchObject({ name: 'My phone', recoveryCodes: expect.any(Array) })
      expect([alone, second]).toMatchObject([{ uuid: app.uuid }, { uuid: app.uuid }])
      expect(error.factors).toEqual(['recovery', 'passkey'])
      expect(await client.factors.removePasskey(passkey.id)).toMatchObject({ passkeys: [] })
    })
  })

  describe(`groups and roles, ${name}`, () => {
    it('say who belongs together and what they may do', async () => {
      await using app = await withAnn()
      const { groups, roles } = app.program
      const user = { collection: 'users', ref: 'ann' }
      const mayChange = () => app.program.can('put', '/users/bob/permissions')
      const annMay = async () =>
        (await app.program.explain('put', '/users/bob/permissions', { user: 'ann' })).allowed

      const web = await groups.create({ path: 'eng/web', title: 'Web team' })
      await groups.addMember('eng/web', 'ann')
      await roles.create({ name: 'clerk' })
      const before = await annMay()
      const granted = await roles.grant('clerk', ['put:/users/*/permissions', 'get:/bills'])
      await roles.assign('clerk', web)

      expect([before, await annMay(), await mayChange()]).toEqual([false, true, true])
      expect(granted.sort()).toEqual(['get:/bills', 'put:/users/*/permissions'])
      expect((await groups.members(web)).entities).toMatchObject([{ username: 'ann', city: 'Oslo' }])
      expect((await groups.of('ann')).entities).toMatchObject([{ path: 'eng/web', title: 'Web team' }])
      expect([await roles.of(web), await roles.of(await app.client.me())]).toEqual([['clerk'], []])

      await roles.grant(user, 'get:/bills')
      await groups.removeMember('eng/web', 'ann')
      await roles.unassign('clerk', web)

      expect([await annMay(), await roles.of(web)]).toEqual([false, []])
      expect(await roles.permissions(user)).toEqual(['get:/bills'])
      expect(await roles.revoke('clerk', 'get:/bills')).toEqual(['put:/users/*/permissions'])
      await roles.delete('clerk')
      await groups.delete(web)
      expect((await roles.list()).map((role) => role.name)).not.toContain('clerk')
    })
  })
}
