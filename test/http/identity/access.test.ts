import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Caller, sharedServer, UUID } from '../../support/application.js'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

describe.each(DATABASES)('explanations of rights on %s', (database) => {
  const server = sharedServer(database)

  /** A closed application with the user ada, who has these permission strings, the user bob, and a note. */
  const open = async (...permissions: string[]) => {
    const app = await server.application()
    const shop = await app.newApplication('shop')
    const { admin } = shop
    const ada = await app.signedUp('ada', { email: 'ada@example.org' }, shop.path)
    const bob = await app.signedUp('bob', {}, shop.path)
    const [note] = (await admin.post('/notes', { name: 'x' })).body.entities
    if (permissions.length > 0) await admin.post('/users/ada/permissions', { permission: permissions })
    return { app, ...shop, ada, bob, note: note.uuid as string }
  }

  const ask = async (asker: Caller, user: string | null, method: string, path: string) => {
    const params = { ...(user === null ? {} : { user }), method, path }
    return asker.get(`/_access?${new URLSearchParams(params)}`)
  }

  const explain = async (...question: Parameters<typeof ask>) => {
    const reply = await ask(...question)
    expect(reply.status, reply.text).toBe(200)
    return reply.body.data
  }

  it('name the string that allows, and who holds it', async () => {
    const { admin, ada, note } = await open()
    await admin.post('/roles/default/permissions', { permission: 'put:/notes/*' })

    expect(await explain(admin, 'ada', 'PUT', '/notes/x')).toEqual({
      allowed: true,
      user: { kind: 'user', uuid: ada.uuid, username: 'ada' },
      method: 'PUT',
      path: '/notes/x',
      rights: [
        {
          verb: 'put',
          path: `/notes/${note}`,
          allowed: true,
          by: { string: 'put:/notes/*', holder: 'role', name: 'default' },
        },
      ],
    })
  })

  it('name the string that is needed where it is denied, also for what does not exist', async () => {
    const { admin, note } = await open('get:/notes/*')

    expect(await explain(admin, 'ada@example.org', 'PATCH', '/notes/X')).toMatchObject({
      allowed: false,
      status: 401,
      user: { username: 'ada' },
      rights: [{ verb: 'put', path: `/notes/${note}`, allowed: false, needs: 'put:/notes/x' }],
    })
    expect((await explain(admin, 'bob', 'DELETE', 'plan/9%20lives')).rights).toEqual([
      { verb: 'delete', path: '/plans/9 lives', allowed: false, needs: 'delete:/plans/*' },
    ])
    expect((await explain(admin, 'guest', 'GET', '/notes')).rights[0].needs).toBe('get:/notes')
  })

  it('know users, groups, roles of groups, and that everybody may read himself', async () => {
    const { admin, ada } = await open('get:/diaries/*')
    await admin.post('/groups', { path: 'staff' })
    await admin.post('/groups/staff/users/ada')
    await admin.post('/groups/staff/permissions', { permission: 'get:/plans/*' })
    await admin.post('/roles', { name: 'clerk' })
    await admin.post('/groups/staff/roles/clerk')
    await admin.post('/roles/clerk/permissions', { permission: 'get:/ledgers/**' })
    const by = async (path: string) => (await explain(admin, ada.uuid, 'GET', path)).rights[0].by

    expect(await by('/diaries/1')).toEqual({ string: 'get:/diaries/*', holder: 'user', name: 'ada' })
    expect(await by('/plans/1')).toEqual({ string: 'get:/plans/*', holder: 'group', name: 'staff' })
    expect(await by('/ledgers/1')).toEqual({ string: 'get:/ledgers/**', holder: 'role', name: 'clerk' })
    expect(await by('/users/ada')).toEqual({ holder: 'self' })
    expect(await by('/users/ada/likes')).toMatchObject({ holder: 'role', name: 'default' })
  })

  it('report the rights on both ends of a connection', async () => {
    const { admin, note } = await open()

    expect(await explain(admin, 'ada', 'POST', `/users/me/likes/${note}`)).toMatchObject({
      allowed: false,
      status: 404,
      rights: [
        { verb: 'post', allowed: true, by: { name: 'default' } },
        { verb: 'get', path: `/notes/${note}`, allowed: false, needs: `get:/notes/${note}` },
      ],
    })
    await admin.post('/groups', { path: 'staff' })
    const joining = await explain(admin, 'ada', 'POST', '/users/ada/groups/staff')
    expect(joining.rights).toMatchObject([
      { path: expect.stringMatching(/^\/users\/.*\/groups\//), allowed: true },
      { path: expect.stringMatching(/^\/groups\/.*\/users\//), needs: 'post:/groups/staff/users/ada' },
      { verb: 'get', path: expect.stringMatching(/^\/groups\//), needs: 'get:/groups/staff' },
    ])
  })

  it('name strings that help: with them the request is let through', async () => {
    const { admin, ada, note } = await open()
    await admin.post('/groups', { path: 'staff/paris' })
    const requests = [
      ['GET', '/notes/x'],
      ['POST', `/users/me/likes/${note}`],
      ['PUT', `/users/ada/likes/notes/${note}`],
      ['POST', '/users/bob/knows/users'],
      ['PUT', '/users/ada/groups/staff/paris'],
      ['PUT', '/users/bob/permissions'],
      ['GET', '/users/all/likes'],
      ['DELETE', '/notes/odd,na*me:s'],
    ] as const

    for (const [method, path] of requests) {
      const before = await explain(admin, 'ada', method, path)
      expect(before.allowed, path).toBe(false)
      const permission = before.rights.map(({ needs }: { needs?: string }) => needs).filter(Boolean)
      await admin.post('/users/ada/permissions', { permission })

      expect(await explain(admin, 'ada', method, path), path).toMatchObject({ allowed: true })
      expect((await ada.send(method, path, method === 'GET' ? undefined : {})).status, path).not.toBe(401)
      for (const string of permission)
        await admin.delete(`/users/ada/permissions?permission=${encodeURIComponent(string)}`)
    }
  })

  it('are what the requests then get', { timeout: 60_000 }, async () => {
    const { app, admin, ada, guest, path: shop } = await open()
    const cid = await app.signedUp('cid', {}, shop)
    const strings: [string, string[]][] = [
      ['/roles/guest', ['get:/dogs/*', 'post:/dogs']],
      ['/roles/reader', ['get:/dogs/*', 'get:/toys/**', 'get:/groups/*']],
      [
        '/groups/staff',
        ['get,put,post,delete:/dogs/**', 'post,delete:/groups/staff/users/*', 'put:/roles/reader/users/*'],
      ],
    ]
    const restore = async () => {
      await admin.put('/dogs/rex', { age: 1 })
      await admin.put('/cats/tom', { age: 1 })
      await admin.put('/toys/ball', { colour: 'red' })
      await admin.put('/groups/staff', { path: 'staff' })
      await admin.put('/roles/reader', { name: 'reader' })
      await admin.post('/roles/reader/users/ada')
      await admin.post('/groups/staff/users/cid')
      for (const [holder, permission] of strings) await admin.post(`${holder}/permissions`, { permission })
      for (const user of ['ada', 'cid']) await admin.post(`/users/${user}/likes/dogs/rex`)
      await admin.post('/dogs/rex/chews/toys/ball')
    }
    await restore()
    const uuid = async (path: string) => (await admin.get(path)).body.entities[0].uuid as string
    const paths = [
      '/dogs',
      '/dogs/rex',
      '/dogs/nosuch',
      '/cats/tom',
      '/users/bob',
      '/users/me/likes',
      '/users/me/likes/dogs/rex',
      '/users/me/likes/cats/tom',
      '/users/me/likes/cats/nosuch',
      `/users/me/likes/${await uuid('/cats/tom')}`,
      `/users/me/likes/cats/${await uuid('/cats/tom')}`,
      '/users/me/likes/dogs',
      '/users/me/knows/users',
      '/users/me/groups/staff',
      '/groups/staff/users/bob',
      '/users/me/roles/reader',
      '/roles/reader/users/bob',
      '/users/me/likes/dogs/rex/chews/toys/ball',
      '/dogs/rex/chews/toys',
      '/users/all/likes',
      '/users/me/permissions',
      '/roles/reader/permissions',
    ]
    const outcomes = new Map<string, number>()
    for (const [user, caller] of [
      ['ada', ada],
      ['cid', cid],
      ['guest', guest],
    ] as const)
      for (const path of paths)
        for (const method of METHODS) {
          const question = `${user} ${method} ${path}`
          const explained = await ask(admin, user, method, path)
          const own = await ask(caller, null, method, path)
          const body = method === 'GET' ? undefined : { mood: 'good' }
          const { status } = await caller.send(method, path, body)
          if (explained.status !== 200) {
            expect([own.status, status], question).not.toContain(200)
            continue
          }
          const { allowed, status: refused } = explained.body.data
          expect(own.body.data, question).toMatchObject({ allowed, ...(allowed ? {} : { status: refused }) })
          if (!allowed) expect(status, question).toBe(refused)
          else expect(status, question).not.toBe(401)
          // What is allowed and yet not found is not there for anybody.
          if (allowed && status === 404)
            expect(await admin.send(method, path.replace('/me/', `/${user}/`), body), question).toMatchObject(
              {
                status,
              },
            )
          const outcome = allowed ? 'allowed' : String(refused)
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
          if (method !== 'GET' && status === 200) await restore()
        }
    expect(Math.min(...['401', '404', 'allowed'].map((key) => outcomes.get(key) ?? 0))).toBeGreaterThan(10)
  })

  it('are for administrators of the application; others ask about themselves', async () => {
    const { app, admin, ada, bob, guest, path } = await open('get:/notes/*')
    const stranger = await server.application()

    for (const asker of [ada, bob, guest, stranger.as(stranger.adminToken, path)])
      expect((await ask(asker, 'ada', 'GET', '/notes/x')).status).toBe(401)
    for (const asker of [
      stranger.as(stranger.adminToken, path),
      app.as((await app.signedUp('eve')).token, path),
    ])
      expect((await ask(asker, null, 'GET', '/notes/x')).status).toBe(401)
    expect(await explain(ada, null, 'GET', '/notes/x')).toMatchObject({
      allowed: true,
      user: { username: 'ada' },
      rights: [{ path: '/notes/x', by: { string: 'get:/notes/*', holder: 'user', name: 'ada' } }],
    })
    expect(await explain(guest, null, 'GET', '/notes/x')).toMatchObject({
      allowed: false,
      user: { kind: 'guest' },
      rights: [{ needs: 'get:/notes/x' }],
    })
    expect(await explain(admin, null, 'DELETE', '/notes/x')).toMatchObject({
      allowed: true,
      user: { kind: 'administrator' },
    })
  })

  it('tell a user nothing of entities that he knows nothing of', async () => {
    const { ada, note } = await open('get:/users/*/permissions')
    const secrets = [
      ['GET', '/notes/x', '/notes/y'],
      ['PUT', '/users/me/likes/notes/x', '/users/me/likes/notes/y'],
      ['POST', '/users/me/likes/notes/x', '/users/me/likes/notes/y'],
      ['GET', '/users/me/likes/notes/x', '/users/me/likes/notes/y'],
      ['POST', `/users/me/likes/${note}`, '/users/me/likes/00000000-0000-4000-8000-000000000000'],
      ['GET', '/users/bob/permissions', '/users/bib/permissions'],
    ] as const

    for (const [method, hidden, missing] of secrets) {
      const [told, untold] = [
        await explain(ada, null, method, hidden),
        await explain(ada, null, method, missing),
      ]
      const names = [hidden.split('/').at(method === 'GET' && hidden.includes('permissions') ? 2 : -1)!]
      const others = missing.split('/').at(method === 'GET' && hidden.includes('permissions') ? 2 : -1)!
      expect(JSON.stringify(told).replaceAll(names[0]!, others)).toBe(JSON.stringify(untold))
    }
  })

  it('know whom nothing is allowed any more', async () => {
    const { admin } = await open('get:/notes/*')
    await admin.put('/users/ada', { disabled: true })

    expect(await explain(admin, 'ada', 'GET', '/notes/x')).toEqual({
      allowed: false,
      status: 401,
      reason: 'Disabled identity',
      user: { kind: 'user', uuid: UUID, username: 'ada' },
      method: 'GET',
      path: '/notes/x',
      rights: [],
    })
  })

  it.each([
    ['method=FETCH&path=/notes', 400, 'illegal_argument'],
    ['path=/notes', 400, 'illegal_argument'],
    ['method=GET', 400, 'illegal_argument'],
    ['method=GET&path=/', 400, 'illegal_argument'],
    ['method=GET&path=/notes%3Fql=x', 400, 'illegal_argument'],
    ['method=GET&path=/token', 400, 'illegal_argument'],
    ['method=PUT&path=/users/ada/password', 400, 'illegal_argument'],
    ['method=GET&path=/users/ada/password', 405, 'not_allowed'],
    ['method=GET&path=/users/ada/credentials', 404, 'not_found'],
    ['method=GET&path=/notes&user=nobody', 404, 'service_resource_not_found'],
    ['method=GET&path=/notes&user=me', 404, 'service_resource_not_found'],
  ])('refuse %s', async (question, status, error) => {
    const { admin } = await open()

    const reply = await admin.get(`/_access?${question}`)

    expect([reply.status, reply.body.error]).toEqual([status, error])
  })
})
