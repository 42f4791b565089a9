import { AppError } from '../../domain/errors.js'
import type { Edits } from '../../engine/edits.js'
import type { StoredEntity } from '../../storage/store.js'
import { endOf } from './lifetimes.js'
import type { RefreshOwner, RefreshState, RefreshTokens } from './refresh-tokens.js'
import type { SignInRecords } from './sign-in-records.js'

export interface RenewalRules {
  records: SignInRecords
  refreshTokens: RefreshTokens
  /** @throws {AppError} when the user may not sign in any more. */
  check: (user: StoredEntity) => void
}

export interface Renewed {
  owner: StoredEntity
  /** Of the access token, in milliseconds. */
  ttl: number | null
  /** UTC milliseconds. */
  now: number
  /** The next refresh token. */
  token: string
  refresh: RefreshState
}

/** One text for all there is to refuse, so that it says nothing about a sign-in. */
export const deadToken = (): AppError => new AppError('invalid_grant', 'invalid refresh token')

/**
 * Exchanges the refresh token of a sign-in within one transaction. One that was exchanged before ends the sign-in,
 * which is no error here, for it must be stored.
 * @throws {AppError} `invalid_grant`
 */
export const renewWithin = (
  edits: Edits,
  { records, refreshTokens, check }: RenewalRules,
  { user, signIn }: RefreshOwner,
  { token, ttl }: { token: string; ttl: (first: number | null) => number | null },
): Renewed | { replayed: StoredEntity } => {
  const owner = edits.find('users', user)
  const record = owner === null ? null : records.find(edits, owner, signIn)
  if (owner === null || record?.refresh === undefined) throw deadToken()
  const now = Math.max(edits.now, record.used, records.since(edits, owner))
  if (record.refresh.expires <= now) throw deadToken()
  const exchanged = refreshTokens.exchange(record.refresh, token, { created: record.created, now })
  if (exchanged === null) {
    records.end(edits, owner, signIn)
    return { replayed: owner }
  }
  check(owner)
  const lifetime = ttl(record.refresh.ttl)
  const end = endOf(now, lifetime)
  const until = record.until === null || end === null ? null : Math.max(record.until, end)
  const refresh = exchanged.state
  records.put(edits, owner, signIn, { ...record, used: now, until, refresh })
  return { owner, ttl: lifetime, now, token: exchanged.token, refresh }
}
