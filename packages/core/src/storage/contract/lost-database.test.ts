import { describe, expect, it } from 'vitest'
import { startPostgres } from '../../../../../test/support/postgres.js'
import { document } from '../../testing/stores.js'
import { openDatabase } from '../typeorm/open-database.js'
import { SqlStore } from '../typeorm/sql-store.js'

const APP = 1
const WRITERS = 8
const UNAVAILABLE = { code: 'unavailable', status: 503, retryAfter: 1 }

const openStore = async () => {
  const postgres = await startPostgres()
  const database = await openDatabase(postgres.url, { poolSize: 6 })
  const store = new SqlStore({ database, uniqueProperties: () => ['name'], clock: Date.now })
  return {
    postgres,
    store,
    [Symbol.asyncDispose]: async () => {
      await store.close()
      await postgres.stop()
    },
  }
}

/** A moment that others wait for. */
const moment = () => {
  let reach = (): void => undefined
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  return { reach, reached }
}

describe('a PostgreSQL that is lost while it is written', () => {
  it('costs nothing that was acknowledged, is told as such, and is used again once it is back', async () => {
    await using place = await openStore()
    const { store, postgres } = place
    const { uuid: counter } = await store.transact(null, (tx) =>
      tx.app(APP).insert('counters', document({ n: 0 })),
    )
    const acknowledged: string[] = []
    const failures: unknown[] = []
    const [busy, back] = [moment(), moment()]
    const write = async () => {
      const uuid = await store.transact(null, (tx) => {
        const app = tx.app(APP)
        const count = app.getAny(counter)!
        app.replace(count, document({ n: (count.object['n'] as number) + 1 }, counter))
        return app.insert('dogs', document({ name: `dog ${count.object['n']}` })).uuid
      })
      acknowledged.push(uuid)
      if (acknowledged.length > 100) busy.reach()
    }
    const writer = async () => {
      for (let alive = true; alive; ) {
        await write().catch((error: unknown) => {
          failures.push(error)
          alive = false
        })
      }
      await back.reached
      for (let i = 0; i < 5; i++) await write()
    }

    const writers = Array.from({ length: WRITERS }, writer)
    await busy.reached
    await postgres.kill()
    await expect.poll(() => failures.length).toBe(WRITERS)
    const beforeReturn = acknowledged.length
    await expect(store.ping()).rejects.toMatchObject(UNAVAILABLE)
    await expect(store.getAny(APP, counter)).rejects.toMatchObject(UNAVAILABLE)
    await expect(
      store.list(APP, 'dogs', { filter: null, sort: [], limit: 1, cursor: null, scope: '' }),
    ).rejects.toMatchObject(UNAVAILABLE)
    await postgres.start()
    back.reach()
    await Promise.all(writers)

    for (const failure of failures) expect(failure).toMatchObject(UNAVAILABLE)
    expect(acknowledged).toHaveLength(beforeReturn + WRITERS * 5)
    expect((await store.getMany(APP, acknowledged)).filter((dog) => dog === null)).toEqual([])
    const stored = (await store.counts(APP)).get('dogs')!
    expect(stored - acknowledged.length).toBeGreaterThanOrEqual(0)
    // A commit that broke off may have been made, but never twice.
    expect(stored - acknowledged.length).toBeLessThanOrEqual(WRITERS)
    expect((await store.getAny(APP, counter))?.object['n']).toBe(stored)
  })
})
