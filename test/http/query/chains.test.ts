import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Entity, namesOf, newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('a path that starts from several entities on %s', (database) => {
  const app = sharedApp(database)

  /** Two people who like some of five toys; toy 3 is liked by both, latest by bob. */
  const people = async () => {
    const [path, toyPath] = [`/${newCollection()}`, `/${newCollection()}`]
    const [ann, bob] = await app().create(path.slice(1), { name: 'ann', age: 1 }, { name: 'bob', age: 2 })
    const toys = await app().create(
      toyPath.slice(1),
      ...[1, 2, 3, 4, 5].map((n) => ({ name: `t${n}`, n, location: { lat: n, lon: 0 } })),
    )
    const like = async (who: Entity, toy: number) =>
      app().post(`${path}/${who.uuid}/likes/${toys[toy - 1]!.uuid}`)
    for (const [who, toy] of [
      [ann, 3],
      [ann, 1],
      [bob, 5],
      [bob, 3],
      [ann, 2],
    ] as const)
      await like(who!, toy)
    return { path, toyPath, ann: ann!, bob: bob!, toys }
  }

  it('merges their lists, latest connection first and each entity once', async () => {
    const { path } = await people()

    expect(await app().find(`${path}/all/likes`, '')).toEqual(['t2', 't3', 't5', 't1'])
    expect(await app().find(`${path};ql=age = 1/likes`, '')).toEqual(['t2', 't1', 't3'])
    expect(await app().find(`${path};ql=age > 0;limit=1/likes`, '')).toEqual(['t3', 't5'])
    expect(await app().find(`${path};ql=age > 5/likes`, '')).toEqual([])
    expect(await app().find(`${path}/${encodeURIComponent('{"ql":"age < 2"}')}/likes`, '')).toEqual([
      't2',
      't1',
      't3',
    ])
  })

  it('filters, sorts and measures what was merged', async () => {
    const { path, toyPath } = await people()

    for (const list of [`${path}/all/likes`, `${path}/all/likes${toyPath}`, `${path}/all/connections`]) {
      expect(await app().find(list, 'n > 1 order by n desc')).toEqual(['t5', 't3', 't2'])
      expect(await app().find(list, 'order by n')).toEqual(['t1', 't2', 't3', 't5'])
      expect(await app().find(list, 'location within 50000000 of 3,0')).toEqual(['t3', 't2', 't5', 't1'])
    }
    expect(await app().find(`${path}/all/likes/all;ql=n > 2`, '')).toEqual(['t3', 't5'])
    expect(await app().find(`${path}/all/likes;ql=n < 2`, '')).toEqual(['t1'])
  })

  it('pages through what was merged', async () => {
    const { path } = await people()

    for (const [ql, names] of [
      ['', ['t2', 't3', 't5', 't1']],
      ['order by n', ['t1', 't2', 't3', 't5']],
      ['n < 5', ['t2', 't3', 't1']],
    ] as const) {
      for (const limit of [1, 2, 3]) {
        const pages = await app().pages(`${path}/all/likes`, { ql, limit })
        expect([ql, limit, pages.flat().map(({ name }) => name)]).toEqual([ql, limit, names])
        expect(pages.at(-1)!.length).toBeGreaterThan(0)
      }
    }
  })

  it('shows each entity by a path that leads to it', async () => {
    const { path, ann, bob, toys } = await people()

    const { body } = await app().get(`${path}/all/likes`)

    const pathOf = (who: Entity, toy: number) => `${path}/${who.uuid}/likes/${toys[toy - 1]!.uuid}`
    expect(body.entities.map(({ metadata }: Entity) => metadata.path)).toEqual([
      pathOf(ann, 2),
      pathOf(bob, 3),
      pathOf(bob, 5),
      pathOf(ann, 1),
    ])
    for (const { name, metadata } of body.entities)
      expect(namesOf((await app().get(metadata.path)).body)).toEqual([name])
    expect(body.path).toBe(`${path}/all/likes`)
    const one = (await app().get(`${path};ql=age = 2/likes`)).body
    expect(one.path).toBe(`${path}/${bob.uuid}/likes`)
  })

  it('takes ten entities of each step unless told otherwise', async () => {
    const path = `/${newCollection()}`
    const many = await app().create(
      path.slice(1),
      ...Array.from({ length: 12 }, (_, n) => ({ name: `n${n}`, n })),
    )
    for (const { uuid } of many) await app().post(`${path}/${uuid}/is/${uuid}`)

    expect(await app().find(`${path}/all/is`, '')).toHaveLength(10)
    expect(await app().find(`${path};limit=12/is`, '')).toHaveLength(12)
    expect(await app().find(`${path};limit=12/is/all/is`, '')).toHaveLength(10)
    expect(await app().find(`${path};limit=12/is;limit=12/is`, '')).toHaveLength(12)
    expect(await app().find(`${path};limit=12/is;limit=12/is`, 'n < 5 order by n')).toEqual([
      'n0',
      'n1',
      'n2',
      'n3',
      'n4',
    ])
  })

  it('goes on over lists to lists, in both directions', async () => {
    const { path, ann, toys } = await people()
    await app().post(`${path}/ann/knows${path}/bob`)

    expect(await app().find(`${path}/ann/knows/all/likes`, '')).toEqual(['t3', 't5'])
    expect(await app().find(`${path}/all/likes/all/connecting/likes`, 'order by name')).toEqual([
      'ann',
      'bob',
    ])
    expect(await app().find(`${path}/ann/likes;ql=n = 3/connecting/likes`, 'age = 2')).toEqual(['bob'])
    expect(await app().find(`${path}/bob/connecting/knows/all/likes`, 'n = 2')).toEqual(['t2'])
    expect(namesOf((await app().get(`${path}/all/likes/${toys[4]!.uuid}`)).body)).toEqual(['t5'])
    expect((await app().get(`${path};ql=age = 1/likes/${toys[4]!.uuid}`)).body.error).toBe(
      'service_resource_not_found',
    )
    expect((await app().get(`${path}/all/likes/${ann.uuid}`)).body.error).toBe('service_resource_not_found')
  })

  it('can be written to when it leads to one entity, and not when it leads to several', async () => {
    const { path, toys } = await people()
    const [t4, t5] = [toys[3]!.uuid, toys[4]!.uuid]

    expect((await app().post(`${path};ql=age = 1/likes/${t4}`)).status).toBe(200)
    expect(await app().find(`${path}/ann/likes`, 'n = 4')).toEqual(['t4'])
    expect((await app().delete(`${path};ql=age = 2/likes/${t5}`)).status).toBe(200)
    expect(await app().find(`${path}/bob/likes`, 'n = 5')).toEqual([])
    for (const reply of [
      await app().post(`${path}/all/likes/${t4}`),
      await app().delete(`${path}/all/likes/${t4}`),
    ]) {
      expect([reply.status, reply.body.error]).toEqual([400, 'illegal_argument'])
    }
    expect((await app().post(`${path};ql=age = 9/likes/${t4}`)).body.error).toBe('service_resource_not_found')
    expect(await app().find(`${path}/bob/likes`, 'n = 4')).toEqual([])
  })
})
