import type { JsonObject } from './json.js'

/**
 * Every code a caller can receive, with its HTTP status and the stable public name sent as `exception`.
 * Codes are public: add, never rename. Statuses and codes are those Usergrid's clients test for.
 */
export const ERROR_CODES = {
  illegal_argument: 400,
  duplicate_unique_property_exists: 400,
  required_property_not_found: 400,
  property_type_conversion: 400,
  query_parse: 400,
  query_token: 400,
  query_too_broad: 400,
  too_many_direct_entities: 400,
  json_parse: 400,
  null_argument: 400,
  management: 400,
  unable_to_leave_organization: 400,
  invalid_grant: 400,
  invalid_request: 400,
  auth_invalid_username_or_password: 400,
  error_password_policy_violation: 400,
  unauthorized: 401,
  authentication: 401,
  auth_bad_access_token: 401,
  auth_unverified_oath: 401,
  auth_invalid: 401,
  auth_invalid_credentials: 401,
  auth_missing_credentials: 401,
  expired_token: 401,
  invalid_client: 401,
  forbidden_service_operation: 403,
  second_factor_required: 403,
  second_factor_enrolment_required: 403,
  organization_application_not_found: 404,
  entity_not_found: 404,
  service_resource_not_found: 404,
  not_found: 404,
  unsupported_service_operation: 405,
  not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  application_already_exists: 409,
  recently_used_password: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  uri_too_long: 414,
  not_supported: 415,
  idempotency_key_reused: 422,
  too_many_requests: 429,
  request_header_too_large: 431,
  internal: 500,
  not_implemented: 501,
  unavailable: 503,
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** What is wrong with one property of a request body. */
export interface FieldProblem {
  field: string
  message: string
}

export interface ErrorDetails extends ErrorOptions {
  /** Problems of single body properties, shown to the caller. */
  fields?: FieldProblem[]
  /** Overrides the code's usual status, for the few places where the protocol does. */
  status?: number
  /** Seconds after which a retry makes sense; sent as `Retry-After`. */
  retryAfter?: number
  /** Place, from 0, of the operation of a batch that failed. */
  operation?: number
  /** Further members of the reply's body, with which the caller can go on. */
  more?: JsonObject
}

/** The only error meant for callers: its `code` and message reach them. `cause` is for our log alone. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly status: number
  readonly fields: FieldProblem[] | undefined
  readonly retryAfter: number | undefined
  readonly operation: number | undefined
  readonly more: JsonObject | undefined

  constructor(
    readonly code: ErrorCode,
    message: string,
    { fields, status, retryAfter, operation, more, ...options }: ErrorDetails = {},
  ) {
    super(message, options)
    this.status = status ?? ERROR_CODES[code]
    this.fields = fields
    this.retryAfter = retryAfter
    this.operation = operation
    this.more = more
  }

  /** Stable public name, such as `EntityNotFoundException`, that clients show beside the code. */
  get exception(): string {
    return `${this.code.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}Exception`
  }
}

export const illegalArgument = (message: string, field?: string): AppError =>
  new AppError('illegal_argument', message, field === undefined ? {} : { fields: [{ field, message }] })

export const entityNotFound = (ref: string, byUuid: boolean): AppError =>
  new AppError(
    'entity_not_found',
    byUuid ? `Cannot find entity associated with uuid: ${ref}` : `Cannot find entity with name: ${ref}`,
  )

export const resourceNotFound = (): AppError =>
  new AppError('service_resource_not_found', 'Service resource not found')

export const unauthorized = (
  message = 'Subject does not have permission to access this resource',
): AppError => new AppError('unauthorized', message)

/** A unique property's value is taken by another entity. */
export class DuplicateError extends AppError {
  constructor(
    readonly type: string,
    readonly property: string,
    readonly value: string,
  ) {
    const message = `Entity "${type}" requires that property named "${property}" be unique, value of ${value} exists`
    super('duplicate_unique_property_exists', message, { fields: [{ field: property, message: 'is taken' }] })
  }
}

/**
 * The database cannot be reached or cannot write at the moment. Nothing of the request was stored, unless the
 * connection broke off `whileCommitting`: then that is not known.
 */
export const unavailable = (cause: unknown, whileCommitting = false): AppError => {
  const outcome = whileCommitting
    ? 'it is not known whether the request was stored. Look before you repeat it'
    : 'nothing was stored. Try again shortly'
  return new AppError('unavailable', `The database is not available; ${outcome}`, { cause, retryAfter: 1 })
}
