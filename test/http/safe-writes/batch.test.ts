import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Caller, sharedServer, UUID } from '../../support/application.js'

const batch = (caller: Caller, operations: object[], init?: RequestInit) =>
  caller.post('/_batch', { operations }, init)

describe.each(DATABASES)('batches on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    await app.post('/products', { name: 'apple', stock: 5, price: 2 })
    const stock = async () => (await app.get('/products/apple')).body.entities[0].stock
    return { app, stock }
  }

  it('carry out operations of every kind, each seeing those before it', async () => {
    const { app, stock } = await open()
    await app.post('/carts', { name: 'old' })

    const { status, body } = await batch(app, [
      { id: 'order', method: 'POST', path: 'orders', body: { name: 'o1', total: 4 } },
      { method: 'PUT', path: 'products/apple', body: { stock: { $inc: -2 } } },
      { id: 'apple', method: 'GET', path: 'products/apple' },
      { method: 'POST', path: 'orders/$order/contains/products/$apple' },
      { method: 'PATCH', path: 'orders/o1', body: { lines: { left: { $ref: 'apple.stock' } } } },
      { method: 'DELETE', path: 'carts/old' },
      { method: 'POST', path: 'orders/$order/notes/notes', body: { of: { $ref: 'order' } } },
    ])

    expect(status).toBe(200)
    expect(body).toMatchObject({ action: 'post', path: '/_batch', applicationName: 'sandbox' })
    expect(body.results).toMatchObject([
      { id: 'order', status: 200, etag: expect.any(String), entities: [{ uuid: UUID, name: 'o1' }] },
      { status: 200, entities: [{ stock: 3 }] },
      { id: 'apple', entities: [{ stock: 3 }] },
      { entities: [{ name: 'apple' }] },
      { entities: [{ lines: { left: 3 } }] },
      { entities: [{ name: 'old' }] },
      { entities: [{ of: body.results[0].entities[0].uuid }] },
    ])
    expect(await stock()).toBe(3)
    expect((await app.get('/orders/o1/contains')).body.entities).toMatchObject([{ name: 'apple' }])
    expect((await app.get('/orders/o1/notes')).body.entities).toHaveLength(1)
    expect((await app.get('/carts/old')).status).toBe(404)
  })

  it.each([
    [
      'a taken name',
      { method: 'POST', path: 'products', body: { name: 'APPLE' } },
      'duplicate_unique_property_exists',
    ],
    ['what is missing', { method: 'DELETE', path: 'products/pear' }, 'service_resource_not_found'],
    [
      'a bad value',
      { method: 'PUT', path: 'products/apple', body: { name: { $inc: 1 } } },
      'illegal_argument',
    ],
    [
      'a condition',
      { method: 'PUT', path: 'products/apple', body: {}, ifNoneMatch: '*' },
      'precondition_failed',
    ],
    [
      'no element of an array',
      { method: 'POST', path: 'dogs', body: [{ name: 'a' }, 5] },
      'illegal_argument',
    ],
  ])('write nothing when one fails: %s', async (_, failing, code) => {
    const { app, stock } = await open()

    const { status, body } = await batch(app, [
      { method: 'PUT', path: 'products/apple', body: { stock: 0 } },
      { method: 'POST', path: 'orders', body: { name: 'o1' } },
      failing,
      { method: 'POST', path: 'never', body: { name: 'reached' } },
    ])

    expect(status).toBeGreaterThanOrEqual(400)
    expect(body).toMatchObject({ error: code, code: status, operation: 2 })
    expect(await stock()).toBe(5)
    expect((await app.get('/orders/o1')).status).toBe(404)
    expect((await app.get('/dogs')).body.entities).toEqual([])
  })

  it('move amounts without losing or making any, however many at once', async () => {
    const { app } = await open()
    const names = ['a', 'b', 'c']
    await app.post(
      '/accounts',
      names.map((name) => ({ name, amount: 100 })),
    )
    const move = async (i: number) => {
      const [from, to] = [names[i % 3], names[(i + 1 + (i % 2)) % 3]]
      return batch(app, [
        { method: 'PUT', path: `accounts/${from}`, body: { amount: { $inc: -7 } } },
        { method: 'PUT', path: `accounts/${to}`, body: { amount: { $inc: 7 } } },
        { method: 'POST', path: 'moves', body: { from, to } },
      ])
    }

    const replies = await Promise.all(Array.from({ length: 30 }, (_, i) => move(i)))

    expect(replies.map(({ status }) => status)).toEqual(Array(30).fill(200))
    const { entities: accounts } = (await app.get('/accounts')).body
    const { entities: moves } = (await app.get('/moves?limit=100')).body
    for (const { name, amount } of accounts) {
      const into = moves.filter((one: { to: string }) => one.to === name).length
      const out = moves.filter((one: { from: string }) => one.from === name).length
      expect(amount).toBe(100 + 7 * (into - out))
    }
    expect(moves).toHaveLength(30)
  })

  it('decide by entity tags what others may have changed', async () => {
    const { app, stock } = await open()
    const ifMatch = (await app.get('/products/apple')).headers.get('etag')!
    const buy = () =>
      batch(app, [
        { method: 'GET', path: 'products/apple', ifMatch },
        { method: 'POST', path: 'orders', body: { of: 'apple' } },
        { method: 'PUT', path: 'products/apple', body: { stock: { $inc: -1 } } },
      ])

    const replies = await Promise.all([buy(), buy(), buy()])

    expect(replies.map(({ status }) => status).sort()).toEqual([200, 412, 412])
    expect(await stock()).toBe(4)
    expect((await app.get('/orders')).body.entities).toHaveLength(1)
  })

  it('ask for the rights to every operation', async () => {
    const { app } = await open()
    const closed = await app.newApplication('closed')
    await closed.admin.post('/notes', [{ name: 'public' }, { name: 'secret' }])
    await closed.admin.post('/roles/default/permissions', { permission: 'put:/notes/public' })
    await closed.admin.post('/roles/default/permissions', { permission: 'post:/notes' })
    const ann = await app.signedUp('ann', {}, closed.path)

    const allowed = await batch(ann, [
      { method: 'PUT', path: 'notes/public', body: { text: 'hi' } },
      { method: 'POST', path: 'notes', body: { name: 'mine' } },
      { method: 'PUT', path: 'users/me', body: { city: 'Oslo' } },
    ])
    const refusals = await Promise.all(
      [
        { method: 'PUT', path: 'notes/secret', body: { text: 'hi' } },
        { method: 'PATCH', path: 'notes/secret', body: { text: 'hi' } },
        { method: 'DELETE', path: 'notes/public' },
        { method: 'GET', path: 'notes/secret' },
        { method: 'PUT', path: 'notes/$p', body: {} },
        { method: 'POST', path: 'users/me/likes/notes/secret' },
        { method: 'POST', path: 'roles', body: { name: 'boss' } },
        { method: 'POST', path: 'groups/$p/users/me' },
      ].map((operation) =>
        batch(ann, [
          { method: 'PUT', path: 'notes/public', body: { text: 'changed' } },
          { id: 'p', method: 'PUT', path: 'users/me', body: { city: 'Rome' } },
          operation,
        ]),
      ),
    )

    expect(allowed.status).toBe(200)
    for (const { status, body } of refusals) {
      expect([401, 404]).toContain(status)
      expect(body.operation).toBe(2)
    }
    expect((await closed.admin.get('/notes/public')).body.entities[0].text).toBe('hi')
    expect((await closed.admin.get('/users/ann')).body.entities[0].city).toBe('Oslo')
  })

  it('make users with passwords, who can sign in', async () => {
    const { app } = await open()

    const { status } = await batch(app, [
      { id: 'eve', method: 'POST', path: 'users', body: { username: 'eve', password: 'long enough' } },
      { method: 'PUT', path: 'users/fay', body: { username: 'fay', password: 'longer still' } },
      { method: 'POST', path: 'users/$eve/following/users/fay' },
    ])

    expect(status).toBe(200)
    for (const [username, password] of [
      ['eve', 'long enough'],
      ['fay', 'longer still'],
    ])
      expect((await app.post('/token', { grant_type: 'password', username, password })).status).toBe(200)
    expect((await app.get('/users/eve/following')).body.entities).toMatchObject([{ username: 'fay' }])
  })

  it('read within the transaction, by name too, what they have made', async () => {
    const { app } = await open()

    const { body } = await batch(app, [
      { method: 'POST', path: 'groups', body: { path: 'eng/web', title: 'Web' } },
      { method: 'POST', path: 'users', body: { username: 'gus' } },
      { method: 'POST', path: 'groups/eng/web/users/gus' },
      { id: 'web', method: 'GET', path: 'groups/eng/web' },
      { method: 'PUT', path: 'users/gus', body: { team: { $ref: 'web.title' } } },
    ])

    expect(body.results.at(-1).entities).toMatchObject([{ username: 'gus', team: 'Web' }])
    expect((await app.get('/groups/eng/web/users')).body.entities).toMatchObject([{ username: 'gus' }])
  })

  it.each<[string, object, string?]>([
    ['a method', { method: 'HEAD', path: 'dogs/a' }, 'operations[0].method'],
    ['no path', { method: 'GET' }, 'operations[0].path'],
    ['an empty path', { method: 'POST', path: '/', body: {} }],
    ['a query string', { method: 'DELETE', path: 'dogs?ql=select *' }],
    ['a query in the path', { method: 'PUT', path: 'dogs;ql=select *', body: { a: 1 } }],
    ['all', { method: 'DELETE', path: 'dogs/all' }],
    ['a collection', { method: 'PATCH', path: 'dogs', body: { a: 1 } }],
    ['a command', { method: 'POST', path: 'dogs/_settings', body: { fields: 'none' } }],
    ['another batch', { method: 'POST', path: '_batch', body: { operations: [] } }],
    ['a sign-in', { method: 'POST', path: 'token', body: { grant_type: 'password' } }],
    ['a password', { method: 'PUT', path: 'users/me/password', body: { newpassword: 'abcdefgh' } }],
    ['a list', { method: 'GET', path: 'dogs' }],
    ['a long chain', { method: 'POST', path: 'dogs/a/likes/dogs/b/likes/dogs/c' }],
    ['no result', { method: 'PUT', path: 'dogs/$later', body: {} }],
    ['a property that is not there', { method: 'PUT', path: 'dogs/a', body: { a: { $ref: 'first' } } }],
    ['an id twice', { id: 'a b', method: 'GET', path: 'dogs/a' }, 'operations[0].id'],
    ['a number for a tag', { method: 'PUT', path: 'dogs/a', body: {}, ifMatch: 1 }, 'operations[0].ifMatch'],
  ])('refuse %s', async (_, operation, field) => {
    const { app } = await open()

    const { status, body } = await batch(app, [operation])

    expect([400, 404, 405]).toContain(status)
    if (field !== undefined) expect(body.fields).toMatchObject([{ field }])
    expect((await app.get('/dogs')).body.entities).toEqual([])
  })

  it.each([{}, [], { operations: [] }, { operations: {} }, { operations: [1] }])(
    'refuse the body %j',
    async (body) => {
      const { app } = await open()

      expect((await app.post('/_batch', body)).body.error).toBe('illegal_argument')
    },
  )

  it('refer to values only, and to own properties', async () => {
    const { app } = await open()
    const make = { id: 'a', method: 'POST', path: 'things', body: { list: [{ n: 7 }], deep: { text: 'x' } } }
    const using = (reference: string) =>
      batch(app, [make, { method: 'POST', path: 'things', body: { taken: { $ref: reference } } }])

    expect((await using('a.list.0.n')).body.results[1].entities[0].taken).toBe(7)
    expect((await using('a.deep.text')).body.results[1].entities[0].taken).toBe('x')
    for (const reference of [
      'a.list',
      'a.deep',
      'a.none',
      'a.constructor.name',
      'a.__proto__',
      'toString',
      'a.list.length',
    ])
      expect((await using(reference)).body.error).toBe('illegal_argument')
    const half = { id: 'a', method: 'POST', path: 'things', body: { text: '\ud800' } }
    for (const path of ['things/$a.text', '$a.text/x', 'things/$a/has/$a.text'])
      expect((await batch(app, [half, { method: 'PUT', path, body: { b: 1 } }])).body.error).toBe(
        'illegal_argument',
      )
  })

  it('leave a literal dollar alone', async () => {
    const { app } = await open()

    expect((await batch(app, [{ method: 'PUT', path: 'dogs/%24order', body: {} }])).status).toBe(200)
    expect((await app.get('/dogs/$order')).status).toBe(200)
  })

  it('have 100 operations at most', async () => {
    const { app } = await open()
    const some = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ method: 'POST', path: 'dogs', body: { name: `d${i}` } }))

    expect(await batch(app, some(101))).toMatchObject({
      status: 400,
      body: { fields: [{ field: 'operations' }] },
    })
    expect((await batch(app, some(100))).body.results).toHaveLength(100)
  })

  it('are there in process', async () => {
    const { app, stock } = await open()
    const session = await server.server.engine.app(app.name).asSystem('test')

    const outcomes = await session.batch([
      { id: 'order', method: 'POST', path: 'orders', body: { name: 'o1' } },
      { method: 'PUT', path: 'products/apple', body: { stock: { $inc: -1 } } },
      { method: 'POST', path: 'orders/$order/contains/products/apple' },
    ])

    expect(outcomes).toMatchObject([
      { id: 'order', entities: [{ name: 'o1' }] },
      { entities: [{ stock: 4 }] },
      {},
    ])
    await expect(
      session.batch([
        { method: 'PUT', path: 'products/apple', body: { stock: 0 } },
        { method: 'DELETE', path: 'products/pear' },
      ]),
    ).rejects.toMatchObject({ code: 'service_resource_not_found', operation: 1 })
    expect(await stock()).toBe(4)
  })
})
