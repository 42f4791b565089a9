import { describe, expect, it } from 'vitest'
import { ALL_DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { Store, StoredEntity } from '../store.js'

const APP = 1

const insertDogs = (store: Store, count: number): Promise<StoredEntity[]> =>
  store.transact(null, (tx) =>
    Array.from({ length: count }, (_, i) => tx.app(APP).insert('dogs', document({ name: `dog-${i}`, i }))),
  )

type Change = [kind: 'connect' | 'disconnect', source: StoredEntity, verb: string, target: StoredEntity]

const change = (store: Store, ...changes: Change[]): Promise<unknown> =>
  store.transact(null, (tx) => {
    const app = tx.app(APP)
    return changes.map(([kind, source, verb, target]) =>
      app[kind](app.getAny(source.uuid)!, verb, app.getAny(target.uuid)!),
    )
  })

const remove = (store: Store, entity: StoredEntity): Promise<unknown> =>
  store.transact(null, (tx) => tx.app(APP).remove(tx.app(APP).getAny(entity.uuid)!))

const linksOf = async (store: Store, entity: StoredEntity) => (await store.getAny(APP, entity.uuid))?.links

const list = async (
  store: Store,
  source: StoredEntity,
  options: Partial<Parameters<Store['connected']>[1]> = {},
) => {
  const plain = {
    filter: null,
    sort: [],
    limit: 1000,
    cursor: null,
    scope: '',
    collection: null,
    direction: 'out' as const,
  }
  const fresh = (await store.getAny(APP, source.uuid))!
  const { items } = await store.connected(APP, { ...plain, verb: 'likes', ...options, source: fresh })
  return items.map(({ object }) => object['i'])
}

describe.each(ALL_DATABASES)('connections on %s', (database) => {
  it('are listed from both ends, the latest first', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b, c, d] = (await insertDogs(store, 4)) as [
      StoredEntity,
      StoredEntity,
      StoredEntity,
      StoredEntity,
    ]

    await change(store, ['connect', a, 'likes', c], ['connect', a, 'likes', b])
    await change(store, ['connect', a, 'likes', d], ['connect', b, 'likes', d], ['connect', a, 'hates', c])

    expect(await list(store, a)).toEqual([3, 1, 2])
    expect(await list(store, d, { direction: 'in' })).toEqual([1, 0])
    expect(await list(store, c, { direction: 'in', verb: 'hates' })).toEqual([0])
    expect(await list(store, a, { verb: null })).toEqual([2, 3, 1])
    expect(await list(store, c, { verb: null })).toEqual([])
    expect(await list(store, a, { verb: 'unknown' })).toEqual([])
    expect(await store.isConnected(a, 'likes', b)).toBe(true)
    expect(await store.isConnected(b, 'likes', a)).toBe(false)
    expect(await store.isConnected(a, 'hates', b)).toBe(false)
  })

  it('move to the front when made again, and are kept once', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b, c] = (await insertDogs(store, 3)) as [StoredEntity, StoredEntity, StoredEntity]
    await change(store, ['connect', a, 'likes', b], ['connect', a, 'likes', c])

    await change(store, ['connect', a, 'likes', b])

    expect(await list(store, a)).toEqual([1, 2])
    await change(store, ['disconnect', a, 'likes', b])
    expect(await list(store, a)).toEqual([2])
    expect(await store.isConnected(a, 'likes', b)).toBe(false)
  })

  it('say whether there was one to take away', async () => {
    await using place = await openTestStore(database)
    const [a, b] = (await insertDogs(place.store, 2)) as [StoredEntity, StoredEntity]
    await change(place.store, ['connect', a, 'likes', b])

    const results = await change(
      place.store,
      ['disconnect', a, 'likes', b],
      ['disconnect', a, 'likes', b],
      ['disconnect', b, 'likes', a],
    )

    expect(results).toEqual([true, false, false])
  })

  it('hold several pages, even of several verbs', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const dogs = await insertDogs(store, 40)
    const a = dogs[0]!
    await change(store, ...dogs.slice(1).map((dog): Change => ['connect', a, 'likes', dog]))
    await change(store, ...dogs.slice(20, 30).map((dog): Change => ['connect', a, 'hates', dog]))
    const source = (await store.getAny(APP, a.uuid))!

    for (const [verb, expected] of [
      ['likes', Array.from({ length: 39 }, (_, i) => 39 - i)],
      [
        null,
        [
          ...Array.from({ length: 10 }, (_, i) => 29 - i),
          ...Array.from({ length: 10 }, (_, i) => 39 - i),
          ...Array.from({ length: 19 }, (_, i) => 19 - i),
        ],
      ],
    ] as const) {
      const seen: unknown[] = []
      let cursor: string | null = null
      do {
        const page = await store.connected(APP, {
          source,
          verb,
          direction: 'out',
          collection: 'dogs',
          filter: null,
          sort: [],
          limit: 7,
          cursor,
          scope: '',
        })
        seen.push(...page.items.map(({ object }) => object['i']))
        cursor = page.cursor
      } while (cursor !== null)
      expect(seen).toEqual(expected)
    }
  })

  it('may be narrowed to one collection', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b] = (await insertDogs(store, 2)) as [StoredEntity, StoredEntity]
    const cat = await store.transact(null, (tx) => tx.app(APP).insert('cats', document({ i: 'cat' })))
    await change(store, ['connect', a, 'likes', b], ['connect', a, 'likes', cat])

    expect(await list(store, a)).toEqual(['cat', 1])
    expect(await list(store, a, { collection: 'dogs' })).toEqual([1])
    expect(await list(store, a, { collection: 'cats' })).toEqual(['cat'])
    expect(await list(store, a, { collection: 'birds' })).toEqual([])
  })

  it('show as links until the last of a verb is gone', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b, c] = (await insertDogs(store, 3)) as [StoredEntity, StoredEntity, StoredEntity]
    await change(store, ['connect', a, 'likes', b], ['connect', a, 'likes', c], ['connect', b, 'hates', a])
    expect(await linksOf(store, a)).toEqual({ out: ['likes'], in: ['hates'] })

    await change(store, ['disconnect', a, 'likes', b])
    expect(await linksOf(store, a)).toEqual({ out: ['likes'], in: ['hates'] })
    expect(await linksOf(store, b)).toEqual({ out: ['hates'] })

    await remove(store, c)
    expect(await linksOf(store, a)).toEqual({ in: ['hates'] })

    await remove(store, b)
    expect(await linksOf(store, a)).toBeNull()
  })

  it('leave no link when they come and go in one transaction', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b, c] = (await insertDogs(store, 3)) as [StoredEntity, StoredEntity, StoredEntity]

    await change(store, ['connect', a, 'likes', b], ['disconnect', a, 'likes', b])
    await store.transact(null, (tx) => {
      const app = tx.app(APP)
      app.connect(app.getAny(a.uuid)!, 'hates', app.getAny(c.uuid)!)
      app.remove(app.getAny(c.uuid)!)
    })

    expect(await linksOf(store, a)).toBeNull()
    expect(await linksOf(store, b)).toBeNull()
  })

  it('keep the link when one goes and another comes in one transaction', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b, c] = (await insertDogs(store, 3)) as [StoredEntity, StoredEntity, StoredEntity]
    await change(store, ['connect', a, 'likes', b])

    await store.transact(null, (tx) => {
      const app = tx.app(APP)
      app.remove(app.getAny(b.uuid)!)
      app.connect(app.getAny(a.uuid)!, 'likes', app.getAny(c.uuid)!)
    })

    expect(await linksOf(store, a)).toEqual({ out: ['likes'] })
    expect(await list(store, a)).toEqual([2])
  })

  it('may lead from an entity to itself', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a] = (await insertDogs(store, 1)) as [StoredEntity]
    await change(store, ['connect', a, 'likes', a])
    expect(await list(store, a)).toEqual([0])
    expect(await linksOf(store, a)).toEqual({ out: ['likes'], in: ['likes'] })

    await remove(store, a)

    expect(await store.counts(APP)).toEqual(new Map([['dogs', 0]]))
  })

  it('of hidden verbs are no links, and can be listed by name', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b, c] = (await insertDogs(store, 3)) as [StoredEntity, StoredEntity, StoredEntity]
    await change(store, ['connect', a, '~members', b], ['connect', a, 'likes', c])

    expect(await linksOf(store, a)).toEqual({ out: ['likes'] })
    expect(await linksOf(store, b)).toBeNull()
    expect(await list(store, a, { verb: null })).toEqual([2])
    expect(await list(store, a, { verb: '~members' })).toEqual([1])
    await change(store, ['disconnect', a, '~members', b])
    expect(await list(store, a, { verb: '~members' })).toEqual([])
  })

  it('have exact links after many at once', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const dogs = await insertDogs(store, 6)
    const random = sequence(7)
    const changes = Array.from({ length: 300 }, (): Change => {
      const kind = random(2) === 0 ? 'connect' : 'disconnect'
      return [kind, dogs[random(6)]!, ['likes', 'hates', '~x'][random(3)]!, dogs[random(6)]!]
    })

    await Promise.all(changes.map((one) => change(store, one)))

    for (const dog of dogs) expect(await linksOf(store, dog)).toEqual(await linksFromEdges(store, dog, dogs))
  })
})

/** What the links must be, by asking for every connection. */
const linksFromEdges = async (store: Store, dog: StoredEntity, all: readonly StoredEntity[]) => {
  const links: { out?: string[]; in?: string[] } = {}
  for (const verb of ['hates', 'likes']) {
    for (const other of all) {
      if (!links.out?.includes(verb) && (await store.isConnected(dog, verb, other)))
        links.out = [...(links.out ?? []), verb]
      if (!links.in?.includes(verb) && (await store.isConnected(other, verb, dog)))
        links.in = [...(links.in ?? []), verb]
    }
  }
  return links.out === undefined && links.in === undefined ? null : links
}

/** The same numbers below a bound each time. */
const sequence = (seed: number): ((bound: number) => number) => {
  let state = seed
  return (bound) => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return (state >> 8) % bound
  }
}
