import { describe, expect, it } from 'vitest'
import { ALL_DATABASES, DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { Change } from '../store.js'

const APP = 1

describe.each(ALL_DATABASES)('the change log on %s', (database) => {
  it('tells what happened, in order', async () => {
    let now = 1000
    await using place = await openTestStore(database, { clock: () => now })
    const { store } = place
    const [a, b] = await store.transact('ann', (tx) => {
      const app = tx.app(APP)
      const dogs = [
        app.insert('dogs', document({ name: 'a' })),
        app.insert('cats', document({ name: 'b' })),
      ] as const
      app.connect(dogs[0], 'likes', dogs[1])
      return dogs
    })
    now = 2000
    await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const dog = app.getAny(a.uuid)!
      app.replace(dog, document({ name: 'c' }, a.uuid))
      app.disconnect(dog, 'likes', app.getAny(b.uuid)!)
      app.disconnect(dog, 'likes', app.getAny(b.uuid)!)
      app.remove(app.getAny(b.uuid)!)
    })
    await store.transact('ann', (tx) => tx.app(2).insert('dogs', document()))

    const changes = await store.changes(APP, 0, 100)

    const rest = { verb: null, target: null }
    const link = { verb: 'likes', target: b.uuid }
    expect(changes.map(({ seq, ...change }) => change)).toEqual([
      { kind: 'create', collection: 'dogs', uuid: a.uuid, ...rest, principal: 'ann', at: 1000 },
      { kind: 'create', collection: 'cats', uuid: b.uuid, ...rest, principal: 'ann', at: 1000 },
      { kind: 'connect', collection: 'dogs', uuid: a.uuid, ...link, principal: 'ann', at: 1000 },
      { kind: 'update', collection: 'dogs', uuid: a.uuid, ...rest, principal: null, at: 2000 },
      { kind: 'disconnect', collection: 'dogs', uuid: a.uuid, ...link, principal: null, at: 2000 },
      { kind: 'remove', collection: 'cats', uuid: b.uuid, ...rest, principal: null, at: 2000 },
    ])
    const sequence = changes.map(({ seq }) => seq)
    expect(sequence).toEqual([...new Set(sequence)].sort((x, y) => x - y))
  })

  it('is read in pieces', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    for (let i = 0; i < 5; i++)
      await store.transact(null, (tx) => void tx.app(APP).insert('dogs', document({ i })))
    const all = await store.changes(APP, 0, 100)

    const first = await store.changes(APP, 0, 2)
    const second = await store.changes(APP, first.at(-1)!.seq, 2)
    const third = await store.changes(APP, second.at(-1)!.seq, 2)

    expect([...first, ...second, ...third]).toEqual(all)
    expect(await store.changes(APP, third.at(-1)!.seq, 2)).toEqual([])
  })

  it('forgets what is older than a given time', async () => {
    let now = 1000
    await using place = await openTestStore(database, { clock: () => now })
    const { store } = place
    for (; now < 6000; now += 1000)
      await store.transact(null, (tx) => void tx.app(APP).insert('dogs', document()))
    const before = await store.changes(APP, 0, 100)

    expect(await store.pruneChanges(3000)).toBe(2)

    expect(await store.changes(APP, 0, 100)).toEqual(before.slice(2))
    expect(await store.pruneChanges(10_000)).toBe(3)
    await store.transact(null, (tx) => void tx.app(APP).insert('dogs', document()))
    const [latest] = await store.changes(APP, 0, 100)
    expect(latest!.seq).toBeGreaterThan(before.at(-1)!.seq)
  })
})

describe.each(DATABASES)('the change log of several stores on %s', (database) => {
  it('shows every line once to somebody who follows it while others write', async () => {
    await using place = await openTestStore(database)
    const writers = [place.store, await place.another(), await place.another()]
    const reader = await place.another()
    let writing = true

    const writes = Promise.all(
      writers.map(async (store, writer) => {
        for (let round = 0; round < 25; round++) {
          const insert = (i: number) =>
            store.transact(
              null,
              (tx) => tx.app(APP).insert(`dogs${i}`, document({ name: `${writer}-${round}-${i}` })).uuid,
            )
          await Promise.all([insert(0), insert(1), insert(2)])
        }
      }),
    ).finally(() => {
      writing = false
    })
    const seen: Change[] = []
    for (let last = false; !last; ) {
      last = !writing
      for (let more = true; more; ) {
        const changes = await reader.changes(APP, seen.at(-1)?.seq ?? 0, 10)
        seen.push(...changes)
        more = changes.length > 0
      }
    }
    await writes

    expect(seen).toHaveLength(225)
    expect(seen).toEqual(await reader.changes(APP, 0, 1000))
  })
})
