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
export const isPermitted = (caller: Caller, app: Application, { verb, path }: Access): boolean => {
  if (isAppAdmin(caller, app)) return true
  const { grants, principal } = caller
  // An administrator is nobody in the applications of other organizations.
  const self = principal.kind === 'user' ? caller.self : null
  if (readsSelf(verb, path, self)) return true
  if (grants === null) return false
  return allows(grants, verb, path, self, verb === 'get' ? undefined : SENSITIVE)
}

/**
 * @throws {AppError} `unauthorized`. Only those who administer the application learn which string would help;
 * everybody else learns nothing.
 */
export const permit = (caller: Caller, app: Application, access: Access): void => {
  if (isPermitted(caller, app, access)) return
  const isClosedToGuests = caller.principal.kind === 'guest' && caller.grants === null
  throw isClosedToGuests ? unauthorized('No application guest access authorized') : unauthorized()
}
