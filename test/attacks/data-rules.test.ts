// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${user} is a variable of permission strings.
import { DATABASES } from '@entigrid/core/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { type AttackedUser, attacked, GUEST, type Who } from './ways.js'

const RULE = 'get,post,put,delete:/notes/* where owner = ${user}'

describe.each(DATABASES)('permission strings with a filter on %s', (database) => {
  const target = attacked(database)
  let ann: AttackedUser
  let bob: AttackedUser

  beforeAll(async () => {
    await target().admins('POST', '/roles/default/permissions', { permission: [RULE, 'get:/tags/**'] })
    ann = await target().user('/test/shop', 'ann')
    bob = await target().user('/test/shop', 'bob')
  })

  /** Notes of both in a state of their own. */
  const notes = async () => {
    for (const name of ['a1', 'a2', 'b1', 'shared', 'nobodys'])
      await target().do(target().admin, 'DELETE', `/test/shop/notes/${name}`)
    await target().admins('POST', '/notes', [
      { name: 'a1', owner: 'ann', text: 'one', rank: 1 },
      { name: 'a2', owner: ann.uuid, text: 'two', rank: 2 },
      { name: 'b1', owner: 'Bob', text: 'three', rank: 3 },
      { name: 'shared', owner: ['ann', 'bob'], text: 'four', rank: 4 },
      { name: 'nobodys', text: 'five', rank: 5 },
    ])
  }
  const stored = async (name: string) =>
    (await target().do(target().admin, 'GET', `/test/shop/notes/${name}`)).body.entities?.[0]

  /** The same request by every way there is; the answers, which must agree. */
  const everywhere = async (
    who: Who,
    method: string,
    path: string,
    sent: { body?: unknown; search?: string } = {},
  ) => {
    const answers: { way: string; status: number; names: string[] | undefined; total?: number }[] = []
    for (const [way, send] of target().ways) {
      if (method !== 'GET') await notes()
      const answer = await send(who, method, `/test/shop${path}`, sent)
      if (answer === null) continue
      const names = answer.body.entities?.map(({ name }: { name: string }) => name).sort()
      answers.push({ way, status: answer.status, names, total: answer.body.total })
    }
    const { way: _, ...first } = answers[0]!
    for (const { way, ...answer } of answers) expect([way, answer]).toEqual([way, first])
    expect(answers.length).toBeGreaterThan(1)
    return first
  }

  it('narrows lists, queries and counts to what matches', async () => {
    await notes()

    expect(await everywhere(ann, 'GET', '/notes')).toMatchObject({
      status: 200,
      names: ['a1', 'a2', 'shared'],
    })
    expect((await everywhere(bob, 'GET', '/notes')).names).toEqual(['b1', 'shared'])
    for (const [ql, names] of [
      ['rank > 1', ['a2', 'shared']],
      ["owner = 'bob'", ['shared']],
      ["not text = 'one'", ['a2', 'shared']],
      ["text = 'three' or text = 'two'", ['a2']],
      ['order by rank desc', ['a1', 'a2', 'shared']],
    ] as const) {
      const search = `ql=${encodeURIComponent(ql)}&count=total`
      expect([ql, await everywhere(ann, 'GET', '/notes', { search })]).toEqual([
        ql,
        { status: 200, names, total: names.length },
      ])
    }
  })

  it('counts, pages and names only what matches', async () => {
    await notes()
    const { body } = await target().do(ann, 'GET', '/test/shop/notes', { search: 'limit=2' })
    const next = await target().do(ann, 'GET', '/test/shop/notes', {
      search: `limit=2&cursor=${body.cursor}`,
    })

    expect([body.entities.length, next.body.entities.length, next.body.cursor]).toEqual([2, 1, undefined])
    const direct = `ql=${encodeURIComponent(`where direct a1, b1, ${(await stored('b1')).uuid}`)}`
    const named = await target().do(ann, 'GET', '/test/shop/notes', { search: direct })
    expect(named.body.entities.map(({ name }: { name: string }) => name)).toEqual(['a1'])
    expect((await target().do(ann, 'GET', '/test/shop/notes', { search: 'analyzeOnly=true' })).status).toBe(
      401,
    )
  })

  it('attack 1 and 2: reads, changes and removes nothing of others, whose notes are as if they were not there', async () => {
    await notes()
    const { uuid } = await stored('b1')

    for (const [path, missing] of [
      ['/notes/b1', '/notes/none'],
      [`/notes/${uuid}`, '/notes/0190c7a1-7b3e-7c44-9d2a-000000000b0b'],
    ] as const)
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const sent = method === 'PATCH' ? { body: { text: 'mine' } } : {}
        const send = async (at: string) => {
          const answer = await target().do(ann, method, `/test/shop${at}`, sent)
          return { status: answer.status, error: answer.body.error }
        }
        expect([method, path, await send(path)]).toEqual([method, path, await send(missing)])
      }
    expect((await everywhere(ann, 'PATCH', '/notes/b1', { body: { text: 'mine' } })).status).toBe(404)
    expect((await everywhere(ann, 'PUT', '/notes/b1', { body: { owner: 'ann' } })).status).toBe(404)
    expect((await everywhere(ann, 'DELETE', '/notes/nobodys')).status).toBe(404)
    expect(await stored('b1')).toMatchObject({ owner: 'Bob', text: 'three' })
    expect((await everywhere(ann, 'PUT', '/notes/shared', { body: { text: 'ours' } })).status).toBe(200)
    expect((await everywhere(GUEST, 'GET', '/notes/a1')).status).toBe(401)
  })

  it('lets nobody write what would not be his afterwards', async () => {
    const given = await everywhere(ann, 'PUT', '/notes/a1', { body: { owner: 'bob' } })
    expect([given.status, (await stored('a1')).owner]).toEqual([401, 'ann'])
    const patched = await everywhere(ann, 'PATCH', '/notes/a1', { body: { owner: null } })
    expect([patched.status, (await stored('a1')).owner]).toEqual([401, 'ann'])
    expect((await everywhere(ann, 'POST', '/notes', { body: { name: 'forged', owner: 'bob' } })).status).toBe(
      401,
    )
    expect((await everywhere(ann, 'PUT', '/notes/forged', { body: { owner: 'bob' } })).status).toBe(401)
    expect(await stored('forged')).toBeUndefined()
    const own = await everywhere(ann, 'PUT', '/notes/a1', { body: { owner: ann.uuid } })
    expect([own.status, (await stored('a1')).owner]).toEqual([200, ann.uuid])
  })

  it('narrows what a query changes or removes, and checks what becomes of it', async () => {
    await notes()
    const by = (method: string, ql: string, body?: object) =>
      target().do(ann, method, '/test/shop/notes', { search: `ql=${encodeURIComponent(ql)}`, body })

    expect((await by('PUT', 'rank > 0', { seen: true })).body.entities).toHaveLength(3)
    expect(await stored('b1')).not.toHaveProperty('seen')
    expect((await by('PATCH', "owner = 'bob' and rank = 3", { seen: true })).status).toBe(404)
    expect((await by('PUT', 'rank > 0', { owner: 'bob' })).status).toBe(401)
    expect((await stored('a1')).owner).toBe('ann')
    expect((await by('DELETE', 'rank > 2')).body.entities).toHaveLength(1)
    expect(await stored('b1')).toBeDefined()
  })

  it('stores of a list what may be stored, and of a batch all or nothing', async () => {
    await notes()
    const list = await target().do(ann, 'POST', '/test/shop/notes', {
      body: [
        { name: 'ok', owner: 'ann' },
        { name: 'forged', owner: 'bob' },
      ],
    })
    expect(list.body).toMatchObject({
      entities: [{ name: 'ok' }],
      failed: [{ index: 1, error: 'unauthorized' }],
    })
    const batch = await target().do(ann, 'POST', '/test/shop/_batch', {
      body: {
        operations: [
          { method: 'PUT', path: 'notes/ok', body: { text: 'new' } },
          { method: 'PUT', path: 'notes/b1', body: { text: 'mine' } },
        ],
      },
    })
    expect([batch.status, batch.body.operation, (await stored('ok')).text]).toEqual([404, 1, undefined])
  })

  it('attack 11: connects, and shows connected, only what matches', async () => {
    await notes()
    await target().admins('POST', '/tags', { name: 'red' })
    for (const name of ['a1', 'b1']) {
      await target().admins('POST', `/tags/red/marks/notes/${name}`)
      await target().admins('POST', `/notes/${name}/tagged/tags/red`)
    }
    const names = async (who: Who, path: string, search = 'count=total') => {
      const { status, body } = await target().do(who, 'GET', `/test/shop${path}`, { search })
      return [status, body.entities?.map(({ name }: { name: string }) => name), body.total]
    }
    expect(await names(ann, '/tags/red/marks')).toEqual([200, ['a1'], 1])
    expect(await names(ann, '/tags/red/marks', "ql=text='three'&count=total")).toEqual([200, [], 0])
    expect(await names(ann, '/tags/red/connecting/tagged')).toEqual([200, ['a1'], 1])
    expect((await names(ann, '/tags/red/marks/notes/b1'))[0]).toBe(404)
    // A right to some notes is none to what leads on from the others.
    await target().admins('POST', '/users/ann/permissions', {
      permission: "get,post,delete:/notes/** where owner = ${user} or name = 'red'",
    })
    expect(await names(ann, '/notes/a1/tagged')).toEqual([200, ['red'], 1])
    expect((await names(ann, '/notes/b1/tagged'))[0]).toBe(404)
    expect((await target().do(ann, 'POST', '/test/shop/notes/b1/tagged/tags/red')).status).toBe(404)
    expect((await target().do(ann, 'POST', '/test/shop/notes/a1/likes/notes/b1')).status).toBe(404)
    expect((await target().do(ann, 'POST', '/test/shop/notes/a1/likes/notes/a2')).status).toBe(200)
    await target().admins(
      'DELETE',
      `/users/ann/permissions?permission=${encodeURIComponent("get,post,delete:/notes/** where owner = ${user} or name = 'red'")}`,
    )
  })

  it('attack 11: leads nobody on, in several steps, from what he may not read', async () => {
    await notes()
    await target().admins('POST', '/tags', { name: 'blue' })
    for (const name of ['a1', 'b1']) await target().admins('POST', `/notes/${name}/tagged/tags/blue`)
    const permission = 'get,post:/notes/*/tagged/tags/blue/**,/tags/blue/marks/** where owner = ${user}'
    await target().admins('POST', '/users/ann/permissions', { permission })
    const reach = async (method: string, path: string) => {
      const asked = new URLSearchParams({ method, path })
      const { status } = await target().do(ann, method, `/test/shop${path}`)
      const { data } = (await target().do(ann, 'GET', '/test/shop/_access', { search: `${asked}` })).body
      return [status, data.allowed ? 200 : data.status]
    }

    for (const [start, status] of [
      ['/notes/a1', 200],
      ['/notes/b1', 404],
    ] as const) {
      const path = `${start}/tagged/tags/blue/marks`
      expect([start, await reach('POST', `${path}/notes/a2`)]).toEqual([start, [status, status]])
      expect([start, await reach('GET', path)]).toEqual([start, [status, status]])
      // The end of the path has an answer of its own.
      expect([start, await reach('POST', `${path}/notes/nobodys`)]).toEqual([start, [404, 404]])
    }
    await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(permission)}`)
  })

  it('attack 11: neither a page nor its cursor tells of what is connected and cannot be read', async () => {
    await notes()
    await target().admins('POST', '/tags', { name: 'pink' })
    for (const name of ['a1', 'nobodys', 'b1']) {
      await target().admins('POST', `/tags/pink/marks/notes/${name}`)
      await target().admins('POST', `/notes/${name}/tagged/tags/pink`)
    }
    const permission = 'get:/notes/*/tagged'
    await target().admins('POST', '/users/ann/permissions', { permission })
    const page = async (path: string, search: string) => {
      const { status, body } = await target().do(ann, 'GET', `/test/shop${path}`, { search })
      return [status, body.entities.map(({ name }: { name: string }) => name), body.cursor]
    }
    const starts = (query: object) => page(`/notes/${encodeURIComponent(JSON.stringify(query))}/tagged`, '')

    for (const ql of [
      "text = 'three' or rank = 1",
      'order by rank desc',
      'not rank = 5',
      'rank > 0 order by text',
    ])
      for (const path of ['/tags/pink/marks', '/tags/pink/marks/notes', '/tags/pink/connecting/tagged'])
        expect([path, ql, await page(path, `limit=1&ql=${encodeURIComponent(ql)}`)]).toEqual([
          path,
          ql,
          [200, ['a1'], undefined],
        ])
    expect(await starts({ ql: 'order by rank desc', limit: 3 })).toEqual([200, ['pink'], undefined])
    expect(await starts({ ql: "text = 'three'" })).toEqual([200, [], undefined])
    await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(permission)}`)
  })

  it('lets nobody make, by way of a connection, a user that he may not make', async () => {
    const permission = 'post,put:/users where rank = 1'
    await target().admins('POST', '/users/ann/permissions', { permission })
    const make = async (path: string, username: string, rank: number) =>
      (await target().do(ann, 'POST', `/test/shop/users/me/${path}`, { body: { username, rank } })).status

    expect([await make('knows/users', 'dan', 2), await make('knows/users', 'dan', 1)]).toEqual([401, 200])
    expect([await make('following', 'eli', 2), await make('following', 'eli', 1)]).toEqual([401, 200])
    const uuid = '0190c7a1-7b3e-7c44-9d2a-00000000beef'
    const put = (rank: number) =>
      target().do(ann, 'PUT', `/test/shop/users/me/knows/users/${uuid}`, { body: { username: 'fay', rank } })
    expect([(await put(2)).status, (await put(1)).status]).toEqual([401, 200])
    await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(permission)}`)
  })

  it('is explained with the answer that the request gets, whoever may read what it is about', async () => {
    await notes()
    await target().admins('POST', '/tags', { name: 'grey' })
    const permissions = ['put,post,delete:/tags/*/marks/** where owner = ${user}', 'get,put:/notes/*']
    await target().admins('POST', '/users/ann/permissions', { permission: permissions })

    for (const [method, path, status, told] of [
      // What is not connected is not there to be changed, by anybody; what is there is somebody else's.
      ['PUT', '/tags/grey/marks/notes/b1', 404, 200],
      ['DELETE', '/tags/grey/marks/notes/b1', 401, 401],
      ['POST', '/tags/grey/marks/notes/b1', 401, 401],
      ['POST', '/tags/grey/marks/notes/a1', 200, 200],
      ['PUT', '/tags/grey/marks/notes/a1', 200, 200],
    ] as const) {
      const search = new URLSearchParams({ method, path, user: 'ann' }).toString()
      const { data } = (await target().do(target().admin, 'GET', '/test/shop/_access', { search })).body
      const answer = await target().do(ann, method, `/test/shop${path}`, { body: { text: 'new' } })
      const explained = data.allowed ? 200 : data.status
      expect([method, path, answer.status, explained]).toEqual([method, path, status, told])
    }
    for (const one of permissions)
      await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(one)}`)
  })

  it('lets nobody give away by a connection, or write in several steps, what the own path of it would not let him', async () => {
    await notes()
    await target().admins('POST', '/tags', { name: 'black' })
    for (const path of ['/tags/black/marks/notes/a1', '/notes/a1/tagged/tags/black'])
      await target().admins('POST', path)
    const permission = [
      'post,put:/tags/black/marks/** where not rank = 2',
      'post:/notes/*/tagged/tags/black/marks/**',
    ]
    await target().admins('POST', '/users/ann/permissions', { permission })
    const { uuid } = await stored('a1')
    const write = async (method: string, path: string, body: object) =>
      (await target().do(ann, method, `/test/shop${path}`, { body })).status

    for (const path of ['/tags/black/marks/notes/a1', `/tags/black/marks/${uuid}`]) {
      expect([path, await write('PUT', path, { owner: 'bob' })]).toEqual([path, 401])
      expect([path, await write('PUT', path, { rank: 2 })]).toEqual([path, 401])
      expect([path, await write('PUT', path, { text: 'mine' })]).toEqual([path, 200])
    }
    expect(await stored('a1')).toMatchObject({ owner: 'ann', rank: 1, text: 'mine' })
    const deep = '/notes/a1/tagged/tags/black/marks/notes'
    expect([await write('POST', `${deep}/a2`, {}), await write('POST', `${deep}/shared`, {})]).toEqual([
      401, 200,
    ])
    for (const one of permission)
      await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(one)}`)
  })

  it('asks of the own path of what is changed by a connection once, whatever its name is afterwards', async () => {
    await notes()
    await target().admins('POST', '/tags', { name: 'white' })
    await target().admins('POST', '/tags/white/marks/notes/nobodys')
    const permission = ['get,put:/notes/nobodys', 'put:/tags/white/marks/**']
    await target().admins('POST', '/users/ann/permissions', { permission })

    const renamed = await target().do(ann, 'PUT', '/test/shop/tags/white/marks/notes/nobodys', {
      body: { name: 'somebodys' },
    })
    expect([renamed.status, (await stored('somebodys'))?.text]).toEqual([200, 'five'])
    await target().admins('DELETE', '/notes/somebodys')
    for (const one of permission)
      await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(one)}`)
  })

  it('holds for properties that no index has, and for what is not so', async () => {
    await target().admins('POST', '/memos', [
      { name: 'x', owner: 'ann', secret: true },
      { name: 'y', owner: 'bob', secret: false },
    ])
    await target().admins('POST', '/memos/_settings', { fields: 'none' })
    const see = async (permission: string) => {
      await target().admins('POST', '/users/ann/permissions', { permission })
      const { body } = await target().do(ann, 'GET', '/test/shop/memos', { search: 'count=total' })
      await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(permission)}`)
      return [body.entities.map(({ name }: { name: string }) => name), body.total]
    }
    expect(await see('get:/memos/* where owner = ${user.username}')).toEqual([['x'], 1])
    expect(await see('get:/memos/* where not owner = ${user}')).toEqual([['y'], 1])
    expect(await see('get:/memos/* where not secret = true')).toEqual([['y'], 1])
    expect(await see("get:/memos/* where owner = '${user.uuid}'")).toEqual([[], 0])
  })

  it('explains which string decided, and that it is for some entities only', async () => {
    await notes()
    const ask = (path: string, method = 'GET') =>
      target().admins('GET', `/_access?user=ann&method=${method}&path=${path}`)
    const by = { string: RULE, holder: 'role', name: 'default' }
    expect((await ask('notes/a1')).data).toMatchObject({ allowed: true, rights: [{ allowed: true, by }] })
    expect((await ask('notes')).data).toMatchObject({ allowed: true, rights: [{ filtered: true, by }] })
    expect((await ask('notes/b1')).data).toMatchObject({
      allowed: false,
      status: 404,
      rights: [{ allowed: false, needs: 'get:/notes/b1' }],
    })
  })

  it('answers the question for what is not there as for what is not his', async () => {
    await notes()
    const permission = 'get,post,delete:/notes/*/tagged/** where owner = ${user}'
    await target().admins('POST', '/users/ann/permissions', { permission })
    const told = async (method: string, path: string) => {
      const search = new URLSearchParams({ method, path }).toString()
      const { data } = (await target().do(ann, 'GET', '/test/shop/_access', { search })).body
      return JSON.stringify([data.allowed, data.status, data.reason, data.rights]).replaceAll('absent', 'b1')
    }

    for (const [methods, ...paths] of [
      ['GET PATCH DELETE POST', '/notes/absent'],
      ['GET', '/notes/absent/tagged', '/notes/absent/tagged/tags/x', '/notes/a1/tagged/notes/absent'],
      ['POST DELETE', '/notes/absent/tagged/notes/a1', '/notes/a1/tagged/notes/absent'],
    ] as const)
      for (const method of methods.split(' '))
        for (const path of paths)
          expect([method, path, await told(method, path)]).toEqual([
            method,
            path,
            await told(method, path.replace('absent', 'b1')),
          ])
    expect(await told('GET', '/notes/absent')).toContain('false,404')
    expect(await told('PUT', '/notes/absent')).toContain('true')
    await target().admins('DELETE', `/users/ann/permissions?permission=${encodeURIComponent(permission)}`)
  })

  it('leaves nobody without the rights of his group who is added to a thousand others', async () => {
    await target().admins('POST', '/groups', { path: 'first' })
    await target().admins('POST', '/groups/first/permissions', { permission: 'get:/treasures' })
    await target().admins('POST', '/groups/first/users/bob')
    const groups = Array.from({ length: 1000 }, (_, i) => `g${i}`)
    await target().admins(
      'POST',
      '/groups',
      groups.map((path) => ({ path })),
    )
    for (let at = 0; at < groups.length; at += 100)
      await target().admins('POST', '/_batch', {
        operations: groups
          .slice(at, at + 100)
          .map((path) => ({ method: 'POST', path: `groups/${path}/users/bob` })),
      })
    expect((await target().do(bob, 'GET', '/test/shop/treasures')).status).toBe(200)
    expect((await target().do(ann, 'GET', '/test/shop/treasures')).status).toBe(401)
  })

  it.each([
    ['get:/notes/* where', 'query language'],
    ['get:/notes/* where owner =', 'query language'],
    ['get:/notes/* where owner = ${group}', 'variables'],
    ['get:/notes/* where owner > ${user}', '"="'],
    ['get:/notes/* where rank = 1 order by name', 'conditions'],
    ['get:/notes/* where direct a, b', 'conditions'],
    [`get:/notes/* where ${'('.repeat(70)}a = 1${')'.repeat(70)}`, 'query language'],
  ])('refuses %s', async (permission, reason) => {
    const answer = await target().do(target().admin, 'POST', '/test/shop/users/bob/permissions', {
      body: { permission },
    })
    expect([answer.status, answer.body.error]).toEqual([400, 'illegal_argument'])
    expect(answer.body.error_description).toContain(reason)
  })
})
