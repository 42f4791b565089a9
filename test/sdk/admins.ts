import { AuthenticationError, ConflictError, PermissionError } from '@entigrid/sdk'
import { describe, expect, it } from 'vitest'
import { type OpenTarget, open } from './target.js'

const password = 'correct horse battery'
const acme = { organization: 'acme', username: 'ada', email: 'ada@example.org', password }

export const adminSuite = (name: string, openTarget: OpenTarget): void => {
  const withAcme = async () => {
    const opened = await open(openTarget)
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

    it('has no rights without signing in, nor after signing out, nor with a wrong password', async () => {
      await using app = await withAcme()

      await expect(app.admin.applications('acme')).rejects.toBeInstanceOf(PermissionError)
      await expect(app.admin.signIn('ada', 'guess')).rejects.toBeInstanceOf(AuthenticationError)
      await app.admin.signIn('ada', password)
      app.admin.signOut()
      await expect(app.admin.applications('acme')).rejects.toBeInstanceOf(PermissionError)
    })
  })
}
