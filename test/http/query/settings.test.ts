import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { namesOf, newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('the properties that a collection lets queries see, on %s', (database) => {
  const app = sharedApp(database)
  const things = async (fields: unknown) => {
    const path = `/${newCollection()}`
    const bodies = Array.from({ length: 7 }, (_, n) => ({
      name: `n${n}`,
      open: n % 3,
      hidden: 7 - n,
      deep: { er: n },
    }))
    const [hub] = await app().create(newCollection(), { name: 'hub' })
    const all = await app().create(path.slice(1), ...bodies)
    const likes = `/${hub!.type}s/hub/likes${path}`
    for (const { uuid } of all) await app().post(`/${hub!.type}s/hub/likes/${uuid}`)
    const { status, body } = await app().post(`${path}/_settings`, { fields })
    expect([status, body.data.fields]).toEqual([200, fields])
    return { path, likes }
  }
  const NEWEST = ['n6', 'n5', 'n4', 'n3', 'n2', 'n1', 'n0']

  it('are those listed, what is nested in them, and those of the system', async () => {
    const { path, likes } = await things(['OPEN', 'deep'])

    for (const list of [path, likes]) {
      expect(await app().find(list, 'open = 1')).toEqual(['n4', 'n1'])
      expect(await app().find(list, 'deep.er = 2')).toEqual(['n2'])
      expect(await app().find(list, "name = 'n3' and created > 0 and type = '*'")).toEqual(['n3'])
      expect(await app().find(list, 'hidden = 3')).toEqual([])
      expect(await app().find(list, 'not hidden = 3')).toEqual(NEWEST)
      expect(await app().find(list, 'open = 1 or hidden = 3')).toEqual(['n4', 'n1'])
      expect(await app().find(list, 'order by deep.er')).toEqual([...NEWEST].reverse())
    }
  })

  it('are the only ones to sort by, and leave pages complete', async () => {
    const { path, likes } = await things(['open'])

    for (const list of [path, likes]) {
      for (const ql of [
        'order by hidden',
        'order by hidden desc',
        'order by hidden, open desc',
        'open >= 0 order by hidden',
      ]) {
        const whole = await app().find(list, ql)
        expect([...whole].sort()).toEqual([...NEWEST].sort())
        if (!ql.includes(', open')) expect(whole).toEqual(NEWEST)
        const pages = await app().pages(list, { ql, limit: 2 })
        expect(pages.flat().map(({ name }) => name)).toEqual(whole)
      }
    }
  })

  it('are the only ones that PUT and DELETE by query see', async () => {
    const { path } = await things(['open'])

    expect((await app().send('PUT', path, { params: { ql: 'hidden = 3' }, body: { a: 1 } })).status).toBe(404)
    expect((await app().delete(path, { ql: 'hidden = 3' })).body.entities).toEqual([])
    const updated = await app().send('PUT', path, { params: { ql: 'not hidden = 3' }, body: { a: 1 } })
    expect(namesOf(updated.body)).toEqual(NEWEST)
  })

  it('are none at all, or all again, at once', async () => {
    const { path } = await things('none')

    for (const ql of ['open = 1', "name = 'n1'", 'created > 0', 'not open = 1']) {
      expect([ql, await app().find(path, ql)]).toEqual([ql, []])
    }
    expect(namesOf((await app().get(path)).body)).toEqual(NEWEST)
    expect(namesOf((await app().get(`${path}/n1`)).body)).toEqual(['n1'])
    await app().post(`${path}/_settings`, { fields: 'all' })
    expect(await app().find(path, 'hidden = 3')).toEqual(['n4'])
    await app().post(`${path}/_settings`, { fields: [] })
    expect(await app().find(path, 'hidden = 3')).toEqual([])
    expect(await app().find(path, "name = 'n1'")).toEqual(['n1'])
    await app().delete(`${path}/_settings`)
    expect(await app().find(path, 'hidden = 3 order by hidden')).toEqual(['n4'])
  })
})
