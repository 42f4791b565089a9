import type { Point } from '../geo/location.js'
import type { JsonObject } from '../json.js'
import { readPath, type Scalar } from '../properties.js'
import { compareText, fold } from '../text.js'
import type { SortKey } from './ast.js'
import { distanceTo } from './evaluate.js'

/** The place from which distances count when sorting by the property at `path`. */
export interface Origin extends Point {
  path: string
}

type Order = (a: JsonObject, b: JsonObject) => number

/**
 * Order of documents by several properties. Within one, numbers come before strings (without regard to
 * case) before false before true, or all of that reversed; documents without the property come last in
 * both directions. Of several values the first in that direction counts. Equal documents are left to the
 * caller. With an origin, its property is ordered by distance.
 */
export const compareBy = (sort: readonly SortKey[], origin?: Origin): Order => {
  const orders = sort.map((key) => orderBy(key, origin?.path === key.path ? origin : null))
  return (a, b) => {
    for (const order of orders) {
      const result = order(a, b)
      if (result !== 0) return result
    }
    return 0
  }
}

const orderBy = ({ path, descending }: SortKey, origin: Origin | null): Order => {
  const inDirection = (a: Scalar, b: Scalar): number =>
    descending ? compareScalars(b, a) : compareScalars(a, b)
  const keyOf = (doc: JsonObject): Scalar | null =>
    origin === null
      ? firstOf(doc, path, inDirection)
      : distanceTo(doc, path, origin.latitude, origin.longitude)
  return (a, b) => {
    const [keyOfA, keyOfB] = [keyOf(a), keyOf(b)]
    if (keyOfA === null || keyOfB === null) return Number(keyOfA === null) - Number(keyOfB === null)
    return inDirection(keyOfA, keyOfB)
  }
}

const firstOf = (doc: JsonObject, path: string, compare: (a: Scalar, b: Scalar) => number): Scalar | null => {
  let first: Scalar | null = null
  for (const value of readPath(doc, path)) {
    if (typeof value !== 'object' && (first === null || compare(value, first) < 0)) first = value
  }
  return first
}

const TYPES = ['number', 'string', 'boolean']

/** The order of the values' index keys, but for texts longer than a key, which are compared whole. */
const compareScalars = (a: Scalar, b: Scalar): number => {
  if (typeof a === 'string' && typeof b === 'string') return compareText(fold(a), fold(b))
  if (typeof a === typeof b) return a === b ? 0 : Number(a) - Number(b)
  return TYPES.indexOf(typeof a) - TYPES.indexOf(typeof b)
}
