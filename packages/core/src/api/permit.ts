import { type AppError, unauthorized } from '../domain/errors.js'
import type { JsonObject } from '../domain/json.js'
import { type PathSegments, type Reach, reachOf, readsSelf, type Verb } from '../domain/permission.js'
import type { Filter } from '../domain/query/ast.js'
import { matches } from '../domain/query/evaluate.js'
import { type Application, type Caller, isAppAdmin } from './caller.js'

/** What a request wants to do, as permission strings see it. */
export interface Access {
  verb: Verb
  path: PathSegments
}

/** What filters of permission strings are about. */
interface Entity {
  readonly object: JsonObject
}

/** Words that give rights: they must be written out in a permission string, no wildcard stands for them. */
const SENSITIVE: ReadonlySet<string> = new Set(['roles', 'rolenames', 'permissions', 'credentials'])

/**
 * The one decision of what a caller may do in an application. Where `entity` is what the path leads to, the answer is
 * about it; else it may be that only what matches a filter may be reached.
 */
export const reachIn = (caller: Caller, app: Application, access: Access, entity?: Entity): Reach => {
  if (isAppAdmin(caller, app)) return 'all'
  const granted = granting(caller, access)
  const reach = entity === undefined ? granted : isWithin(granted, entity) ? 'all' : 'none'
  caller.witness?.({ ...access, allowed: reach !== 'none', filter: filterIn(reach), entity })
  return reach
}

/** Whether all that the path leads to may be reached, or the entity if it is given. */
export const isPermitted = (caller: Caller, app: Application, access: Access, entity?: Entity): boolean =>
  reachIn(caller, app, access, entity) === 'all'

const granting = ({ grants, principal, self: record }: Caller, { verb, path }: Access): Reach => {
  // An administrator is nobody in the applications of other organizations.
  const self = principal.kind === 'user' ? record : null
  if (readsSelf(verb, path, self)) return 'all'
  if (grants === null) return 'none'
  return reachOf(grants, verb, path, self, verb === 'get' ? undefined : SENSITIVE)
}

/** Whether an entity is among what may be reached. */
export const isWithin = (reach: Reach, { object }: Entity): boolean =>
  typeof reach === 'string' ? reach === 'all' : matches(reach, object)

/** `null` where all may be reached. */
export const filterIn = (reach: Reach): Filter | null => (typeof reach === 'string' ? null : reach)

/**
 * For what is no entity, or all of a list: a right to some of it is none.
 * @throws {AppError} `unauthorized`, which tells nothing. Which string would help is told by `features/access`.
 */
export const permit = (caller: Caller, app: Application, access: Access, entity?: Entity): void => {
  if (!isPermitted(caller, app, access, entity)) throw denied(caller)
}

/** The filter that what the path leads to must match; `null` for all of it. @throws {AppError} `unauthorized`. */
export const permitSome = (caller: Caller, app: Application, access: Access): Filter | null => {
  const reach = reachIn(caller, app, access)
  if (reach === 'none') throw denied(caller)
  return filterIn(reach)
}

export const denied = ({ principal, grants }: Caller): AppError =>
  principal.kind === 'guest' && grants === null
    ? unauthorized('No application guest access authorized')
    : unauthorized()
