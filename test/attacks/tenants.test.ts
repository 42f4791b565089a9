import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { unchangedPrototypes } from './prototypes.js'
import { attacked, GUEST } from './ways.js'

describe.each(DATABASES)('attacks across borders, on %s', (database) => {
  unchangedPrototypes()
  const target = attacked(database)

  it('attack 9: no generic route leads to what the engine keeps for itself', async () => {
    const user = await target().user('/test/shop', 'digger', 'get,post,put,delete:/**')
    const words = [
      'roles',
      'Role',
      'ROLES',
      '%72oles',
      'rol%65s',
      '/roles',
      'roles/',
      './roles',
      '_system',
      '_tokens',
      '_batch',
      'entity',
      'entities',
      'entity_index',
      'collection',
      'dictionary',
      'edge',
      'change',
      '~members',
      '%7Emembers',
      '~assigned',
      'sequence',
      'sqlite_master',
      'pg_catalog',
      'tokens',
      'credentials',
      'applications',
      'organizations',
      'admins',
      'management',
    ] // prettier-ignore

    for (const word of words)
      for (const who of [GUEST, user]) {
        for (const suffix of ['', '/admin', '/guest', '/default', '/any/permissions']) {
          const { status, body } = await target().do(who, 'GET', `/test/shop/${word}${suffix}`)
          const text = JSON.stringify(body)
          expect([word, suffix, status < 500, /app_id|\$argon2|"b3U6|"YXA6|eyJ|password/.test(text)]).toEqual(
            [word, suffix, true, false],
          )
          // Collections of such names are like any other: there, but empty.
          const isRole = /^[./]*(?:r|%72)ol/i.test(word)
          if (status === 200 && !isRole) expect([word, suffix, body.entities]).toEqual([word, suffix, []])
          if (who === GUEST)
            expect([word, suffix, [400, 401, 404, 405].includes(status)]).toEqual([word, suffix, true])
        }
        for (const [method, path, body] of [
          ['POST', '', { name: 'mine', title: 'x' }],
          ['PUT', '/guest', { title: 'x' }],
          ['PATCH', '/guest', { title: 'x' }],
          ['DELETE', '/guest', undefined],
          ['POST', '/guest/permissions', { permission: '/**' }],
          ['POST', '/admin/users/digger', undefined],
        ] as const) // prettier-ignore
          if (/role/i.test(decodeURIComponent(word))) {
            const { status, body: reply } = await target().do(who, method, `/test/shop/${word}${path}`, {
              body,
            })
            expect([word, method, path, status, reply.error]).toEqual([
              word,
              method,
              path,
              401,
              'unauthorized',
            ])
          }
      }
    for (const path of [
      '/management',
      '/management/management',
      '/00000000-0000-0000-0000-000000000001',
      '/00000000-0000-0000-0000-000000000001/users',
      '/apps/00000000-0000-0000-0000-000000000001/users',
      '/management/users',
      '/management/applications',
      '/management/roles',
    ])
      for (const who of [GUEST, user])
        expect([path, (await target().do(who, 'GET', path)).status >= 400]).toEqual([path, true])
    expect((await target().admins('GET', '/roles')).entities).toMatchObject([
      { name: 'guest' },
      { name: 'default' },
      { name: 'admin' },
    ])
    expect((await target().admins('GET', '/roles/guest/permissions')).data).toHaveLength(3)
    await expect(target().server.engine.app('management/management').asSystem('test')).rejects.toMatchObject({
      code: 'organization_application_not_found',
    })
  })

  it('attack 10: an entity with the uuid or name of something else has none of its rights', async () => {
    const maker = await target().user(
      '/test/shop',
      'maker',
      'get,post,put,delete:/things/**',
      'get,post,put,delete:/folks/**',
      'put,post:/users/*',
    )
    const { uuid: guest } = (await target().admins('GET', '/roles/guest')).entities[0]
    const { uuid: staff } = (await target().admins('POST', '/groups', { path: 'staff' })).entities[0]
    const { uuid: boss } = (await target().admins('POST', '/users', { username: 'boss' })).entities[0]
    await target().admins('POST', '/users/boss/permissions', { permission: '/**' })
    const organization = (await target().do(target().admin, 'GET', '/management/orgs/test')).body.organization
      .uuid
    const taken = [guest, staff, boss]
    const free = [
      target().shop,
      organization,
      '00000000-0000-0000-0000-000000000000',
      '00000000-0000-0000-0000-000000000001',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ]

    for (const [name, way] of target().ways) {
      for (const uuid of taken) {
        const answer = await way(maker, 'PUT', `/test/shop/things/${uuid}`, {
          body: { permissions: ['/**'], roleName: 'guest' },
        })
        expect([name, uuid, answer!.status, answer!.body.error]).toEqual([
          name,
          uuid,
          400,
          'illegal_argument',
        ])
      }
      for (const uuid of free) {
        const answer = await way(maker, 'PUT', `/test/shop/things/${uuid}`, {
          body: { username: 'admin', permissions: ['/**'] },
        })
        if (answer!.status === 200) expect(answer!.body.entities[0]).toMatchObject({ type: 'thing' })
        else expect([name, uuid, answer!.status]).toEqual([name, uuid, 400])
      }
      for (const username of [boss, guest, 'me', 'boss', 'BOSS']) {
        const answer = await way(maker, 'POST', '/test/shop/users', { body: { username } })
        expect([name, username, answer!.status]).toEqual([name, username, 400])
      }
    }
    for (const named of ['guest', 'default', 'admin', 'permissions', 'roles', 'boss', 'me', '**', 'staff'])
      await target().admins('POST', '/things', { name: named, permissions: ['/**'] })
    for (const username of ['**', '*', '$' + '{user}', 'all']) {
      const { status } = await target().do(maker, 'POST', '/test/shop/users', { body: { username } })
      expect([username, status]).toEqual([username, 400])
    }
    for (const username of ['guest', 'admin', 'default', 'system', 'sysadmin', 'roles']) {
      const user = await target().user('/test/shop', username)
      expect([username, (await target().do(user, 'GET', '/test/shop/things')).status]).toEqual([
        username,
        401,
      ])
      expect([username, (await target().do(user, 'GET', '/test/shop/users/boss')).status]).toEqual([
        username,
        401,
      ])
    }
    expect((await target().do(maker, 'GET', '/test/shop/roles/guest')).status).toBe(401)
    expect((await target().admins('GET', '/users/maker/permissions')).data).toHaveLength(3)
    expect((await target().do(GUEST, 'GET', '/test/shop/things')).status).toBe(401)
  })

  it('attack 12: the same uuids and names in two applications are two of each, and no token passes over', async () => {
    await target().do(GUEST, 'POST', '/management/orgs', {
      body: {
        organization: 'rival',
        username: 'rival',
        email: 'rival@rival.test',
        name: 'Rival',
        password: 'correct horse',
      },
    })
    const signedIn = await target().do(GUEST, 'POST', '/management/token', {
      body: { grant_type: 'password', username: 'rival', password: 'correct horse' },
    })
    const rival = {
      token: signedIn.body.access_token,
      principal: { kind: 'admin' as const, uuid: signedIn.body.user.uuid, username: 'rival' },
    }
    await target().newApplication('test', 'second')
    await target().newApplication('rival', 'shop')
    const places = ['/test/shop', '/test/second', '/rival/shop']
    const uuid = '4b9d2c10-6f1b-41ee-8c99-0242ac120002'
    const person = '4b9d2c10-6f1b-41ee-8c99-0242ac120003'
    const users = new Map<
      string,
      { token: string; principal: { kind: 'user'; app: string; uuid: string; username: string } }
    >()
    for (const place of places) {
      const put = (path: string, body: object) =>
        target().do(target().admin, 'PUT', `${place}${path}`, { body })
      expect((await put(`/parcels/${uuid}`, { name: 'parcel', of: place })).status).toBe(200)
      expect((await put(`/users/${person}`, { username: 'carol', of: place })).status).toBe(200)
      await target().do(target().admin, 'POST', `${place}/users/carol/permissions`, {
        body: { permission: 'get,put,post,delete:/parcels/**' },
      })
      const { access_token: token } = (await target().do(target().admin, 'GET', `${place}/users/carol/token`))
        .body
      const { application: app } = (await target().do(target().admin, 'GET', place)).body
      users.set(place, { token, principal: { kind: 'user', app, uuid: person, username: 'carol' } })
    }

    for (const [name, way] of target().ways)
      for (const [home, who] of users)
        for (const place of places) {
          const read = await way(who, 'GET', `${place}/parcels/${uuid}`)
          if (place === home) {
            expect([name, read!.status, read!.body.entities[0].of]).toEqual([name, 200, home])
            continue
          }
          for (const [method, path, body] of [
            ['GET', '/parcels/parcel', undefined],
            ['GET', '/users/me', undefined],
            ['PUT', `/parcels/${uuid}`, { stolen: true }],
            ['PATCH', `/parcels/${uuid}`, { stolen: true }],
            ['POST', '/users', { username: 'x' }],
            ['POST', '/parcels', { stolen: true }],
            ['DELETE', `/parcels/${uuid}`, undefined],
            ['POST', `/users/me/likes/parcels/${uuid}`, undefined],
          ] as const) {
            const answer = await way(who, method, `${place}${path}`, { body })
            expect([name, home, place, method, path, answer!.status]).toEqual([
              name,
              home,
              place,
              method,
              path,
              path === '/users/me' && name === 'session' ? answer!.status : 401,
            ])
          }
        }
    // Not even where guests may do everything.
    for (const who of users.values())
      expect((await target().do(who, 'GET', '/test/sandbox/parcels')).status).toBe(401)
    expect((await target().do(GUEST, 'GET', '/test/sandbox/parcels')).status).toBe(200)
    for (const path of [
      '/test/shop/parcels',
      '/test/shop/users',
      '/management/orgs/test',
      '/management/orgs/test/apps',
      '/management/orgs/test/credentials',
      '/management/orgs/rival/apps/../../test',
      `/${target().shop}/parcels`,
    ])
      expect([path, (await target().do(rival, 'GET', path)).status >= 400]).toEqual([path, true])
    for (const [method, path] of [
      ['PUT', `/management/orgs/rival/apps/${target().shop}`],
      ['DELETE', `/management/orgs/rival/apps/${target().shop}`],
      ['POST', `/management/orgs/rival/apps/${target().shop}/credentials`],
      ['GET', `/management/orgs/rival/apps/${target().shop}/credentials`],
    ] as const)
      expect([method, path, (await target().do(rival, method, path)).status]).toEqual([method, path, 404])
    for (const place of places) {
      const { entities } = (await target().do(target().admin, 'GET', `${place}/parcels`)).body
      expect([
        place,
        entities.map(({ of, stolen }: { of: string; stolen?: boolean }) => [of, stolen]),
      ]).toEqual([place, [[place, undefined]]])
    }
    const made = await Promise.all(
      [...users].map(async ([place, { token }]) => {
        const headers = { 'idempotency-key': 'the-same', authorization: `Bearer ${token}` }
        const reply = await fetch(`${target().server.url}${place}/parcels`, {
          method: 'POST',
          headers,
          body: '{"n":1}',
        })
        return (await reply.json()) as { entities: { uuid: string }[] }
      }),
    )
    expect(made).toMatchObject(places.map(() => ({ entities: [{ n: 1 }] })))
    expect(new Set(made.map(({ entities }) => entities[0]!.uuid)).size).toBe(3)
  })

  it('attack 12: what is revoked, deleted or renewed in one application stays as it was in the other', async () => {
    await target().newApplication('test', 'third')
    const here = await target().user('/test/shop', 'dave')
    const there = await target().user('/test/third', 'dave')

    await target().admins('PUT', '/users/dave/revoketokens')

    expect((await target().do(here, 'GET', '/test/shop/users/me')).status).toBe(401)
    expect((await target().do(there, 'GET', '/test/third/users/me')).status).toBe(200)
    await target().admins('DELETE', '/users/dave')
    expect((await target().do(there, 'GET', '/test/third/users/me')).status).toBe(200)
  })
})
