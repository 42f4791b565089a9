import { describe, expect, it } from 'vitest'
import { newUuid } from '../../domain/uuid.js'
import { ALL_DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'

const APP = 1

describe.each(ALL_DATABASES)('entities on %s', (database) => {
  it('are read as they were inserted', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const object = document({
      name: 'Rex',
      age: 3,
      tags: ['a', 'b'],
      nested: { deep: [{ x: null }] },
      7: 'seven',
    })

    const inserted = await store.transact('me', (tx) => tx.app(APP).insert('dogs', object))

    const read = await store.get(APP, 'dogs', object['uuid'] as string)
    expect(read).toMatchObject({
      app: APP,
      collection: 'dogs',
      uuid: object['uuid'],
      id: inserted.id,
      links: null,
    })
    expect(read?.object).toEqual(object)
    expect(read?.doc).toBe(inserted.doc)
    expect((await store.getNumbered(APP, inserted.id))?.uuid).toBe(object['uuid'])
    expect(await store.getNumbered(APP + 1, inserted.id)).toBeNull()
  })

  it.each([
    ['quotes and backslashes', `it's "quoted" \\ and \\u0041 {a,b} NULL $1 ?`],
    ['control characters', 'a\u0000b\nc\td\u001f'],
    ['characters beyond the basic plane', '\u{1f415} 𝔘𝔫𝔦'],
    ['half a surrogate pair', 'x\ud800y'],
    ['200,000 characters', 'long ü'.repeat(40_000)],
  ])('keep text with %s', async (_, text) => {
    await using place = await openTestStore(database)
    const object = document({ text, [text.slice(0, 30)]: text })

    await place.store.transact(text.replaceAll('\u0000', ''), (tx) => tx.app(APP).insert('dogs', object))

    expect((await place.store.getAny(APP, object['uuid'] as string))?.object).toEqual(object)
  })

  it('keep numbers exactly', async () => {
    await using place = await openTestStore(database)
    const numbers = [0, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1, 1e21, 1.7976931348623157e308, 5e-324, 0.1]
    const object = document({ numbers })

    await place.store.transact(null, (tx) => tx.app(APP).insert('dogs', object))

    expect((await place.store.getAny(APP, object['uuid'] as string))?.object['numbers']).toEqual(numbers)
  })

  it('are found only in their own collection and application', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const uuid = newUuid()
    await store.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name: 'rex' }, uuid)))
    await store.transact(null, (tx) => tx.app(2).insert('cats', document({ name: 'tom' })))

    expect(await store.get(APP, 'cats', uuid)).toBeNull()
    expect(await store.getAny(2, uuid)).toBeNull()
    expect(await store.find(2, 'dogs', 'name', 'rex')).toBeNull()
    expect(await store.find(APP, 'cats', 'name', 'rex')).toBeNull()
    expect(await store.find(APP, 'dogs', 'breed', 'rex')).toBeNull()
    expect((await store.getAny(APP, uuid))?.collection).toBe('dogs')
  })

  it('are found in the order asked for, with null for those that are not there', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const names = ['a', 'b', 'c', 'd', 'e']
    const uuids = await store.transact(null, (tx) =>
      names.map((name) => tx.app(APP).insert('dogs', document({ name })).uuid),
    )
    const unknown = newUuid()

    const wanted = [uuids[3]!, unknown, uuids[0]!, uuids[3]!]
    expect((await store.getMany(APP, wanted)).map((dog) => dog?.object['name'])).toEqual([
      'd',
      undefined,
      'a',
      'd',
    ])
    const found = await store.findMany(APP, 'dogs', 'name', ['E', 'x', 'b', 'e'])
    expect(found.map((dog) => dog?.object['name'])).toEqual(['e', undefined, 'b', 'e'])
    expect(await store.getMany(APP, [])).toEqual([])
    expect(await store.findMany(APP, 'dogs', 'name', [])).toEqual([])
  })

  it('are replaced whole and keep their id and connections', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const before = await store.transact(null, (tx) => {
      const dog = tx.app(APP).insert('dogs', document({ name: 'rex', age: 1 }))
      tx.app(APP).connect(dog, 'likes', tx.app(APP).insert('dogs', document()))
      return dog
    })

    await store.transact(null, (tx) => {
      const dog = tx.app(APP).get('dogs', before.uuid)!
      tx.app(APP).replace(dog, document({ weight: 4 }, before.uuid))
    })

    const after = await store.getAny(APP, before.uuid)
    expect(after?.object).toEqual(document({ weight: 4 }, before.uuid))
    expect(after?.id).toBe(before.id)
    expect(after?.links).toEqual({ out: ['likes'] })
    expect(await store.find(APP, 'dogs', 'name', 'rex')).toBeNull()
  })

  it('are gone once removed, with all that hangs on them', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [dog, friend] = await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const [a, b] = [
        app.insert('dogs', document({ name: 'rex' })),
        app.insert('dogs', document({ name: 'bo' })),
      ]
      app.connect(a, 'likes', b)
      app.connect(b, 'likes', a)
      app.setEntry(a, 'rights', 'k', 'v')
      return [a, b]
    })

    await store.transact(null, (tx) => tx.app(APP).remove(tx.app(APP).get('dogs', dog.uuid)!))

    expect(await store.getAny(APP, dog.uuid)).toBeNull()
    expect(await store.find(APP, 'dogs', 'name', 'rex')).toBeNull()
    expect(await store.dictionary(dog, 'rights')).toEqual(new Map())
    expect(await store.isConnected(friend, 'likes', dog)).toBe(false)
    expect(await store.isConnected(dog, 'likes', friend)).toBe(false)
    expect((await store.getAny(APP, friend.uuid))?.links).toBeNull()
  })

  it('may come back under the same uuid and name in one transaction', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const old = await store.transact(null, (tx) => {
      const dog = tx.app(APP).insert('dogs', document({ name: 'rex', age: 1 }))
      tx.app(APP).setEntry(dog, 'rights', 'k', 'v')
      return dog
    })

    const fresh = await store.transact(null, (tx) => {
      tx.app(APP).remove(tx.app(APP).get('dogs', old.uuid)!)
      return tx.app(APP).insert('dogs', document({ name: 'rex', age: 2 }, old.uuid))
    })

    const read = await store.find(APP, 'dogs', 'name', 'REX')
    expect(read?.object['age']).toBe(2)
    expect(read?.id).toBe(fresh.id)
    expect(fresh.id).toBeGreaterThan(old.id)
    expect(await store.dictionary(fresh, 'rights')).toEqual(new Map())
    expect(await store.counts(APP)).toEqual(new Map([['dogs', 1]]))
  })

  it('are counted by collection', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const insert = (collection: string) =>
      store.transact(null, (tx) => tx.app(APP).insert(collection, document()))
    const dogs = await Promise.all(Array.from({ length: 30 }, () => insert('dogs')))
    await Promise.all(Array.from({ length: 7 }, () => insert('cats')))
    await store.transact(null, (tx) => tx.app(2).insert('dogs', document()))
    const remove = (uuid: string) =>
      store.transact(null, (tx) => tx.app(APP).remove(tx.app(APP).get('dogs', uuid)!))
    await Promise.all(dogs.slice(0, 12).map(({ uuid }) => remove(uuid)))
    await store.transact(null, (tx) => {
      const bird = tx.app(APP).insert('birds', document())
      tx.app(APP).remove(bird)
    })

    expect(await store.counts(APP)).toEqual(new Map(Object.entries({ dogs: 18, cats: 7, birds: 0 })))
    const bytes = await Promise.all(
      dogs.slice(12).map(async ({ uuid }) => Buffer.byteLength((await store.get(APP, 'dogs', uuid))!.doc)),
    )
    expect((await store.sizes(APP)).get('dogs')).toBe(bytes.reduce((sum, size) => sum + size))
    expect((await store.sizes(APP)).get('birds')).toBe(0)
    expect(await store.counts(2)).toEqual(new Map([['dogs', 1]]))
    expect(await store.counts(3)).toEqual(new Map())
  })

  it('have dictionaries of their own, whose entries are set and removed one by one', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const long = 'ü'.repeat(5000)
    const [a, b] = await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const dogs = [app.insert('dogs', document()), app.insert('dogs', document())] as const
      app.setEntry(dogs[0], 'rights', 'get:/**', '')
      app.setEntry(dogs[0], 'rights', "it's", long)
      app.setEntry(dogs[0], 'secrets', 'get:/**', 'other')
      app.setEntry(dogs[1], 'rights', 'get:/**', 'b')
      return dogs
    })

    const inside = await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const dog = app.get('dogs', a.uuid)!
      app.setEntry(dog, 'rights', 'get:/**', null)
      app.setEntry(dog, 'rights', 'absent', null)
      app.setEntry(dog, 'rights', 'new', '1')
      app.setEntry(dog, 'rights', 'new', '2')
      return new Map(app.dictionary(dog, 'rights'))
    })

    const expected = new Map([
      ["it's", long],
      ['new', '2'],
    ])
    expect(inside).toEqual(expected)
    expect(await store.dictionary(a, 'rights')).toEqual(expected)
    expect(await store.dictionary(a, 'secrets')).toEqual(new Map([['get:/**', 'other']]))
    expect(await store.dictionary(b, 'rights')).toEqual(new Map([['get:/**', 'b']]))
  })

  it('refuse dictionary entries with U+0000 on every database', async () => {
    await using place = await openTestStore(database)
    const set = (key: string, value: string) =>
      place.store.transact(null, (tx) => {
        const app = tx.app(APP)
        app.setEntry(app.insert('dogs', document()), 'rights', key, value)
      })

    await expect(set('a\u0000', '')).rejects.toMatchObject({ code: 'illegal_argument' })
    await expect(set('a', '\u0000')).rejects.toMatchObject({ code: 'illegal_argument' })
    expect(await place.store.counts(APP)).toEqual(new Map([['dogs', 0]]))
  })
})
