import type { JsonObject } from '../../domain/json.js'
import { encodeKey } from '../../domain/keys.js'
import { readPath } from '../../domain/properties.js'
import type { SortKey } from '../../domain/query/ast.js'
import type { Position } from './cursor.js'

/** The key by which an entity is sorted: of several values the smallest, or the largest when descending. */
export const sortKeyOf = (object: JsonObject, { path, descending }: SortKey): Buffer | null => {
  let best: Buffer | null = null
  for (const value of readPath(object, path)) {
    if (value === null || typeof value === 'object') continue
    const key = encodeKey(value)
    if (best === null || Buffer.compare(key, best) < 0 !== descending) best = key
  }
  return best
}

/** Entities that lack the property come last in both directions. */
const compareKeys = (a: Buffer | null, b: Buffer | null, descending: boolean): number => {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return descending ? Buffer.compare(b, a) : Buffer.compare(a, b)
}

/** Order of positions under `sort`: nearest first, then the keys, then newest first. */
export const comparePositions =
  (sort: readonly SortKey[], farFirst = false) =>
  (a: Position, b: Position): number => {
    if (a.distance !== b.distance) {
      if (a.distance === null) return 1
      if (b.distance === null) return -1
      return farFirst ? b.distance - a.distance : a.distance - b.distance
    }
    for (let i = 0; i < sort.length; i++) {
      const order = compareKeys(a.keys[i] ?? null, b.keys[i] ?? null, sort[i]!.descending)
      if (order !== 0) return order
    }
    return b.id - a.id
  }
