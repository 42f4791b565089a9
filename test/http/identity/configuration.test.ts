import { describe, expect, it } from 'vitest'
import { type Caller, PASSWORD, sharedServer, TIME } from '../../support/application.js'

const BASE = 'usergrid.api.url.base'
const CONNECTIONS = 'usergrid.rest.default-connection-param'
const SYSADMIN = 'usergrid.admin.sysadmin.email'

describe('what an organization keeps for its tools', () => {
  const server = sharedServer('sqlite')

  const open = async () => {
    const app = await server.application()
    const sysadmin = await systemAdministrator(app.as(undefined, ''))
    const path = `/management/orgs/${app.organization}/config`
    return { app, path, sysadmin }

    async function systemAdministrator(guest: Caller) {
      const { username, password } = server.server.owner
      const { body } = await guest.post('/management/token', { grant_type: 'password', username, password })
      return app.as(body.access_token, '')
    }
  }

  it('is read and changed by system administrators', async () => {
    const { app, path, sysadmin } = await open()
    const defaults = { [BASE]: app.url, [CONNECTIONS]: 'all', [SYSADMIN]: '' }

    const before = await sysadmin.get(path)
    const put = await sysadmin.put(path, {
      [CONNECTIONS]: 'none',
      'usergrid.view.activated': 'https://x.test',
    })

    expect(before.body).toEqual({
      action: 'get organization configuration',
      configuration: defaults,
      timestamp: TIME,
      duration: TIME,
    })
    const own = { [CONNECTIONS]: 'none', 'usergrid.view.activated': 'https://x.test' }
    expect(put.body).toMatchObject({
      action: 'put organization configuration',
      configuration: { ...defaults, ...own },
    })
    expect((await sysadmin.get(`${path}?items=${CONNECTIONS},x`)).body.configuration).toEqual({
      [CONNECTIONS]: 'none',
    })
    const apart = (await sysadmin.get(`${path}?separate_defaults=true`)).body
    expect([apart.orgConfiguration, apart.defaults, apart.configuration]).toEqual([own, defaults, undefined])
    const only = await sysadmin.put(`${path}?only_changed=true`, { [CONNECTIONS]: '' })
    expect(only.body.configuration).toEqual({ [CONNECTIONS]: 'all' })
  })

  it.each([
    [
      { 'usergrid.sysadmin.login.password': 'x' },
      'Invalid organization config keys: usergrid.sysadmin.login.password',
    ],
    [{ [CONNECTIONS]: 5 }, `The value of ${CONNECTIONS} must be a string of at most 2000 characters`],
    [
      { [CONNECTIONS]: 'x'.repeat(2001) },
      `The value of ${CONNECTIONS} must be a string of at most 2000 characters`,
    ],
    [['x'], 'A configuration is written as a JSON object of strings'],
  ])('is not %j', async (sent, message) => {
    const { path, sysadmin } = await open()

    const { status, body } = await sysadmin.put(path, sent)

    expect([status, body.error, body.error_description]).toEqual([400, 'illegal_argument', message])
  })

  it('is not for its own administrators', async () => {
    const { app, path } = await open()

    for (const caller of [app.management, app.as(undefined, '')])
      for (const { status, body } of [await caller.get(path), await caller.put(path, {})])
        expect([status, body.error_description]).toEqual([401, 'No system access authorized'])
  })
})

describe('what an application weighs', () => {
  const server = sharedServer('sqlite')

  it('is told in bytes, of all and of each collection', async () => {
    const app = await server.application()
    const path = `/management/orgs/${app.organization}/apps/sandbox`
    const { entities } = (await app.post('/dogs', [{ name: 'fido' }, { name: 'rex', text: 'ü' }])).body
    const dogs = entities.reduce(
      (sum: number, { metadata }: { metadata: { size: number } }) => sum + metadata.size,
      0,
    )

    const all = (await app.management.get(`${path}/_size`)).body
    const each = (await app.management.get(`${path}/collections/_size`)).body.metadata.aggregation.size

    expect(all).toEqual({
      action: 'get application size for all entities',
      metadata: { aggregation: { size: { application: expect.any(Number) } } },
      timestamp: TIME,
      duration: TIME,
    })
    expect((await app.management.get(`${path}/Dog/_size`)).body.metadata.aggregation.size).toEqual({ dogs })
    expect((await app.management.get(`${path}/cats/_size`)).body.metadata.aggregation.size).toEqual({
      cats: 0,
    })
    expect(each).toMatchObject({ dogs, roles: expect.any(Number) })
    expect(all.metadata.aggregation.size.application).toBe(each.dogs + each.roles)
  })

  it('is not told to others, nor how to sign in with others', async () => {
    const app = await server.application()
    const other = await server.application()
    const path = `/management/orgs/${app.organization}/apps/sandbox`

    for (const caller of [other.management, app.as(undefined, '')])
      for (const { status } of [
        await caller.get(`${path}/_size`),
        await caller.post(`${path}/sia-provider?provider_key=facebook`, {}),
      ])
        expect(status).toBe(401)
    const foreign = `/management/orgs/${other.organization}/apps/${app.uuid}/_size`
    expect((await other.management.get(foreign)).body.error).toBe('entity_not_found')
  })

  it('has no providers of Usergrid', async () => {
    const app = await server.application()
    const path = `/management/orgs/${app.organization}/apps/sandbox/sia-provider`

    const known = await app.management.post(`${path}?provider_key=facebook`, { api_key: 'x' })
    const unknown = await app.management.post(`${path}?provider_key=myspace`, {})

    expect([known.status, known.body.error]).toEqual([501, 'not_implemented'])
    expect([unknown.status, unknown.body.error]).toEqual([400, 'illegal_argument'])
  })
})

describe('a role that is made in a group', () => {
  const server = sharedServer('sqlite')

  it('belongs to it and counts for its members', async () => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const ada = await app.signedUp('ada', {}, shop.path)
    const { entities } = (await shop.admin.post('/groups', { path: 'staff' })).body
    const group = entities[0].uuid
    await shop.admin.post('/groups/staff/users/ada')

    const made = await shop.admin.post('/groups/staff/roles', { name: 'Reader', inactivity: 0 })

    const name = `${group}:Reader`
    expect(made.body).toMatchObject({
      path: `/groups/${group}/roles`,
      entities: [{ type: 'role', name, roleName: name.toLowerCase(), title: 'Reader', inactivity: 0 }],
    })
    expect((await shop.admin.post('/groups/staff/roles', { name: 'reader' })).body.error).toBe(
      'duplicate_unique_property_exists',
    )
    expect((await shop.admin.post('/groups/staff/roles', {})).status).toBe(404)
    expect((await shop.admin.get('/roles/reader')).status).toBe(404)
    expect((await ada.get('/dogs')).status).toBe(401)
    await shop.admin.post(`/roles/${name}/permissions`, { permission: 'get:/dogs' })
    expect((await ada.get('/dogs')).status).toBe(200)
    expect((await ada.post('/groups/staff/roles', { name: 'boss' })).status).toBe(401)
    await shop.admin.delete(`/groups/staff/roles/${name}`)
    expect((await ada.get('/dogs')).status).toBe(401)
    expect((await shop.admin.get(`/roles/${name}`)).status).toBe(200)
    const signIn = { grant_type: 'password', username: 'ada', password: PASSWORD }
    expect((await shop.guest.post('/token', signIn)).status).toBe(200)
  })
})
