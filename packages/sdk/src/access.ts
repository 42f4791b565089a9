import type { CallOptions, Envelope } from './call.js'
import { type Place, pathOf } from './entity.js'
import { unexpectedReply } from './errors.js'
import type { Session } from './session.js'
import type { Method } from './transport.js'

/** In capitals or not. */
export type Asked = Method | Lowercase<Method>

/** An entity, or a path below the application, percent-encoded and beginning with a slash. */
export type Questioned = string | Place

/** A right that a request needs, and whether it is there. */
export interface ExplainedRight {
  verb: 'get' | 'post' | 'put' | 'delete'
  path: string
  allowed: boolean
  /** What allows it: a permission string and who holds it, or `self`, as everybody may read himself. */
  by?: { string: string; holder: 'user' | 'group' | 'role'; name: string } | { holder: 'self' }
  /** A permission string that would allow it. */
  needs?: string
}

/** Whether a request would be allowed, and why. */
export interface Explanation {
  allowed: boolean
  /** What the request would be refused with: 401, or 404 where it is not to be known what is there. */
  status?: number
  reason?: string
  /** Administrators have all rights. */
  user: { kind: 'user'; uuid: string; username: string } | { kind: 'guest' } | { kind: 'administrator' }
  method: Method
  path: string
  /** All that are needed, or only the first for who is no administrator. */
  rights: ExplainedRight[]
}

export const readExplanation = async (
  session: Session,
  application: string,
  { method, at, user }: { method: Asked; at: Questioned; user: string | undefined },
  options: CallOptions,
): Promise<Explanation> => {
  const query = { user, method, path: typeof at === 'string' ? at : pathOf(at) }
  const call = { ...options, method: 'GET', path: `${application}/_access`, query } as const
  const { data } = await session.send<Envelope & { data?: Explanation }>(call)
  if (data === undefined) throw unexpectedReply(200)
  return data
}
