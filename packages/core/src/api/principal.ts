/** Who is asking. Made by authentication, or by an in-process caller who vouches for it. */
export type Principal =
  | { kind: 'guest' }
  | { kind: 'user'; app: string; uuid: string; username: string }
  | { kind: 'admin'; uuid: string; username: string }
  | { kind: 'application'; app: string }
  | { kind: 'organization'; organization: string }
  | { kind: 'sysadmin' }
  /** The host program itself; `reason` is written to the change log. */
  | { kind: 'system'; reason: string }

export const GUEST: Principal = { kind: 'guest' }
