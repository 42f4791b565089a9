import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, TIME } from '../../support/application.js'

const MANAGEMENT = 'b6768a08-b5d5-11e3-a495-11ddb1de66c8'

describe.each(DATABASES)('applications on %s', (database) => {
  const server = sharedServer(database)

  it('are made, shown and listed', async () => {
    const app = await server.application()
    const path = `/management/orgs/${app.organization}/apps`

    const created = await app.management.post(path, { name: 'Shop' })
    const { application } = created.body
    const byName = await app.management.get(`${path}/SHOP`)
    const byUuid = await app.management.get(
      `/management/organizations/${app.organizationUuid}/applications/${application}`,
    )
    const listed = await app.management.get(path)

    const name = `${app.organization}/shop`
    const entity = {
      uuid: application,
      type: 'application',
      name,
      created: TIME,
      modified: TIME,
      organization: app.organizationUuid,
      organizationName: app.organization,
      applicationName: 'shop',
      metadata: {
        collections: expect.objectContaining({
          roles: { title: 'Roles', count: 3, name: 'roles', type: 'role' },
        }),
      },
    }
    const common = {
      application,
      params: {},
      uri: `${app.url}/${name}`,
      entities: [entity],
      timestamp: TIME,
      duration: TIME,
      organization: app.organization,
    }
    expect(created.body).toEqual({
      action: 'new application for organization',
      ...common,
      data: { [name]: application },
    })
    expect(byName.body).toEqual({ action: 'get', ...common })
    expect(byUuid.body).toEqual(
      byName.body.timestamp ? { ...byName.body, timestamp: TIME, duration: TIME } : {},
    )
    expect(listed.body).toEqual({
      action: 'get organization application',
      data: { [app.name]: app.uuid, [name]: application },
      timestamp: TIME,
      duration: TIME,
    })
  })

  it('may be named in a form', async () => {
    const app = await server.application()

    const { status } = await app.management.post(
      `/management/orgs/${app.organization}/apps`,
      new URLSearchParams({ name: 'shop' }),
    )

    expect(status).toBe(200)
  })

  it.each([
    [{}, 400, 'illegal_argument'],
    [{ name: '' }, 400, 'illegal_argument'],
    [{ name: 'a/b' }, 400, 'illegal_argument'],
    [{ name: MANAGEMENT }, 400, 'illegal_argument'],
    [{ name: ['a'] }, 400, 'illegal_argument'],
    [{ name: 'SANDBOX' }, 409, 'application_already_exists'],
  ])('of %j are refused', async (sent, status, error) => {
    const app = await server.application()

    const reply = await app.management.post(`/management/orgs/${app.organization}/apps`, sent)

    expect([reply.status, reply.body.error]).toEqual([status, error])
  })

  it('are unknown by a name that is none', async () => {
    const app = await server.application()

    const { status, body } = await app.management.get(`/management/orgs/${app.organization}/apps/nothing`)

    expect(status).toBe(404)
    expect(body).toMatchObject({
      error: 'entity_not_found',
      error_description: `Application nothing does not exist for organization ${app.organization}`,
    })
  })

  it('of other organizations are unknown, also by uuid', async () => {
    const app = await server.application()
    const other = await server.application()
    const path = `/management/orgs/${app.organization}/apps/${other.uuid}`

    for (const [method, rest] of [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', `?confirm_application_identifier=${other.uuid}`],
      ['GET', '/credentials'],
      ['POST', '/credentials'],
    ] as const) {
      const { status, body } = await app.management.send(method, path + rest)
      expect([method, rest, status, body.error]).toEqual([method, rest, 404, 'entity_not_found'])
    }
    expect((await other.get('/dogs')).status).toBe(200)
  })

  describe('when deleted', () => {
    const openShop = async () => {
      const app = await server.application()
      const shop = await app.newApplication('shop')
      await shop.admin.post('/dogs', { name: 'fido' })
      const path = `/management/orgs/${app.organization}/apps`
      const remove = (ref = 'shop', confirm = ref) =>
        app.management.delete(`${path}/${ref}?confirm_application_identifier=${confirm}`)
      return { app, shop, path, remove }
    }

    it.each([
      ['', 'Cannot delete application without supplying correct application name.'],
      [
        '?confirm_application_identifier=sandbox',
        'Cannot delete application without supplying correct application name.',
      ],
    ])('must be named twice: %s', async (search, description) => {
      const { app, path, shop } = await openShop()

      const { status, body } = await app.management.delete(`${path}/shop${search}`)

      expect([status, body.error, body.error_description]).toEqual([400, 'illegal_argument', description])
      expect(
        (await app.management.delete(`${path}/${shop.uuid}?confirm_application_identifier=shop`)).body
          .error_description,
      ).toBe('Cannot delete application without supplying correct application id.')
      expect((await shop.admin.get('/dogs')).body.count).toBe(1)
    })

    it('are gone at once', async () => {
      const { app, path, shop, remove } = await openShop()
      const { credentials } = (await shop.admin.get('/credentials')).body
      await shop.admin.get('/dogs')

      const { body } = await remove()

      expect(body).toEqual({
        action: 'delete',
        application: shop.uuid,
        params: { confirm_application_identifier: ['shop'] },
        timestamp: TIME,
        duration: TIME,
      })
      expect((await shop.admin.get('/dogs')).body.error).toBe('organization_application_not_found')
      expect((await app.as(app.adminToken, '').get(`/${shop.uuid}/dogs`)).body.error).toBe(
        'organization_application_not_found',
      )
      expect((await app.management.get(`${path}/shop`)).body.error).toBe('entity_not_found')
      expect((await app.management.get(path)).body.data).toEqual({ [app.name]: app.uuid })
      expect((await app.management.get(`${path}?deleted=true`)).body.data).toEqual({
        [`${app.organization}/shop`]: shop.uuid,
      })
      expect(
        (await app.management.get(`/management/orgs/${app.organization}`)).body.organization.applications,
      ).toEqual({ [app.name]: app.uuid })
      expect((await remove()).body.error).toBe('entity_not_found')
      expect(
        (await app.post('/token', { grant_type: 'client_credentials', ...credentials })).body.error,
      ).toBe('invalid_grant')
    })

    it('by uuid are named by uuid, or by the parameter of the documentation', async () => {
      const { app, path, shop } = await openShop()

      expect(
        (await app.management.delete(`${path}/${shop.uuid}?confirm_application_id=${shop.uuid}`)).status,
      ).toBe(200)
    })

    it('are restored by uuid with their data and a new secret', async () => {
      const { app, path, shop, remove } = await openShop()
      const before = (await shop.admin.get('/credentials')).body.credentials
      await remove()

      const { body } = await app.management.put(`${path}/${shop.uuid}`)

      expect(body).toEqual({
        action: 'restore',
        application: shop.uuid,
        params: {},
        timestamp: TIME,
        duration: TIME,
      })
      expect((await shop.admin.get('/dogs')).body.entities).toMatchObject([{ name: 'fido' }])
      const after = (await shop.admin.get('/credentials')).body.credentials
      expect(after.client_id).toBe(before.client_id)
      expect(after.client_secret).not.toBe(before.client_secret)
    })

    it('are not restored over another one, nor when they are not deleted', async () => {
      const { app, path, shop, remove } = await openShop()
      expect((await app.management.put(`${path}/${shop.uuid}`)).body).toMatchObject({
        error: 'entity_not_found',
        code: 404,
      })
      expect((await app.management.put(`${path}/shop`)).body).toMatchObject({ error: 'entity_not_found' })
      await remove()
      const again = await app.newApplication('shop')

      expect((await again.admin.get('/dogs')).body.count).toBe(0)
      expect((await app.management.put(`${path}/${shop.uuid}`)).body).toMatchObject({
        error: 'conflict',
        error_description: 'Cannot restore application, one with that name already exists.',
        code: 409,
      })
      expect((await remove()).body).toMatchObject({ error: 'conflict', code: 409 })
      expect((await again.admin.get('/dogs')).status).toBe(200)
    })
  })

  describe('and organizations have client credentials', () => {
    it.each([
      [
        'of an organization',
        (app: { organization: string }) => `/management/orgs/${app.organization}/credentials`,
        'organization client credentials',
        'b3U6',
      ],
      [
        'of an application',
        (app: { organization: string }) => `/management/orgs/${app.organization}/apps/sandbox/credentials`,
        'application client credentials',
        'YXA6',
      ],
    ])('%s, which can be renewed', async (_, pathOf, words, tag) => {
      const app = await server.application()
      const path = pathOf(app)
      const signIn = (credentials: object) =>
        app.post('/token', { grant_type: 'client_credentials', ...credentials })

      const shown = (await app.management.get(path)).body
      const again = (await app.management.get(path)).body
      const renewed = (await app.management.post(path)).body

      const credentials = {
        client_id: expect.stringMatching(`^${tag}.{22}$`),
        client_secret: expect.stringMatching(`^${tag}.{27}$`),
      }
      expect(shown).toEqual({ action: `get ${words}`, credentials, timestamp: TIME, duration: TIME })
      expect(again.credentials).toEqual(shown.credentials)
      expect(renewed).toEqual({ action: `generate ${words}`, credentials, timestamp: TIME, duration: TIME })
      expect(renewed.credentials.client_id).toBe(shown.credentials.client_id)
      expect((await signIn(renewed.credentials)).status).toBe(200)
      expect((await signIn(shown.credentials)).body.error).toBe('invalid_grant')
    })

    it('which administrators of the application find in it', async () => {
      const app = await server.application()
      const user = await app.signedUp('ada')
      const { credentials } = (
        await app.management.get(`/management/orgs/${app.organization}/apps/sandbox/credentials`)
      ).body

      const shown = await app.admin.get('/credentials')
      const renewed = await app.admin.post('/credentials')

      expect(shown.body).toMatchObject({ action: 'get application keys', status: 'ok', credentials })
      expect(renewed.body).toMatchObject({
        action: 'generate application keys',
        status: 'ok',
        credentials: { client_id: credentials.client_id },
      })
      for (const caller of [app, user])
        for (const method of ['GET', 'POST']) {
          const { status, body } = await caller.send(method, '/credentials')
          expect([status, body.error]).toEqual([401, 'unauthorized'])
        }
    })
  })

  it('keep who they are, whatever their administrators write', async () => {
    const app = await server.application()
    const other = await server.application()

    await app.admin.put('', {
      NAME: other.name,
      Organization: other.organizationUuid,
      OrganizationName: other.organization,
      applicationname: 'x',
      Deleted: 5,
      uuid: other.uuid,
    })

    expect((await app.admin.get('')).body.entities[0]).toMatchObject({
      uuid: app.uuid,
      name: app.name,
      organization: app.organizationUuid,
      organizationName: app.organization,
      applicationName: 'sandbox',
    })
  })
})
