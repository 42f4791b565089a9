import { illegalArgument } from '../errors.js'
import { isJsonObject, type Json, type JsonObject } from '../json.js'

/** A place in degrees. */
export interface Point {
  latitude: number
  longitude: number
}

/** Deeper nesting is left as it is, to bound the recursion. */
const MAX_DEPTH = 100
const NUMERIC = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** Whether a point can be looked for: coordinates outside the globe are stored, but are nowhere. */
export const isOnGlobe = ({ latitude, longitude }: Point): boolean =>
  Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180

/**
 * The point that a stored object at a lower-case path is, or `null`. A property named `location` may have
 * further keys; one of another name must have exactly `latitude` and `longitude`.
 */
export const pointAt = (path: string, value: JsonObject): Point | null => {
  const { latitude, longitude } = value
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return null
  const isLocation = path === 'location' || path.endsWith('.location')
  if (!isLocation && Object.keys(value).length !== 2) return null
  return isOnGlobe({ latitude, longitude }) ? { latitude, longitude } : null
}

/**
 * The stored form of a property named `location`: `latitude` and `longitude` as numbers, whatever the
 * letter case, abbreviated or as text; other keys are kept. Anything without both is left as it is.
 * @throws {AppError} `illegal_argument` for a coordinate that is not a number.
 */
export const normaliseLocation = (value: Json): Json => {
  if (Array.isArray(value)) return mapChanged(value, normaliseLocation)
  if (!isJsonObject(value)) return value
  const latitudeKey = keyNamed(value, 'latitude', 'lat')
  const longitudeKey = keyNamed(value, 'longitude', 'lon')
  if (latitudeKey === undefined || longitudeKey === undefined) return value
  const latitude = coordinate(value[latitudeKey]!, 'latitude')
  const longitude = coordinate(value[longitudeKey]!, 'longitude')
  if (value['latitude'] === latitude && value['longitude'] === longitude) return value
  const entries = Object.entries(value).flatMap(([key, extra]): [string, Json][] => {
    if (key === latitudeKey) return [['latitude', latitude]]
    if (key === longitudeKey) return [['longitude', longitude]]
    return key === 'latitude' || key === 'longitude' ? [] : [[key, extra]]
  })
  return Object.fromEntries(entries)
}

/** The key of a coordinate: spelled exactly, else in another case, else abbreviated. Null counts as absent. */
const keyNamed = (value: JsonObject, name: string, short: string): string | undefined => {
  const keys = Object.keys(value).filter((key) => value[key] !== null)
  return (
    keys.find((key) => key === name) ??
    keys.find((key) => key.toLowerCase() === name) ??
    keys.find((key) => key.toLowerCase() === short)
  )
}

const coordinate = (value: Json, name: string): number => {
  if (typeof value === 'number') return value
  if (typeof value === 'string' && NUMERIC.test(value.trim())) return Number(value)
  throw illegalArgument(`The ${name} of a location must be a number`, `location.${name}`)
}

/**
 * The document with every property named `location` (in any case, at any depth) in its stored form.
 * @throws {AppError} `illegal_argument` for a coordinate that is not a number.
 */
export const normaliseLocations = (doc: JsonObject): JsonObject => normaliseObject(doc, 1)

const normaliseObject = (object: JsonObject, depth: number): JsonObject => {
  const entries = Object.entries(object)
  const changed = mapChanged(entries, (entry) => {
    const [key, value] = entry
    const inside = normaliseValue(value, depth + 1)
    const result = key.toLowerCase() === 'location' ? normaliseLocation(inside) : inside
    return result === value ? entry : ([key, result] as [string, Json])
  })
  return changed === entries ? object : Object.fromEntries(changed)
}

const normaliseValue = (value: Json, depth: number): Json => {
  if (value === null || typeof value !== 'object' || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return mapChanged(value, (element) => normaliseValue(element, depth + 1))
  return normaliseObject(value, depth)
}

/** Like `map`, but the array itself when no element changes. */
const mapChanged = <T>(items: T[], change: (item: T) => T): T[] => {
  const changed = items.map(change)
  return changed.some((item, index) => item !== items[index]) ? changed : items
}
