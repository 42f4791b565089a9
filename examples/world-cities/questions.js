// @ts-check
import { count } from './progress-bar.js'

/**
 * @typedef {import('@entigrid/core').Session} Session
 * @typedef {import('@entigrid/core').Entity} Entity
 *
 * @typedef {object} Question
 * @property {string} asked
 * @property {string} ql as it may be sent to any application in `?ql=`
 * @property {string} [collection] `cities` unless it says something else
 * @property {string} [country] whose cities are followed along the connection; all cities otherwise
 */

/** @type {Question[]} */
export const QUESTIONS = [
  {
    asked: 'The largest cities within 300 km of Lyon',
    ql: 'where location within 300000 of 45.74846, 4.84671 order by population desc',
  },
  { asked: 'Cities called San *, the largest first', ql: "where title = 'San *' order by population desc" },
  { asked: 'By country, then population', ql: 'order by country, population desc' },
  { asked: 'The largest cities of France', ql: "where country = 'FR' order by population desc" },
  { asked: 'The cities nearest to Mount Everest', ql: 'where location within 200000 of 27.98806, 86.92528' },
  {
    asked: 'Cities of 500,000 to 505,000 people, by name',
    ql: 'where population >= 500000 and population <= 505000 order by title',
  },
  { asked: 'Cities with "beach" in their name', ql: "where title contains 'beach' order by population desc" },
  {
    asked: 'Cities of over a million people along the connections of Japan',
    country: 'JP',
    ql: 'where population > 1000000 order by population desc',
  },
  { asked: 'The countries with most cities', collection: 'countries', ql: 'order by cities desc' },
]

const SHOWN = 5

/**
 * Asks the questions in turn, each twice: the first answer is the one that a person waits for.
 * @param {Session} session
 */
export async function* askQuestions(session) {
  for (const question of QUESTIONS) {
    const { entities, milliseconds } = await ask(session, question)
    const again = await ask(session, question)
    const from = question.country
      ? `/countries/${question.country}/has`
      : `/${question.collection ?? 'cities'}`
    yield `${question.asked}: ${milliseconds} ms, and again ${again.milliseconds} ms`
    yield `  ${from}?ql=${question.ql}`
    for (const entity of entities) yield `    ${describe(entity)}`
    yield ''
  }
}

/**
 * @param {Session} session
 * @param {Question} question
 */
const ask = async (session, { ql, country, collection = 'cities' }) => {
  const startedAt = performance.now()
  const options = { ql, limit: SHOWN }
  const { entities } = country
    ? await session.connected({ collection: 'countries', ref: country }, 'has', options)
    : await session.list(collection, options)
  return { entities, milliseconds: (performance.now() - startedAt).toFixed(1) }
}

/** @param {Entity} entity */
const describe = ({ name, title, country, population, cities }) =>
  population === undefined
    ? `${title} (${name}): ${count(Number(cities))} cities`
    : `${title} (${country}): ${count(Number(population))} people`
