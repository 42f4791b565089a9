import { DATABASES, StatementCounter } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../support/app-client.js'

const MANY = 100

describe.each(DATABASES)('the statements of a request on %s', (database) => {
  const counter = new StatementCounter()
  // What processes remember of a shared database ends by the clock, which stands still here.
  const app = sharedApp(database, { wrap: counter.wrap, options: { clock: () => 1_800_000_000_000 } })

  /** Makes connections, each given as the path to post to. */
  const connect = async (paths: string[]) => {
    for (let at = 0; at < paths.length; at += MANY) {
      const operations = paths.slice(at, at + MANY).map((path) => ({ method: 'POST', path }))
      const { status, body } = await app().post('/_batch', { operations })
      if (status !== 200) throw new Error(JSON.stringify(body))
    }
  }

  /** `count` entities, each with connections in both directions, all liked by a hub. */
  const world = async (count: number) => {
    const path = `/${newCollection()}`
    const [hub] = await app().create(path.slice(1), { name: 'hub' })
    const bodies = Array.from({ length: count }, (_, n) => ({
      name: `n${n}`,
      n,
      kind: 'x',
      text: `word w${n}`,
      location: { latitude: n / 1000, longitude: 0 },
    }))
    const all = await app().create(`kind${path.slice(1)}`, ...bodies)
    await connect(
      all.flatMap(({ uuid }) => [
        `${path}/${hub!.uuid}/likes/${uuid}`,
        `/kind${path.slice(1)}/${uuid}/knows/${hub!.uuid}`,
      ]),
    )
    return { hub: `${path}/${hub!.uuid}`, list: `/kind${path.slice(1)}`, uuid: all[0]!.uuid }
  }

  const count = async (path: string, params: Record<string, string>, expected: number): Promise<number> => {
    const asGuest = { params: { limit: MANY, ...params }, headers: { authorization: '' } }
    // Once to warm up what is remembered, then counted.
    await app().send('GET', path, asGuest)
    let entities = -1
    const statements = await counter.during(async () => {
      entities = (await app().send('GET', path, asGuest)).body.entities.length
    })
    expect([path, params, entities]).toEqual([path, params, expected])
    return statements.length
  }

  it('are as many for one entity as for a hundred', async () => {
    const [one, many] = [await world(1), await world(MANY)]
    const requests: [of: 'hub' | 'list', suffix: string, ql: string][] = [
      ['list', '', ''],
      ['list', '', "kind = 'x'"],
      ['list', '', 'n >= 0'],
      ['list', '', 'not n = 5000'],
      ['list', '', "text contains 'word'"],
      ['list', '', "name = 'n*'"],
      ['list', '', 'order by n'],
      ['list', '', "kind = 'x' order by n desc"],
      ['list', '', 'select name'],
      ['hub', '/likes', ''],
      ['hub', '/likes', "kind = 'x'"],
      ['hub', '/likes', 'order by n'],
      ['hub', '/likes', 'location within 50000 of 0,0'],
      ['hub', '/connections', ''],
      ['hub', '/connecting/knows', ''],
      ['hub', '/connecting/knows', 'n >= 0 order by n'],
    ]

    for (const [of, suffix, ql] of requests) {
      const few = await count(`${one[of]}${suffix}`, { ql }, 1)
      const lot = await count(`${many[of]}${suffix}`, { ql }, MANY)
      expect([suffix, ql, lot]).toEqual([suffix, ql, few])
    }
  })

  it('are bounded for a circle, which is searched in rings', async () => {
    const [one, many] = [await world(1), await world(MANY)]
    const ql = 'location within 50000 of 0,0'

    expect(await count(one.list, { ql }, 1)).toBeLessThanOrEqual(6)
    expect(await count(many.list, { ql }, MANY)).toBeLessThanOrEqual(8)
  })

  it('are few', async () => {
    const { hub, list, uuid } = await world(MANY)

    expect(await count(`${list}/${uuid}`, {}, 1)).toBe(1)
    expect(await count(`${list}/n1`, {}, 1)).toBe(1)
    expect(await count(list, {}, MANY)).toBe(1)
    expect(await count(list, { ql: "kind = 'x'" }, MANY)).toBe(1)
    expect(await count(`${hub}/likes`, {}, MANY)).toBe(2)
    expect(await count(`${hub}/likes/${uuid}`, {}, 1)).toBe(3)
  })

  it('do not grow with the groups and roles of those who are shown or ask', async () => {
    const listOf = async (users: number) => {
      const prefix = `u${users}-`
      const group = `${prefix}group`
      await app().post('/groups', { path: group })
      const all = await app().create(
        'users',
        ...Array.from({ length: users }, (_, n) => ({ username: `${prefix}${n}` })),
      )
      await connect(
        all.flatMap(({ uuid }) => [`/groups/${group}/users/${uuid}`, `/roles/admin/users/${uuid}`]),
      )
      return [
        await count('/users', { ql: `username = '${prefix}*'` }, users),
        await count(`/groups/${group}/users`, {}, users),
      ]
    }

    expect(await listOf(MANY)).toEqual(await listOf(1))
  })

  it('are as many for several starting points as for two', async () => {
    const chain = async (sources: number) => {
      const path = `/${newCollection()}`
      const all = await app().create(
        path.slice(1),
        ...Array.from({ length: sources }, (_, n) => ({ name: `n${n}` })),
      )
      await connect(all.map(({ uuid }) => `${path}/${uuid}/likes/${uuid}`))
      return [
        await count(`${path};limit=100/likes`, {}, sources),
        await count(`${path};limit=100/likes`, { ql: 'order by name' }, sources),
        await count(`${path};limit=100/likes/${all[0]!.uuid}`, {}, 1),
      ]
    }

    expect(await chain(MANY)).toEqual(await chain(2))
  })
})
