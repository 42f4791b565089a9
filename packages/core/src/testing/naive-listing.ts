import type { Json, JsonObject } from '../domain/json.js'
import type { Filter, SortKey } from '../domain/query/ast.js'
import { distanceTo, matches } from '../domain/query/evaluate.js'
import { fold } from '../domain/text.js'

/** What listings are compared with in tests: everything is read, filtered and sorted, with no index in sight. */

/** A document and where it stands in the order of age: the larger, the newer. */
export interface Aged {
  object: JsonObject
  age: number
}

type Within = Extract<Filter, { kind: 'within' }>
/** What an entity is sorted by, one value for each key. */
type Rank = readonly (Scalar | null)[]

const MAX_TEXT_BYTES = 200

/** The entities that match, in the order of a listing; `latest` is the order where neither sort nor place gives one. */
export const naiveListing = <T extends Aged>(
  entities: readonly T[],
  filter: Filter | null,
  sort: readonly SortKey[],
  latest: (a: T, b: T) => number = newestFirst,
): T[] => {
  const found = entities.filter(({ object }) => filter === null || matches(filter, object))
  const circle = filter === null ? null : firstWithin(filter)
  if (sort.length === 0 && circle === null) return found.sort(latest)
  const keys = sort.length === 0 ? [{ path: circle!.path, descending: false }] : sort
  const ranked = found.map((entity) => ({
    entity,
    rank: keys.map((key): Scalar | null =>
      key.path === circle?.path
        ? distanceTo(entity.object, key.path, circle.latitude, circle.longitude)
        : valueFor(entity.object, key),
    ),
  }))
  return ranked
    .sort((a, b) => compareRanks(keys, a.rank, b.rank) || newestFirst(a.entity, b.entity))
    .map(({ entity }) => entity)
}

export const firstWithin = (filter: Filter): Within | null => {
  if (filter.kind === 'within') return filter
  const items = filter.kind === 'not' ? [filter.item] : 'items' in filter ? filter.items : []
  return items.map(firstWithin).find((found) => found !== null) ?? null
}

const newestFirst = (a: Aged, b: Aged): number => b.age - a.age

const compareRanks = (keys: readonly SortKey[], a: Rank, b: Rank): number => {
  for (const [i, { descending }] of keys.entries()) {
    const [x, y] = [a[i] ?? null, b[i] ?? null]
    const order = missingLast(x, y) ?? (descending ? compareScalars(y!, x!) : compareScalars(x!, y!))
    if (order !== 0) return order
  }
  return 0
}

/** Of several values the one that comes first. */
const valueFor = (object: JsonObject, { path, descending }: SortKey): Scalar | null => {
  const ordered = valuesAt(object, path).sort(compareScalars)
  return (descending ? ordered.at(-1) : ordered[0]) ?? null
}

const missingLast = (a: unknown, b: unknown): number | null =>
  a === null || b === null ? Number(a === null) - Number(b === null) : null

type Scalar = string | number | boolean

const valuesAt = (object: JsonObject, path: string): Scalar[] => {
  let level: Json[] = [object]
  for (const name of path.split('.')) {
    level = level
      .flatMap((value) => (isObject(value) ? Object.entries(value) : []))
      .filter(([key]) => fold(key) === name)
      .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
  }
  return level.filter((value): value is Scalar => value !== null && typeof value !== 'object')
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TYPES = ['number', 'string', 'boolean']

/** Texts count by their first 200 bytes; one that is longer comes after one that is just that. */
const compareScalars = (a: Scalar, b: Scalar): number => {
  if (typeof a !== typeof b) return TYPES.indexOf(typeof a) - TYPES.indexOf(typeof b)
  if (typeof a !== 'string' || typeof b !== 'string') return Number(a) - Number(b)
  const [x, y] = [Buffer.from(fold(a)), Buffer.from(fold(b))]
  return (
    Buffer.compare(x.subarray(0, MAX_TEXT_BYTES), y.subarray(0, MAX_TEXT_BYTES)) ||
    Number(x.length > MAX_TEXT_BYTES) - Number(y.length > MAX_TEXT_BYTES)
  )
}
