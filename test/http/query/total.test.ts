import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { sharedServer } from '../../support/application.js'

describe.each(DATABASES)('count=total on %s', (database) => {
  const server = sharedServer(database)

  const open = async () => {
    const app = await server.application()
    const dogs = Array.from({ length: 25 }, (_, age) => ({
      name: `dog${age}`,
      age,
      tags: [age % 2, age % 5],
    }))
    await app.post('/dogs', dogs)
    const total = async (path: string, caller: Pick<typeof app, 'get'> = app) =>
      (await caller.get(`${path}${path.includes('?') ? '&' : '?'}count=total`)).body.total
    return { app, total }
  }

  it.each([
    ['/dogs', 25],
    ['/dogs?limit=3', 25],
    ['/dogs?ql=where age < 10', 10],
    ['/dogs?ql=where tags = 0 order by age&limit=2', 15],
    ["/dogs?ql=where name = 'dog*'", 25],
    ["/dogs?ql=where name = 'dog1*' and not age = 10", 10],
    ['/dogs?ql=where age > 100', 0],
    ['/cats', 0],
  ])('%s has %i', async (path, expected) => {
    const { total } = await open()

    expect(await total(path)).toBe(expected)
  })

  it('comes with the page, and only when it is asked for', async () => {
    const { app } = await open()

    const asked = (await app.get('/dogs?count=total&limit=4')).body
    const unasked = (await app.get('/dogs?limit=4')).body

    expect(asked).toMatchObject({ count: 4, total: 25, cursor: unasked.cursor })
    expect(unasked).not.toHaveProperty('total')
  })

  it('is the same on every page', async () => {
    const { app } = await open()
    const first = (await app.get('/dogs?count=total&limit=20')).body

    const second = (await app.get(`/dogs?count=total&limit=20&cursor=${first.cursor}`)).body

    expect([first.total, second.total, second.entities.length]).toEqual([25, 25, 5])
  })

  it('of connections counts what the caller may read', async () => {
    const { app, total } = await open()
    const closed = await app.newApplication('closed')
    await closed.admin.post('/lists', { name: 'l' })
    await closed.admin.post('/lists/l/has/notes', [{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    for (const permission of ['get:/lists/**', 'get:/notes/a', 'get:/notes/b'])
      await closed.admin.post('/roles/default/permissions', { permission })
    const ann = await app.signedUp('ann', {}, closed.path)

    expect(await total('/lists/l/has', closed.admin)).toBe(3)
    expect(await total('/lists/l/has', ann)).toBe(2)
    expect(await total("/lists/l/has?ql=where name = 'c'", ann)).toBe(0)
  })

  it('tells nothing about properties that the settings hide', async () => {
    const { app, total } = await open()
    await app.admin.post('/dogs/_settings', { fields: ['age'] })

    expect(await total('/dogs?ql=where tags = 1')).toBe(0)
    expect(await total('/dogs?ql=where age = 1')).toBe(1)
  })

  it('is there in process', async () => {
    const { app } = await open()
    const session = await server.server.engine.app(app.name).asSystem('test')

    const page = await session.list('dogs', { ql: 'where age < 3', limit: 1, count: 'total' })

    expect(page).toMatchObject({ total: 3, entities: [expect.anything()] })
  })
})

describe.each(DATABASES)('count=total past the examined bound on %s', (database) => {
  const server = sharedServer(database, { limits: { examined: 10 } })

  it('is refused as a listing would be', async () => {
    const app = await server.application()
    await app.post(
      '/dogs',
      Array.from({ length: 30 }, (_, age) => ({ age, odd: age % 2 === 1 })),
    )

    expect((await app.get('/dogs?count=total&ql=where age < 9')).body.total).toBe(9)
    expect((await app.get('/dogs?count=total')).body.total).toBe(30)
    expect((await app.get('/dogs?count=total&limit=1&ql=where not odd = true')).body.error).toBe(
      'query_too_broad',
    )
  })
})
