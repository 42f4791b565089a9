import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../storage/typeorm/open-database.js'
import { SharedCounts } from '../../storage/typeorm/postgres/shared-counts.js'
import { openTestDatabase } from '../../testing/databases.js'
import { DATABASES } from '../../testing/index.js'
import { type Ledger, openLedger } from './ledger.js'
import { Quota } from './quota.js'

const NOON = Date.UTC(2026, 0, 1, 12)

/** A ledger on a database of its own, that tells how often it was asked and can be cut off. */
const openCounts = async (name: (typeof DATABASES)[number]) => {
  const place = await openTestDatabase(name)
  const database = await openDatabase(place.url, place.options)
  const client = name === 'postgres' ? new SharedCounts(database) : null
  const ledger = openLedger({ seconds: 120, client })
  const counts = {
    asked: 0,
    isDown: false,
    book: async (key: string, points: number) => {
      counts.asked++
      if (counts.isDown) throw new Error('out of reach')
      return ledger.book(key, points)
    },
    [Symbol.asyncDispose]: async () => {
      await database.close()
      await place.remove()
    },
  }
  return counts
}

const openQuota = (ledger: Ledger, clock: () => number, limit: number, errors: unknown[] = []) =>
  new Quota({ name: 'q', limit, window: 60_000, ledger, clock, onError: (error) => errors.push(error) })

/** How many of `count` wishes for one point are granted. */
const grantedOf = async (quotas: readonly Quota[], count: number): Promise<number> => {
  let granted = 0
  for (let i = 0; i < count; i++) if ((await quotas[i % quotas.length]!.take('k', 1)).granted) granted++
  return granted
}

describe.each(DATABASES)('a quota counted on %s', (database) => {
  it('grants exactly its limit in one process, and hardly ever asks the ledger', async () => {
    await using counts = await openCounts(database)
    const quota = openQuota(counts, () => NOON, 1000)

    const together = await Promise.all(Array.from({ length: 600 }, () => quota.take('k', 1)))
    const later = await grantedOf([quota], 600)

    expect(together.every(({ granted }) => granted)).toBe(true)
    expect(later).toBe(400)
    expect(await quota.take('k', 1)).toEqual({ granted: false, remaining: 0, reset: 60 })
    expect(counts.asked).toBeLessThanOrEqual(1000 / 20)
  })

  it('tells what is left, and gives all of it again in the next window', async () => {
    await using counts = await openCounts(database)
    let now = NOON + 15_500
    const quota = openQuota(counts, () => now, 100)

    expect(await quota.take('k', 30)).toEqual({ granted: true, remaining: 70, reset: 45 })
    expect(await quota.take('other', 1)).toMatchObject({ remaining: 99 })
    expect(await quota.take('k', 71)).toMatchObject({ granted: false, remaining: 70 })
    expect(await quota.take('k', 70)).toMatchObject({ granted: true, remaining: 0 })
    now = NOON + 60_000
    expect(await quota.take('k', 1)).toEqual({ granted: true, remaining: 99, reset: 60 })
  })

  it('lets each process go on alone while the ledger is out of reach', async () => {
    await using counts = await openCounts(database)
    const errors: unknown[] = []
    let now = NOON
    const quota = openQuota(counts, () => now, 100, errors)
    counts.isDown = true

    expect(await grantedOf([quota], 150)).toBe(100)
    expect([errors.length, counts.asked]).toEqual([1, 1])
    counts.isDown = false
    now += 60_000
    expect(await grantedOf([quota], 150)).toBe(100)
    expect(counts.asked).toBeGreaterThan(10)
  })

  it('grants nothing beyond the limit when several wait for the ledger', async () => {
    await using counts = await openCounts(database)
    const quota = openQuota(counts, () => NOON, 50)

    const taken = await Promise.all(Array.from({ length: 120 }, () => quota.take('k', 1)))

    expect(taken.filter(({ granted }) => granted)).toHaveLength(50)
  })
})

it('keeps processes that share a PostgreSQL to the limit, but for one lease each', async () => {
  await using counts = await openCounts('postgres')
  const processes = Array.from({ length: 4 }, () => openQuota(counts, () => NOON, 1000))
  const lease = 20

  // Three hand out nearly a lease unasked, which the fourth cannot know of.
  for (const process of processes.slice(1)) expect(await grantedOf([process], lease - 1)).toBe(lease - 1)
  const busy = await grantedOf([processes[0]!], 1100)
  const all = busy + 3 * (lease - 1) + (await grantedOf(processes, 400))

  expect(busy).toBe(1000)
  expect(all).toBeGreaterThanOrEqual(1000)
  expect(all).toBeLessThanOrEqual(1000 + 3 * lease)
})
