import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../domain/json.js'
import type { Filter } from '../../domain/query/ast.js'
import { matches } from '../../domain/query/evaluate.js'
import { parseQuery } from '../../domain/query/parse.js'
import { DATABASES } from '../../testing/databases.js'
import { StatementCounter } from '../../testing/statements.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { CountRequest, Store, StoredEntity } from '../store.js'

const APP = 1

const dog = (i: number): JsonObject => ({
  i,
  kind: i % 2 === 0 ? 'Even' : 'odd',
  rest: i % 3,
  tags: [i % 4, i % 5],
  about: `word w${i % 6}`,
  location: { latitude: 52 + i / 100, longitude: 13 },
})

const insertDogs = (store: Store, count: number): Promise<StoredEntity[]> =>
  store.transact(null, (tx) =>
    Array.from({ length: count }, (_, i) => tx.app(APP).insert('dogs', document(dog(i)))),
  )

const filterOf = (ql: string): Filter | null => parseQuery(ql).filter

const naive = (entities: readonly StoredEntity[], ql: string): number => {
  const filter = filterOf(ql)
  return entities.filter(({ object }) => filter === null || matches(filter, object)).length
}

/** Hubs that each like some of the dogs, several of them the same. */
const insertHubs = async (store: Store, dogs: readonly StoredEntity[]): Promise<StoredEntity[]> =>
  store.transact(null, (tx) => {
    const app = tx.app(APP)
    const hubs = [2, 3].map(() => app.insert('hubs', document()))
    const likes = (n: number) => dogs.filter((_, i) => i % (n + 2) === 0)
    hubs.forEach((hub, n) => {
      for (const { uuid } of likes(n)) app.connect(hub, 'likes', app.getAny(uuid)!)
      app.connect(hub, 'knows', app.getAny(dogs[0]!.uuid)!)
      app.connect(hub, 'knows', app.getAny(hubs[0]!.uuid)!)
    })
    return hubs.map((hub) => app.current(hub))
  })

