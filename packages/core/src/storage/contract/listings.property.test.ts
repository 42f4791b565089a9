import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../domain/json.js'
import type { Filter, Literal, SortKey } from '../../domain/query/ast.js'
import { distanceTo, matches } from '../../domain/query/evaluate.js'
import { DATABASES } from '../../testing/databases.js'
import { firstWithin, naiveListing } from '../../testing/naive-listing.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { Listing, Store, StoredEntity } from '../store.js'

const APP = 1
const LONG = 'z'.repeat(200)
const PATHS = ['a', 'b', 'tags', 'nested.x', 'location', 'absent']

// Entities

const text = fc.constantFrom(
  '',
  'a',
  'A',
  'ab',
  'Ab c',
  'b',
  'ß',
  'é',
  'É',
  'ΟΔΟΣ',
  'οδος',
  '\u{1d518}',
  '\uffff',
  'a\u0000b',
  'a\u0001',
  ' a ',
  'a*b',
  LONG,
  `${LONG}a`,
  `${LONG}b`,
)
const number = fc.constantFrom(-1e300, -2, -0.5, -0, 0, 0.5, 1, 2, 10, 2 ** 31, 2 ** 53 - 1, 5e-324)
const scalar = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: number },
  fc.boolean(),
  fc.constant(null),
)
const place = fc.record({
  latitude: fc.constantFrom(52.5, 52.51, 52.6, -33.9, 89.99, 90, 91),
  longitude: fc.constantFrom(13.4, 13.41, 151.2, 179.99, -179.99, 180),
})
const value = fc.oneof(
  { weight: 6, arbitrary: scalar as fc.Arbitrary<Json> },
  fc.array(fc.oneof(scalar as fc.Arbitrary<Json>, fc.constant<Json>(['inner'])), { maxLength: 3 }),
  fc.record({ x: scalar }) as fc.Arbitrary<Json>,
)
const entity: fc.Arbitrary<JsonObject> = fc.record(
  {
    a: value,
    B: scalar,
    tags: fc.array(scalar as fc.Arbitrary<Json>, { maxLength: 3 }) as fc.Arbitrary<Json>,
    nested: fc.oneof(
      fc.record({ X: value }),
      fc.array(fc.record({ x: scalar }), { maxLength: 2 }),
    ) as fc.Arbitrary<Json>,
    location: fc.oneof(
      { weight: 4, arbitrary: place },
      fc.array(place, { maxLength: 2 }),
    ) as fc.Arbitrary<Json>,
  },
  { requiredKeys: [] },
)

// Queries

