import { cellKey } from '../../domain/geo.js'
import type { JsonObject } from '../../domain/json.js'
import { encodeKey, invert, MISSING } from '../../domain/keys.js'
import { geoEntries, indexEntries, wordEntries } from '../../domain/properties.js'
import { isQueryable } from '../../domain/queryable.js'
import { type Collection, MAX_PATHS, type Path, type PathKind, pathKey } from './catalog.js'

/** These are looked up by other means, or are the same for a whole collection. */
const UNINDEXED = new Set(['uuid', 'type'])

/** What the index holds of one entity. `rows` is keyed so that two versions can be compared. */
export interface IndexKeys {
  rows: Map<string, [path: Path, key: Buffer]>
  /** Space-separated tokens of the full-text index, '' for none. */
  words: string
  /** Paths seen for the first time with several values. */
  newlyMulti: Path[]
}

const NO_KEYS: IndexKeys = { rows: new Map(), words: '', newlyMulti: [] }

interface Contents {
  values: { path: string; key: Buffer }[]
  cells: { path: string; key: Buffer }[]
  words: { path: string; words: string[] }[]
}

const contentsOf = (collection: Collection, object: JsonObject): Contents => {
  const fields = collection.settings?.fields
  // No query can write a name with U+0000, which PostgreSQL does not store either.
  const wanted = ({ path }: { path: string }): boolean =>
    !UNINDEXED.has(path) && isQueryable(fields, path) && !path.includes('\u0000')
  return {
    values: indexEntries(object)
      .filter(wanted)
      .map(({ path, value }) => ({ path, key: encodeKey(value) })),
    cells: geoEntries(object)
      .filter(wanted)
      .map(({ path, latitude, longitude }) => ({ path, key: cellKey(latitude, longitude) })),
    words: wordEntries(object).filter(wanted),
  }
}

/** Paths that this document needs and the collection does not have yet. */
export const missingPaths = (collection: Collection, object: JsonObject): { kind: PathKind; def: string }[] => {
  const { values, cells, words } = contentsOf(collection, object)
  const needed = [
    ...values.map(({ path }) => ({ kind: 'value' as const, def: path })),
    ...cells.map(({ path }) => ({ kind: 'geo' as const, def: path })),
    ...words.map(({ path }) => ({ kind: 'words' as const, def: path })),
  ]
  const room = Math.max(0, MAX_PATHS - collection.paths.size)
  const missing = new Map(needed.map((need) => [pathKey(need.kind, need.def), need]))
  return [...missing].filter(([key]) => !collection.paths.has(key)).slice(0, room).map(([, need]) => need)
}

/** Token of the full-text index: ASCII letters and digits mark the path, so that one column serves them all. */
export const wordToken = (path: Path, word: string): string => `p${path.id.toString(36)}x${word}`

export const compositeParts = (def: string): { path: string; descending: boolean }[] =>
  def.split(',').map((part) => ({ path: part.replace(/^-/, ''), descending: part.startsWith('-') }))

/** One component of a composite key: smallest value when ascending, largest (inverted) when descending. */
const component = (keys: readonly Buffer[] | undefined, descending: boolean): Buffer => {
  if (keys === undefined) return MISSING
  const best = keys.reduce((a, b) => (Buffer.compare(a, b) < 0 !== descending ? a : b))
  return descending ? invert(best) : best
}

export const indexKeys = (collection: Collection, object: JsonObject | null): IndexKeys => {
  if (object === null) return NO_KEYS
  const { values, cells, words } = contentsOf(collection, object)
  const rows: IndexKeys['rows'] = new Map()
  const byPath = new Map<string, Buffer[]>()
  const put = (path: Path | undefined, key: Buffer): void => {
    if (path !== undefined) rows.set(`${path.id}:${key.toString('latin1')}`, [path, key])
  }
  for (const { path, key } of values) {
    put(collection.paths.get(pathKey('value', path)), key)
    const keys = byPath.get(path)
    if (keys === undefined) byPath.set(path, [key])
    else keys.push(key)
  }
  for (const { path, key } of cells) put(collection.paths.get(pathKey('geo', path)), key)
  for (const path of collection.paths.values()) {
    if (path.kind !== 'composite') continue
    const parts = compositeParts(path.def)
    put(path, Buffer.concat(parts.map((part) => component(byPath.get(part.path), part.descending))))
  }
  const tokens = words.flatMap(({ path, words: list }) => {
    const known = collection.paths.get(pathKey('words', path))
    return known === undefined ? [] : list.map((word) => wordToken(known, word))
  })
  const newlyMulti = [...byPath].flatMap(([path, keys]) => {
    const known = collection.paths.get(pathKey('value', path))
    return keys.length > 1 && known !== undefined && !known.multi ? [known] : []
  })
  return { rows, words: tokens.join(' '), newlyMulti }
}