describe.each(DATABASES)('counts on %s', (database) => {
  it('read no documents where the index decides', async () => {
    const counter = new StatementCounter()
    // What a process remembers of the catalog ends by the clock, which stands still here.
    await using place = await openTestStore(database, { clock: () => 1_800_000_000_000 }, counter.wrap)
    const { store } = place
    const dogs = await insertDogs(store, 120)
    const hubs = await insertHubs(store, dogs)
    const hop: Omit<CountRequest, 'filter' | 'source'> = {
      direction: 'out',
      verb: 'likes',
      collection: 'dogs',
    }
    const liked = [dogs.filter((_, i) => i % 2 === 0), dogs.filter((_, i) => i % 2 === 0 || i % 3 === 0)]

    for (const [ql, statements] of [
      ['', 1],
      ["kind = 'EVEN'", 1],
      ["kind = 'e*'", 1],
      ['i >= 10 and i < 50', 1],
      ['tags >= 3', 2],
      ["about contains 'w1 w2'", 1],
      ["about contains 'wo*'", 1],
      ["kind = 'even' and rest = 1", 3],
      ["kind = 'even' and rest = 1 and i > 30", 5],
      ["kind = 'odd' or rest = 1 or i < 4", 2],
      ["not kind = 'even'", 2],
      ["not kind = 'x' and not tags = 2 and not i < 9", 3],
      ["kind = 'even' and not rest = 1 and not about contains 'w2'", 3],
      // One of them asks whether another process has stored the property.
      ['absent = 1', 1],
      ['not absent = 1', 2],
    ] as const) {
      const filter = filterOf(ql)
      let found = -1
      await store.count(APP, 'dogs', filter)
      const texts = await counter.during(async () => (found = await store.count(APP, 'dogs', filter)))
      expect([ql, found]).toEqual([ql, naive(dogs, ql)])
      expect([ql, texts.length]).toEqual([ql, statements])
      expect(texts.filter((text) => text.includes('doc'))).toEqual([])

      for (const [n, source] of [hubs[0]!, hubs].entries()) {
        const connected = await counter.during(async () => {
          found = await store.countConnected(APP, { ...hop, source, filter })
        })
        expect([ql, n, found]).toEqual([ql, n, naive(liked[n]!, ql)])
        expect(connected.filter((text) => text.includes('doc'))).toEqual([])
      }
    }
  })

  it('read the documents of a few candidates rather than many rows of an index', async () => {
    const counter = new StatementCounter()
    await using place = await openTestStore(database, {}, counter.wrap)
    const dogs = await insertDogs(place.store, 120)
    const ql = 'i = 90 and tags >= 0'

    let found = -1
    const texts = await counter.during(
      async () => (found = await place.store.count(APP, 'dogs', filterOf(ql))),
    )

    expect(found).toBe(naive(dogs, ql))
    expect(texts.filter((text) => text.includes('doc'))).toHaveLength(1)
  })

  it('do not take what an index finds beside the matches', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const dogs = await insertDogs(store, 12)
    const [hub] = await insertHubs(store, dogs)
    const count = (ql: string) => store.count(APP, 'dogs', filterOf(ql))

    expect(await count("kind = 'e*x'")).toBe(0)
    expect(await count("kind = 'e*N'")).toBe(6)
    expect(await count("about contains 'w*5'")).toBe(2)
    expect(await count(`uuid = ${dogs[0]!.uuid}`)).toBe(1)
    expect(await count(`uuid = ${hub!.uuid}`)).toBe(0)
  })

  it('of connections count each far end once, of any verb and only what is accepted', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const dogs = await insertDogs(store, 30)
    const hubs = await insertHubs(store, dogs)
    const all: CountRequest = { filter: null, source: hubs, direction: 'out', verb: null, collection: null }
    const isDog = ({ collection }: StoredEntity): boolean => collection === 'dogs'

    // Fifteen by two, five more by three, and the first hub.
    expect(await store.countConnected(APP, all)).toBe(21)
    expect(await store.countConnected(APP, { ...all, collection: 'dogs' })).toBe(20)
    expect(await store.countConnected(APP, { ...all, collection: 'cats' })).toBe(0)
    expect(await store.countConnected(APP, { ...all, verb: 'knows' })).toBe(2)
    expect(await store.countConnected(APP, { ...all, verb: 'hates' })).toBe(0)
    expect(await store.countConnected(APP, { ...all, source: [] })).toBe(0)
    expect(
      await store.countConnected(APP, { ...all, source: dogs[0]!, direction: 'in', verb: 'likes' }),
    ).toBe(2)
    expect(await store.countConnected(APP, { ...all, filter: filterOf('i < 10') })).toBe(7)
    expect(await store.countConnected(APP, all, isDog)).toBe(20)
    expect(await store.countConnected(APP, { ...all, filter: filterOf('not i < 10') }, isDog)).toBe(13)
    expect(await store.countConnected(APP, { ...all, among: [dogs[1]!, dogs[2]!, hubs[0]!] })).toBe(2)
    expect(await store.countConnected(APP, { ...all, among: [dogs[1]!, dogs[2]!, hubs[0]!] }, isDog)).toBe(1)
  })

  it('are refused when they would look at too much', async () => {
    const slow: number[] = []
    await using place = await openTestStore(database, {
      maxExamined: 50,
      onSlowListing: ({ examined }) => slow.push(examined),
    })
    const { store } = place
    const dogs = await insertDogs(store, 51)
    const hubs = await insertHubs(store, dogs)
    const hub = await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const made = app.insert('hubs', document())
      for (const { uuid } of dogs) app.connect(made, 'likes', app.getAny(uuid)!)
      return app.current(made)
    })
    const refused = { code: 'query_too_broad', status: 400 }
    const request = { source: hub, direction: 'out', verb: 'likes', collection: 'dogs' } as const
    const documentsTell = filterOf("about contains '*5'")

    await expect(store.count(APP, 'dogs', documentsTell)).rejects.toMatchObject(refused)
    await expect(store.countConnected(APP, { ...request, filter: documentsTell })).rejects.toMatchObject(
      refused,
    )
    await expect(store.countConnected(APP, { ...request, filter: null }, () => true)).rejects.toMatchObject(
      refused,
    )
    expect(slow).toEqual([51, 51, 51])
    expect(await store.countConnected(APP, { ...request, source: hubs, filter: null }, () => true)).toBe(34)
    expect(await store.count(APP, 'dogs', filterOf("about contains '*5' and not i < 1"))).toBe(8)
    expect(await store.count(APP, 'dogs', filterOf('i >= 0'))).toBe(51)

    await insertDogs(store, 950)
    await expect(store.count(APP, 'dogs', filterOf('i >= 0'))).rejects.toMatchObject(refused)
    await expect(store.count(APP, 'dogs', filterOf('not i >= 0'))).rejects.toMatchObject(refused)
    expect(await store.count(APP, 'dogs', filterOf('i >= 10'))).toBe(981)
    expect(await store.count(APP, 'dogs', null)).toBe(1001)
  })

  it('read hundreds of alternatives', async () => {
    await using place = await openTestStore(database)
    const dogs = await insertDogs(place.store, 600)
    const alternatives = Array.from({ length: 512 }, (_, i) => `i = ${i}`)
    const some = `kind = 'even' and not (${alternatives.slice(0, 100).join(' or ')})`

    expect(await place.store.count(APP, 'dogs', filterOf(alternatives.join(' or ')))).toBe(512)
    expect(await place.store.count(APP, 'dogs', filterOf(some))).toBe(naive(dogs, some))
  })
})
