import { unauthorized } from '../domain/errors.js'
import { allows, type PathSegments, readsSelf, type Verb } from '../domain/permission.js'
import { type Application, type Caller, isAppAdmin } from './caller.js'

/** What a request wants to do, as permission strings see it. */
export interface Access {
  verb: Verb
  path: PathSegments
}

/** Words that give rights: they must be written out in a permission string, no wildcard stands for them. */
const SENSITIVE: ReadonlySet<string> = new Set(['roles', 'rolenames', 'permissions', 'credentials'])

/** The one decision of what a caller may do in an application. */
export const isPermitted = (caller: Caller, app: Application, access: Access): boolean => {
  if (isAppAdmin(caller, app)) return true
  const allowed = isGranted(caller, access)
  caller.witness?.({ ...access, allowed })
  return allowed
}

const isGranted = ({ grants, principal, self: record }: Caller, { verb, path }: Access): boolean => {
  // An administrator is nobody in the applications of other organizations.
  const self = principal.kind === 'user' ? record : null
  if (readsSelf(verb, path, self)) return true
  if (grants === null) return false
  return allows(grants, verb, path, self, verb === 'get' ? undefined : SENSITIVE)
}

/** @throws {AppError} `unauthorized`, which tells nothing. Which string would help is told by `features/access`. */
export const permit = (caller: Caller, app: Application, access: Access): void => {
  if (isPermitted(caller, app, access)) return
  const isClosedToGuests = caller.principal.kind === 'guest' && caller.grants === null
  throw isClosedToGuests ? unauthorized('No application guest access authorized') : unauthorized()
}
