import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer, TIME, UUID } from '../../support/application.js'

const CHOSEN = '4b9d2c10-6f1b-11ee-8c99-0242ac120002'

describe.each(DATABASES)('groups on %s', (database) => {
  const server = sharedServer(database)

  it('are shown with what hangs on them', async () => {
    const app = await server.application()

    const { body } = await app.post('/groups', { path: 'eng/web', title: 'Web team', name: 'Free text' })

    const [{ uuid, created }] = body.entities
    expect(body).toMatchObject({ action: 'post', path: '/groups' })
    expect(body.entities).toEqual([
      {
        uuid: UUID,
        type: 'group',
        name: 'Free text',
        created,
        modified: created,
        path: 'eng/web',
        title: 'Web team',
        metadata: {
          path: `/groups/${uuid}`,
          size: TIME,
          sets: { rolenames: `/groups/${uuid}/roles`, permissions: `/groups/${uuid}/permissions` },
          collections: {
            activities: `/groups/${uuid}/activities`,
            feed: `/groups/${uuid}/feed`,
            roles: `/groups/${uuid}/roles`,
            users: `/groups/${uuid}/users`,
          },
        },
      },
    ])
  })

  it.each([
    [undefined, 'illegal_argument', "You must provide a 'path' property when creating a group"],
    [{ name: 'x' }, 'illegal_argument', "You must provide a 'path' property when creating a group"],
    [{ path: '' }, 'illegal_argument', undefined],
    [{ path: 'a b' }, 'illegal_argument', 'Illegal characters found in group name: a b'],
    [{ path: 'a_b' }, 'illegal_argument', undefined],
    [{ path: CHOSEN }, 'illegal_argument', undefined],
    [{ path: ['a'] }, 'property_type_conversion', undefined],
  ])('of %j are refused', async (sent, error, description) => {
    const app = await server.application()

    const { status, body } = await app.post('/groups', sent)

    expect([status, body.error]).toEqual([400, error])
    if (description !== undefined) expect(body.error_description).toBe(description)
  })

  it('share no path, whatever its case, and may share a name', async () => {
    const app = await server.application()
    await app.post('/groups', { path: 'Staff', name: 'x' })

    expect((await app.post('/groups', { path: 'staff' })).body.error).toBe('duplicate_unique_property_exists')
    expect((await app.post('/groups', { path: 'other', name: 'x' })).status).toBe(200)
  })

  it('are found by a path with slashes, the longest that there is', async () => {
    const app = await server.application()
    const { body } = await app.post('/groups', [
      { path: 'eng' },
      { path: 'eng/core' },
      { path: 'eng/core/db' },
    ])
    const [eng, core, db] = body.entities.map(({ uuid }: { uuid: string }) => uuid)
    await app.post('/users', { username: 'ada' })
    await app.post('/groups/eng/core/users/ada')
    const found = async (path: string) => (await app.get(path)).body.entities[0]?.uuid

    expect(await found('/groups/eng')).toBe(eng)
    expect(await found('/groups/ENG/Core')).toBe(core)
    expect(await found('/groups/eng/core/db')).toBe(db)
    expect(await found('/groups/eng%2Fcore%2Fdb')).toBe(db)
    expect((await app.get('/groups/eng/core/users')).body).toMatchObject({
      path: `/groups/${core}/users`,
      entities: [{ username: 'ada' }],
    })
    expect((await app.get('/groups/eng/users')).body.entities).toEqual([])
    expect((await app.get('/users/ada/groups/eng/core')).body.entities[0].uuid).toBe(core)
  })

  it('are created and changed by PUT', async () => {
    const app = await server.application()

    const created = await app.put('/groups/staff', { path: 'staff', title: 'Staff' })
    const bare = await app.put('/groups/others', { title: 'Others' })
    const renamed = await app.put('/groups/staff', { path: 'all-staff' })

    expect(created.body.entities[0]).toMatchObject({ path: 'staff', title: 'Staff' })
    expect(bare.body.entities[0]).toMatchObject({ path: 'others' })
    expect(renamed.body.entities[0]).toMatchObject({
      uuid: created.body.entities[0].uuid,
      path: 'all-staff',
      title: 'Staff',
    })
    expect((await app.get('/groups/staff')).status).toBe(404)
  })

  it.each([[{ path: null }], [{ path: '' }]])('cannot lose their path: %j', async (change) => {
    const app = await server.application()
    await app.post('/groups', { path: 'staff' })

    const { status, body } = await app.put('/groups/staff', change)

    expect([status, body.error]).toEqual([400, 'required_property_not_found'])
  })

  it('have members, who know of it', async () => {
    const app = await server.application()
    const { uuid } = (await app.post('/groups', { path: 'staff' })).body.entities[0]
    const users = (await app.post('/users', [{ username: 'ada' }, { username: 'ben' }])).body.entities
    const members = async () =>
      (await app.get('/groups/staff/users')).body.entities.map(
        ({ username }: { username: string }) => username,
      )

    const joined = await app.post('/groups/staff/users/ada', {})
    await app.post('/groups/staff/users/ada')
    const other = await app.post('/users/ben/groups/staff')

    expect(joined.body).toMatchObject({
      action: 'post',
      path: `/groups/${uuid}/users`,
      entities: [{ uuid: users[0].uuid, type: 'user' }],
    })
    expect(other.body).toMatchObject({
      path: `/users/${users[1].uuid}/groups`,
      entities: [{ uuid, type: 'group' }],
    })
    expect((await members()).sort()).toEqual(['ada', 'ben'])
    expect((await app.get('/users/ada/groups')).body).toMatchObject({
      path: `/users/${users[0].uuid}/groups`,
      entities: [{ uuid }],
    })
    expect((await app.get('/groups/staff/users/ada')).body.entities).toMatchObject([{ username: 'ada' }])

    const left = await app.delete('/users/ada/groups/staff')
    expect(left.body.entities).toMatchObject([{ uuid }])
    expect(await members()).toEqual(['ben'])
    expect((await app.get('/groups/staff/users/ada')).body.error).toBe('service_resource_not_found')
    expect((await app.get('/users/ada')).status).toBe(200)
  })

  it('make users who belong to them', async () => {
    const app = await server.application()
    await app.post('/groups', { path: 'staff' })

    const { body } = await app.post('/groups/staff/users', { username: 'ada' })

    expect(body.entities).toMatchObject([{ username: 'ada', type: 'user' }])
    expect((await app.get('/users/ada/groups')).body.entities).toMatchObject([{ path: 'staff' }])
  })

  it('list ten members at a time', async () => {
    const app = await server.application()
    await app.post('/groups', { path: 'staff' })
    for (let i = 0; i < 11; i++) await app.post('/groups/staff/users', { username: `u${i}` })

    const { body } = await app.get('/groups/staff/users')
    const rest = await app.get(`/groups/staff/users?cursor=${body.cursor}`)

    expect(body.entities).toHaveLength(10)
    expect(rest.body.entities).toMatchObject([{ username: 'u0' }])
    expect((await app.get("/groups/staff/users?ql=username='u3'")).body.entities).toMatchObject([
      { username: 'u3' },
    ])
  })

  it.each([
    ['POST', '/groups/staff/users/nobody'],
    ['POST', '/groups/nothing/users/ada'],
    ['POST', `/groups/staff/users/${CHOSEN}`],
    ['DELETE', '/groups/staff/users/nobody'],
    ['GET', '/groups/nothing/users'],
    ['GET', '/users/nobody/groups'],
  ])('%s %s is not found', async (method, path) => {
    const app = await server.application()
    await app.post('/groups', { path: 'staff' })
    await app.post('/users', { username: 'ada' })

    const { status, body } = await app.send(method, path)

    expect([status, body.error]).toEqual([404, 'service_resource_not_found'])
  })

  it('take no dog for a member', async () => {
    const app = await server.application()
    await app.post('/groups', { path: 'staff' })
    const { uuid } = (await app.post('/dogs', { name: 'fido' })).body.entities[0]

    expect((await app.post(`/groups/staff/users/${uuid}`)).body.error).toBe('service_resource_not_found')
  })

  it('end their memberships when they are deleted', async () => {
    const app = await server.application()
    await app.post('/groups', { path: 'staff' })
    await app.post('/groups/staff/users', { username: 'ada' })

    await app.delete('/groups/staff')

    expect((await app.get('/users/ada/groups')).body.entities).toEqual([])
  })
})

