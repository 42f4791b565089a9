import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { namesOf, newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('a query with direct on %s', (database) => {
  const app = sharedApp(database)

  it('fetches the entities it lists, in that order, and skips what is not there', async () => {
    const path = `/${newCollection()}`
    const [a, b, c] = await app().create(path.slice(1), { name: 'a' }, { name: 'b' }, { name: 'C-3.x' })
    const [stranger] = await app().create(newCollection(), { name: 'stranger' })
    const unknown = '00000000-0000-4000-8000-000000000000'

    expect(await app().find(path, `select * where direct ${c!.uuid}, ${a!.uuid}`)).toEqual(['C-3.x', 'a'])
    expect(await app().find(path, 'select * where direct b, c-3.x')).toEqual(['b', 'C-3.x'])
    expect(await app().find(path, `direct ${b!.uuid.toUpperCase()}, a`)).toEqual(['b', 'a'])
    expect(await app().find(path, `direct nobody, ${unknown}, ${stranger!.uuid}, stranger, a`)).toEqual(['a'])
    expect(await app().find(path, `direct ${unknown}`)).toEqual([])
    const { body } = await app().get(path, { ql: `select name where direct ${a!.uuid}` })
    expect(body).toMatchObject({
      count: 1,
      entities: [{ uuid: a!.uuid, type: a!.type, name: 'a', metadata: {} }],
    })
    expect(body).not.toHaveProperty('cursor')
  })

  it('lists a thousand entities at most', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a' })
    const refs = (count: number) => `direct ${Array.from({ length: count }, () => 'b').join(',')}`

    expect((await app().get(path, { ql: refs(1000) })).status).toBe(200)
    const { status, body } = await app().get(path, { ql: refs(1001) })
    expect([status, body.error]).toEqual([400, 'too_many_direct_entities'])
  })

  it('is the whole filter', async () => {
    const path = `/${newCollection()}`

    for (const ql of [
      'direct a and x = 1',
      'x = 1 and direct a',
      'direct',
      'direct a,',
      "direct 'a'",
      'not direct a, b',
    ]) {
      const { status, body } = await app().get(path, { ql })
      expect([ql, status, body.error]).toEqual([ql, 400, 'query_parse'])
    }
  })

  it('shows of connections only what is connected', async () => {
    const path = `/${newCollection()}`
    const [a, b, c, d] = await app().create(
      path.slice(1),
      { name: 'a' },
      { name: 'b' },
      { name: 'c' },
      { name: 'd' },
    )
    for (const target of [b, c]) await app().post(`${path}/a/likes/${target!.uuid}`)
    const ql = `direct ${[d, c, b, a].map((entity) => entity!.uuid).join(', ')}`

    expect(await app().find(`${path}/a/likes`, ql)).toEqual(['c', 'b'])
    expect(await app().find(`${path}/a/likes${path}`, ql)).toEqual(['c', 'b'])
    expect(await app().find(`${path}/a/connections`, ql)).toEqual(['c', 'b'])
    expect(await app().find(`${path}/c/connecting/likes`, ql)).toEqual(['a'])
    expect(await app().find(`${path}/a/dislikes`, ql)).toEqual([])
  })

  it('narrows what PUT and DELETE change', async () => {
    const path = `/${newCollection()}`
    await app().create(path.slice(1), { name: 'a' }, { name: 'b' }, { name: 'c' })

    const updated = await app().send('PUT', path, { params: { ql: 'direct a, c' }, body: { x: 1 } })
    expect(namesOf(updated.body)).toEqual(['a', 'c'])
    expect(namesOf((await app().delete(path, { ql: 'direct b, c' })).body)).toEqual(['b', 'c'])
    expect(await app().find(path, '')).toEqual(['a'])
  })
})
