import type { Call, CallOptions } from './call.js'
import { baseOf, etagOf, isRefused } from './entity-tag.js'
import { ConflictError, type Versions } from './errors.js'
import type { Session } from './session.js'

export interface WriteOptions extends CallOptions {
  /**
   * Writes only if the entity is as it was read: `true` for the tag of the entity at hand, or a tag from `etagOf`, or
   * `*` for any entity that is there. `false` writes whatever it has become.
   */
  ifMatch?: string | boolean
}

/**
 * The entity tag that a write of `ref` is conditional on. With nothing said, that is the one of the entity at hand, if
 * the write `matters`, and if the entity has one.
 * @throws {TypeError} if the tag was asked for, and there is none.
 */
export const conditionOf = (
  ref: unknown,
  ifMatch: string | boolean | undefined,
  matters: boolean,
): string | undefined => {
  if (typeof ifMatch === 'string') return ifMatch
  if (ifMatch === false || (ifMatch === undefined && !matters)) return undefined
  const tag = etagOf(ref)
  if (tag === undefined && ifMatch === true)
    throw new TypeError('Only an entity that was read by itself has an entity tag')
  return tag
}

/** Sends a write of one entity; a conflict is told with its versions. */
export const writeOne = <T>(session: Session, ref: unknown, call: Call): Promise<T> =>
  session.within(call, async (rest) => {
    try {
      return await session.one<T>({ ...call, ...rest() })
    } catch (error) {
      const write = { path: call.path, ref, mine: call.body, ...rest() }
      const told = await withVersions(session, error, write)
      call.signal?.throwIfAborted()
      throw told
    }
  })

export interface Write extends CallOptions {
  path: string
  /** What was written to, which is the base if it is an entity. */
  ref: unknown
  mine: unknown
}

/** The same error, or in place of a refused condition one that says what met there. */
export const withVersions = async (
  session: Session,
  error: unknown,
  { path, ref, mine, ...options }: Write,
): Promise<unknown> => {
  if (!isRefused(error)) return error
  // The conflict is worth telling even where this cannot be told.
  const theirs = await session.one({ ...options, method: 'GET', path }).catch(() => undefined)
  return new ConflictError(error, { mine, theirs, base: baseOf(ref) } as Versions)
}
