import { distance } from '../geo/distance.js'
import { pointAt } from '../geo/location.js'
import type { JsonObject } from '../json.js'
import { readPath, type Scalar } from '../properties.js'
import { compareText, fold, words } from '../text.js'
import { type CompareOp, type Filter, literalValue } from './ast.js'
import { wildcard } from './wildcard.js'

type Compare = Extract<Filter, { kind: 'compare' }>
type Contains = Extract<Filter, { kind: 'contains' }>

/**
 * Whether a document satisfies a filter: the one place where comparisons are defined. A property that is
 * missing, or of another type than the literal, satisfies none, so `not` of one does match. Of several
 * values at a path one is enough.
 */
export const matches = (filter: Filter, doc: JsonObject): boolean => {
  switch (filter.kind) {
    case 'and':
      return filter.items.every((item) => matches(item, doc))
    case 'or':
      return filter.items.some((item) => matches(item, doc))
    case 'not':
      return !matches(filter.item, doc)
    case 'compare':
      return readPath(doc, filter.path).some(comparison(filter))
    case 'contains':
      return containsWord(filter, doc)
    case 'within': {
      const metres = distanceTo(doc, filter.path, filter.latitude, filter.longitude)
      return metres !== null && metres <= filter.radius
    }
  }
}

/** Metres from a place in degrees to the nearest point at a path, or `null` if there is none. */
export const distanceTo = (
  doc: JsonObject,
  path: string,
  latitude: number,
  longitude: number,
): number | null => {
  let nearest: number | null = null
  for (const value of readPath(doc, path)) {
    const point = typeof value === 'object' ? pointAt(path, value) : null
    if (point === null) continue
    const metres = distance(latitude, longitude, point.latitude, point.longitude)
    if (nearest === null || metres < nearest) nearest = metres
  }
  return nearest
}

/** Strings are compared without regard to case, numbers as numbers whether written `1` or `1.0`. */
const comparison = ({ op, value: literal }: Compare): ((value: Scalar | JsonObject) => boolean) => {
  const wanted = literalValue(literal)
  if (typeof wanted !== 'string') {
    return (value) => typeof value === typeof wanted && holds(op, Number(value) - Number(wanted))
  }
  const text = fold(wanted)
  if (op === '=' && literal.kind === 'string') {
    const isLike = wildcard(text)
    return (value) => typeof value === 'string' && isLike(fold(value))
  }
  return (value) => typeof value === 'string' && holds(op, compareText(fold(value), text))
}

const holds = (op: CompareOp, order: number): boolean => {
  switch (op) {
    case '=':
      return order === 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

const containsWord = ({ path, words: wanted }: Contains, doc: JsonObject): boolean => {
  const present = readPath(doc, path).flatMap((value) => (typeof value === 'string' ? words(value) : []))
  const exact = new Set(wanted.filter((word) => !word.includes('*')))
  const patterns = wanted.filter((word) => word.includes('*')).map(wildcard)
  return present.some((word) => exact.has(word) || patterns.some((isLike) => isLike(word)))
}
