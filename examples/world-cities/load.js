// @ts-check
import { readCountries } from './dataset.js'
import { count, openBar } from './progress-bar.js'
import { askQuestions } from './questions.js'

/**
 * @typedef {import('@entigrid/core').Engine} Engine
 * @typedef {import('@entigrid/core').Session} Session
 * @typedef {import('./dataset.js').Country} Country
 */

/** Each batch is one transaction. */
const BATCH = 1000
const REASON = 'load the example world-cities'

/**
 * Loads the world's cities, unless they are there, and asks a few questions about them. A load that was
 * interrupted goes on where it ended.
 * @param {Engine} engine
 * @param {object} target
 * @param {string} target.organization
 * @param {string} target.application
 * @param {(line: string) => void} target.progress
 * @param {number} [target.limit] load the largest cities only
 */
export const load = async (engine, { organization, application, progress, limit }) => {
  const session = await engine.app(`${organization}/${application}`).asSystem(REASON)
  const countries = readCountries(limit)
  const total = countries.reduce((sum, { cities }) => sum + cities.length, 0)
  const loaded = await citiesLoaded(session)
  const missing = countries.filter(({ code, cities }) => (loaded.get(code) ?? 0) < cities.length)

  if (missing.length === 0)
    progress(`The world's cities are here: ${count(total)} in ${countries.length} countries`)
  else {
    progress(
      `Loading ${count(total)} cities of ${countries.length} countries into ${organization}/${application}`,
    )
    await indexTogether(engine, `/${organization}/${application}/cities`, [['country', '-population']])
    await loadCountries(session, missing, loaded, openBar({ total, print: progress }), total)
  }
  progress('')
  for await (const answer of askQuestions(session)) progress(answer)
}

/**
 * How many cities each country has that is here, by its code; 0 while it is not complete.
 * @param {Session} session
 * @returns {Promise<Map<string, number>>}
 */
const citiesLoaded = async (session) => {
  const { entities } = await session.list('countries', { limit: 1000 })
  return new Map(entities.map(({ name, cities }) => [String(name), Number(cities ?? 0)]))
}

/**
 * Lets queries that ask for the one property and sort by the other read from one index.
 * @param {Engine} engine
 * @param {string} collection path of the collection
 * @param {string[][]} indexes
 */
const indexTogether = async (engine, collection, indexes) => {
  const { status, body } = await engine.handle({
    method: 'POST',
    path: `${collection}/_settings`,
    search: '',
    body: { indexes },
    baseUrl: '',
    principal: { kind: 'system', reason: REASON },
  })
  if (status !== 200) throw new Error(JSON.parse(body).error_description)
}

/**
 * @param {Session} session
 * @param {Country[]} missing
 * @param {Map<string, number>} loaded
 * @param {ReturnType<typeof openBar>} bar
 * @param {number} total
 */
const loadCountries = async (session, missing, loaded, bar, total) => {
  const isNew = missing.filter(({ code }) => !loaded.has(code))
  await session.createMany(
    'countries',
    isNew.map(({ code, title }) => ({ name: code, title })),
  )
  bar.skip(total - missing.reduce((sum, { cities }) => sum + cities.length, 0))
  for (const country of missing) await loadCities(session, country, loaded.has(country.code), bar)
}

/**
 * Stores and connects the cities of one country, and notes on it how many they are once all are there.
 * @param {Session} session
 * @param {Country} country
 * @param {boolean} resumes whether some of them may be there
 * @param {ReturnType<typeof openBar>} bar
 */
const loadCities = async (session, { code, cities }, resumes, bar) => {
  const country = { collection: 'countries', ref: code }
  const present = resumes ? await namesOfCities(session, country) : new Set()
  const absent = cities.filter(({ name }) => !present.has(name))
  bar.skip(cities.length - absent.length)
  for (let at = 0; at < absent.length; at += BATCH) {
    const batch = absent.slice(at, at + BATCH)
    await session.createConnected(
      country,
      'has',
      'cities',
      batch.map((city) => ({ ...city })),
    )
    bar.advance(batch.length)
  }
  await session.put('countries', code, { cities: cities.length })
}

/**
 * @param {Session} session
 * @param {{ collection: string, ref: string }} country
 */
const namesOfCities = async (session, country) => {
  /** @type {Set<unknown>} */
  const names = new Set()
  /** @type {string | undefined} */
  let cursor
  do {
    const page = await session.connected(country, 'has', { limit: BATCH, cursor })
    for (const { name } of page.entities) names.add(name)
    cursor = page.cursor
  } while (cursor !== undefined)
  return names
}
