import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, TIME, UUID } from '../../support/application.js'

const MANAGEMENT = 'b6768a08-b5d5-11e3-a495-11ddb1de66c8'

let made = 0
const unusedName = () => `club${++made}`

describe.each(DATABASES)('the organizations of an administrator on %s', (database) => {
  const server = sharedServer(database)

  /** Two organizations whose owners share nothing: ada of `app`, bob of `other`. */
  const open = async () => {
    const [app, other] = [await server.application(), await server.application()]
    const guest = app.as(undefined, '')
    const { owner } = server.server
    const { access_token } = (await guest.post('/management/token', { grant_type: 'password', ...owner }))
      .body
    const [ada, bob] = [app.management, other.management]
    return { app, other, guest, ada, bob, sysadmin: app.as(access_token, '') }
  }

  it('are listed by name', async () => {
    const { app, ada, sysadmin } = await open()

    for (const [caller, ref] of [
      [ada, 'me'],
      [ada, app.owner.username],
      [sysadmin, app.owner.email],
    ] as const)
      for (const word of ['orgs', 'organizations'])
        expect((await caller.get(`/management/users/${ref}/${word}`)).body).toEqual({
          action: 'get user management',
          data: { [app.organization]: app.organizationUuid },
          timestamp: TIME,
          duration: TIME,
        })
  })

  it.each([
    ['JSON', (organization: string) => ({ organization })],
    ['a form', (organization: string) => new URLSearchParams({ organization })],
  ])('are made without a sandbox, from %s', async (_, bodyOf) => {
    const { app, ada } = await open()
    const name = unusedName()

    const { status, body } = await ada.post('/management/users/me/orgs', bodyOf(name.toUpperCase()))

    expect(status).toBe(200)
    expect(body).toEqual({
      action: 'new organization for user',
      data: { uuid: UUID, name, passwordHistorySize: 0, properties: {} },
      timestamp: TIME,
      duration: TIME,
    })
    expect((await ada.get(`/management/orgs/${name}`)).body.organization).toMatchObject({
      applications: {},
      users: { [app.owner.username]: { uuid: app.owner.uuid } },
    })
    expect((await ada.post(`/management/orgs/${name}/apps`, { name: 'shop' })).status).toBe(200)
    expect((await ada.get('/management/users/me/orgs')).body.data).toEqual({
      [app.organization]: app.organizationUuid,
      [name]: body.data.uuid,
    })
  })

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'illegal_argument'],
    ['no name', {}, 'illegal_argument'],
    ['an empty name', { organization: '' }, 'illegal_argument'],
    ['a list', { organization: ['a'] }, 'illegal_argument'],
    ['a reserved name', { organization: 'management' }, 'illegal_argument'],
    ['an array', [], 'illegal_argument'],
    ['a taken name', { organization: 'test' }, 'duplicate_unique_property_exists'],
  ])('are not made with %s', async (_, sent, error) => {
    const { ada } = await open()

    const { status, body } = await ada.post('/management/users/me/orgs', sent)

    expect([status, body.error]).toEqual([400, error])
  })

  it('are left, but by the last member', async () => {
    const { app, other, ada, bob } = await open()
    await ada.put(`/management/orgs/${app.organization}/users/${other.owner.uuid}`)

    const { status, body } = await ada.delete(`/management/users/me/orgs/${app.organization}`)
    const last = await bob.delete(`/management/users/me/organizations/${app.organizationUuid}`)

    expect(status).toBe(200)
    expect(body).toEqual({
      action: 'remove user from organization',
      data: { user: expect.objectContaining({ uuid: app.owner.uuid }) },
      timestamp: TIME,
      duration: TIME,
    })
    expect((await ada.get(`/management/orgs/${app.organization}`)).status).toBe(401)
    expect([last.status, last.body.error]).toEqual([400, 'unable_to_leave_organization'])
  })

  it('are joined by means of a system administrator, not by oneself', async () => {
    const { app, other, ada, bob, sysadmin } = await open()
    const path = `/management/users/${other.owner.username}/orgs/${app.organization}`

    const alone = await bob.put(path)
    const byMember = await ada.put(path)
    const unknown = await bob.put(`/management/users/me/orgs/${unusedName()}`)
    const joined = await sysadmin.put(path)

    for (const { status, body } of [alone, byMember, unknown])
      expect([status, body.error]).toEqual([401, 'unauthorized'])
    expect(alone.body.error_description).toBe(unknown.body.error_description)
    expect([joined.status, joined.body.action]).toEqual([200, 'add user to organization'])
    expect((await bob.get(`/management/orgs/${app.organization}`)).status).toBe(200)
  })

  it('are not told apart from unknown ones when left by strangers', async () => {
    const { app, ada, bob } = await open()
    const unknown = unusedName()

    const stranger = (await bob.delete(`/management/users/me/orgs/${app.organization}`)).body
    const nobody = (await bob.delete(`/management/users/me/orgs/${unknown}`)).body

    expect([stranger.error, stranger.code]).toEqual(['management', 400])
    expect(stranger.error_description.replace(app.organization, unknown)).toBe(nobody.error_description)
    expect((await ada.get('/management/users/me/orgs')).body.data).toHaveProperty(app.organization)
  })

  it.each([
    ['GET', 'orgs'],
    ['POST', 'orgs'],
    ['PUT', 'orgs/test'],
    ['DELETE', 'orgs/test'],
  ])('are his own affair: %s %s', async (method, rest) => {
    const { app, guest, bob } = await open()
    const body = method === 'POST' ? { organization: unusedName() } : undefined

    for (const stranger of [guest, bob])
      for (const ref of [app.owner.username, app.owner.uuid, 'nobody', MANAGEMENT]) {
        const reply = await stranger.send(method, `/management/users/${ref}/${rest}`, body)
        expect([reply.status, reply.body.error, reply.body.error_description]).toEqual([
          401,
          'unauthorized',
          'No admin user access authorized',
        ])
      }
  })
})
