import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

const POST = {
  name: 'post',
  Title: 'Hello',
  actor: { displayName: 'Ann', email: 'ann@example.org', image: { url: 'a.png', width: 5 } },
  tags: ['a', 'b'],
  comments: [{ by: 'Bob', text: 'one' }, { by: 'Cid' }, { text: 'three' }],
  'dotted.key': 7,
}

describe.each(DATABASES)('the chosen properties of a query on %s', (database) => {
  const app = sharedApp(database)
  const show = async (ql: string) => {
    const collection = newCollection()
    const [created] = await app().create(collection, POST)
    const { uuid, type } = created!
    const { body } = await app().get(`/${collection}`, { ql })
    const [entity] = body.entities
    expect(entity).toMatchObject({ uuid, type, metadata: { path: `/${collection}/${uuid}` } })
    const { uuid: _, type: __, metadata: ___, ...shown } = entity
    return shown
  }

  it.each([
    ['select uuid', {}],
    ['select uuid, type, metadata', {}],
    ['select nothing', {}],
    ['select name', { name: 'post' }],
    ['select title', { Title: 'Hello' }],
    ['select TITLE, Name', { name: 'post', Title: 'Hello' }],
    ['select actor', { actor: POST.actor }],
    ['select actor.displayname', { actor: { displayName: 'Ann' } }],
    ['select actor.displayName,title', { Title: 'Hello', actor: { displayName: 'Ann' } }],
    ['select actor.image.url, actor.email', { actor: { email: 'ann@example.org', image: { url: 'a.png' } } }],
    ['select actor.nothing', {}],
    ['select tags', { tags: ['a', 'b'] }],
    ['select comments.text', { comments: [{ text: 'one' }, { text: 'three' }] }],
    ['select dotted.key', { 'dotted.key': 7 }],
    ["select title where name = 'post' order by name", { Title: 'Hello' }],
    ['select {title: heading}', { heading: 'Hello' }],
    ['select {title: heading, actor.displayname: who}', { heading: 'Hello', who: 'Ann' }],
    ['select {title: uuid}', {}],
    ['select *', undefined],
  ])('%s', async (ql, expected) => {
    const shown = await show(ql)

    if (expected !== undefined) expect(shown).toEqual(expected)
    else expect(shown).toEqual({ ...POST, created: expect.any(Number), modified: expect.any(Number) })
  })

  it('are those of a single entity and of connected ones, too', async () => {
    const collection = newCollection()
    const [a, b] = await app().create(collection, { name: 'a', x: 1, y: 1 }, { name: 'b', x: 2, y: 2 })
    await app().post(`/${collection}/a/likes/${b!.uuid}`)
    const keys = async (path: string) =>
      Object.keys((await app().get(path, { ql: 'select x' })).body.entities[0])

    expect(await keys(`/${collection}/${a!.uuid}`)).toEqual(['uuid', 'type', 'x', 'metadata'])
    expect(await keys(`/${collection}/a/likes`)).toEqual(['uuid', 'type', 'x', 'metadata'])
    expect(await keys(`/${collection}/b/connecting/likes`)).toEqual(['uuid', 'type', 'x', 'metadata'])
    expect(await keys(`/${collection}/a/likes/${b!.uuid}`)).toEqual(['uuid', 'type', 'x', 'metadata'])
  })

  it('never produce a list of arrays', async () => {
    const collection = newCollection()
    await app().create(collection, POST)

    const { body } = await app().get(`/${collection}`, { ql: 'select name, title' })

    expect(body).not.toHaveProperty('list')
    expect(body).toMatchObject({ count: 1, path: `/${collection}` })
  })
})
