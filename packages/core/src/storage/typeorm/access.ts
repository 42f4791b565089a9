import { coveringRanges } from '../../domain/geo.js'
import { encodeKey, isCut, keyRange, prefixRange, wildcardPrefix } from '../../domain/keys.js'
import type { Filter, Literal, SortKey } from '../../domain/query/ast.js'
import { isUuid } from '../../domain/uuid.js'
import { type Collection, MAX_PATHS, type Path, pathKey } from './catalog.js'
import { wordToken } from './index-keys.js'

/** Keys from `from` (inclusive) up to `to` (exclusive). */
export interface KeyInterval {
  from: Buffer
  to: Buffer
}

/**
 * A way for the index to find entities that satisfy a filter. When `exact`, all that it finds do; otherwise
 * the documents must be checked.
 */
export type Access =
  | { kind: 'equal'; path: Path; key: Buffer; exact: boolean }
  | { kind: 'range'; path: Path; intervals: KeyInterval[]; exact: boolean }
  | { kind: 'words'; tokens: { token: string; prefix: boolean }[]; exact: boolean }
  | { kind: 'uuid'; uuid: string; exact: false }
  | { kind: 'or'; items: Access[]; exact: boolean }
  /** Nothing can match. */
  | { kind: 'nothing'; exact: true }

const NOTHING: Access = { kind: 'nothing', exact: true }

const START = Buffer.alloc(0)
const END = Buffer.from([0xff])
const ZERO = Buffer.from([0])
const after = (key: Buffer): Buffer => Buffer.concat([key, ZERO])

/** The index path for a property; `null` when the index cannot be used; `undefined` when no entity has the property. */
const indexPath = (collection: Collection, kind: Path['kind'], def: string): Path | null | undefined => {
  const path = collection.paths.get(pathKey(kind, def))
  if (path !== undefined) return path.ready ? path : null
  return collection.building || collection.paths.size >= MAX_PATHS ? null : undefined
}

const scalar = (literal: Literal): string | number | boolean =>
  literal.kind === 'string' ? literal.value.trim() : literal.value

const compareAccess = (
  collection: Collection,
  filter: Extract<Filter, { kind: 'compare' }>,
): Access | null => {
  const { op, value } = filter
  if (filter.path === 'uuid') {
    const text = String(value.value).toLowerCase()
    return op === '=' && isUuid(text) ? { kind: 'uuid', uuid: text, exact: false } : null
  }
  if (filter.path === 'type') return null
  const path = indexPath(collection, 'value', filter.path)
  if (path === null) return null
  if (path === undefined) return NOTHING
  if (op !== '=') {
    const { from, fromInclusive, to, toInclusive, exact } = keyRange(op, value)
    const interval = {
      from: from === null ? START : fromInclusive ? from : after(from),
      to: to === null ? END : toInclusive ? after(to) : to,
    }
    return { kind: 'range', path, intervals: [interval], exact }
  }
  const prefix = value.kind === 'string' ? wildcardPrefix(scalar(value) as string) : null
  if (prefix !== null) {
    const { from, to, exact } = prefixRange(prefix)
    const isPrefix = (scalar(value) as string).length === prefix.length + 1
    return { kind: 'range', path, intervals: [{ from, to }], exact: exact && isPrefix }
  }
  const key = encodeKey(scalar(value))
  return { kind: 'equal', path, key, exact: !isCut(key) }
}

const containsAccess = (
  collection: Collection,
  filter: Extract<Filter, { kind: 'contains' }>,
): Access | null => {
  const path = indexPath(collection, 'words', filter.path)
  if (path === null) return null
  if (path === undefined || filter.words.length === 0) return NOTHING
  const tokens: { token: string; prefix: boolean }[] = []
  let exact = true
  for (const word of filter.words) {
    const star = word.indexOf('*')
    if (star === 0) return null
    const text = star === -1 ? word : word.slice(0, star)
    exact &&= star === -1 || star === word.length - 1
    if (!/^[\p{L}\p{N}\p{M}]+$/u.test(text)) return null
    tokens.push({ token: wordToken(path, text), prefix: star !== -1 })
  }
  return { kind: 'words', tokens, exact }
}

