import { describe, expect, it } from 'vitest'
import { DuplicateError } from '../../domain/errors.js'
import { ALL_DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { Store } from '../store.js'

const APP = 1
const PLAIN = { filter: null, sort: [], limit: 1000, cursor: null, scope: '' }

const insert = (store: Store, name: string) =>
  store.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name })))

/** Names of all entities, oldest first. */
const names = async (store: Store): Promise<unknown[]> =>
  (await store.list(APP, 'dogs', PLAIN)).items.map(({ object }) => object['name']).reverse()

describe.each(ALL_DATABASES)('transactions on %s', (database) => {
  it('let one of several at once take a unique value', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    // Letter case does not tell values apart.
    const wanted = Array.from({ length: 200 }, (_, i) => (i % 40 < 20 ? `dog-${i % 20}` : `DOG-${i % 20}`))

    const results = await Promise.allSettled(wanted.map((name) => insert(store, name)))

    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(reasons).toHaveLength(180)
    expect(reasons.filter((reason) => !(reason instanceof DuplicateError))).toEqual([])
    expect(new Set((await names(store)).map((name) => String(name).toLowerCase())).size).toBe(20)
    expect(await store.counts(APP)).toEqual(new Map([['dogs', 20]]))
  })

  it('free a unique value with its entity, and with a change of it', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [rex, bo] = await Promise.all([insert(store, 'rex'), insert(store, 'bo')])
    await store.transact(null, (tx) => tx.app(APP).remove(tx.app(APP).getAny(rex.uuid)!))
    await store.transact(null, (tx) => {
      const dog = tx.app(APP).find('dogs', 'name', 'bo')!
      tx.app(APP).replace(dog, document({ name: 'max' }, dog.uuid))
    })

    await insert(store, 'rex')
    await insert(store, 'bo')

    expect(await names(store)).toEqual(
      ['max', 'rex', 'bo'].sort((a, b) => (a === 'max' ? -1 : b === 'max' ? 1 : 0)),
    )
    await expect(insert(store, 'MAX')).rejects.toMatchObject({ code: 'duplicate_unique_property_exists' })
    expect((await store.find(APP, 'dogs', 'name', 'max'))?.uuid).toBe(bo.uuid)
  })

  it('may swap unique values', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b] = await Promise.all([insert(store, 'a'), insert(store, 'b')])

    await store.transact(null, (tx) => {
      const app = tx.app(APP)
      app.replace(app.getAny(a.uuid)!, document({ name: 'c' }, a.uuid))
      app.replace(app.getAny(b.uuid)!, document({ name: 'a' }, b.uuid))
      app.replace(app.getAny(a.uuid)!, document({ name: 'b' }, a.uuid))
    })

    expect((await store.find(APP, 'dogs', 'name', 'a'))?.uuid).toBe(b.uuid)
    expect((await store.find(APP, 'dogs', 'name', 'b'))?.uuid).toBe(a.uuid)
    expect(await store.find(APP, 'dogs', 'name', 'c')).toBeNull()
  })

  it('may change the letter case of a unique value', async () => {
    await using place = await openTestStore(database)
    const dog = await insert(place.store, 'rex')

    await place.store.transact(null, (tx) =>
      tx.app(APP).replace(tx.app(APP).getAny(dog.uuid)!, document({ name: 'REX' }, dog.uuid)),
    )

    expect((await place.store.find(APP, 'dogs', 'name', 'rex'))?.object['name']).toBe('REX')
  })

  it('leave nothing when they fail, while those committed with them stay', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const failure = new Error('planned')
    const work = (i: number) =>
      store.transact(null, (tx) => {
        const app = tx.app(APP)
        const dog = app.insert('dogs', document({ name: `dog-${i}` }))
        const other = app.insert('dogs', document({ name: `friend-${i}` }))
        app.connect(dog, 'likes', other)
        app.setEntry(dog, 'rights', 'k', 'v')
        if (i % 10 === 0) throw failure
        return dog
      })

    const results = await Promise.allSettled(Array.from({ length: 500 }, (_, i) => work(i)))

    const rejected = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(rejected).toEqual(Array(50).fill(failure))
    expect(await store.counts(APP)).toEqual(new Map([['dogs', 900]]))
    expect(await names(store)).toHaveLength(900)
    expect(await store.find(APP, 'dogs', 'name', 'dog-10')).toBeNull()
    expect((await store.find(APP, 'dogs', 'name', 'dog-11'))?.links).toEqual({ out: ['likes'] })
    const changes = await store.changes(APP, 0, 5000)
    expect(changes).toHaveLength(450 * 3)
    await expect(insert(store, 'dog-10')).resolves.toBeDefined()
  })

  it('take back what an attempt wrote, and go on', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const old = await insert(store, 'old')
    const effects: string[] = []
    const planned = new Error('planned')

    await store.transact(null, (tx) => {
      const app = tx.app(APP)
      app.insert('dogs', document({ name: 'before' }))
      const known = app.getAny(old.uuid)!
      const failing = () => {
        const dog = app.insert('dogs', document({ name: 'inside' }))
        app.connect(known, 'likes', dog)
        app.setEntry(known, 'rights', 'k', 'v')
        app.replace(known, document({ name: 'new' }, old.uuid))
        tx.afterCommit(() => effects.push('inside'))
        throw planned
      }
      try {
        tx.attempt(failing)
      } catch (error) {
        if (error !== planned) throw error
      }
      app.insert('dogs', document({ name: 'inside', second: true }))
      tx.afterCommit(() => effects.push('after'))
    })

    expect(await names(store)).toEqual(['old', 'before', 'inside'])
    expect((await store.find(APP, 'dogs', 'name', 'inside'))?.object['second']).toBe(true)
    expect(await store.dictionary(old, 'rights')).toEqual(new Map())
    expect((await store.getAny(APP, old.uuid))?.links).toBeNull()
    expect((await store.changes(APP, 0, 100)).map(({ kind }) => kind)).toEqual(['create', 'create', 'create'])
    expect(effects).toEqual(['after'])
  })

  it('return what an attempt returns', async () => {
    await using place = await openTestStore(database)

    const name = await place.store.transact(null, (tx) =>
      tx.attempt(() => tx.app(APP).insert('dogs', document({ name: 'rex' })).object['name']),
    )

    expect(name).toBe('rex')
    expect(await names(place.store)).toEqual(['rex'])
  })

  it('see what was written before them, so that a counter is exact', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const { uuid } = await store.transact(null, (tx) => tx.app(APP).insert('dogs', document({ n: 0 })))

    const seen = await Promise.all(
      Array.from({ length: 100 }, () =>
        store.transact(null, (tx) => {
          const dog = tx.app(APP).get('dogs', uuid)!
          const n = (dog.object['n'] as number) + 1
          tx.app(APP).replace(dog, document({ n }, uuid))
          return n
        }),
      ),
    )

    expect((await store.getAny(APP, uuid))?.object['n']).toBe(100)
    expect(new Set(seen).size).toBe(100)
  })

  it('read what they wrote themselves', async () => {
    await using place = await openTestStore(database)

    const seen = await place.store.transact(null, (tx) => {
      const app = tx.app(APP)
      const dog = app.insert('dogs', document({ name: 'rex' }))
      const found = [
        app.find('dogs', 'name', 'Rex')?.uuid,
        app.getAny(dog.uuid)?.uuid,
        app.get('cats', dog.uuid),
      ]
      app.remove(dog)
      return { dog, found, after: [app.find('dogs', 'name', 'rex'), app.getAny(dog.uuid)] }
    })

    expect(seen.found).toEqual([seen.dog.uuid, seen.dog.uuid, null])
    expect(seen.after).toEqual([null, null])
    expect(await place.store.changes(APP, 0, 10)).toHaveLength(2)
  })

  it('run their effects once, after the commit', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    let runs = 0
    const found: Promise<unknown>[] = []

    await store.transact(null, (tx) => {
      const dog = tx.app(APP).insert('dogs', document({ name: 'rex' }))
      tx.afterCommit(() => {
        runs++
        found.push(store.getAny(APP, dog.uuid))
      })
    })
    await expect(
      store.transact(null, (tx) => {
        tx.afterCommit(() => runs++)
        throw new Error('planned')
      }),
    ).rejects.toThrow('planned')

    expect(runs).toBe(1)
    expect(await found[0]).not.toBeNull()
  })

  it('are neither repeated nor rejected when one of their effects fails', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const work = (i: number) =>
      store.transact(null, (tx) => {
        tx.app(APP).insert('dogs', document({ n: i }))
        tx.afterCommit(() => {
          if (i === 1) throw new Error('planned')
        })
        return i
      })

    expect(await Promise.all([0, 1, 2].map(work))).toEqual([0, 1, 2])
    expect(await store.counts(APP)).toEqual(new Map([['dogs', 3]]))
  })

  it('see a clock that never goes back', async () => {
    const times = [5000, 9000, 3000, 8000, 9001]
    let calls = 0
    await using place = await openTestStore(database, { clock: () => times[calls++ % times.length]! })

    const seen: number[] = []
    for (let i = 0; i < 20; i++) seen.push(await place.store.transact(null, (tx) => tx.now))

    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it('are invisible to readers until they are committed', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const total = 40
    const accounts = await store.transact(null, (tx) =>
      [0, 1].map((i) => tx.app(APP).insert('accounts', document({ i, money: total / 2 }))),
    )
    const uuids = accounts.map(({ uuid }) => uuid)
    const move = (amount: number) =>
      store.transact(null, (tx) => {
        const [from, to] = uuids.map((uuid) => tx.app(APP).getAny(uuid)!)
        for (const [account, change] of [
          [from!, -amount],
          [to!, amount],
        ] as const) {
          tx.app(APP).replace(account, {
            ...account.object,
            money: (account.object['money'] as number) + change,
          })
        }
      })

    const writes = Promise.all(Array.from({ length: 60 }, (_, i) => move(i % 2 === 0 ? 5 : -5)))
    const sums: number[] = []
    for (let i = 0; i < 60; i++) {
      const read = await store.getMany(APP, uuids)
      sums.push(read.reduce((sum, account) => sum + (account!.object['money'] as number), 0))
    }
    await writes

    expect(new Set(sums)).toEqual(new Set([total]))
  })

  it('may write in several applications together', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const both = (fail: boolean) =>
      store.transact(null, (tx) => {
        tx.app(1).insert('dogs', document({ name: 'rex' }))
        tx.app(2).insert('dogs', document({ name: 'rex' }))
        if (fail) throw new Error('planned')
      })

    await expect(both(true)).rejects.toThrow('planned')
    await both(false)

    expect([await store.counts(1), await store.counts(2)]).toEqual([
      new Map([['dogs', 1]]),
      new Map([['dogs', 1]]),
    ])
  })
})
