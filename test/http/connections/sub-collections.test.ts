import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Entity, type Reply, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('sub-collections on %s', (database) => {
  const app = sharedApp(database)
  const refused = ({ status, body }: Reply) => [status, body.error]
  const MISSING = [404, 'service_resource_not_found']
  let made = 0

  /** Fresh users, a group, a role and a device, by their names. */
  const world = async () => {
    const n = ++made
    const names = {
      ann: `ann${n}`,
      bob: `bob${n}`,
      staff: `staff${n}`,
      editor: `editor${n}`,
      phone: `phone${n}`,
    }
    const entity = async (collection: string, body: object) =>
      (await app().post(`/${collection}`, body)).body.entities[0] as Entity
    const ann = await entity('users', { username: names.ann, age: 3 })
    const bob = await entity('users', { username: names.bob, age: 5 })
    const staff = await entity('groups', { path: names.staff })
    const editor = await entity('roles', { name: names.editor, title: 'Editor' })
    const phone = await entity('devices', { name: names.phone })
    return { names, ann, bob, staff, editor, phone }
  }
  const shown = async (path: string, params = {}) => {
    const { status, body } = await app().get(path, params)
    expect([path, status]).toEqual([path, 200])
    return body.entities.map(({ username, path: group, name }: Entity) => username ?? group ?? name)
  }

  it.each([
    ['groups', 'staff', 'users', 'users', 'ann', 'groups'],
    ['users', 'ann', 'groups', 'groups', 'staff', 'users'],
    ['roles', 'editor', 'users', 'users', 'ann', 'roles'],
    ['users', 'ann', 'roles', 'roles', 'editor', 'users'],
    ['roles', 'editor', 'groups', 'groups', 'staff', 'roles'],
    ['groups', 'staff', 'roles', 'roles', 'editor', 'groups'],
    ['users', 'ann', 'devices', 'devices', 'phone', 'users'],
    ['devices', 'phone', 'users', 'users', 'ann', 'devices'],
    ['users', 'ann', 'following', 'users', 'bob', 'followers'],
    ['users', 'ann', 'followers', 'users', 'bob', 'following'],
  ] as const)(
    '/%s/%s/%s holds the same as /%s/%s/%s',
    async (nearType, near, list, farType, far, inverse) => {
      const all = await world()
      const { names } = all
      const [here, there] = [
        `/${nearType}/${names[near]}/${list}`,
        `/${farType}/${names[far as keyof typeof names]}/${inverse}`,
      ]
      const farName = names[far as keyof typeof names]
      const farEntity = all[far as 'bob']
      const nearEntity = all[near as 'bob']

      const added = await app().post(`${here}/${farName}`)
      expect([added.status, added.body.entities[0].uuid]).toEqual([200, farEntity.uuid])
      expect(added.body.path).toBe(`/${nearType}/${nearEntity.uuid}/${list}`)
      expect(added.body.entities[0].metadata.path).toBe(
        `/${nearType}/${nearEntity.uuid}/${list}/${farEntity.uuid}`,
      )
      expect(await shown(here)).toEqual([farName])
      expect(await shown(there)).toEqual([names[near]])
      expect(await shown(`${here}/${farName}`)).toEqual([farName])
      expect(await shown(`${here}/${farEntity.uuid}`)).toEqual([farName])
      expect(await shown(`${there}/${nearEntity.uuid}`)).toEqual([names[near]])
      expect((await app().post(`${here}/${farEntity.uuid}`)).status).toBe(200)
      expect(await shown(here)).toEqual([farName])

      const removed = await app().delete(`${there}/${names[near]}`)
      expect([removed.status, removed.body.entities[0].uuid]).toEqual([200, nearEntity.uuid])
      expect(await shown(here)).toEqual([])
      expect(await shown(there)).toEqual([])
      expect(await shown(`/${farType}/${farName}`)).toEqual([farName])
      expect(refused(await app().get(`${here}/${farName}`))).toEqual(MISSING)
    },
  )

  it.each([
    ['users/ann/devices', { name: 'new' }, 'devices'],
    ['groups/staff/users', { username: 'new' }, 'users'],
    ['roles/editor/users', { username: 'new' }, 'users'],
    ['users/ann/groups', { path: 'new' }, 'groups'],
    ['users/ann/following', { username: 'new' }, 'users'],
  ])('POST /%s with a body creates and adds', async (list, body, collection) => {
    const { names } = await world()
    const suffix = names.ann.slice(3)
    const path = `/${list.replace(/(ann|staff|editor)/, (name) => `${name}${suffix}`)}`
    const [[key, name]] = Object.entries(body) as [[string, string]]
    const own = { [key]: `${name}${suffix}-${collection}` }

    const created = await app().post(path, own)

    expect(created.status).toBe(200)
    expect(created.body.entities[0]).toMatchObject({ ...own, type: collection.slice(0, -1) })
    expect(await shown(path)).toEqual(Object.values(own))
    expect(await shown(`/${collection}/${Object.values(own)[0]}`)).toEqual(Object.values(own))
    expect(refused(await app().post(path))).toEqual(MISSING)
  })

  it('refuse what is not a member, and who is not there', async () => {
    const { names, phone } = await world()
    const { ann, bob, staff } = names

    expect(refused(await app().get(`/groups/${staff}/users/${bob}`))).toEqual(MISSING)
    expect(refused(await app().get(`/groups/${staff}/users/${phone.uuid}`))).toEqual(MISSING)
    expect(refused(await app().get(`/users/${ann}/devices/${names.phone}`))).toEqual(MISSING)
    expect(refused(await app().post(`/groups/${staff}/users/nobody`))).toEqual(MISSING)
    expect(refused(await app().post(`/groups/${staff}/users/${phone.uuid}`))).toEqual(MISSING)
    expect(refused(await app().post(`/groups/nothing/users/${ann}`))).toEqual(MISSING)
    expect(refused(await app().get(`/groups/${staff}/users/${bob}/devices`))).toEqual(MISSING)
    expect(refused(await app().delete(`/groups/${staff}/users`))[0]).toBe(405)
  })

  it('list ten members a page, and take queries', async () => {
    const { names } = await world()
    const path = `/groups/${names.staff}/users`
    const users = await app().create(
      'users',
      ...Array.from({ length: 12 }, (_, n) => ({ username: `${names.ann}-${n}`, n })),
    )
    for (const { uuid } of users) await app().post(`${path}/${uuid}`)

    expect(await shown(path)).toHaveLength(10)
    expect((await app().get(path)).body).not.toHaveProperty('count')
    expect((await app().pages(path)).map((page) => page.length)).toEqual([10, 2])
    expect(await shown(path, { ql: 'n > 9 order by n desc' })).toEqual([`${names.ann}-11`, `${names.ann}-10`])
    expect(await shown(path, { ql: `username = '${names.ann}-1*'`, limit: 100 })).toHaveLength(3)
    expect(await shown(`/groups;ql=path = '${names.staff}'/users`, { limit: 100 })).toHaveLength(12)
    expect(await shown(`/users;ql=username = '${names.ann}-3'/groups`)).toEqual([names.staff])
  })

  it('are no connections that could be seen or made otherwise', async () => {
    const { names, ann } = await world()
    await app().post(`/groups/${names.staff}/users/${names.ann}`)
    await app().post(`/users/${names.ann}/following/${names.bob}`)

    const [user] = (await app().get(`/users/${names.ann}`)).body.entities
    expect(user.metadata).not.toHaveProperty('connections')
    expect(user.metadata).not.toHaveProperty('connecting')
    expect(await shown(`/users/${names.ann}/connections`)).toEqual([])
    expect(await shown(`/users/${names.ann}/connecting`)).toEqual([])
    for (const verb of ['~members', '~following']) {
      expect(refused(await app().get(`/groups/${names.staff}/${verb}`))).toEqual([400, 'illegal_argument'])
      expect(refused(await app().get(`/users/${names.ann}/connecting/${verb}`))).toEqual([
        400,
        'illegal_argument',
      ])
      expect(refused(await app().post(`/groups/${names.staff}/${verb}/${ann.uuid}`))).toEqual([
        400,
        'illegal_argument',
      ])
    }
  })

  it('repeat their type in a path or leave it out', async () => {
    const { names, bob } = await world()
    const path = `/users/${names.ann}/following`

    for (const address of [
      `users/${names.bob}`,
      `user/${names.bob}`,
      `users/${bob.uuid}`,
      names.bob,
      bob.uuid,
    ]) {
      expect([address, (await app().post(`${path}/${address}`)).status]).toEqual([address, 200])
      expect(await shown(path)).toEqual([names.bob])
      expect(await shown(`${path}/${address}`)).toEqual([names.bob])
      expect([address, (await app().delete(`${path}/${address}`)).status]).toEqual([address, 200])
      expect(await shown(path)).toEqual([])
    }
  })

  it('go with their ends', async () => {
    const { names } = await world()
    await app().post(`/groups/${names.staff}/users/${names.ann}`)
    await app().post(`/users/${names.bob}/following/${names.ann}`)

    await app().delete(`/users/${names.ann}`)

    expect(await shown(`/groups/${names.staff}/users`)).toEqual([])
    expect(await shown(`/users/${names.bob}/following`)).toEqual([])
  })

  describe('of groups whose names have slashes', () => {
    it('belong to the longest name that exists', async () => {
      const { names, ann, bob } = await world()
      const eng = `eng${names.ann}`
      for (const path of [eng, `${eng}/core`, `${eng}/core/db`]) await app().post('/groups', { path })

      expect(await shown(`/groups/${eng}/core`)).toEqual([`${eng}/core`])
      expect(await shown(`/groups/${encodeURIComponent(`${eng}/core/db`)}`)).toEqual([`${eng}/core/db`])
      await app().post(`/groups/${eng}/core/users/${names.ann}`)
      await app().post(`/groups/${eng}/core/db/users/${names.bob}`)
      expect(await shown(`/groups/${eng}/core/users`)).toEqual([names.ann])
      expect(await shown(`/groups/${eng}/core/db/users`)).toEqual([names.bob])
      expect(await shown(`/groups/${eng}/users`)).toEqual([])
      expect(await shown(`/groups/${eng}/core/users/${names.ann}/groups/${eng}/core/users`)).toEqual([
        names.ann,
      ])
      expect(await shown(`/groups/${eng}/core/users`, { ql: 'age = 3' })).toEqual([names.ann])
      expect(await shown(`/users/${names.ann}/groups/${eng}/core`)).toEqual([`${eng}/core`])
      expect((await app().get(`/groups/${eng}/core/users`)).body.path).toMatch(
        /^\/groups\/[-0-9a-f]{36}\/users$/,
      )
      expect((await app().delete(`/groups/${eng}/core/users/${ann.uuid}`)).status).toBe(200)
      expect(await shown(`/groups/${eng}/core/users`)).toEqual([])
      expect(refused(await app().get(`/groups/${eng}/core/users/${bob.uuid}`))).toEqual(MISSING)
    })

    it('may be written by a PUT of the whole path', async () => {
      const { names } = await world()
      const path = `/groups/team${names.ann}/red`
      await app().post('/groups', { path: path.slice(8) })

      const { status, body } = await app().put(path, { title: 'Red' })

      expect([status, body.entities[0].title]).toEqual([200, 'Red'])
      expect((await app().delete(path)).status).toBe(200)
      expect((await app().get(path)).status).toBe(404)
    })
  })
})
