import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../domain/json.js'
import type { Filter, SortKey } from '../../domain/query/ast.js'
import { DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { Listing, ListRequest, Store, StoredEntity } from '../store.js'

const APP = 1

const insertAll = (store: Store, objects: readonly JsonObject[]): Promise<StoredEntity[]> =>
  store.transact(null, (tx) => objects.map((object) => tx.app(APP).insert('dogs', document(object))))

describe.each(DATABASES)('listings on %s', (database) => {
  it('show what stays once, whatever comes and goes between the pages', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const dog = (i: number): JsonObject => ({
      a: i % 7,
      ...(i % 10 === 0 ? {} : { b: i % 3 }),
      tags: [i % 4, 'x'],
      location: { latitude: 52 + i / 1000, longitude: 13 },
    })
    const dogs = await insertAll(
      store,
      Array.from({ length: 120 }, (_, i) => dog(i)),
    )
    const within: Filter = { kind: 'within', path: 'location', radius: 1e6, latitude: 52, longitude: 13 }
    const requests: Omit<ListRequest, 'cursor' | 'scope'>[] = [
      { filter: null, sort: [], limit: 7 },
      { filter: null, sort: [{ path: 'a', descending: true }], limit: 7 },
      {
        filter: null,
        sort: [
          { path: 'b', descending: false },
          { path: 'a', descending: true },
        ],
        limit: 7,
      },
      { filter: null, sort: [{ path: 'tags', descending: false }], limit: 7 },
      {
        filter: { kind: 'contains', path: 'tags', words: ['x'] },
        sort: [{ path: 'b', descending: true }],
        limit: 7,
      },
      { filter: within, sort: [], limit: 7 },
    ]
    const doomed = dogs.filter((_, i) => i % 6 === 1)
    const staying = new Set(dogs.filter((_, i) => i % 6 !== 1).map(({ uuid }) => uuid))

    for (const request of requests) {
      const seen: string[] = []
      for (let cursor: string | null = null; ; ) {
        const page: Listing = await store.list(APP, 'dogs', { ...request, cursor, scope: '' })
        seen.push(...page.items.map(({ uuid }) => uuid))
        cursor = page.cursor
        if (cursor === null) break
        const [gone] = doomed.splice(0, 1)
        await store.transact(null, (tx) => {
          const app = tx.app(APP)
          app.insert('dogs', document(dog(seen.length)))
          if (gone !== undefined) app.remove(app.getAny(gone.uuid)!)
        })
      }
      expect(new Set(seen).size, JSON.stringify(request)).toBe(seen.length)
      expect(new Set(seen.filter((uuid) => staying.has(uuid))).size, JSON.stringify(request)).toBe(
        staying.size,
      )
    }
  })

  it('take no cursor of another query', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    await insertAll(store, [{ a: 1 }, { a: 2 }])
    const request = {
      filter: null,
      sort: [{ path: 'a', descending: false }],
      limit: 1,
      cursor: null,
      scope: 'dogs',
    }
    const { cursor } = await store.list(APP, 'dogs', request)
    const refused = { code: 'illegal_argument', status: 400 }

    for (const other of [
      { ...request, cursor, scope: 'cats' },
      { ...request, cursor, sort: [{ path: 'a', descending: true }] },
      { ...request, cursor, sort: [] },
      {
        ...request,
        cursor,
        filter: {
          kind: 'compare' as const,
          path: 'a',
          op: '>' as const,
          value: { kind: 'number' as const, value: 0 },
        },
      },
      { ...request, cursor: 'x' },
      { ...request, cursor: '' },
      { ...request, cursor: Buffer.from('{}').toString('base64url') },
      { ...request, cursor: Buffer.from('[null,1,null]').toString('base64url') },
      { ...request, cursor: `${cursor}x`.repeat(2000) },
    ]) {
      await expect(store.list(APP, 'dogs', other)).rejects.toMatchObject(refused)
    }
    expect(
      (await store.list(APP, 'dogs', { ...request, cursor })).items.map(({ object }) => object['a']),
    ).toEqual([2])
  })

  it('are refused when they would look at too much', async () => {
    await using place = await openTestStore(database, { maxExamined: 50 })
    const { store } = place
    await insertAll(
      store,
      Array.from({ length: 60 }, (_, i) => ({ a: i, b: 'x y' })),
    )
    const listing = (filter: Filter | null, sort: SortKey[] = []) =>
      store.list(APP, 'dogs', { filter, sort, limit: 10, cursor: null, scope: '' })
    const rare: Filter = {
      kind: 'not',
      item: { kind: 'compare', path: 'a', op: '>', value: { kind: 'number', value: -1 } },
    }

    await expect(listing(rare)).rejects.toMatchObject({ code: 'query_too_broad', status: 400 })
    await expect(listing(rare, [{ path: 'a', descending: false }])).rejects.toMatchObject({
      code: 'query_too_broad',
    })
    expect((await listing(null)).items).toHaveLength(10)
    expect((await listing(null, [{ path: 'a', descending: true }])).items).toHaveLength(10)
  })
})
