import { illegalArgument } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'

/** A text that must be there. @throws {AppError} `illegal_argument` */
export const text = (value: unknown, field: string): string => {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw illegalArgument(`The ${field} parameter was missing`, field)
}

/** A text, or `undefined` for what is absent or empty. @throws {AppError} `illegal_argument` for anything else. */
export const optional = (value: unknown, field: string): string | undefined =>
  value === undefined || value === null || value === '' ? undefined : text(value, field)

/** What may be among the fields of a request and must not be kept with what can be read, in lower case. */
const SECRET = new Set([
  'access_token',
  'token',
  'client_id',
  'client_secret',
  'credentials',
  'password',
  'oldpassword',
  'newpassword',
  'pin',
])

/** The fields that are somebody's own properties: none of the known ones, and no credentials. */
export const ownProperties = (fields: JsonObject, known: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).filter(([key]) => !known.has(key) && !SECRET.has(key.toLowerCase())),
  )
