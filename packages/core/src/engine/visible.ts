import type { HiddenProperties } from '../domain/hidden.js'
import { typeName } from '../domain/names.js'
import type { Filter, Query, Term } from '../domain/query/ast.js'
import { NEVER } from '../domain/query/combine.js'
import { isQueryable } from '../domain/queryable.js'
import type { CollectionSettings, ListRequest, StoredEntity } from '../storage/store.js'

/** What somebody may see of an application. */
export interface Sight {
  /** Only entities that match: what his permission strings let him reach. */
  within: Filter | null
  hidden: HiddenProperties | null
  /** Only entities that it accepts: what else he must be allowed. */
  isListed?: ((entity: StoredEntity) => boolean) | undefined
}

/** Everything is seen. */
export const ALL_SIGHT: Sight = { within: null, hidden: null }

type Visible = Pick<ListRequest, 'filter' | 'sort'>
type Asked = Pick<Query, 'filter' | 'sort'>
/** Whether a property may be asked about, or a place, which is several properties. */
type Askable = (asked: { path: string; kind?: Term['kind'] }) => boolean

const askableIn = (
  collection: string,
  settings: CollectionSettings | null,
  hidden: HiddenProperties | null,
): Askable => {
  const own = hidden?.get(collection)
  return ({ path, kind }) => {
    const isHidden = own !== undefined && (kind === 'within' ? own.touches(path) : own.hides(path))
    return !isHidden && isQueryable(settings?.fields, path)
  }
}

/** What the settings of a collection leave out, or hide from the asker, is neither found nor sorted by. */
export const visibleIn = (
  { filter, sort }: Asked,
  collection: string,
  settings: CollectionSettings | null,
  hidden: HiddenProperties | null,
): Visible => {
  const askable = askableIn(collection, settings, hidden)
  return {
    filter: filter === null ? null : visibleFilter(filter, settings, askable),
    sort: sort.filter((key) => askable(key)),
  }
}

/** A filter of permission strings counts whatever is asked about, but what the index leaves out only documents tell. */
export const reachable = (within: Filter | null, settings: CollectionSettings | null): Filter | null =>
  within === null
    ? null
    : mapTerms(within, (term) =>
        isQueryable(settings?.fields, term.path) ? term : { ...term, byDocument: true },
      )

/**
 * The same where entities of every collection of an application may be met: each is compared as in its own
 * collection. What one of them hides is not sorted by, and no distance is measured to it.
 */
export const visibleInAll = (
  { filter, sort }: Asked,
  collections: ReadonlyMap<string, CollectionSettings | null>,
  hidden: HiddenProperties | null,
): Visible => {
  const askable = [...collections].map(([name, settings]): [string, Askable] => [
    name,
    askableIn(name, settings, hidden),
  ])
  const isLeftOut = (asked: Parameters<Askable>[0]) => askable.some(([, mayAsk]) => !mayAsk(asked))
  const order = sort.filter((key) => !isLeftOut(key))
  if (filter === null) return { filter, sort: order }
  const terms = termsOf(filter)
  const hiding = askable.filter(([, mayAsk]) => !terms.every(mayAsk))
  if (hiding.length === 0) return { filter, sort: order }
  const near = without(filter, (term) => term.kind === 'within' && isLeftOut(term))
  const special = hiding.map(([name, mayAsk]): Filter => {
    const items = [isOfType(name), visibleFilter(near, collections.get(name) ?? null, mayAsk)]
    return { kind: 'and', items }
  })
  const others = hiding.map(([name]): Filter => ({ kind: 'not', item: isOfType(name) }))
  return {
    filter: { kind: 'or', items: [{ kind: 'and', items: [...others, near] }, ...special] },
    sort: order,
  }
}

/** Where queries know of nothing at all they find nothing, not what a `not` would find. */
const visibleFilter = (filter: Filter, settings: CollectionSettings | null, askable: Askable): Filter =>
  settings?.fields === 'none' ? NEVER : without(filter, (term) => !askable(term))

/** Terms that are left out match nothing. */
const without = (filter: Filter, isLeftOut: (term: Term) => boolean): Filter =>
  mapTerms(filter, (term) => (isLeftOut(term) ? NEVER : term))

const mapTerms = (filter: Filter, change: (term: Term) => Filter): Filter => {
  if ('items' in filter) return { ...filter, items: filter.items.map((item) => mapTerms(item, change)) }
  if (filter.kind === 'not') return { kind: 'not', item: mapTerms(filter.item, change) }
  return change(filter)
}

const termsOf = (filter: Filter): Term[] => {
  if ('items' in filter) return filter.items.flatMap(termsOf)
  return filter.kind === 'not' ? termsOf(filter.item) : [filter]
}

const isOfType = (collection: string): Filter => ({
  kind: 'compare',
  path: 'type',
  op: '=',
  value: { kind: 'string', value: typeName(collection) },
})
