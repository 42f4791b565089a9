import type { Filter } from './ast.js'

/** Matches nothing. */
export const NEVER: Filter = { kind: 'or', items: [] }

/** All of the filters at once; `null` is no filter. */
export const both = (a: Filter | null, b: Filter | null): Filter | null => {
  if (a === null || b === null) return a ?? b
  return { kind: 'and', items: [...partsOf('and', a), ...partsOf('and', b)] }
}

/** Any of the filters, of which there must be one at least. */
export const anyOf = (filters: readonly Filter[]): Filter => {
  const items = filters.flatMap((filter) => partsOf('or', filter))
  return items.length === 1 ? items[0]! : { kind: 'or', items }
}

const partsOf = (kind: 'and' | 'or', filter: Filter): Filter[] =>
  filter.kind === kind ? (filter as { items: Filter[] }).items : [filter]
