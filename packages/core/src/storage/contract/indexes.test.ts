import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../domain/json.js'
import type { Filter } from '../../domain/query/ast.js'
import { ALL_DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { CollectionSettings, ListRequest, Store } from '../store.js'

const APP = 1
const PLAIN: ListRequest = { filter: null, sort: [], limit: 1000, cursor: null, scope: '' }

const insert = (store: Store, ...objects: JsonObject[]): Promise<unknown> =>
  store.transact(null, (tx) => objects.map((object) => tx.app(APP).insert('dogs', document(object)).uuid))

const configure = (store: Store, settings: CollectionSettings | null): Promise<void> =>
  store.transact(null, (tx) => tx.app(APP).setSettings('dogs', settings))

const rebuild = async (store: Store, everything = true): Promise<void> => {
  await store.prepareIndexes(APP, 'dogs', everything)
  let before: number | null = null
  do before = await store.reindex(APP, 'dogs', { before, limit: 3, everything })
  while (before !== null)
  await store.finishIndexes(APP, 'dogs')
}

const equal = (path: string, value: number): Filter => ({
  kind: 'compare',
  path,
  op: '=',
  value: { kind: 'number', value },
})

const names = async (store: Store, request: Partial<ListRequest>): Promise<unknown[]> =>
  (await store.list(APP, 'dogs', { ...PLAIN, ...request })).items.map(({ object }) => object['name'])

const byAgeThenSize = [
  { path: 'age', descending: false },
  { path: 'size', descending: true },
]

describe.each(ALL_DATABASES)('indexes on %s', (database) => {
  it('keep the settings of a collection, also of one that is new', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    expect(await store.collectionInfo(APP, 'dogs')).toBeNull()

    await configure(store, { fields: ['age'], indexes: [['age', '-size']], note: 'x' })

    expect(await store.collectionInfo(APP, 'dogs')).toMatchObject({
      name: 'dogs',
      settings: { fields: ['age'], indexes: [['age', '-size']], note: 'x' },
    })
    await configure(store, null)
    expect((await store.collectionInfo(APP, 'dogs'))?.settings).toBeNull()
  })

  it('do not change settings in a transaction that fails', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    await configure(store, { fields: 'all' })

    await expect(
      store.transact(null, (tx) => {
        tx.app(APP).setSettings('dogs', { fields: 'none' })
        throw new Error('planned')
      }),
    ).rejects.toThrow('planned')

    expect((await store.collectionInfo(APP, 'dogs'))?.settings).toEqual({ fields: 'all' })
  })

  it('answer right when a process ended between new settings and the rebuild that they ask for', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    await insert(store, { name: 'a', age: 1 })
    await configure(store, { fields: ['name'] })
    await rebuild(store)

    await configure(store, null)

    expect(await names(store, { filter: equal('age', 1) })).toEqual(['a'])
    await insert(store, { name: 'b', age: 1 })
    expect(await names(store, { filter: equal('age', 1) })).toEqual(['b', 'a'])
    await rebuild(store)
    expect(await names(store, { filter: equal('age', 1) })).toEqual(['b', 'a'])
  })

  it('answer the same after they were rebuilt', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    await insert(
      store,
      ...Array.from({ length: 20 }, (_, i) => ({ name: `d${i}`, age: i % 3, tags: [i, 'x y'] })),
    )
    const queries: Partial<ListRequest>[] = [
      { filter: equal('age', 1) },
      { sort: [{ path: 'age', descending: true }] },
      { sort: [{ path: 'tags', descending: true }] },
      { filter: { kind: 'contains', path: 'tags', words: ['y'] } },
    ]
    const before = await Promise.all(queries.map((query) => names(store, query)))

    await rebuild(store)

    expect(await Promise.all(queries.map((query) => names(store, query)))).toEqual(before)
    expect(before.map(({ length }) => length)).toEqual([7, 20, 20, 20])
  })

  it('find nothing by properties that the settings leave out, once rebuilt, and all again when they are let in', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    await insert(store, { name: 'a', age: 1, size: 1 }, { name: 'b', age: 1, size: [2, 3] })
    await configure(store, { fields: ['age'] })
    await rebuild(store)
    await insert(store, { name: 'c', age: 1, size: 1, fresh: [1, 2] })
    expect(await names(store, { filter: equal('age', 1) })).toEqual(['c', 'b', 'a'])
    expect(await names(store, { filter: equal('size', 1) })).toEqual([])

    await configure(store, null)
    await rebuild(store)

    expect(await names(store, { filter: equal('size', 1) })).toEqual(['c', 'a'])
    expect(await names(store, { sort: [{ path: 'size', descending: true }] })).toEqual(['b', 'c', 'a'])
    expect(await names(store, { sort: [{ path: 'fresh', descending: false }] })).toEqual(['c', 'b', 'a'])
    expect(await names(store, { filter: equal('fresh', 2) })).toEqual(['c'])
  })

  it('are complete for listings while they are rebuilt', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    await configure(store, { fields: ['name'] })
    await insert(
      store,
      { name: 'a', age: 1, size: 1 },
      { name: 'b', age: 2, size: 1 },
      { name: 'c', age: 2, size: 2 },
    )
    await configure(store, { fields: 'all', indexes: [['age', '-size']] })
    const all = async () => ({
      sorted: await names(store, { sort: [{ path: 'age', descending: false }] }),
      filtered: await names(store, { filter: equal('age', 2) }),
      both: await names(store, { sort: byAgeThenSize }),
      later: await names(store, { filter: equal('weight', 9) }),
    })
    const expected = {
      sorted: ['a', 'c', 'b'],
      filtered: ['c', 'b'],
      both: ['a', 'c', 'b'],
      later: [] as string[],
    }

    await store.prepareIndexes(APP, 'dogs', true)
    expect(await all()).toEqual(expected)
    await insert(store, { name: 'd', age: 3, size: 9, weight: 9 })
    const extended = {
      sorted: ['a', 'c', 'b', 'd'],
      filtered: ['c', 'b'],
      both: ['a', 'c', 'b', 'd'],
      later: ['d'],
    }
    expect(await all()).toEqual(extended)
    const before = await store.reindex(APP, 'dogs', { before: null, limit: 2, everything: true })
    expect(await all()).toEqual(extended)
    await store.reindex(APP, 'dogs', { before, limit: 10, everything: true })
    await store.finishIndexes(APP, 'dogs')

    expect(await all()).toEqual(extended)
  })

  it('hold several properties together, in the order declared', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const dogs: JsonObject[] = [
      { name: 'a', age: 1, size: 1 },
      { name: 'b', age: 1, size: 3 },
      { name: 'c', size: 7 },
      { name: 'd', age: 2 },
      { name: 'e', age: 2, size: 5 },
      { name: 'f', age: 1, size: 3 },
    ]
    await insert(store, ...dogs.slice(0, 3))
    await configure(store, { indexes: [['age', '-size']] })
    await rebuild(store, false)
    await insert(store, ...dogs.slice(3))

    expect(await names(store, { sort: byAgeThenSize })).toEqual(['f', 'b', 'a', 'e', 'd', 'c'])
    const bySize = { filter: equal('age', 1), sort: [{ path: 'size', descending: true }] }
    expect(await names(store, bySize)).toEqual(['f', 'b', 'a'])
    await configure(store, { indexes: [] })
    await rebuild(store, false)
    expect(await names(store, { sort: byAgeThenSize })).toEqual(['f', 'b', 'a', 'e', 'd', 'c'])
  })

  it('follow changes and removals', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    await configure(store, { indexes: [['age', '-size']] })
    await rebuild(store)
    await insert(
      store,
      { name: 'a', age: 1, text: 'old words' },
      { name: 'b', age: 1 },
      { name: 'c', age: 1 },
    )
    await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const a = app.find('dogs', 'name', 'a')!
      app.replace(a, document({ name: 'a', age: 5, text: 'new words' }, a.uuid))
      app.remove(app.find('dogs', 'name', 'b')!)
    })

    expect(await names(store, { filter: equal('age', 1) })).toEqual(['c'])
    expect(await names(store, { filter: equal('age', 5) })).toEqual(['a'])
    expect(await names(store, { filter: { kind: 'contains', path: 'text', words: ['old'] } })).toEqual([])
    expect(await names(store, { filter: { kind: 'contains', path: 'text', words: ['new'] } })).toEqual(['a'])
    expect(await names(store, { sort: byAgeThenSize })).toEqual(['c', 'a'])
  })

  it('do nothing for a collection that does not exist', async () => {
    await using place = await openTestStore(database)

    await rebuild(place.store)

    expect(await place.store.counts(APP)).toEqual(new Map())
  })
})
