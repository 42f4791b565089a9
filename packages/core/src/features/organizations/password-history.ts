import { illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'

const SIZE = 'passwordHistorySize'
/** Each password before takes as long to compare as to sign in. */
const MAX_SIZE = 24

/** How many of their passwords before the present one the members of an organization must not take again. */
export const passwordHistorySize = ({ object: { properties } }: StoredEntity): number => {
  const size = isJsonObject(properties) ? properties[SIZE] : undefined
  return typeof size === 'number' ? size : 0
}

/** @throws {AppError} `illegal_argument` for properties of an organization with a size that is none. */
export const checkPasswordHistory = ({ [SIZE]: size }: JsonObject): void => {
  if (size === undefined || size === null || size === '') return
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > MAX_SIZE)
    throw illegalArgument(`${SIZE} must be a whole number from 0 to ${MAX_SIZE}`, SIZE)
}