const literal: fc.Arbitrary<Literal> = fc.oneof(
  fc
    .oneof(text, fc.constantFrom('a*', '*b', 'A*b', '*', `${LONG}*`))
    .map((one): Literal => ({ kind: 'string', value: one })),
  number.map((one): Literal => ({ kind: 'number', value: one })),
  fc.boolean().map((one): Literal => ({ kind: 'boolean', value: one })),
)
const path = fc.constantFrom(...PATHS)
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('compare' as const),
      path,
      op: fc.constantFrom('=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const),
      value: literal,
    }),
  },
  fc.record({
    kind: fc.constant('contains' as const),
    path,
    words: fc.subarray(['a', 'b', 'ab', 'c', 'a*', '*b', 'οδοσ'], { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    kind: fc.constant('within' as const),
    path: fc.constant('location'),
    radius: fc.constantFrom(0, 1200, 15_000, 2_000_000, 3e7),
    latitude: fc.constantFrom(52.5, -33.9, 90),
    longitude: fc.constantFrom(13.4, 179.999),
  }),
)
const group = (items: fc.Arbitrary<Filter>, kind: 'and' | 'or'): fc.Arbitrary<Filter> =>
  fc
    .array(
      items.filter((item) => item.kind !== kind),
      { minLength: 2, maxLength: 3 },
    )
    .map((list): Filter => ({ kind, items: list }))
const not = (item: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> =>
  item.map((one): Filter => ({ kind: 'not', item: one }))
const nested = fc.oneof({ weight: 3, arbitrary: leaf }, group(leaf, 'and'), group(leaf, 'or'), not(leaf))
const filter: fc.Arbitrary<Filter | null> = fc.oneof(
  fc.constant(null),
  { weight: 3, arbitrary: leaf },
  { weight: 2, arbitrary: group(nested, 'and') },
  group(nested, 'or'),
  not(nested),
)
const sort: fc.Arbitrary<SortKey[]> = fc.array(fc.record({ path, descending: fc.boolean() }), {
  maxLength: 3,
})
/** What permission strings let reach; a place in them is looked for in the documents. */
const byDocument = (one: Filter): Filter => {
  if ('items' in one) return { ...one, items: one.items.map(byDocument) }
  if (one.kind === 'not') return { kind: 'not', item: byDocument(one.item) }
  return one.kind === 'within' || (one.kind === 'compare' && one.op === '<')
    ? { ...one, byDocument: true }
    : one
}
const within = filter.map((one) => (one === null ? null : byDocument(one)))
const query = fc.record({
  filter,
  within: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, within),
  sort,
  limit: fc.integer({ min: 1, max: 9 }),
})
type Query = { filter: Filter | null; within: Filter | null; sort: SortKey[]; limit: number }

const reached = <T extends { object: JsonObject }>(entities: readonly T[], one: Query): T[] =>
  entities.filter(({ object }) => one.within === null || matches(one.within, object))

const COMPOSITES = [['a', '-b'], ['b', 'a'], ['-b', '-a'], ['b', 'tags'], ['a']]

// Comparing

/** All pages of a listing, with what each says about distances. */
const walk = async (
  page: (cursor: string | null) => Promise<Listing>,
  limit: number,
  { filter }: Query,
): Promise<StoredEntity[]> => {
  const circle = filter === null ? null : firstWithin(filter)
  const seen: StoredEntity[] = []
  for (let cursor: string | null = null; ; ) {
    const listing: Listing = await page(cursor)
    seen.push(...listing.items)
    const distances = listing.items.map(({ object }) =>
      circle === null ? null : distanceTo(object, circle.path, circle.latitude, circle.longitude),
    )
    if (seen.length > 0) expect(listing.distances).toEqual(circle === null ? null : distances)
    if (listing.cursor === null) return seen
    expect(listing.items).toHaveLength(limit)
    cursor = listing.cursor
  }
}

const insertAll = (
  store: Store,
  collection: string,
  objects: readonly JsonObject[],
): Promise<StoredEntity[]> =>
  store.transact(null, (tx) =>
    objects.map((object, i) => tx.app(APP).insert(collection, document({ ...object, i }))),
  )

const indices = (entities: readonly { object: JsonObject }[]): Json[] =>
  entities.map(({ object }) => object['i']!)

const checkList = async (
  store: Store,
  collection: string,
  entities: readonly StoredEntity[],
  one: Query,
): Promise<void> => {
  const { limit, ...rest } = one
  const seen = await walk(
    (cursor) => store.list(APP, collection, { ...rest, limit, cursor, scope: collection }),
    limit,
    one,
  )
  const expected = naiveListing(
    reached(entities, one).map(({ object, id }) => ({ object, age: id })),
    one.filter,
    one.sort,
  )
  expect(indices(seen), JSON.stringify(one)).toEqual(indices(expected))
  expect(await store.count(APP, collection, one.filter, one.within), JSON.stringify(one)).toBe(
    expected.length,
  )
}

const declare = async (store: Store, collection: string): Promise<void> => {
  await store.transact(null, (tx) => tx.app(APP).setSettings(collection, { indexes: COMPOSITES }))
  await store.prepareIndexes(APP, collection, false)
  await store.finishIndexes(APP, collection)
}

describe.each(DATABASES)('listings on %s', (database) => {
  it('hold what reading every document would find, in its order', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    let collections = 0

    await fc.assert(
      fc.asyncProperty(
        fc.array(entity, { maxLength: 25 }),
        fc.array(query, { minLength: 10, maxLength: 10 }),
        fc.boolean(),
        async (objects, queries, composites) => {
          const collection = `dogs${collections++}`
          if (composites) await declare(store, collection)
          const entities = await insertAll(store, collection, objects)
          for (const one of queries) await checkList(store, collection, entities, one)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('of connections hold what following every connection would find', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    let collections = 0
    const edge = fc.record({ verb: fc.constantFrom('likes', 'hates'), target: fc.nat(19) })
    const hop = fc.record({ query, verb: fc.constantFrom('likes', null), narrow: fc.boolean() })

    await fc.assert(
      fc.asyncProperty(
        fc.array(entity, { minLength: 20, maxLength: 20 }),
        fc.array(edge, { maxLength: 30 }),
        fc.array(hop, { minLength: 8, maxLength: 8 }),
        fc.constantFrom('out' as const, 'in' as const),
        async (objects, edges, hops, direction) => {
          const [dogs, cats] = [`dogs${collections}`, `cats${collections++}`]
          const entities = [
            ...(await insertAll(store, dogs, objects.slice(0, 14))),
            ...(await insertAll(store, cats, objects.slice(14))),
          ]
          const hub = await store.transact(null, (tx) => {
            const app = tx.app(APP)
            const made = app.insert('hubs', document())
            for (const { verb, target } of edges) {
              const other = app.getAny(entities[target]!.uuid)!
              if (direction === 'out') app.connect(made, verb, other)
              else app.connect(other, verb, made)
            }
            return app.current(made)
          })
          const at = new Map(edges.map(({ verb, target }, i) => [`${verb}:${target}`, i]))
          for (const { query: one, verb, narrow } of hops) {
            const latest = (index: number): number =>
              Math.max(
                ...(verb === null ? ['likes', 'hates'] : [verb]).map(
                  (name) => at.get(`${name}:${index}`) ?? -1,
                ),
              )
            const connected = entities
              .map(({ object, id, collection }, index) => ({
                object,
                age: id,
                collection,
                at: latest(index),
              }))
              .filter((item) => item.at >= 0 && (!narrow || item.collection === dogs))
            const request = {
              ...one,
              source: hub,
              direction,
              verb,
              collection: narrow ? dogs : null,
              scope: '',
            }
            const seen = await walk((cursor) => store.connected(APP, { ...request, cursor }), one.limit, one)
            const expected = naiveListing(
              reached(connected, one),
              one.filter,
              one.sort,
              (a, b) => b.at - a.at,
            )
            expect(
              seen.map(({ uuid }) => uuid),
              JSON.stringify(one),
            ).toEqual(expected.map(({ object }) => object['uuid']))
            expect(await store.countConnected(APP, request), JSON.stringify(one.filter)).toBe(expected.length)
            const newer = expected.filter(({ age }) => age > hub.id - 10)
            expect(await store.countConnected(APP, request, ({ id }) => id > hub.id - 10)).toBe(newer.length)
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  it('of thousands of entities hold them all, in order', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [seed, total] = [20, 2600]
    const objects = fc.sample(entity, { seed, numRuns: total }).map((object, i) => ({
      ...object,
      // One value for most, as no index can tell those apart.
      b: i % 5 === 0 ? (i % 35) / 5 : 'Same',
      location: { latitude: 52 + (i % 50) / 50, longitude: 13 + (i % 61) / 61 },
    }))
    await declare(store, 'dogs')
    const entities: StoredEntity[] = []
    for (let at = 0; at < total; at += 500)
      entities.push(...(await insertAll(store, 'dogs', objects.slice(at, at + 500))))
    const same: Filter = { kind: 'compare', path: 'b', op: '=', value: { kind: 'string', value: 'same' } }

    for (const one of fc.sample(query, { seed, numRuns: 12 })) {
      await checkList(store, 'dogs', entities, { ...one, limit: one.limit * 100 })
      await checkList(store, 'dogs', entities, {
        filter: same,
        within: null,
        sort: one.sort,
        limit: one.limit * 100,
      })
    }
  })
})
