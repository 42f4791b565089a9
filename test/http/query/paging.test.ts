import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { type AppClient, namesOf, newCollection, sharedApp } from '../../support/app-client.js'

describe.each(DATABASES)('pages on %s', (database) => {
  const app = sharedApp(database)
  const numbered = async (count: number, property = (i: number): object => ({ n: i, third: i % 3 })) => {
    const path = `/${newCollection()}`
    const bodies = Array.from({ length: count }, (_, i) => ({ name: `n${i}`, ...property(i) }))
    await app().create(path.slice(1), ...bodies)
    return path
  }

  it.each([
    ['', 10],
    ['limit=3', 3],
    ['limit=25', 25],
    ['limit=30', 30],
    ['limit=5000', 30],
    ['limit=0', 10],
    ['limit=-5', 10],
    ['limit=abc', 10],
    ['limit=', 10],
    ['limit=1.5', 10],
    ['limit=1e1', 10],
    ['limit=2147483647', 30],
    ['limit=4294967295', 10],
    ['limit=9999999999', 10],
  ])('hold what is asked for: %s', async (search, length) => {
    const path = await numbered(30)

    const { status, body } = await app().get(`${path}?${search}`)

    expect([status, body.entities.length, body.count]).toEqual([200, length, length])
    expect('cursor' in body).toBe(length < 30)
  })

  it('hold a thousand entities at most', async () => {
    const path = await numbered(1000)
    await app().create(path.slice(1), { name: 'one more' })

    const { body } = await app().get(path, { limit: 100_000 })

    expect(body.entities).toHaveLength(1000)
    expect(body.cursor).toEqual(expect.any(String))
  })

  it.each([
    [9, 10, [9]],
    [10, 10, [10]],
    [11, 10, [10, 1]],
    [20, 10, [10, 10]],
    [21, 10, [10, 10, 1]],
    [3, 1, [1, 1, 1]],
  ])(
    'of %i entities, at most %i at a time, have a cursor exactly when more follow',
    async (count, limit, sizes) => {
      const path = await numbered(count)

      for (const ql of [
        '',
        'n >= 0',
        'order by n',
        'third >= 0 order by third desc, n',
        "name = 'n*'",
        "name contains 'n*'",
      ]) {
        const pages = await app().pages(path, { limit, ql })
        expect([ql, pages.map((page) => page.length)]).toEqual([ql, sizes])
      }
    },
  )

  it.each([
    '',
    'n > 4',
    'third = 1',
    'third = 1 or n < 5',
    'not third = 1',
    "name = 'n1*'",
    "name contains 'n1*'",
    'order by n',
    'order by n desc',
    'order by third',
    'order by third desc, n',
    'order by third, odd desc',
    'order by odd, n desc',
    'order by mixed, n',
    'order by nothing',
    'n > 4 and third = 2 order by odd desc',
    'n > 4 order by n desc',
    'not third = 1 order by third desc',
  ])('taken together are the whole of %s, each once and in order', async (ql) => {
    const property = (i: number) => ({
      n: i,
      third: i % 3,
      ...(i % 4 ? { odd: i % 2 } : {}),
      mixed: [i, `t${i % 5}`, i % 2 === 0, null][i % 4],
    })
    const path = await numbered(23, property)
    const whole = namesOf((await app().get(path, { ql, limit: 100 })).body)

    for (const limit of [1, 2, 5, 22, 23]) {
      const pages = await app().pages(path, { ql, limit })
      expect([limit, pages.flat().map(({ name }) => name)]).toEqual([limit, whole])
      expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true)
    }
  })

  it('go on where they stopped when entities come and go', async () => {
    const path = await numbered(9)
    const first = (await app().get(path, { limit: 4 })).body

    await app().delete(`${path}/${first.entities[3].uuid}`)
    await app().delete(`${path}/n3`)
    await app().create(path.slice(1), { name: 'new' })
    const second = (await app().get(path, { limit: 4, cursor: first.cursor })).body

    expect(namesOf(first)).toEqual(['n8', 'n7', 'n6', 'n5'])
    expect(namesOf(second)).toEqual(['n4', 'n2', 'n1', 'n0'])
  })

  it('have cursors that are safe in a URL and short', async () => {
    const path = await numbered(5, (i) => ({ t: `${'ü'.repeat(500)}${i}`, n: i }))

    for (const ql of ['', 'order by n', 'order by t', 'order by t desc, n']) {
      const { cursor } = (await app().get(path, { ql, limit: 2 })).body
      expect(cursor).toMatch(/^[A-Za-z0-9_-]{1,1024}$/)
    }
  })

  it('can be had with sixteen long sort keys', async () => {
    const keys = Array.from({ length: 16 }, (_, i) => `k${i}`)
    const long = '\u0001'.repeat(300)
    const path = await numbered(3, () => Object.fromEntries(keys.map((key) => [key, long])))

    const pages = await app().pages(path, { ql: `order by ${keys.join(',')}`, limit: 1 })

    expect(pages.flat().map(({ name }) => name)).toEqual(['n2', 'n1', 'n0'])
  })

  describe('with a cursor that is not theirs', () => {
    const foreign = async (client: AppClient, path: string, ql: string) =>
      (await client.get(path, { ql, limit: 1 })).body.cursor

    it.each([
      ['not base64url at all!', 'order by n'],
      ['AAAA', 'order by n'],
      [Buffer.from('[]').toString('base64url'), 'order by n'],
      [Buffer.from('{"a":1}').toString('base64url'), 'order by n'],
      [Buffer.from('null').toString('base64url'), 'order by n'],
      ['a'.repeat(5000), 'order by n'],
      ["'; drop table entity; --", 'order by n'],
      ['\u0000', 'order by n'],
    ])('(%s) are refused', async (cursor, ql) => {
      const path = await numbered(3)

      const { status, body } = await app().get(path, { ql, cursor })

      expect([status, body.error]).toEqual([400, 'illegal_argument'])
      expect(body.error_description).toContain('cursor')
    })

    it('are refused: of another query, order or collection', async () => {
      const [one, other] = [await numbered(3), await numbered(3)]
      const refused = async (path: string, ql: string, cursor: string) => {
        const { status, body } = await app().get(path, { ql, cursor })
        expect([status, body.error]).toEqual([400, 'illegal_argument'])
      }

      await refused(one, 'order by n desc', await foreign(app(), one, 'order by n'))
      await refused(one, 'order by third', await foreign(app(), one, 'order by n'))
      await refused(one, 'n > 0', await foreign(app(), one, 'n >= 0'))
      await refused(one, '', await foreign(app(), one, 'n >= 0'))
      await refused(other, 'order by n', await foreign(app(), one, 'order by n'))
      await refused(`${one}/n0/likes`, '', await foreign(app(), one, ''))
    })

    it('are refused when it was tampered with', async () => {
      const path = await numbered(3)
      const cursor = await foreign(app(), path, 'order by n')
      const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())

      for (const change of [
        [parts[0]],
        [parts[0], 'x', null],
        [parts[0], 1.5, null],
        [parts[0], 1, 'far'],
        [...parts.slice(0, 3), 7],
      ]) {
        const forged = Buffer.from(JSON.stringify(change)).toString('base64url')
        expect((await app().get(path, { ql: 'order by n', cursor: forged })).body.error).toBe(
          'illegal_argument',
        )
      }
    })

    it('are the first ones when it is blank', async () => {
      const path = await numbered(3)

      expect(namesOf((await app().get(`${path}?cursor=`)).body)).toEqual(['n2', 'n1', 'n0'])
    })
  })

  it('are deleted one after the other', async () => {
    const path = await numbered(25)
    const sizes: number[] = []

    for (;;) {
      const { entities } = (await app().delete(path, { ql: 'n >= 0' })).body
      sizes.push(entities.length)
      if (entities.length === 0) break
    }

    expect(sizes).toEqual([10, 10, 5, 0])
    expect((await app().get(path)).body.count).toBe(0)
  })
})
