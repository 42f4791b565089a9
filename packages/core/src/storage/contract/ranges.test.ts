import { describe, expect, it } from 'vitest'
import { parseQuery } from '../../domain/query/parse.js'
import { DATABASES } from '../../testing/databases.js'
import { document, openTestStore } from '../../testing/stores.js'

const MANY = 1500

/** Entities whose `n` counts up while their `title` counts down; a listing may look at a tenth of them. */
const open = async (database: (typeof DATABASES)[number]) => {
  const place = await openTestStore(database, { maxExamined: MANY / 10 })
  await place.store.transact(null, (transaction) => {
    for (let n = 0; n < MANY; n++)
      transaction.app(5).insert('things', document({ n, title: `t${MANY - n + 1000}` }))
  })
  const list = async (text: string) => {
    const { filter, sort } = parseQuery(text)
    const { items } = await place.store.list(5, 'things', {
      filter,
      sort,
      limit: 10,
      cursor: null,
      scope: 'things',
    })
    return items.map(({ object }) => object['n'])
  }
  return { ...place, list, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
}

describe.each(DATABASES)('two bounds of one property on %s', (database) => {
  it('are looked up together, however much each alone would find', async () => {
    await using things = await open(database)

    expect(await things.list('where n >= 700 and n < 703 order by title')).toEqual([702, 701, 700])
    expect(await things.list('where n > 700 and n <= 703')).toEqual([703, 702, 701])
    expect(await things.list('where n > 700 and n < 700')).toEqual([])
    expect(await things.list("where title >= 't2000' and title = 't200*' order by n desc")).toEqual([
      500, 499, 498, 497, 496, 495, 494, 493, 492, 491,
    ])
  })

  it('may be met by two values of one entity', async () => {
    await using things = await open(database)
    await things.store.transact(
      null,
      (transaction) => void transaction.app(5).insert('things', document({ n: [-5, 9000] })),
    )

    expect(await things.list('where n > 8000 and n < -1')).toEqual([[-5, 9000]])
  })
})
