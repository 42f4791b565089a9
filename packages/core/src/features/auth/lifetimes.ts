import { illegalArgument } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'

/** Seven days: the default and the longest lifetime of a token, in milliseconds. */
export const MAX_TTL = 604_800_000

/** Milliseconds; `null` for no end. */
export interface Lifetimes {
  max: number | null
  fallback: number | null
}

const USUAL: Lifetimes = { max: MAX_TTL, fallback: MAX_TTL }

/**
 * How long tokens live, by the properties of the application they are for (`null` on the management plane). Its
 * `accesstokenttl` (milliseconds) replaces default and maximum; 0 means that tokens do not expire.
 */
export const lifetimesOf = (properties: JsonObject | null): Lifetimes => {
  const set = properties?.['accesstokenttl']
  if (set === undefined || set === null) return USUAL
  const own = Number(set)
  return own === 0 ? { max: null, fallback: null } : { max: own, fallback: own }
}

/** A whole number of milliseconds, 0 or more, given as such or as text; `null` for anything else. */
export const readMilliseconds = (value: unknown): number | null => {
  const isText = typeof value === 'string' && /^\s*\d+\s*$/.test(value)
  const milliseconds = isText ? Number(value) : value
  return Number.isSafeInteger(milliseconds) && (milliseconds as number) >= 0 ? (milliseconds as number) : null
}

/** The lifetime that is asked for with `ttl`. @throws {AppError} `illegal_argument` */
export const chosenLifetime = (ttl: unknown, { max, fallback }: Lifetimes): number | null => {
  if (ttl === undefined || ttl === null || ttl === '') return fallback
  const wanted = readMilliseconds(ttl)
  if (wanted === null) throw illegalArgument('ttl must be a number >= 0', 'ttl')
  if (wanted === 0) return fallback
  if (max !== null && wanted > max) {
    throw illegalArgument(`Your token age cannot be more than the maximum age of ${max} milliseconds`, 'ttl')
  }
  return wanted
}

/**
 * The lifetime (milliseconds) of a token that goes on with a sign-in: as the sign-in asked for, unless another is asked
 * for now, or the application allows less by now. @throws {AppError} `illegal_argument`
 */
export const renewedLifetime = (
  { ttl }: { ttl?: unknown },
  first: number | null,
  lifetimes: Lifetimes,
): number | null => {
  if (ttl !== undefined && ttl !== null && ttl !== '') return chosenLifetime(ttl, lifetimes)
  const { max } = lifetimes
  return max === null ? first : Math.min(first ?? max, max)
}

/** When what begins at `now` is over, in UTC milliseconds; `null` if never. */
export const endOf = (now: number, ttl: number | null): number | null => (ttl === null ? null : now + ttl)
