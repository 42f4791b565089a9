import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type Entity, namesOf, newCollection, type Reply, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('lists of connections on %s', (database) => {
  const app = sharedApp(database)
  const refused = ({ status, body }: Reply) => [status, body.error]

  /** Twelve fans of two types look at one star. */
  const fans = async () => {
    const [stars, cats, dogs] = [newCollection(), newCollection(), newCollection()]
    const [star] = await app().create(stars, { name: 'star' })
    const bodies = (letter: string) =>
      Array.from({ length: 6 }, (_, n) => ({ name: `${letter}${n}`, n, third: n % 3 }))
    const all = [...(await app().create(cats, ...bodies('c'))), ...(await app().create(dogs, ...bodies('d')))]
    const collectionOf = ({ name }: Entity) => (name.startsWith('c') ? cats : dogs)
    for (const fan of all) await app().post(`/${collectionOf(fan)}/${fan.uuid}/sees/${star!.uuid}`)
    return { stars, cats, dogs, star: star! }
  }

  it('lead back by verb, type and query', async () => {
    const { stars, cats, dogs } = await fans()
    const path = `/${stars}/star/connecting/sees`
    const [dogType] = [dogs.slice(0, -1)]

    expect(await app().find(path, '')).toEqual([
      'd5',
      'd4',
      'd3',
      'd2',
      'd1',
      'd0',
      'c5',
      'c4',
      'c3',
      'c2',
      'c1',
      'c0',
    ])
    expect(await app().find(`${path}/${cats}`, '')).toEqual(['c5', 'c4', 'c3', 'c2', 'c1', 'c0'])
    expect(await app().find(`${path}/${dogType}`, 'n > 3')).toEqual(['d5', 'd4'])
    expect(await app().find(path, 'n = 2')).toEqual(['d2', 'c2'])
    expect(await app().find(path, 'n = 2 order by name')).toEqual(['c2', 'd2'])
    expect(await app().find(`${path}/any`, 'n = 2')).toEqual(['d2', 'c2'])
    expect(await app().find(`${path}/${cats}`, 'third = 1 order by n desc')).toEqual(['c4', 'c1'])
    expect(await app().find(`/${stars}/star/connecting`, 'n = 0')).toEqual(['d0', 'c0'])
    expect(await app().find(`/${stars}/star/connecting/hears`, '')).toEqual([])
    expect(await app().find(`/${stars}/star/sees`, '')).toEqual([])
  })

  it('lead back to one entity, if it is connected', async () => {
    const { stars, cats, star } = await fans()
    const [stranger] = await app().create(cats, { name: 'stranger' })
    const path = `/${stars}/star/connecting/sees`

    expect(namesOf((await app().get(`${path}/${cats}/c1`)).body)).toEqual(['c1'])
    expect(refused(await app().get(`${path}/${cats}/stranger`))).toEqual([404, 'service_resource_not_found'])
    expect(refused(await app().get(`${path}/${stranger!.uuid}`))).toEqual([404, 'service_resource_not_found'])
    expect(refused(await app().get(`${path}/${star.uuid}`))).toEqual([404, 'service_resource_not_found'])
  })

  it('are paged through in both directions', async () => {
    const { stars, cats } = await fans()
    const [star] = (await app().get(`/${stars}/star`)).body.entities
    for (const { uuid } of (await app().get(`/${cats}`)).body.entities)
      await app().post(`/${stars}/${star.uuid}/knows/${uuid}`)

    for (const list of [
      `/${stars}/star/connecting/sees`,
      `/${stars}/star/connecting/sees/${cats}`,
      `/${stars}/star/knows`,
    ]) {
      for (const ql of [
        '',
        'third = 1',
        'order by third, name',
        'n > 1 order by n desc',
        "name = 'c*'",
        "name contains 'c*'",
      ]) {
        const whole = await app().find(list, ql)
        for (const limit of [1, 5]) {
          const pages = await app().pages(list, { ql, limit })
          expect([list, ql, limit, pages.flat().map(({ name }) => name)]).toEqual([list, ql, limit, whole])
        }
      }
    }
  })

  it('have cursors of their own', async () => {
    const { stars, cats } = await fans()
    const path = `/${stars}/star/connecting/sees`
    const { cursor } = (await app().get(path, { limit: 1 })).body
    const { cursor: ofCollection } = (await app().get(`/${cats}`, { limit: 1 })).body

    for (const [list, foreign] of [
      [`${path}/${cats}`, cursor],
      [`/${stars}/star/connecting`, cursor],
      [`/${stars}/star/sees`, cursor],
      [`/${cats}/c0/connecting/sees`, cursor],
      [path, ofCollection],
      [path, 'nonsense'],
    ]) {
      expect([list, ...refused(await app().get(list, { cursor: foreign }))]).toEqual([
        list,
        400,
        'illegal_argument',
      ])
    }
    expect(refused(await app().get(path, { cursor, ql: 'n > 0' }))).toEqual([400, 'illegal_argument'])
  })

  it('are followed over any number of steps, with a query at the end', async () => {
    const path = newCollection()
    const chain = await app().create(path, ...Array.from({ length: 8 }, (_, n) => ({ name: `n${n}`, n })))
    for (const [i, { uuid }] of chain.entries()) {
      if (i > 0) await app().post(`/${path}/${chain[i - 1]!.uuid}/next/${uuid}`)
    }
    const steps = (count: number) =>
      chain
        .slice(1, count + 1)
        .map(({ uuid }) => `next/${uuid}`)
        .join('/')

    for (let count = 1; count < 8; count++) {
      const [entity] = (await app().get(`/${path}/n0/${steps(count)}`)).body.entities
      expect([count, entity.name]).toEqual([count, `n${count}`])
      expect(entity.metadata.path).toBe(`/${path}/${chain[count - 1]!.uuid}/next/${entity.uuid}`)
    }
    expect(await app().find(`/${path}/n0/${steps(5)}/next`, 'n = 6')).toEqual(['n6'])
    expect(await app().find(`/${path}/n0/${steps(5)}/next`, 'n = 7')).toEqual([])
    expect(await app().find(`/${path}/n0/next/${path}/n1/next/${path}/n2/connecting/next`, '')).toEqual([
      'n1',
    ])
    expect(
      await app().find(`/${path}/n7/connecting/next/${chain[6]!.uuid}/connecting/next`, 'n > 0'),
    ).toEqual(['n5'])
    expect(refused(await app().get(`/${path}/n0/next/${chain[2]!.uuid}`))).toEqual([
      404,
      'service_resource_not_found',
    ])
    expect(refused(await app().get(`/${path}/n0/next/${chain[2]!.uuid}/next`))).toEqual([
      404,
      'service_resource_not_found',
    ])
    const tooMany = await app().get(
      `/${path}/n0/${Array.from({ length: 9 }, () => `next/${chain[1]!.uuid}`).join('/')}`,
    )
    expect(refused(tooMany)).toEqual([400, 'illegal_argument'])
  })

  it('move a connection to the front however many there are', async () => {
    const { stars, cats } = await fans()
    const path = `/${stars}/star/connecting/sees/${cats}`
    const [star] = (await app().get(`/${stars}/star`)).body.entities

    await app().post(`/${cats}/c2/sees/${star.uuid}`)
    await app().post(`/${cats}/c0/sees/${star.uuid}`)

    expect(await app().find(path, '')).toEqual(['c0', 'c2', 'c5', 'c4', 'c3', 'c1'])
    expect(await app().find(path, 'third = 2')).toEqual(['c2', 'c5'])
    const pages = await app().pages(path, { limit: 2 })
    expect(pages.map((page) => namesOf({ entities: page }))).toEqual([
      ['c0', 'c2'],
      ['c5', 'c4'],
      ['c3', 'c1'],
    ])
  })
})
