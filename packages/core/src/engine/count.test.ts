import { describe, expect, it } from 'vitest'
import { parseQuery } from '../domain/query/parse.js'
import type { StoredEntity } from '../storage/store.js'
import { DATABASES } from '../testing/databases.js'
import { openTestStore, type TestStore } from '../testing/stores.js'
import { Descriptors } from './descriptor.js'
import { Engine, type Hop } from './engine.js'

const APP = 1
const LIKES: Hop = { verb: 'likes', direction: 'out', collection: 'dogs' }

/** Six dogs, `dog0` to `dog5`, of which a user likes the first four. */
const world = async ({
  store,
}: TestStore): Promise<{ engine: Engine; dogs: StoredEntity[]; ann: StoredEntity }> => {
  const engine = new Engine(store, new Descriptors([]))
  const { dogs, ann } = await engine.transact(APP, null, (edits) => {
    const made = Array.from({ length: 6 }, (_, i) =>
      edits.create('dogs', { name: `dog${i}`, age: i, secret: i }),
    )
    const liking = edits.create('people', { name: 'ann' })
    for (const dog of made.slice(0, 4)) edits.tx.connect(liking, 'likes', dog)
    return { dogs: made, ann: edits.tx.current(liking) }
  })
  return { engine, dogs, ann }
}

describe.each(DATABASES)('the engine on %s', (database) => {
  it('counts all matches, on however many pages they are listed', async () => {
    await using place = await openTestStore(database)
    const { engine, dogs, ann } = await world(place)
    const count = (ql: string) => engine.count(APP, 'dogs', { query: parseQuery(ql) })
    const liked = (ql: string) => engine.countConnected(APP, ann, LIKES, { query: parseQuery(ql) })

    expect([await count(''), await liked('')]).toEqual([6, 4])
    expect([await count('age > 1 order by age'), await liked('age > 1 order by age')]).toEqual([4, 2])
    const direct = `direct dog1, dog5, dog1, dog9, ${dogs[2]!.uuid}`
    expect([await count(direct), await liked(direct)]).toEqual([3, 2])
    expect(await engine.count(APP, 'cats', { query: parseQuery('') })).toBe(0)
  })

  it('counts nothing by properties that the settings of a collection hide', async () => {
    await using place = await openTestStore(database)
    const { engine, ann } = await world(place)
    await engine.transact(APP, null, (edits) => edits.tx.setSettings('dogs', { fields: ['age'] }))
    const both = async (ql: string) => [
      await engine.count(APP, 'dogs', { query: parseQuery(ql) }),
      await engine.countConnected(APP, ann, LIKES, { query: parseQuery(ql) }),
    ]

    expect(await both('secret = 1')).toEqual([0, 0])
    expect(await both('secret >= 0 or age = 1')).toEqual([1, 1])
    expect(await both('not secret = 1')).toEqual([6, 4])
  })

  it('counts of connections only what may be read', async () => {
    await using place = await openTestStore(database)
    const { engine, ann } = await world(place)
    const mayRead = ({ object }: StoredEntity): boolean => object['name'] !== 'dog2'
    const liked = (ql: string) => engine.countConnected(APP, [ann], LIKES, { query: parseQuery(ql) }, mayRead)

    expect(await liked('')).toBe(3)
    expect(await liked('age >= 2')).toBe(1)
    expect(await liked('direct dog1, dog2, dog4')).toBe(1)
  })
})
