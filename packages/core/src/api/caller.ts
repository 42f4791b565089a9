import type { Grants, PathSegments, Self, Verb } from '../domain/permission.js'
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
