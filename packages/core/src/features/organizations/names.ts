import { illegalArgument } from '../../domain/errors.js'
import { isUuid } from '../../domain/uuid.js'

const NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/

/** First path segments that mean something else. */
const RESERVED = new Set([
  'management',
  'status',
  'lb-status',
  'health',
  'system',
  'root',
  'o',
  'org',
  'orgs',
  'organization',
  'organizations',
  'a',
  'app',
  'apps',
  'application',
  'applications',
])

/** Names of organizations and applications are stored in lower case. @throws {AppError} `illegal_argument`. */
export const tenantName = (value: unknown, field: 'organization' | 'name'): string => {
  const name = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (!NAME.test(name))
    throw illegalArgument(`The ${field} must be 1 to 100 letters, digits, ".", "_" or "-"`, field)
  if (isUuid(name) || (field === 'organization' && RESERVED.has(name))) {
    throw illegalArgument(`The ${field} "${name}" is reserved`, field)
  }
  return name
}
