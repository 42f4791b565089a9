import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('operators on %s', (database) => {
  const app = sharedApp(database)

  const open = async (properties: object) => {
    const kind = newCollection()
    const [entity] = await app().create(kind, { name: 'one', ...properties })
    return { path: `/${kind}/one`, uuid: entity!.uuid }
  }
  const read = async (path: string) => (await app().get(path)).body.entities[0]

  it('change what is there, in one PUT', async () => {
    const { path } = await open({ likes: 1, tags: ['a'], seen: ['x', 'y'], draft: true })

    const reply = await app().put(path, {
      likes: { $inc: 2 },
      views: { $inc: 1 },
      tags: { $addUnique: ['a', 'b'] },
      log: { $add: 'opened' },
      seen: { $remove: 'x' },
      draft: { $unset: true },
      title: 'Hello',
    })

    expect(reply.status).toBe(200)
    const stored = await read(path)
    expect(stored).toMatchObject({
      likes: 3,
      views: 1,
      tags: ['a', 'b'],
      log: ['opened'],
      seen: ['y'],
      title: 'Hello',
    })
    expect(stored).not.toHaveProperty('draft')
  })

  it('are exact however many come at once', async () => {
    const { path } = await open({ count: 0, members: [] })
    const clients = Array.from({ length: 40 }, (_, i) => i)

    const replies = await Promise.all(
      clients.flatMap((i) => [
        app().put(path, { count: { $inc: 1 }, members: { $addUnique: [i % 10] } }),
        app().send('PATCH', path, { body: { count: { $inc: 2 } } }),
      ]),
    )

    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    const { count, members } = await read(path)
    expect(count).toBe(120)
    expect([...members].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('work for all matches of a query', async () => {
    const kind = newCollection()
    await app().create(kind, { name: 'a', n: 1 }, { name: 'b', n: 2 }, { name: 'c', n: 9 })

    await app().send('PUT', `/${kind}`, { params: { ql: 'where n < 5' }, body: { n: { $inc: 10 } } })

    expect(await app().find(`/${kind}`, 'where n >= 11 order by n')).toEqual(['a', 'b'])
  })

  it('are found by the values that they lead to', async () => {
    const { path } = await open({ likes: 1 })
    const kind = path.split('/')[1]!

    await app().put(path, { likes: { $inc: 41 } })

    expect(await app().find(`/${kind}`, 'where likes = 42')).toEqual(['one'])
    expect(await app().find(`/${kind}`, 'where likes = 1')).toEqual([])
  })

  it('start from nothing in a new entity', async () => {
    const kind = newCollection()

    await app().post(`/${kind}`, { name: 'new', likes: { $inc: 5 } })
    await app().put(`/${kind}/newer`, { tags: { $add: ['a'] } })

    expect(await read(`/${kind}/new`)).toMatchObject({ likes: 5 })
    expect(await read(`/${kind}/newer`)).toMatchObject({ tags: ['a'] })
  })

  it.each([
    ['a number to a text', { title: { $inc: 1 } }, 'title'],
    ['a text to a number', { likes: { $inc: 'x' } }, 'likes'],
    ['an element to a number', { likes: { $add: [1] } }, 'likes'],
  ])('that cannot be applied change nothing: %s', async (_, body, field) => {
    const { path } = await open({ title: 'text', likes: 1 })
    const before = await read(path)

    const reply = await app().put(path, { ...body, other: 'changed' })

    expect(reply).toMatchObject({ status: 400, body: { error: 'illegal_argument', fields: [{ field }] } })
    expect(await read(path)).toEqual(before)
  })

  it('do not reach what callers cannot write', async () => {
    const { path, uuid } = await open({})
    const { created } = await read(path)

    await app().put(path, { created: { $inc: 5 }, uuid: { $unset: true }, name: 'one' })

    expect(await read(path)).toMatchObject({ uuid, created })
  })

  it('cannot make a name of what is no name', async () => {
    const { path } = await open({})

    expect(await app().put(path, { name: { $add: 'x' } })).toMatchObject({ status: 400 })
    expect(await app().put(path, { other: { $add: 'x' } })).toMatchObject({ status: 200 })
  })
})
