import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { unchangedPrototypes } from './prototypes.js'
import { type Answer, attacked, GUEST, type Who } from './ways.js'

/** A reply without what differs between two of them. */
const told = ({ status, body: { timestamp: _, duration: __, ...body } }: Answer) => ({ status, body })

describe.each(DATABASES)('attacks on rights, on %s', (database) => {
  unchangedPrototypes()
  const target = attacked(database)

  /** Each request by every way that has it; `refuse` must hold of each answer. */
  const everyWay = async (
    who: Who,
    requests: readonly Request[],
    holds: (answer: Answer, told: string) => void,
  ) => {
    const used = new Set<string>()
    for (const [name, way] of target().ways)
      for (const [method, path, body, search = ''] of requests) {
        const answer = await way(who, method, `/test/shop${path}`, { body, search })
        if (answer === null) continue
        used.add(name)
        holds(answer, `${name}: ${method} ${path}?${search}`)
      }
    return [...used]
  }
  type Request = readonly [method: string, path: string, body?: unknown, search?: string]

  it('attack 1: a new application refuses strangers everything, and does not tell what exists', async () => {
    const {
      entities: [secret],
    } = await target().admins('POST', '/secrets', [
      { name: 'plan', text: 'attack at dawn' },
      { name: 'other' },
    ])
    await target().admins('POST', `/secrets/${secret.uuid}/likes/secrets/other`)
    const stranger = await target().user('/test/shop', 'stranger')
    const changed = { text: 'changed' }
    const requests = (name: string): Request[] => [
      ['GET', '/secrets'],
      ['GET', '/secrets', undefined, 'ql=text%3D%27attack*%27&count=total'],
      ['GET', `/secrets/${name}`],
      ['GET', `/secrets/${name}/likes`],
      ['GET', `/secrets/${name}/connecting/likes`],
      ['GET', `/secrets/all/likes`],
      ['POST', '/secrets', changed],
      ['POST', '/secrets', [changed]],
      ['POST', `/secrets/${name}`, changed],
      ['POST', `/secrets/${name}/likes/secrets/other`],
      ['PUT', `/secrets/${name}`, changed],
      ['PATCH', `/secrets/${name}`, changed],
      ['PUT', '/secrets', changed, 'ql=text%3D%27attack*%27'],
      ['PATCH', '/secrets', changed, 'ql=text%3D%27attack*%27'],
      ['DELETE', `/secrets/${name}`],
      ['DELETE', '/secrets', undefined, 'limit=10'],
      ['DELETE', `/secrets/${name}/likes/secrets/other`],
    ]
    for (const who of [GUEST, stranger]) {
      const replies = { exists: [] as unknown[], missing: [] as unknown[], uuid: [] as unknown[] }
      const ways = await everyWay(who, requests('plan'), (answer, request) => {
        expect([request, answer.status, answer.body.error]).toEqual([request, 401, 'unauthorized'])
        replies.exists.push(told(answer))
      })
      await everyWay(who, requests('nothing'), (answer) => replies.missing.push(told(answer)))
      await everyWay(who, requests(secret.uuid), (answer) => replies.uuid.push(told(answer)))
      expect(ways).toEqual([...target().ways.keys()])
      expect(replies.missing).toEqual(replies.exists)
      expect(replies.uuid).toEqual(replies.exists)
    }
    const { entities } = await target().admins('GET', '/secrets')
    expect(entities).toMatchObject([{ name: 'other' }, { name: 'plan', text: 'attack at dawn' }])
    expect((await target().admins('GET', '/secrets/plan/likes')).entities).toHaveLength(1)
  })

  it("attack 2: nobody changes what is another user's, by whatever path", async () => {
    const mallory = await target().user('/test/shop', 'mallory', 'get:/**', 'put,post,delete:/notes/hers/**')
    const { uuid } = await target().user('/test/shop', 'alice')
    await target().admins('POST', '/users/alice/writes/notes', { name: 'diary', text: 'mine' })
    await target().admins('POST', '/notes', { name: 'hers' })
    await target().admins('POST', '/users/alice/following/users/mallory')
    await target().admins('POST', '/users/mallory/following/users/alice')
    const { uuid: diary } = (await target().admins('GET', '/notes/diary')).entities[0]
    const changed = { text: 'changed', city: 'changed' }
    const requests: Request[] = [
      ...['alice', uuid].flatMap((name): Request[] => [
        ['PUT', `/users/${name}`, changed],
        ['PATCH', `/users/${name}`, changed],
        ['DELETE', `/users/${name}`],
        ['POST', `/users/${name}/writes/notes/hers`],
        ['POST', `/users/${name}/writes/notes`, { name: 'new' }],
        ['POST', `/users/${name}/following/users/mallory`],
        ['DELETE', `/users/${name}/following/users/mallory`],
        ['DELETE', `/users/${name}/writes/notes/diary`],
        ['PUT', `/users/${name}/writes/notes/diary`, changed],
        ['PUT', `/users/${name}/writes/${diary}`, changed],
        ['POST', `/users/${name}/permissions`, { permission: 'get:/x' }],
        ['PUT', `/users/${name}/password`, { newpassword: 'a new password', oldpassword: 'a guess' }],
      ]),
      ...['diary', diary].flatMap((name): Request[] => [
        ['PUT', `/notes/${name}`, changed],
        ['PATCH', `/notes/${name}`, { text: { $unset: true } }],
        ['DELETE', `/notes/${name}`],
      ]),
      ['PUT', '/notes', changed, "ql=name='diary'"],
      ['PATCH', '/notes', changed, "ql=name='diary'"],
      ['DELETE', '/notes', undefined, "ql=name='diary'"],
      ['PUT', '/users', changed, "ql=username='alice'"],
      ['PUT', `/notes/hers/links/${diary}`, changed],
      ['PUT', `/users/me/reads/${diary}`, changed],
      ['POST', `/users/me/following/users/alice/writes/notes/hers`],
      ['DELETE', `/users/me/followers/alice`],
      ['POST', `/users/me/followers/alice`],
    ]

    const ways = await everyWay(mallory, requests, (answer, request) => {
      // A password is refused for being wrong.
      const expected = request.includes('/password')
        ? [request, 400, 'auth_invalid_username_or_password']
        : [request, 401, 'unauthorized']
      expect([request, answer.status, answer.body.error]).toEqual(expected)
    })
    expect(ways).toEqual([...target().ways.keys()])
    const operations = [
      { method: 'PUT', path: 'notes/hers', body: changed },
      { method: 'PUT', path: 'users/me', body: changed },
      { method: 'PUT', path: 'notes/diary', body: changed },
    ]
    const batch = await target().do(mallory, 'POST', '/test/shop/_batch', { body: { operations } })
    expect([batch.status, batch.body.error, batch.body.operation]).toEqual([401, 'unauthorized', 2])
    for (const path of ['/notes/hers', '/notes/diary', '/users/alice', '/users/mallory'])
      expect(JSON.stringify(await target().admins('GET', path))).not.toContain('changed')
    expect((await target().admins('GET', '/users/alice/following')).entities).toHaveLength(1)
    expect((await target().admins('GET', '/users/alice/writes')).entities).toMatchObject([
      { name: 'diary', text: 'mine' },
    ])
  })

  it('attack 11: what connects to somebody is listed and counted by the rights on both ends', async () => {
    const reader = await target().user('/test/shop', 'reader', 'get:/people/bob/**', 'get:/books/open')
    await target().admins('POST', '/people', { name: 'bob' })
    await target().admins('POST', '/books', [{ name: 'open' }, { name: 'closed' }])
    for (const book of ['open', 'closed']) {
      await target().admins('POST', `/books/${book}/likes/people/bob`)
      await target().admins('POST', `/people/bob/likes/books/${book}`)
    }

    for (const path of [
      '/people/bob/connecting/likes',
      '/people/bob/likes',
      '/people/bob/connections',
      '/people/bob/connecting',
      '/people/bob/likes/books',
    ])
      for (const search of [
        'count=total',
        "count=total&ql=name='*'",
        'count=total&ql=order%20by%20name',
        'count=total&limit=1',
      ])
        for (const way of ['http', 'express', 'handle']) {
          const { body } = (await target().ways.get(way)!(reader, 'GET', `/test/shop${path}`, { search }))!
          const names = body.entities.map(({ name }: { name: string }) => name)
          // A page may come out empty, but never with what may not be read.
          expect([path, search, names.filter((name: string) => name !== 'open'), body.total]).toEqual([
            path,
            search,
            [],
            1,
          ])
        }
    for (const path of [
      '/books/open/connecting/likes',
      '/books/closed/connecting/likes',
      '/books/all/connecting/likes',
      '/people/all/likes',
      '/people;limit=9/likes',
    ])
      expect([path, (await target().do(reader, 'GET', `/test/shop${path}`)).status]).toEqual([path, 401])
    const { metadata } = (await target().do(reader, 'GET', '/test/shop/books/open')).body.entities[0]
    expect(metadata).not.toHaveProperty('connecting')
  })
})
