import type { Filter, SortKey } from '../../domain/query/ast.js'
import type { QueryWarning } from '../store.js'
import { type Access, accessFor } from './access.js'
import type { Collection } from './catalog.js'
import { compositeFor } from './composite.js'
import { conjunctsOf } from './listing.js'
import type { EdgeSet, Scans } from './scans.js'

/** Matches up to this number are cheap to read and sort. */
const FEW = 1000
/** Connections are counted no further than this. */
const MANY = 100_000

export interface Asked {
  filter: Filter | null
  sort: readonly SortKey[]
}

/** What would be slow about listing a collection. */
export const collectionWarnings = async (
  scans: Scans,
  collection: Collection,
  { filter, sort }: Asked,
): Promise<QueryWarning[]> => {
  const conjuncts = conjunctsOf(filter)
  const accesses = conjuncts.map((conjunct) => accessFor(collection, conjunct))
  if (accesses.some((access) => access?.kind === 'nothing')) return []
  if (compositeFor(collection, accesses, sort) !== null) return []
  const usable = accesses.filter((access) => access !== null)
  const entities = await scans.collectionSize(collection.id)
  const isScan = filter !== null && usable.length === 0
  if (!isScan && (await fewest(scans, usable, entities)) <= FEW) return []
  // Without an order, what has one key or word is read newest first; a long range is not.
  if (isScan || (sort.length === 0 && usable.length > 0 && usable.every(({ kind }) => kind === 'range'))) {
    const message = `No index serves ${conjuncts.map(subjectOf).join(', ')}: up to ${entities} entities are looked at`
    return [{ warning: 'full_scan', entities, message }]
  }
  const isOrdered =
    sort.length < 2 && usable.every((access) => access.kind === 'range' && access.path.def === sort[0]?.path)
  return isOrdered || sort.length === 0 ? [] : [sortWarning(usable, sort, entities)]
}

/** What would be slow about listing connections: none of their order is that of the index. */
export const connectionWarnings = async (
  scans: Scans,
  edges: EdgeSet,
  { filter, sort }: Asked,
): Promise<QueryWarning[]> => {
  if (filter === null && sort.length === 0) return []
  const entities = await scans.edgeEstimate(edges, MANY)
  const count = entities === MANY ? `${MANY} connections or more` : `${entities} connections`
  return [{ warning: 'connections_scan', entities, message: `Up to ${count} are looked at` }]
}

const fewest = async (scans: Scans, accesses: readonly Access[], entities: number): Promise<number> => {
  let rows = Math.min(entities, FEW + 1)
  for (const access of accesses) rows = Math.min(rows, await scans.estimate(access, rows))
  return rows
}

const sortWarning = (
  accesses: readonly Access[],
  sort: readonly SortKey[],
  entities: number,
): QueryWarning => {
  const fixed = accesses.flatMap((access) => (access.kind === 'equal' ? [access.path.def] : []))
  const ordered = sort.map(({ path, descending }) => (descending ? `-${path}` : path))
  const index = [...fixed, ...ordered]
  const message = `Many matches are sorted: the setting "indexes" of the collection can hold ${JSON.stringify(index)}`
  return { warning: 'sort', entities, message, indexes: [index] }
}

const subjectOf = (filter: Filter): string => ('path' in filter ? filter.path : filter.kind)
