import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer } from '../../support/application.js'

describe.each(DATABASES)('PATCH on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    const address = { street: 'Main', city: 'Oslo', geo: { lat: 1, lon: 2 } }
    await app.post('/dogs', { name: 'rex', address, tags: ['a'], note: 'x' })
    const read = async () => (await app.get('/dogs/rex')).body.entities[0]
    return { app, read, patch: (path: string, body: unknown) => app.send('PATCH', path, body) }
  }

  it('merges deeply and removes by null', async () => {
    const { patch, read } = await open()

    const reply = await patch('/dogs/rex', {
      address: { city: 'Bergen', street: null, geo: { lat: 3 } },
      tags: ['b'],
      note: null,
    })

    expect(reply.status).toBe(200)
    const entity = await read()
    expect(entity).toMatchObject({ address: { city: 'Bergen', geo: { lat: 3, lon: 2 } }, tags: ['b'] })
    expect(entity.address).not.toHaveProperty('street')
    expect(entity).not.toHaveProperty('note')
    expect(reply.body).toMatchObject({ action: 'patch', entities: [entity] })
  })

  it('keeps an empty text, which PUT takes for nothing', async () => {
    const { app, patch, read } = await open()

    await patch('/dogs/rex', { note: '' })
    expect(await read()).toMatchObject({ note: '' })

    await app.put('/dogs/rex', { note: '' })
    expect(await read()).not.toHaveProperty('note')
  })

  it('creates nothing', async () => {
    const { app, patch } = await open()

    expect(await patch('/dogs/fido', { age: 1 })).toMatchObject({
      status: 404,
      body: { error: 'service_resource_not_found' },
    })
    expect((await app.get('/dogs/fido')).status).toBe(404)
  })

  it('changes all matches of a query, and refuses a collection without one', async () => {
    const { app, patch, read } = await open()
    await app.post('/dogs', { name: 'fido', address: { city: 'Rome' } })

    const reply = await patch("/dogs?ql=where name='rex'", { address: { city: 'Bergen' } })

    expect(reply.body.entities).toHaveLength(1)
    expect(await read()).toMatchObject({ address: { street: 'Main', city: 'Bergen' } })
    expect(await patch('/dogs', { a: 1 })).toMatchObject({
      status: 405,
      body: { error: 'unsupported_service_operation' },
    })
  })

  it('changes what is connected', async () => {
    const { app, patch, read } = await open()
    await app.post('/cats', { name: 'tom' })
    await app.post('/cats/tom/fears/dogs/rex')

    expect((await patch('/cats/tom/fears/dogs/rex', { address: { city: 'Rome' } })).status).toBe(200)
    expect(await read()).toMatchObject({ address: { street: 'Main', city: 'Rome' } })

    await app.delete('/cats/tom/fears/dogs/rex')
    expect((await patch('/cats/tom/fears/dogs/rex', { address: { city: 'X' } })).status).toBe(404)
  })

  it('takes the right to PUT', async () => {
    const { app } = await open()
    const closed = await app.newApplication('closed')
    await closed.admin.post('/dogs', { name: 'rex' })
    const ann = await app.signedUp('ann', {}, closed.path)

    expect((await ann.send('PATCH', '/dogs/rex', { a: 1 })).status).toBe(401)
    await closed.admin.post('/users/ann/permissions', { permission: 'put:/dogs/rex' })
    expect((await ann.send('PATCH', '/dogs/rex', { a: 1 })).status).toBe(200)
  })

  it('keeps the rules of built-in types', async () => {
    const { app } = await open()
    const ann = await app.signedUp('ann')

    expect((await ann.send('PATCH', '/users/me', { username: null })).body.error).toBe(
      'required_property_not_found',
    )
    expect((await ann.send('PATCH', '/users/me', { email: { a: 1 } })).body.error).toBe(
      'property_type_conversion',
    )
    const { body } = await ann.send('PATCH', '/users/me', { activated: false, password: 'x', city: 'Oslo' })
    expect(body.entities[0]).toMatchObject({ activated: true, city: 'Oslo' })
    expect(body.entities[0]).not.toHaveProperty('password')
  })

  it.each([[[1]], ['"text"'], ['5']])('refuses %j', async (body) => {
    const { patch } = await open()

    expect((await patch('/dogs/rex', body)).status).toBeGreaterThanOrEqual(400)
  })
})
