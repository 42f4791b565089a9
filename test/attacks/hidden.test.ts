import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { unchangedPrototypes } from './prototypes.js'
import { attacked } from './ways.js'

const SSN = '078-05-1120'
const WRONG = '078-05-1121'

describe.each(DATABASES)('attacks on what may not be queried, on %s', (database) => {
  unchangedPrototypes()
  const target = attacked(database)

  /** People whose number is hidden from queries, and somebody who knows them all. */
  const open = async (collection: string) => {
    await target().admins('POST', `/${collection}`, [
      {
        name: 'ann',
        city: 'Oslo',
        ssn: SSN,
        weight: 70,
        card: { ssn: SSN, at: { latitude: 1, longitude: 1 } },
        home: { location: { latitude: 1, longitude: 1 } },
      },
      { name: 'bob', city: 'Rome', ssn: '1', weight: 80, card: { ssn: '1' } },
    ])
    await target().admins('POST', `/${collection}/_settings`, { fields: ['city'] })
    for (const name of ['ann', 'bob']) {
      await target().admins('POST', `/${collection}/ann/knows/${collection}/${name}`)
      await target().admins('POST', `/${collection}/${name}/trusts/${collection}/ann`)
    }
  }
  const listsOf = (c: string) => [
    `/${c}`,
    `/${c}/ann/knows`,
    `/${c}/ann/knows/${c}`,
    `/${c}/ann/connections`,
    `/${c}/ann/connecting/trusts`,
    `/${c}/all/knows`,
  ]

  const CONDITIONS: [right: string, wrong: string][] = [
    [`ssn = '${SSN}'`, `ssn = '${WRONG}'`],
    [`SSN = '078*'`, `SSN = '079*'`],
    [`ssn > '077'`, `ssn > '9'`],
    [`ssn <= '${SSN}'`, `ssn <= '0'`],
    [`ssn contains '078'`, `ssn contains '077'`],
    ['weight >= 70', 'weight >= 700'],
    [`card.ssn = '${SSN}'`, `card.ssn = '${WRONG}'`],
    ['card.at.latitude = 1', 'card.at.latitude = 2'],
    ['home.location within 10 of 1,1', 'home.location within 10 of 2,2'],
    [`not ssn = '${SSN}'`, `not ssn = '${WRONG}'`],
    [`city = 'Oslo' and ssn = '${SSN}'`, `city = 'Oslo' and ssn = '${WRONG}'`],
    [`city = 'Rome' or ssn = '${SSN}'`, `city = 'Rome' or ssn = '${WRONG}'`],
    [`not (city = 'Rome' or not ssn = '${SSN}')`, `not (city = 'Rome' or not ssn = '${WRONG}')`],
  ]

  it('attack 3: a hidden property matches no guess, and no guess matches it', async () => {
    await open('persons')

    for (const path of listsOf('persons'))
      for (const [right, wrong] of CONDITIONS)
        for (const search of ['&count=total', '&limit=1', '&analyzeOnly=true']) {
          const answers = await Promise.all(
            [right, wrong].map(async (ql) => {
              const { status, body } = await target().do(target().admin, 'GET', `/test/shop${path}`, {
                search: `ql=${encodeURIComponent(ql)}${search}`,
              })
              return {
                status,
                names: body.entities?.map(({ name }: { name: string }) => name),
                total: body.total,
                more: body.cursor !== undefined,
                warnings: body.metadata,
              }
            }),
          )
          expect([path, right, search, answers[0]]).toEqual([path, right, search, answers[1]])
          expect(answers[0]!.status).toBe(200)
        }
  })

  it('attack 3: nothing is sorted by a hidden property, and no cursor holds it', async () => {
    await open('clients')

    for (const path of listsOf('clients')) {
      const names = async (order: string) => {
        const search = `limit=1&ql=${encodeURIComponent(order)}`
        const first = (await target().do(target().admin, 'GET', `/test/shop${path}`, { search })).body
        expect(Buffer.from(first.cursor ?? '', 'base64url').toString()).not.toContain('078')
        const all = (
          await target().do(target().admin, 'GET', `/test/shop${path}`, {
            search: `ql=${encodeURIComponent(order)}`,
          })
        ).body
        return all.entities.map(({ name }: { name: string }) => name)
      }
      for (const key of ['ssn', 'card.ssn', 'weight']) {
        const orders = [await names(`order by ${key}`), await names(`order by ${key} desc`), await names('')]
        expect([path, key, ...orders]).toEqual([path, key, orders[2], orders[2], orders[2]])
      }
      // What is not hidden is sorted by.
      if (path === '/clients')
        expect([await names('order by city'), await names('order by city desc')]).toEqual([
          ['ann', 'bob'],
          ['bob', 'ann'],
        ])
    }
  })

  it('attack 3: nothing is changed or removed by a guess', async () => {
    await open('members')

    for (const [right, wrong] of CONDITIONS.slice(0, 9))
      for (const ql of [right, wrong])
        for (const [method, body] of [
          ['PUT', { seen: true }],
          ['PATCH', { seen: true }],
          ['DELETE', undefined],
        ] as const) {
          const answer = await target().do(target().admin, method, '/test/shop/members', {
            body,
            search: `ql=${encodeURIComponent(ql)}`,
          })
          const expected = method === 'DELETE' ? 200 : 404
          expect([method, ql, answer.status, answer.body.entities ?? []]).toEqual([method, ql, expected, []])
        }
    const { entities } = await target().admins('GET', '/members')
    expect(entities).toHaveLength(2)
    expect(JSON.stringify(entities)).not.toContain('seen')
  })
})
