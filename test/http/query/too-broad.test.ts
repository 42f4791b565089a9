import { DATABASES } from '@entigrid/core/testing'
import { describe, expect, it } from 'vitest'
import { newCollection, sharedApp } from '../../support/app-client.js'

const BOUND = 1600
const FITTING = 1500

describe.each(DATABASES)('a query that no index serves on %s', (database) => {
  const lines: { level: string; message: string; [field: string]: unknown }[] = []
  const log = (level: string) => (fields: object, message: string) =>
    void lines.push({ ...fields, level, message })
  const app = sharedApp(database, {
    options: {
      limits: { examined: BOUND },
      log: { info: log('info'), warn: log('warn'), error: log('error') },
    },
  })
  const filled = async (count: number) => {
    const path = `/${newCollection()}`
    for (let n = 0; n < count; n += 500) {
      const size = Math.min(500, count - n)
      await app().create(
        path.slice(1),
        ...Array.from({ length: size }, (_, i) => ({ n: n + i, kind: 'x', name: `n${n + i}` })),
      )
    }
    lines.length = 0
    return path
  }

  it('is answered while it is bounded, and logged with what can be done', async () => {
    const path = await filled(FITTING)

    for (const [ql, shape] of [
      ["not kind = 'x'", 'not kind = ?'],
      ["name = '*-nowhere' order by kind, n desc", 'name = ? order by kind, n desc'],
    ] as const) {
      lines.length = 0
      const { status, body } = await app().get(path, { ql })

      expect([status, body.entities]).toEqual([200, []])
      expect(lines).toEqual([
        {
          level: 'warn',
          app: expect.any(Number),
          collection: path.slice(1),
          query: shape,
          examined: FITTING,
          message: expect.stringContaining('"indexes"'),
        },
      ])
    }
  })

  it('is refused past the bound, and logged', async () => {
    const path = await filled(BOUND + 200)

    const { status, body } = await app().get(path, { ql: "not kind = 'x'" })

    expect([status, body.error]).toEqual([400, 'query_too_broad'])
    expect(body.error_description).toContain(`${BOUND} entities`)
    expect(body.error_description).toContain('narrow it')
    expect(lines).toMatchObject([{ level: 'warn', collection: path.slice(1), query: 'not kind = ?' }])
    const update = await app().send('PUT', path, { params: { ql: "not kind = 'x'" }, body: { a: 1 } })
    expect([update.status, update.body.error]).toEqual([400, 'query_too_broad'])
    const removal = await app().delete(path, { ql: "not kind = 'x'" })
    expect([removal.status, removal.body.error]).toEqual([400, 'query_too_broad'])
  })

  it('is answered once something else in it narrows it, or its page is full early', async () => {
    const path = await filled(BOUND + 200)

    for (const ql of [
      "not kind = 'y'",
      "not kind = 'x' and n = 3",
      "not kind = 'y' and n < 100",
      'n >= 0 order by n',
      "kind = 'x' order by n desc",
    ]) {
      expect([ql, (await app().get(path, { ql })).status]).toEqual([ql, 200])
    }
    expect(lines).toEqual([])
  })
})
