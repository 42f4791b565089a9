import type { Filter, SortKey } from './ast.js'

/** A query without its values, which may be nobody's business: `(kind = ? and not age > ?) order by name desc`. */
export const queryShape = (filter: Filter | null, sort: readonly SortKey[]): string => {
  const order = sort.map(({ path, descending }) => (descending ? `${path} desc` : path)).join(', ')
  const parts = [filter === null ? '' : filterShape(filter), order === '' ? '' : `order by ${order}`]
  return parts.filter((part) => part !== '').join(' ')
}

const filterShape = (filter: Filter): string => {
  switch (filter.kind) {
    case 'compare':
      return `${filter.path} ${filter.op} ?`
    case 'contains':
    case 'within':
      return `${filter.path} ${filter.kind} ?`
    case 'not':
      return `not ${filterShape(filter.item)}`
    default:
      return `(${filter.items.map(filterShape).join(` ${filter.kind} `)})`
  }
}
