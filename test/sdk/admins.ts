import {
  AuthenticationError,
  ConflictError,
  NotFoundError,
  PermissionError,
  SecondFactorEnrolmentRequired,
} from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { type OpenTarget, open } from './target.js'

const password = 'correct horse battery'
const acme = { organization: 'acme', username: 'ada', email: 'ada@example.org', password }

export const adminSuite = (name: string, openTarget: OpenTarget): void => {
  const withAcme = async () => {
    const opened = await open(openTarget, { alone: true })
    const admin = opened.target.admin()
    const made = await admin.createOrganization(acme)
    return { ...opened, admin, made }
  }

  describe(`an administrator, ${name}`, () => {
    it('creates an organization, and applications in it', async () => {
      await using app = await withAcme()
      const { owner, organization } = app.made

      const ada = await app.admin.signIn('ada', password)
      const shop = await app.admin.createApplication('acme', 'shop')

      expect(organization).toMatchObject({ name: 'acme' })
      expect(ada).toMatchObject({ uuid: owner.uuid, username: 'ada', email: 'ada@example.org' })
      expect(await app.admin.applications('acme')).toEqual({
        'acme/sandbox': expect.any(String),
        'acme/shop': shop,
      })
      await expect(app.admin.createApplication('acme', 'shop')).rejects.toBeInstanceOf(ConflictError)
    })

    it('hands out credentials that programs can use', async () => {
      await using app = await withAcme()
      await app.admin.signIn('ada', password)
      await app.admin.createApplication('acme', 'shop')
      const place = { organization: 'acme', application: 'shop' }

      for (const credentials of [
        await app.admin.credentials('acme', 'shop'),
        await app.admin.credentials('acme'),
      ]) {
        const program = app.target.client({ ...place, ...credentials })
        await program.collection('dogs').create({ age: 3 })
      }

      const guest = app.target.client(place)
      await expect(guest.collection('dogs').find()).rejects.toBeInstanceOf(PermissionError)
    })

    it('changes the account and its password', async () => {
      await using app = await withAcme()
      await app.admin.signIn('ada', password)
      const other = app.target.admin()
      await other.signIn('ada', password)

      const updated = await app.admin.update({ username: 'lovelace', name: 'Ada L' })
      await app.admin.changePassword(password, 'another correct horse')

      expect(updated).toMatchObject({ uuid: app.made.owner.uuid, username: 'lovelace', name: 'Ada L' })
      expect(await app.admin.me()).toMatchObject({ username: 'lovelace', email: 'ada@example.org' })
      await expect(other.me()).rejects.toBeInstanceOf(AuthenticationError)
      await expect(app.admin.changePassword(password, 'a third one')).rejects.toMatchObject({
        code: 'auth_invalid_username_or_password',
      })
      await other.signIn('lovelace', 'another correct horse')
    })

    it('adds and removes members of an organization, but not the last', async () => {
      await using app = await withAcme()
      const bob = app.target.admin()
      const account = { username: 'bob', email: 'bob@example.org', password }
      await bob.createOrganization({ organization: 'bobs', ...account })
      await bob.signIn('bob', password)
      await app.admin.signIn('ada', password)
      const usernames = async () => (await app.admin.members('acme')).map(({ username }) => username).sort()

      const added = await app.admin.addMember('acme', 'bob@example.org')
      expect(added).toMatchObject({ username: 'bob' })
      expect(await usernames()).toEqual(['ada', 'bob'])
      expect(Object.keys(await bob.organizations()).sort()).toEqual(['acme', 'bobs'])

      expect(await bob.removeMember('acme', 'me')).toMatchObject({ username: 'bob' })
      await expect(bob.members('acme')).rejects.toBeInstanceOf(PermissionError)
      expect(await usernames()).toEqual(['ada'])
      await expect(app.admin.removeMember('acme', 'ada')).rejects.toMatchObject({
        code: 'unable_to_leave_organization',
      })
    })

    it('deletes an application, brings it back, and sets its properties and credentials', async () => {
      await using app = await withAcme()
      await app.admin.signIn('ada', password)
      const uuid = await app.admin.createApplication('acme', 'shop')
      const shop = app.admin.application('acme', 'shop')

      const first = await shop.credentials()
      const renewed = await shop.renewCredentials()
      const updated = await shop.update({ accesstokenttl: 60_000, motto: 'fresh' })
      expect(await shop.delete()).toBe(uuid)
      expect(await app.admin.deletedApplications('acme')).toEqual({ 'acme/shop': uuid })
      await expect(shop.get()).rejects.toBeInstanceOf(NotFoundError)
      await app.admin.restoreApplication('acme', uuid)

      expect(renewed.clientId).toBe(first.clientId)
      expect(renewed.clientSecret).not.toBe(first.clientSecret)
      expect(updated).toMatchObject({ accesstokenttl: 60_000, motto: 'fresh' })
      expect(await shop.get()).toMatchObject({ uuid, name: 'acme/shop', motto: 'fresh' })
      expect(await app.admin.renewCredentials('acme')).not.toEqual(await shop.credentials())
    })

    it('says where users of an application may sign in', async () => {
      await using app = await withAcme()
      await app.admin.signIn('ada', password)
      const sandbox = app.admin.application('acme', 'sandbox')
      const settings = { issuer: 'https://issuer.example.org', clientId: 'shop', clientSecret: 'hidden' }

      const set = await sandbox.setProvider('example', settings)
      const uris = await sandbox.setRedirectUris(['https://shop.example.org/back'])

      expect(set).toMatchObject({ name: 'example', issuer: settings.issuer, hasSecret: true, signUp: true })
      expect(JSON.stringify(await sandbox.providers())).not.toContain('hidden')
      expect([await sandbox.redirectUris(), uris]).toEqual([uris, ['https://shop.example.org/back']])
      await sandbox.removeProvider('example')
      expect(await sandbox.providers()).toEqual([])
    })

    it('makes further organizations and accounts, and sees what is in them', async () => {
      await using app = await withAcme()
      await app.admin.signIn('ada', password)

      const bob = await app.admin.createMember('acme', {
        email: 'bob@example.org',
        username: 'bob',
        password,
      })
      await app.admin.createOwnOrganization('spare')
      const changed = await app.admin.updateOrganization('acme', {
        properties: { city: 'Oslo' },
        settings: { enforce2fa: true },
      })

      expect(bob).toMatchObject({ username: 'bob' })
      expect(changed).toMatchObject({ properties: { city: 'Oslo' }, settings: { enforce2fa: true } })
      expect(await app.admin.organization('acme')).toMatchObject({ users: { ada: {}, bob: {} } })
      expect(await app.admin.organization('spare')).toMatchObject({ applications: {} })
      await expect(app.target.admin().signIn('bob', password)).rejects.toBeInstanceOf(
        SecondFactorEnrolmentRequired,
      )
    })

    it('who runs the server sees all organizations and administrators, and decides who may sign in', async () => {
      await using app = await withAcme()
      const { username, password: secret } = app.target.sysadmin
      const root = app.target.admin()
      await root.signIn(username, secret, { refresh: true })

      const { organizations } = await root.allOrganizations({ limit: 1 })
      const { administrators } = await root.administrators()
      const made = await root.createAdministrator({ email: 'eve@example.org', password })
      await root.updateAdministrator('ada', { disabled: true })
      const view = { 'usergrid.view.activated': 'https://acme.example.org/welcome' }

      expect(organizations).toMatchObject([
        { name: 'acme', applications: { 'acme/sandbox': expect.any(String) } },
      ])
      expect(administrators.map((admin) => admin.username)).toEqual(['ada', username])
      expect(await root.administrator(made.uuid)).toMatchObject({ email: 'eve@example.org' })
      await expect(app.admin.signIn('ada', password)).rejects.toMatchObject({ message: 'user disabled' })
      expect(root.tokens.refreshToken).toBeDefined()
      expect([await root.configure('acme', view), await root.configuration('acme')]).toMatchObject([
        view,
        view,
      ])
      expect(await root.signIns()).toMatchObject([{ current: true }])
      expect(await root.factors.list()).toMatchObject({ totp: null })
      expect(await root.factorsOf('ada').list()).toMatchObject({ passkeys: [] })
    })

    it('signs out everywhere', async () => {
      await using app = await withAcme()
      const other = app.target.admin()
      await other.signIn('ada', password)
      await app.admin.signIn('ada', password)

      await app.admin.signOut({ everywhere: true })

      expect(app.admin.token).toBeUndefined()
      await expect(other.me()).rejects.toBeInstanceOf(AuthenticationError)
    })

    it('has no rights without signing in, nor after signing out, nor with a wrong password', async () => {
      await using app = await withAcme()

      await expect(app.admin.applications('acme')).rejects.toBeInstanceOf(PermissionError)
      await expect(app.admin.signIn('ada', 'guess')).rejects.toBeInstanceOf(AuthenticationError)
      await app.admin.signIn('ada', password)
      await app.admin.signOut()
      await expect(app.admin.applications('acme')).rejects.toBeInstanceOf(PermissionError)
    })
  })
}
