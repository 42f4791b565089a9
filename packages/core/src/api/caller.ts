import type { HiddenProperties } from '../domain/hidden.js'
import type { JsonObject } from '../domain/json.js'
import type { Grants, PathSegments, Self, Verb } from '../domain/permission.js'
import type { Filter } from '../domain/query/ast.js'
import type { Principal } from './principal.js'

/** An application, resolved from the first two segments of a path. */
export interface Application {
  /** Number under which the store keeps what is in it. */
  id: number
  uuid: string
  /** `acme/sandbox`, in lower case. */
  name: string
  organizationName: string
  applicationName: string
  /** Uuid of the organization. */
  organization: string
}

/** What the gate decided about a right that was asked for. */
export interface Decision {
  verb: Verb
  path: PathSegments
  allowed: boolean
  /** Of what the path leads to, only what matches was allowed; `null` where nothing more was asked. */
  filter: Filter | null
  /** What the path leads to, where the decision was about it. */
  entity?: { readonly object: JsonObject } | undefined
}

/** Who is asking, with what he may do. */
export interface Caller {
  principal: Principal
  /** Goes to the change log. */
  label: string
  /** Uuids of the organizations that an administrator belongs to. */
  organizations: ReadonlySet<string>
  /** The app user's record, for `me` and `${user}`. */
  self: Self | null
  /** Permission strings of a user or guest in the application; `null` where there are none to ask. */
  grants: Grants | null
  /** What is hidden from a user or guest in the application; `null` where nothing is. */
  hidden?: HiddenProperties | null
  /** The token presented, if any. */
  token?: string | undefined
  /** Told of each decision about this caller: set to explain what would be decided. */
  witness?: ((decision: Decision) => void) | undefined
}

/** Whether the caller has all rights in the application. */
export const isAppAdmin = ({ principal, organizations }: Caller, app: Application): boolean => {
  switch (principal.kind) {
    case 'sysadmin':
    case 'system':
      return true
    case 'admin':
      return organizations.has(app.organization)
    case 'organization':
      return principal.organization === app.organization
    case 'application':
      return principal.app === app.uuid
    default:
      return false
  }
}
