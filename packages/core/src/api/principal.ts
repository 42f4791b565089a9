/** Who is asking. Made by authentication, or by an in-process caller who vouches for it. */
export type Principal =
  | { kind: 'guest' }
  /** `app` and `uuid` are uuids. */
  | { kind: 'user'; app: string; uuid: string; username: string }
  /** An administrator of organizations. */
  | { kind: 'admin'; uuid: string; username: string }
  | { kind: 'application'; app: string }
  | { kind: 'organization'; organization: string }
  | { kind: 'sysadmin' }
  /** The host program itself; `reason` is written to the change log. */
  | { kind: 'system'; reason: string }

export const GUEST: Principal = { kind: 'guest' }

/** How a principal is written to the change log. */
export const principalLabel = (principal: Principal): string => {
  switch (principal.kind) {
    case 'user':
    case 'admin':
      return `${principal.kind}:${principal.uuid}`
    case 'application':
      return `application:${principal.app}`
    case 'organization':
      return `organization:${principal.organization}`
    case 'system':
      return `system:${principal.reason}`
    default:
      return principal.kind
  }
}
