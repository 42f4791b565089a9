import { describe, expect, it } from 'vitest'
import { type AttemptRule, type Attempts, afterFailure } from '../domain/attempts.js'
import { DATABASES, openTestDatabase } from '../testing/databases.js'
import { MemoryAttempts } from './attempts.js'
import { openDatabase } from './typeorm/open-database.js'
import { SharedCounts } from './typeorm/postgres/shared-counts.js'

const RULE: AttemptRule = { failures: 2, waits: [100], memory: 1000, since: 'last' }

const openAttempts = async (name: (typeof DATABASES)[number]) => {
  const place = await openTestDatabase(name)
  const database = await openDatabase(place.url, place.options)
  const store = name === 'postgres' ? new SharedCounts(database) : new MemoryAttempts()
  const look = (key: string) =>
    store.change<Attempts | null>([key], ([known = null]) => ({ records: [known], result: known }))
  const fail = (now: number, ...keys: string[]) =>
    store.change(keys, (known) => ({
      records: known.map((one) => afterFailure(one, RULE, now)),
      result: undefined,
    }))
  const close = async () => {
    await database.close()
    await place.remove()
  }
  return { store, look, fail, [Symbol.asyncDispose]: close }
}

describe.each(DATABASES)('failed attempts kept for %s', (database) => {
  it('are counted one by one, however many come at once and in whatever order of keys', async () => {
    await using attempts = await openAttempts(database)

    await Promise.all(
      Array.from({ length: 40 }, (_, i) => attempts.fail(1, ...(i % 2 === 0 ? ['a', 'b'] : ['b', 'a']))),
    )

    expect(await attempts.look('a')).toEqual({ failures: 40, lockedUntil: 101, forgetAt: 1001 })
    expect(await attempts.look('b')).toEqual(await attempts.look('a'))
  })

  it('stay as they were when the change throws, and are gone when it says so', async () => {
    await using attempts = await openAttempts(database)
    await attempts.fail(1, 'a')

    const broken = attempts.store.change(['a'], () => {
      throw new Error('no')
    })

    await expect(broken).rejects.toThrow('no')
    expect(await attempts.look('a')).toMatchObject({ failures: 1 })
    await attempts.store.change(['a'], () => ({ records: [null], result: undefined }))
    expect(await attempts.look('a')).toBeNull()
  })

  it('are pruned once they are forgotten', async () => {
    await using attempts = await openAttempts(database)
    await attempts.fail(1, 'old')
    await attempts.fail(3, 'new')

    await attempts.store.prune(1002)

    expect([await attempts.look('old'), (await attempts.look('new'))?.failures]).toEqual([null, 1])
  })
})
