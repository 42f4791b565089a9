import { createHash } from 'node:crypto'
import { illegalArgument } from '../../domain/errors.js'
import type { Filter, SortKey } from '../../domain/query/ast.js'

/** Sixteen sort keys of the longest texts, all of them escaped, fit in. */
const MAX_CURSOR = 16_384

/**
 * Where a listing stopped: the sort values of its last entity (binary keys, null for a missing property) or
 * its distance, and its id or the position of its connection. It names a place in the order, not a plan, so
 * the next page may be found by other means.
 */
export interface Position {
  keys: (Buffer | null)[]
  distance: number | null
  id: number
}

const fingerprint = (scope: string, filter: Filter | null, sort: readonly SortKey[]): string =>
  createHash('sha256')
    .update(JSON.stringify([scope, filter, sort]))
    .digest('base64url')
    .slice(0, 8)

export interface CursorScope {
  scope: string
  filter: Filter | null
  sort: readonly SortKey[]
}

export const writeCursor = (
  { scope, filter, sort }: CursorScope,
  { keys, distance, id }: Position,
): string => {
  const parts = [
    fingerprint(scope, filter, sort),
    id,
    distance,
    ...keys.map((key) => key?.toString('base64url') ?? null),
  ]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** @throws {AppError} `illegal_argument` when the text is no cursor of this very listing. */
export const readCursor = ({ scope, filter, sort }: CursorScope, text: string): Position => {
  const refuse = () => illegalArgument('The cursor is not valid for this query', 'cursor')
  if (text.length > MAX_CURSOR) throw refuse()
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    throw refuse()
  }
  if (!Array.isArray(parts)) throw refuse()
  const [mark, id, distance, ...keys] = parts as unknown[]
  const isKey = (key: unknown): key is string | null => key === null || typeof key === 'string'
  if (mark !== fingerprint(scope, filter, sort) || !Number.isSafeInteger(id) || !keys.every(isKey))
    throw refuse()
  if (distance !== null && typeof distance !== 'number') throw refuse()
  return {
    keys: keys.map((key) => (key === null ? null : Buffer.from(key, 'base64url'))),
    distance,
    id: id as number,
  }
}
