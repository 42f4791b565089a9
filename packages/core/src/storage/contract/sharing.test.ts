import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../domain/json.js'
import { DATABASES } from '../../testing/databases.js'
import { document, openTestStore, type TestStore } from '../../testing/stores.js'
import type { CollectionSettings } from '../store.js'
import type { SqlDatabase } from '../typeorm/connection.js'
import type { SqlStore } from '../typeorm/sql-store.js'

const APP = 1
const PLAIN = { filter: null, sort: [], limit: 1000, cursor: null, scope: '' }

const openTwo = async (place: TestStore): Promise<[SqlStore, SqlStore]> => [
  place.store,
  await place.another(),
]

// Not on better-sqlite3: while one of its stores waits for another's lock, no other in the same process goes on.
describe.each(DATABASES)('two stores on one %s database', (database) => {
  it('let one of several at once take a unique value', async () => {
    await using place = await openTestStore(database)
    const stores = await openTwo(place)
    const insert = (i: number) =>
      stores[i % 2]!.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name: `dog-${i % 20}` })))

    const results = await Promise.allSettled(
      Array.from({ length: 120 }, (_, i) => insert(i + Math.floor(i / 20))),
    )

    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    expect(reasons).toEqual(Array(100).fill('duplicate_unique_property_exists'))
    for (const store of stores) {
      expect((await store.list(APP, 'dogs', PLAIN)).items).toHaveLength(20)
      expect(await store.counts(APP)).toEqual(new Map([['dogs', 20]]))
    }
  })

  it('carry a request out once whose reply is kept, whatever it stores', async () => {
    await using place = await openTestStore(database)
    const stores = await openTwo(place)
    const once = (store: SqlStore, n: number) =>
      store.transact(null, (tx) => {
        const app = tx.app(APP)
        const kept = app.reply(`key ${n}`)
        if (kept !== null) return kept
        const { uuid } = app.insert('dogs', document({ name: `dog-${n}` }))
        app.keepReply(`key ${n}`, uuid, tx.now + 1000)
        return uuid
      })

    const uuids = await Promise.all(Array.from({ length: 80 }, (_, i) => once(stores[i % 2]!, (i % 20) >> 1)))

    expect(new Set(uuids).size).toBe(10)
    for (const store of stores) expect((await store.list(APP, 'dogs', PLAIN)).items).toHaveLength(10)
  })

  it('leave no index rows behind of what one has stored with properties that the other has not heard of', async () => {
    let sql: SqlDatabase | undefined
    await using place = await openTestStore(database, {}, (opened) => (sql = opened))
    const [one, two] = await openTwo(place)
    const insert = (properties: JsonObject) =>
      one.transact(null, (tx) => tx.app(APP).insert('dogs', document(properties)))
    await insert({ name: 'known' })
    const uuids = [
      (await insert({ name: 'a', colour: 'red', tags: ['x'], place: { latitude: 1, longitude: 2 } })).uuid,
      (await insert({ name: 'b', weight: 3, text: 'some words' })).uuid,
    ]
    // Its catalog is the one from before.
    expect((await two.list(APP, 'dogs', PLAIN)).items).toHaveLength(3)
    const late = [
      await insert({ name: 'c', age: 1, motto: 'late words' }),
      await insert({ name: 'd', shoe: 42 }),
    ]

    await two.transact(null, (tx) => {
      const app = tx.app(APP)
      app.remove(app.getAny(uuids[0]!)!)
      app.replace(app.getAny(uuids[1]!)!, document({ name: 'b' }, uuids[1]))
      app.remove(app.getAny(late[0]!.uuid)!)
      app.replace(app.getAny(late[1]!.uuid)!, document({ name: 'd' }, late[1]!.uuid))
    })

    const left = await two.list(APP, 'dogs', PLAIN)
    const rows = async (table: string, column: string) =>
      sql!.read((connection) =>
        connection.all<{ id: number }>(`SELECT DISTINCT ${column} AS id FROM ${table} ORDER BY 1`),
      )
    const ids = left.items.map(({ id }) => id).sort((a, b) => a - b)
    expect((await rows('entity_index', 'eid')).map(({ id }) => Number(id))).toEqual(ids)
    const paths = await sql!.read((connection) =>
      connection.all<{ def: string }>(
        `SELECT DISTINCT p.def FROM entity_index i JOIN path p ON p.app_id = i.app_id AND p.id = i.path_id`,
      ),
    )
    expect(paths.map(({ def }) => def)).not.toEqual(expect.arrayContaining(['colour']))
    expect(paths.map(({ def }) => def)).not.toEqual(expect.arrayContaining(['shoe']))
  })

  it('count exactly', async () => {
    await using place = await openTestStore(database)
    const stores = await openTwo(place)
    const { uuid } = await stores[0].transact(null, (tx) => tx.app(APP).insert('dogs', document({ n: 0 })))
    const increment = (store: SqlStore) =>
      store.transact(null, (tx) => {
        const dog = tx.app(APP).getAny(uuid)!
        tx.app(APP).replace(dog, document({ n: (dog.object['n'] as number) + 1 }, uuid))
      })

    await Promise.all(Array.from({ length: 100 }, (_, i) => increment(stores[i % 2]!)))

    for (const store of stores) expect((await store.getAny(APP, uuid))?.object['n']).toBe(100)
  })

  it('see collections, properties and verbs that the other made', async () => {
    // A clock that stands still: what is known of the catalog never grows old.
    await using place = await openTestStore(database, { clock: () => 1000 })
    const [one, two] = await openTwo(place)
    const equal = (path: string, value: string) =>
      ({ ...PLAIN, filter: { kind: 'compare', path, op: '=', value: { kind: 'string', value } } }) as const
    await one.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name: 'a' })))
    expect(await two.counts(APP)).toEqual(new Map([['dogs', 1]]))
    expect(await two.find(APP, 'cats', 'name', 'tom')).toBeNull()

    const [tom, kit] = await one.transact(null, (tx) => {
      const app = tx.app(APP)
      const cats = [
        app.insert('cats', document({ name: 'tom', colour: 'grey' })),
        app.insert('cats', document({ name: 'kit', colour: 'red' })),
      ] as const
      app.connect(cats[0], 'likes', cats[1])
      return cats
    })

    expect((await two.getAny(APP, tom.uuid))?.collection).toBe('cats')
    expect(await two.getMany(APP, [tom.uuid])).toHaveLength(1)
    expect((await two.find(APP, 'cats', 'name', 'tom'))?.uuid).toBe(tom.uuid)
    expect((await two.list(APP, 'cats', equal('colour', 'red'))).items.map(({ uuid }) => uuid)).toEqual([
      kit.uuid,
    ])
    expect(await two.counts(APP)).toEqual(new Map(Object.entries({ dogs: 1, cats: 2 })))
    expect(await two.isConnected(tom, 'likes', kit)).toBe(true)
    const connected = await two.connected(APP, {
      ...PLAIN,
      source: tom,
      verb: 'likes',
      direction: 'out',
      collection: null,
    })
    expect(connected.items.map(({ uuid }) => uuid)).toEqual([kit.uuid])
    expect((await two.changes(APP, 0, 10)).map(({ collection, verb }) => [collection, verb])).toEqual([
      ['dogs', null],
      ['cats', null],
      ['cats', null],
      ['cats', 'likes'],
    ])
    expect(await two.transact(null, (tx) => tx.app(APP).get('cats', tom.uuid)?.uuid)).toBe(tom.uuid)
  })

  it('learn within a second that the other gave a property several values', async () => {
    let now = 1000
    await using place = await openTestStore(database, { clock: () => now })
    const [one, two] = await openTwo(place)
    const byTags = async () => {
      const { items } = await two.list(APP, 'dogs', { ...PLAIN, sort: [{ path: 'tags', descending: false }] })
      return items.map(({ object }) => object['name'])
    }
    await one.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name: 'a', tags: 2 })))
    expect(await byTags()).toEqual(['a'])

    await one.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name: 'b', tags: [1, 3] })))
    now += 1000

    expect(await byTags()).toEqual(['b', 'a'])
  })

  it('refuse what a constraint of the other forbids, and go on', async () => {
    await using place = await openTestStore(database)
    const [one, two] = await openTwo(place)
    const dog = await one.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name: 'rex' })))
    await two.transact(null, (tx) => tx.app(APP).remove(tx.app(APP).getAny(dog.uuid)!))

    const again = await one.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name: 'rex' })))

    expect((await two.find(APP, 'dogs', 'name', 'rex'))?.uuid).toBe(again.uuid)
    expect(await one.getAny(APP, dog.uuid)).toBeNull()
  })

  // On SQLite the other store learns of it within a second.
  it.runIf(database === 'postgres')('write by the rules that the other has just made', async () => {
    await using place = await openTestStore(database, { clock: () => 1000 })
    const [one, two] = await openTwo(place)
    const insert = (store: SqlStore, a: number) =>
      store.transact(null, (tx) => tx.app(APP).insert('dogs', document({ a, b: -a })))
    await insert(two, 1)
    await one.transact(null, (tx) => tx.app(APP).setSettings('dogs', { indexes: [['a', '-b']] }))
    await one.prepareIndexes(APP, 'dogs', false)

    await Promise.all([insert(two, 2), insert(two, 3)])
    await one.reindex(APP, 'dogs', { before: 0, limit: 10, everything: false })
    await one.finishIndexes(APP, 'dogs')

    const sort = [
      { path: 'a', descending: false },
      { path: 'b', descending: true },
    ]
    const { items } = await one.list(APP, 'dogs', { ...PLAIN, sort })
    expect(items.map(({ object }) => object['a'])).toEqual([2, 3])
  })

  // What they say is hidden must stay hidden.
  it.runIf(database === 'postgres')(
    'change settings without undoing what the other has just set',
    async () => {
      await using place = await openTestStore(database, { clock: () => 1000 })
      const [one, two] = await openTwo(place)
      const add = (store: SqlStore, changes: CollectionSettings) =>
        store.transact(null, (tx) => {
          const app = tx.app(APP)
          app.setSettings('dogs', { ...app.settings('dogs'), ...changes })
        })
      await add(two, { fields: ['a'] })
      // From now on it knows them by heart.
      await two.settings(APP)
      await add(one, { hidden: ['b'] })
      await add(two, { indexes: [['a', 'b']] })

      expect((await two.collectionInfo(APP, 'dogs'))?.settings).toEqual({
        fields: ['a'],
        hidden: ['b'],
        indexes: [['a', 'b']],
      })
    },
  )
})
