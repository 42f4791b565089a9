import { describe, expect, it } from 'vitest'
import { newUuid } from '../../domain/uuid.js'
import { ALL_DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'
import type { Store } from '../store.js'

const APP = 1

const insert = (store: Store, name: string) =>
  store.transact(null, (tx) => tx.app(APP).insert('dogs', document({ name })))

describe.each(ALL_DATABASES)('look-ups on %s', (database) => {
  it('outside a transaction run a function until it has read everything', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [rex, bo] = await Promise.all([insert(store, 'rex'), insert(store, 'bo')])

    const unknown = newUuid()

    const found = await store.look(APP, (lookup) => {
      const byName = lookup.find('dogs', 'name', 'REX')
      const [again, missing] = lookup.each([byName!.uuid, unknown], (uuid) => lookup.getAny(uuid))
      return [byName, again, missing, lookup.get('dogs', bo.uuid), lookup.get('cats', bo.uuid)]
    })

    expect(found.map((entity) => entity?.uuid ?? null)).toEqual([rex.uuid, rex.uuid, null, bo.uuid, null])
  })

  it('pass on what the function throws, once it is known to be due', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const rex = await insert(store, 'rex')
    const seen: (string | undefined)[] = []

    const look = store.look(APP, (lookup) =>
      lookup.each([rex.uuid, 'x'], (uuid) => {
        if (uuid === 'x' && seen.length === 0) throw new Error('rex was not read yet')
        seen.push(lookup.getAny(uuid === 'x' ? rex.uuid : uuid)?.uuid)
      }),
    )

    await look
    expect(seen).toEqual([rex.uuid, rex.uuid])
    expect(() =>
      store.look(APP, () => {
        throw new Error('at once')
      }),
    ).toThrow('at once')
  })

  it('in a transaction, an item that fails for want of another is tried again', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const rex = await insert(store, 'rex')

    const names = await store.transact(null, (tx) => {
      const app = tx.app(APP)
      return app.each([0, 1], (index) => {
        if (index === 0)
          return app.replace(app.getAny(rex.uuid)!, document({ name: 'max' }, rex.uuid)).object['name']
        const changed = app.find('dogs', 'name', 'max')
        if (changed === null) throw new Error('The first item is not done')
        return changed.object['name']
      })
    })

    expect(names).toEqual(['max', 'max'])
  })

  it('find the sources of a connection, stored, made or ended', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const [a, b, c, far] = await Promise.all(['a', 'b', 'c', 'far'].map((name) => insert(store, name)))
    const sources = () =>
      store.transact(null, (tx) =>
        tx
          .app(APP)
          .sources('owns', tx.app(APP).getAny(far!.uuid)!)
          .map(({ uuid }) => uuid),
      )
    expect(await sources()).toEqual([])
    await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const [one, two, target] = [a!, b!, far!].map(({ uuid }) => app.getAny(uuid)!)
      app.connect(one!, 'owns', target!)
      app.connect(two!, 'owns', target!)
      app.connect(two!, 'likes', target!)
    })
    expect((await sources()).sort()).toEqual([a!.uuid, b!.uuid].sort())

    const within = await store.transact(null, (tx) => {
      const app = tx.app(APP)
      const [one, two, three, target] = [a!, b!, c!, far!].map(({ uuid }) => app.getAny(uuid)!)
      app.connect(three!, 'owns', target!)
      app.disconnect(one!, 'owns', target!)
      app.remove(two!)
      return app.sources('owns', target!).map(({ uuid }) => uuid)
    })

    expect(within).toEqual([c!.uuid])
    expect(await sources()).toEqual([c!.uuid])
  })

  it('give what hangs on one only to the last of many who take it at once', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const far = await insert(store, 'far')
    const takers = await Promise.all(Array.from({ length: 12 }, (_, i) => insert(store, `taker-${i}`)))

    await Promise.all(
      takers.map(({ uuid }) =>
        store.transact(null, (tx) => {
          const app = tx.app(APP)
          const [taker, target] = [app.getAny(uuid)!, app.getAny(far.uuid)!]
          for (const owner of app.sources('owns', target)) app.disconnect(owner, 'owns', target)
          app.connect(taker, 'owns', target)
        }),
      ),
    )

    const owners = await store.transact(null, (tx) =>
      tx.app(APP).sources('owns', tx.app(APP).getAny(far.uuid)!),
    )
    expect(owners).toHaveLength(1)
  })
})

describe.each(ALL_DATABASES)('kept replies on %s', (database) => {
  it('are there until they expire, and may then be kept anew', async () => {
    let now = 1000
    await using place = await openTestStore(database, { clock: () => now })
    const { store } = place
    const keep = (value: string) => store.transact(null, (tx) => tx.app(APP).keepReply('k', value, now + 100))
    const read = () => store.transact(null, (tx) => [tx.app(APP).reply('k'), tx.app(2).reply('k')])

    expect(await read()).toEqual([null, null])
    await keep('first')
    expect(await read()).toEqual(['first', null])
    now = 1101
    expect(await read()).toEqual([null, null])
    await keep('second')
    expect(await read()).toEqual(['second', null])
    now = 5000
    expect(await store.pruneReplies(now)).toBe(1)
  })

  it('are kept with the writes of their transaction, or not at all', async () => {
    await using place = await openTestStore(database)
    const { store } = place
    const failing = store.transact(null, (tx) => {
      tx.app(APP).keepReply('k', 'never', tx.now + 1000)
      throw new Error('after all, no')
    })

    await expect(failing).rejects.toThrow('after all, no')
    expect(await store.transact(null, (tx) => tx.app(APP).reply('k'))).toBeNull()
  })

  it('are written by one of many at once', async () => {
    await using place = await openTestStore(database)
    const { store } = place

    const values = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        store.transact(null, (tx) => {
          const app = tx.app(APP)
          const kept = app.reply('k')
          if (kept !== null) return kept
          app.insert('dogs', document({ name: `dog-${i}` }))
          app.keepReply('k', `dog-${i}`, tx.now + 1000)
          return `dog-${i}`
        }),
      ),
    )

    expect(new Set(values).size).toBe(1)
    expect(await store.counts(APP)).toEqual(new Map([['dogs', 1]]))
  })
})
