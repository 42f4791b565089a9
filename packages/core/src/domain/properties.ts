import { type Point, pointAt } from './geo/location.js'
import { isJsonObject, type Json, type JsonObject } from './json.js'
import { encodeKey } from './keys.js'
import { fold, words } from './text.js'

export { words } from './text.js'

/**
 * What of a document can be queried: scalars and points at dotted, lower-case paths. Elements of an array
 * are at the path of the array; arrays inside arrays, nulls and `metadata` are nowhere. All functions here
 * agree on this, so that an index finds what reading the document does.
 */
export type Scalar = string | number | boolean

/** Objects nested deeper than this are not indexed and not found. */
export const MAX_DEPTH = 16
/** Properties with a longer path (UTF-16 units) are not indexed and not found. */
export const MAX_PATH_LENGTH = 256
/** An index holds at most so many values, and points, of one document. */
export const MAX_INDEX_ENTRIES = 500
/** An index holds at most so many words of one document, over all its paths. */
export const MAX_WORDS = 2000

/** Returns false to end the walk. */
type Visit = (path: string, value: Scalar | JsonObject) => boolean

const isHidden = (name: string, depth: number): boolean => depth === 1 && name === 'metadata'

const walk = (object: JsonObject, prefix: string, depth: number, visit: Visit): boolean => {
  for (const key of Object.keys(object)) {
    const name = fold(key)
    const path = prefix + name
    if (isHidden(name, depth) || path.length > MAX_PATH_LENGTH) continue
    for (const value of elements(object[key]!)) {
      if (!visit(path, value)) return false
      if (typeof value !== 'object' || depth === MAX_DEPTH) continue
      if (!walk(value, `${path}.`, depth + 1, visit)) return false
    }
  }
  return true
}

const elements = (value: Json): (Scalar | JsonObject)[] =>
  Array.isArray(value) ? value.filter(isElement) : isElement(value) ? [value] : []

const isElement = (value: Json): value is Scalar | JsonObject => value !== null && !Array.isArray(value)

/** Every scalar of a document with its path, without values of one path that have the same key. */
export const indexEntries = (doc: JsonObject): { path: string; value: Scalar }[] => {
  const entries: { path: string; value: Scalar }[] = []
  const isNew = distinctValues()
  walk(doc, '', 1, (path, value) => {
    if (typeof value !== 'object' && isNew(path, value)) entries.push({ path, value })
    return entries.length < MAX_INDEX_ENTRIES
  })
  return entries
}

/** Most paths have one value, for which no key needs to be made. */
const distinctValues = (): ((path: string, value: Scalar) => boolean) => {
  const first = new Map<string, Scalar>()
  const keys = new Map<string, Set<string>>()
  return (path, value) => {
    const earlier = first.get(path)
    if (earlier === undefined) {
      first.set(path, value)
      return true
    }
    const known = keys.get(path) ?? new Set([identity(earlier)])
    keys.set(path, known)
    const { size } = known
    return known.add(identity(value)).size > size
  }
}

const identity = (value: Scalar): string => encodeKey(value).toString('latin1')

/** The distinct words at each path that holds strings. */
export const wordEntries = (doc: JsonObject): { path: string; words: string[] }[] => {
  const byPath = new Map<string, Set<string>>()
  let room = MAX_WORDS
  walk(doc, '', 1, (path, value) => {
    if (typeof value !== 'string') return true
    const found = byPath.get(path) ?? new Set()
    const added = words(value)
      .filter((word) => !found.has(word))
      .slice(0, room)
    room -= added.length
    for (const word of added) found.add(word)
    if (found.size > 0) byPath.set(path, found)
    return room > 0
  })
  return [...byPath].map(([path, found]) => ({ path, words: [...found] }))
}

/** The points of a document, in degrees. */
export const geoEntries = (doc: JsonObject): ({ path: string } & Point)[] => {
  const entries: ({ path: string } & Point)[] = []
  walk(doc, '', 1, (path, value) => {
    const point = typeof value === 'object' ? pointAt(path, value) : null
    if (point !== null) entries.push({ path, ...point })
    return entries.length < MAX_INDEX_ENTRIES
  })
  return entries
}

/**
 * All values at a path, without regard to case: a dot may step into an object, or into each of an array of
 * objects, or be part of a name. An array at its end gives its elements.
 */
export const readPath = (doc: JsonObject, path: string): (Scalar | JsonObject)[] => {
  const found: (Scalar | JsonObject)[] = []
  const folded = fold(path)
  if (folded.length <= MAX_PATH_LENGTH) collect(doc, folded, 1, found)
  return found
}

const collect = (object: JsonObject, path: string, depth: number, found: (Scalar | JsonObject)[]): void => {
  for (const key of Object.keys(object)) {
    const name = fold(key)
    if (isHidden(name, depth)) continue
    if (name === path) for (const value of elements(object[key]!)) found.push(value)
    if (depth === MAX_DEPTH || path[name.length] !== '.' || !path.startsWith(name)) continue
    for (const value of elements(object[key]!)) {
      if (isJsonObject(value)) collect(value, path.slice(name.length + 1), depth + 1, found)
    }
  }
}
