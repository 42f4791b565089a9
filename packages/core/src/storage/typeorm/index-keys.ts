import { cellKey } from '../../domain/geo.js'
import type { JsonObject } from '../../domain/json.js'
import { encodeKey, invert, MISSING } from '../../domain/keys.js'
import { geoEntries, indexEntries, wordEntries } from '../../domain/properties.js'
import { isQueryable } from '../../domain/queryable.js'
import { type Collection, MAX_PATHS, type Path, type PathKind, pathKey } from './catalog.js'
import { sortKeyOf } from './positions.js'

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
export const missingPaths = (
  collection: Collection,
  object: JsonObject,
): { kind: PathKind; def: string }[] => {
  const { values, cells, words } = contentsOf(collection, object)
  const needed = [
    ...values.map(({ path }) => ({ kind: 'value' as const, def: path })),
    ...cells.map(({ path }) => ({ kind: 'geo' as const, def: path })),
    ...words.map(({ path }) => ({ kind: 'words' as const, def: path })),
  ]
  const room = Math.max(0, MAX_PATHS - collection.paths.size)
  const missing = new Map(needed.map((need) => [pathKey(need.kind, need.def), need]))
  return [...missing]
    .filter(([key]) => !collection.paths.has(key))
    .slice(0, room)
    .map(([, need]) => need)
}

/** Token of the full-text index: ASCII letters and digits mark the path, so that one column serves them all. */
export const wordToken = (path: Path, word: string): string => `p${path.id.toString(36)}x${word}`

export const compositeParts = (def: string): { path: string; descending: boolean }[] =>
  def.split(',').map((part) => ({ path: part.replace(/^-/, ''), descending: part.startsWith('-') }))

/** The keys of an entity in the composite paths of its collection; one each, whatever the entity lacks. */
export const compositeKeys = (collection: Collection, object: JsonObject): [path: Path, key: Buffer][] => {
  const keys: [Path, Buffer][] = []
  for (const path of collection.paths.values()) {
    if (path.kind !== 'composite') continue
    keys.push([
      path,
      Buffer.concat(
        compositeParts(path.def).map((part) => compositeComponent(sortKeyOf(object, part), part.descending)),
      ),
    ])
  }
  return keys
}

/** One component of a composite key: bit-inverted when descending, so that every composite is read forwards. */
export const compositeComponent = (key: Buffer | null, descending: boolean): Buffer =>
  key === null ? MISSING : descending ? invert(key) : key

export const indexKeys = (collection: Collection, object: JsonObject | null): IndexKeys => {
  if (object === null) return NO_KEYS
  const { values, cells, words } = contentsOf(collection, object)
  const rows: IndexKeys['rows'] = new Map()
  const seen = new Map<string, number>()
  const put = (path: Path | undefined, key: Buffer): void => {
    if (path !== undefined) rows.set(`${path.id}:${key.toString('latin1')}`, [path, key])
  }
  for (const { path, key } of values) {
    put(collection.paths.get(pathKey('value', path)), key)
    seen.set(path, (seen.get(path) ?? 0) + 1)
  }
  for (const { path, key } of cells) put(collection.paths.get(pathKey('geo', path)), key)
  for (const [path, key] of compositeKeys(collection, object)) put(path, key)
  const tokens = words.flatMap(({ path, words: list }) => {
    const known = collection.paths.get(pathKey('words', path))
    return known === undefined ? [] : list.map((word) => wordToken(known, word))
  })
  const newlyMulti = [...seen].flatMap(([path, count]) => {
    const known = collection.paths.get(pathKey('value', path))
    return count > 1 && known !== undefined && !known.multi ? [known] : []
  })
  return { rows, words: tokens.join(' '), newlyMulti }
}
