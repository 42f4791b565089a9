import type { SortKey } from '../../domain/query/ast.js'
import type { Access } from './access.js'
import { type Collection, type Path, pathKey } from './catalog.js'
import type { Position } from './cursor.js'
import { compositeComponent, compositeParts } from './index-keys.js'

export interface CompositePlan {
  path: Path
  /** Keys of the components that the filter fixes. */
  prefix: Buffer
  /** The accesses that the prefix answers. */
  covers: Access[]
  keyAt: (position: Position) => Buffer
}

/** A composite whose first components the filter fixes and whose others are the sort keys, if there is one. */
export const compositeFor = (
  collection: Collection,
  accesses: readonly (Access | null)[],
  sort: readonly SortKey[],
): CompositePlan | null => {
  for (const path of collection.paths.values()) {
    if (path.kind !== 'composite' || !path.ready) continue
    const plan = planWith(collection, path, accesses, sort)
    if (plan !== null) return plan
  }
  return null
}

const planWith = (
  collection: Collection,
  path: Path,
  accesses: readonly (Access | null)[],
  sort: readonly SortKey[],
): CompositePlan | null => {
  const parts = compositeParts(path.def)
  const fixed = parts.slice(0, parts.length - sort.length)
  const ordered = parts.slice(fixed.length)
  if (parts.length < sort.length || (fixed.length === 0 && sort.length < 2)) return null
  if (
    ordered.some(
      ({ path: name, descending }, i) => name !== sort[i]!.path || descending !== sort[i]!.descending,
    )
  )
    return null
  // A composite holds one value per entity; of several it would miss all but one.
  if (parts.some((part) => collection.paths.get(pathKey('value', part.path))?.multi)) return null
  const covers: Access[] = []
  const keys: Buffer[] = []
  for (const part of fixed) {
    const access = accesses.find((item) => item?.kind === 'equal' && item.path.def === part.path)
    if (access?.kind !== 'equal') return null
    covers.push(access)
    keys.push(compositeComponent(access.key, part.descending))
  }
  const prefix = Buffer.concat(keys)
  const keyAt = ({ keys: at }: Position): Buffer =>
    Buffer.concat([
      prefix,
      ...ordered.map(({ descending }, i) => compositeComponent(at[i] ?? null, descending)),
    ])
  return { path, prefix, covers, keyAt }
}