const withinAccess = (collection: Collection, filter: Extract<Filter, { kind: 'within' }>): Access | null => {
  const path = indexPath(collection, 'geo', filter.path)
  if (path === null) return null
  if (path === undefined) return NOTHING
  const intervals = coveringRanges(filter.latitude, filter.longitude, filter.radius)
  return {
    kind: 'range',
    path,
    intervals: intervals.map(({ from, to }) => ({ from, to: after(to) })),
    exact: false,
  }
}

/** How the index can help with a filter, or `null` when only the documents can tell. */
export const accessFor = (collection: Collection, filter: Filter): Access | null => {
  if ('path' in filter && filter.byDocument === true) return null
  switch (filter.kind) {
    case 'compare':
      return compareAccess(collection, filter)
    case 'contains':
      return containsAccess(collection, filter)
    case 'within':
      return withinAccess(collection, filter)
    case 'or': {
      const items = filter.items.map((item) => accessFor(collection, item))
      if (!items.every((item) => item !== null)) return null
      const some = items.filter(({ kind }) => kind !== 'nothing')
      if (some.length === 0) return NOTHING
      return { kind: 'or', items: some, exact: items.every(({ exact }) => exact) }
    }
    case 'and': {
      const items = filter.items.map((item) => accessFor(collection, item))
      if (items.some((item) => item?.kind === 'nothing')) return NOTHING
      const best = items.find((item) => item?.kind === 'equal') ?? items.find((item) => item !== null)
      return best == null ? null : items.length === 1 ? best : inexact(best)
    }
    case 'not':
      return null
  }
}

const inexact = (access: Access): Access =>
  access.kind === 'uuid' || access.kind === 'nothing' ? access : { ...access, exact: false }

/** Keys of the paths that a listing by `filter` and `sort` looks for. */
export const pathsOf = (filter: Filter | null, sort: readonly SortKey[]): string[] => {
  const sorted = sort.map(({ path }) => pathKey('value', path))
  return filter === null ? sorted : [...filterPaths(filter), ...sorted]
}

const filterPaths = (filter: Filter): string[] => {
  switch (filter.kind) {
    case 'compare':
      return [pathKey('value', filter.path)]
    case 'contains':
      return [pathKey('words', filter.path)]
    case 'within':
      return [pathKey('geo', filter.path)]
    case 'not':
      return filterPaths(filter.item)
    default:
      return filter.items.flatMap(filterPaths)
  }
}

/** Whether an access may stand as a condition on an entity's id inside another scan. */
export const isProbe = (access: Access): boolean =>
  access.kind === 'equal' || (access.kind === 'or' && access.items.every(isProbe))

/**
 * Ranges of the same property as one: `age > 3 and age < 9` reads what lies between. Where entities have
 * several values, one may meet the first condition and another one the second, so those stay apart.
 */
export const intersected = (accesses: readonly (Access | null)[]): (Access | null)[] => {
  const ranges = new Map<Path, Access>()
  const others: (Access | null)[] = []
  for (const access of accesses) {
    if (access?.kind !== 'range' || access.path.kind !== 'value' || access.path.multi) others.push(access)
    else {
      const before = ranges.get(access.path)
      ranges.set(access.path, before?.kind === 'range' ? between(before, access) : (before ?? access))
    }
  }
  return [...others, ...ranges.values()]
}

const between = (a: Extract<Access, { kind: 'range' }>, b: Extract<Access, { kind: 'range' }>): Access => {
  const intervals = a.intervals.flatMap((one) =>
    b.intervals.flatMap((other) => {
      const from = Buffer.compare(one.from, other.from) > 0 ? one.from : other.from
      const to = Buffer.compare(one.to, other.to) < 0 ? one.to : other.to
      return Buffer.compare(from, to) < 0 ? [{ from, to }] : []
    }),
  )
  return intervals.length === 0 ? NOTHING : { ...a, intervals, exact: a.exact && b.exact }
}
