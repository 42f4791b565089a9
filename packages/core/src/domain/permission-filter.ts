import { AppError, illegalArgument } from './errors.js'
import type { Self } from './permission.js'
import type { Filter, Literal } from './query/ast.js'
import { anyOf, NEVER } from './query/combine.js'
import { parseQuery } from './query/parse.js'

/** What a permission string says of the entities it is for: the text behind its `where`, as written. */
export interface PermissionFilter {
  text: string
  /** With the caller still to be put in, see `filterFor`. */
  template: Filter
}

/** The query language has no variables; in it they are uuids that nothing else has. */
const VARIABLES: Readonly<Record<string, string>> = {
  user: '5f2b1c5e-9f0a-4d53-8a3e-6c1d0e7b9a01',
  'user.uuid': '5f2b1c5e-9f0a-4d53-8a3e-6c1d0e7b9a02',
  'user.username': '5f2b1c5e-9f0a-4d53-8a3e-6c1d0e7b9a03',
}
const NAMES = Object.keys(VARIABLES)
  .map((name) => `\${${name}}`)
  .join(', ')
/** A string of the query language, or a variable; a variable alone in quotes is one, too. */
const VARIABLE_OR_STRING = /'\$\{[^}']*\}'|'(?:\\.|[^'\\])*'|\$\{[^}]*\}/g

/**
 * Reads the filter of a permission string: conditions of the query language, in which `${user}` is the caller's
 * username or uuid, `${user.uuid}` and `${user.username}` the one or the other.
 * @throws {AppError} `illegal_argument` with the reason.
 */
export const parsePermissionFilter = (text: string): PermissionFilter => {
  const { projection, filter, direct, sort } = parse(withVariables(text))
  if (filter === null || projection !== null || direct !== null || sort.length > 0)
    throw refuse('must have conditions, and nothing else, behind its "where"')
  check(filter)
  return { text, template: byDocument(filter) }
}

/** The filter for one caller. Without a user, no comparison with him is met. */
export const filterFor = ({ template }: PermissionFilter, self: Self | null): Filter => bound(template, self)

const refuse = (reason: string) => illegalArgument(`A permission ${reason}`, 'permission')

const withVariables = (text: string): string =>
  text.replace(VARIABLE_OR_STRING, (found) => {
    const name = /^'?\$\{([^}']*)\}'?$/.exec(found)?.[1]
    if (name === undefined) return found
    const variable = VARIABLES[name.trim().toLowerCase()]
    if (variable === undefined) throw refuse(`knows the variables ${NAMES}, not "${found}"`)
    return variable
  })

const parse = (text: string) => {
  try {
    return parseQuery(`where ${text}`)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw refuse(`must have a filter of the query language behind its "where": ${error.message}`)
  }
}

const isVariable = ({ kind, value }: Literal): boolean =>
  kind === 'uuid' && Object.values(VARIABLES).includes(String(value).toLowerCase())

const check = (filter: Filter): void => {
  if ('items' in filter) filter.items.forEach(check)
  else if (filter.kind === 'not') check(filter.item)
  else if (filter.kind === 'compare' && filter.op !== '=' && isVariable(filter.value))
    throw refuse('must compare the user with "=" alone')
}

/** A place in a permission must not decide in which order a list is, as one in a query does. */
const byDocument = (filter: Filter): Filter => {
  if ('items' in filter) return { ...filter, items: filter.items.map(byDocument) }
  if (filter.kind === 'not') return { kind: 'not', item: byDocument(filter.item) }
  return filter.kind === 'within' ? { ...filter, byDocument: true } : filter
}

const bound = (filter: Filter, self: Self | null): Filter => {
  if ('items' in filter) return { ...filter, items: filter.items.map((item) => bound(item, self)) }
  if (filter.kind === 'not') return { kind: 'not', item: bound(filter.item, self) }
  if (filter.kind !== 'compare' || !isVariable(filter.value)) return filter
  if (self === null) return NEVER
  const variable = String(filter.value.value).toLowerCase()
  const names =
    variable === VARIABLES['user.uuid']
      ? [self.uuid]
      : variable === VARIABLES['user.username']
        ? [self.username]
        : [self.uuid, self.username]
  // As a uuid a name is compared as it is: a `*` in it is no wildcard.
  return anyOf(names.map((value) => ({ ...filter, value: { kind: 'uuid', value } })))
}