describe.each(DATABASES)('devices on %s', (database) => {
  const server = sharedServer(database)

  it('are created by PUT under a name or a uuid, with keys that have dots', async () => {
    const app = await server.application()

    const { body } = await app.put('/devices/phone-1', {
      name: 'phone-1',
      'gcm.notifier.id': 'APA91b',
      badge: 0,
    })
    const chosen = await app.put(`/devices/${CHOSEN}`, { 'gcm.notifier.id': 'x' })

    const [{ uuid, created }] = body.entities
    expect(body.entities).toEqual([
      {
        uuid,
        type: 'device',
        name: 'phone-1',
        created,
        modified: created,
        'gcm.notifier.id': 'APA91b',
        badge: 0,
        metadata: {
          path: `/devices/${uuid}`,
          size: TIME,
          collections: { users: `/devices/${uuid}/users`, receipts: `/devices/${uuid}/receipts` },
        },
      },
    ])
    expect(chosen.body.entities[0].uuid).toBe(CHOSEN)
  })

  it('belong to users', async () => {
    const app = await server.application()
    const users = (await app.post('/users', [{ username: 'ada' }, { username: 'ben' }])).body.entities
    await app.put('/devices/phone-1', {})

    const linked = await app.post('/users/ada/devices/phone-1', {})
    const made = await app.post('/users/ada/devices', { name: 'phone-2' })

    expect(linked.body).toMatchObject({
      path: `/users/${users[0].uuid}/devices`,
      entities: [{ name: 'phone-1' }],
    })
    expect(made.body.entities).toMatchObject([{ name: 'phone-2', type: 'device' }])
    expect((await app.get('/users/ada/devices')).body.entities).toMatchObject([
      { name: 'phone-2' },
      { name: 'phone-1' },
    ])
    expect((await app.get('/devices/phone-1/users')).body.entities).toMatchObject([{ username: 'ada' }])
    expect((await app.get('/users/ben/devices/phone-1')).body.error).toBe('service_resource_not_found')
    expect((await app.get('/devices/phone-1')).status).toBe(200)
  })

  it('belong to one user at a time', async () => {
    const app = await server.application()
    await app.post('/users', [{ username: 'ada' }, { username: 'ben' }])
    await app.put('/devices/phone-1', {})
    await app.post('/users/ada/devices/phone-1')

    await app.post('/users/ben/devices/phone-1')

    expect((await app.get('/devices/phone-1/users')).body.entities).toMatchObject([{ username: 'ben' }])
    expect((await app.get('/users/ada/devices')).body.entities).toEqual([])
  })

  it('put by uuid below a user are linked to him', async () => {
    const app = await server.application()
    await app.post('/users', { username: 'ada' })

    const { status } = await app.put(`/users/ada/devices/${CHOSEN}`, { name: 'phone-1' })

    expect(status).toBe(200)
    expect((await app.get('/users/ada/devices')).body.entities).toMatchObject([
      { uuid: CHOSEN, name: 'phone-1' },
    ])
  })
})
