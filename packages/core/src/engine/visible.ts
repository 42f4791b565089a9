import { typeName } from '../domain/names.js'
import type { Filter, Query } from '../domain/query/ast.js'
import { isQueryable } from '../domain/queryable.js'
import type { CollectionSettings, ListRequest } from '../storage/store.js'

type Visible = Pick<ListRequest, 'filter' | 'sort'>
type Asked = Pick<Query, 'filter' | 'sort'>

/** What the settings of a collection leave out is neither found nor sorted by. */
export const visibleIn = ({ filter, sort }: Asked, settings: CollectionSettings | null): Visible => ({
  filter: visibleFilter(filter, settings),
  sort: sort.filter(({ path }) => isQueryable(settings?.fields, path)),
})

/**
 * The same where entities of every collection of an application may be met: each is compared as in its own
 * collection. What one of them hides is not sorted by, and no distance is measured to it.
 */
export const visibleInAll = (
  { filter, sort }: Asked,
  collections: ReadonlyMap<string, CollectionSettings | null>,
): Visible => {
  const hidden = (path: string) =>
    [...collections.values()].some((settings) => !isQueryable(settings?.fields, path))
  const order = sort.filter(({ path }) => !hidden(path))
  if (filter === null) return { filter, sort: order }
  const paths = pathsOf(filter)
  const hiding = [...collections].filter(([, settings]) =>
    paths.some((path) => !isQueryable(settings?.fields, path)),
  )
  if (hiding.length === 0) return { filter, sort: order }
  const near = without(filter, (item) => item.kind === 'within' && hidden(item.path))
  const special = hiding.map(([name, settings]): Filter => {
    const items = [isOfType(name), visibleFilter(near, settings) as Filter]
    return { kind: 'and', items }
  })
  const others = hiding.map(([name]): Filter => ({ kind: 'not', item: isOfType(name) }))
  return {
    filter: { kind: 'or', items: [{ kind: 'and', items: [...others, near] }, ...special] },
    sort: order,
  }
}

const NEVER: Filter = { kind: 'or', items: [] }

const visibleFilter = (filter: Filter | null, settings: CollectionSettings | null): Filter | null => {
  if (filter === null || settings?.fields === undefined || settings.fields === 'all') return filter
  if (settings.fields === 'none') return NEVER
  return without(filter, (item) => !isQueryable(settings.fields, item.path))
}

type Term = Extract<Filter, { path: string }>

/** Terms that are left out match nothing. */
const without = (filter: Filter, isLeftOut: (term: Term) => boolean): Filter => {
  if ('items' in filter) return { ...filter, items: filter.items.map((item) => without(item, isLeftOut)) }
  if (filter.kind === 'not') return { kind: 'not', item: without(filter.item, isLeftOut) }
  return isLeftOut(filter) ? NEVER : filter
}

const pathsOf = (filter: Filter): string[] => {
  if ('items' in filter) return filter.items.flatMap(pathsOf)
  return filter.kind === 'not' ? pathsOf(filter.item) : [filter.path]
}

const isOfType = (collection: string): Filter => ({
  kind: 'compare',
  path: 'type',
  op: '=',
  value: { kind: 'string', value: typeName(collection) },
})
