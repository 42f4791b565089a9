import type { Entity } from './entity.js'
import type { Untyped } from './json.js'

/** What is wrong with one property of a request body. */
export interface FieldProblem {
  field: string
  message: string
}

export interface ErrorFacts {
  /** Stable name of what went wrong, such as `entity_not_found`. */
  code: string
  message: string
  /** HTTP status, also in process. 0 when no reply came. */
  status?: number
  fields?: FieldProblem[]
  /** Seconds after which a retry makes sense, if the server said so. */
  retryAfter?: number
  /** The reply's `X-Request-Id`, to be quoted to whoever runs the server. */
  requestId?: string
  /** Place, from 0, of the operation of a batch that failed. */
  operation?: number
  /** The whole body of the reply. */
  body?: unknown
  cause?: unknown
}

/** Every failure of a call, except an abort: that rejects with the reason of the caller's signal. */
export class EntigridError extends Error {
  override readonly name: string = 'EntigridError'
  readonly code: string
  readonly status: number
  readonly fields: FieldProblem[]
  readonly retryAfter: number | undefined
  readonly requestId: string | undefined
  readonly operation: number | undefined
  /** Not enumerable, so that it does not get into logs: tokens may be in it. */
  readonly #body: unknown

  constructor(facts: ErrorFacts) {
    const { code, message, status = 0, fields = [], retryAfter, requestId, operation, body, cause } = facts
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = status
    this.fields = fields
    this.retryAfter = retryAfter
    this.requestId = requestId
    this.operation = operation
    this.#body = body
  }

  /** The body of the reply, where it was JSON. */
  get body(): unknown {
    return this.#body
  }
}

/** Credentials, or the token, are wrong, expired or revoked: sign in (again). */
export class AuthenticationError extends EntigridError {
  override readonly name = 'AuthenticationError'
}

/** The caller is known, perhaps as a guest, and may not do this. Sent with status 401, rarely 403. */
export class PermissionError extends EntigridError {
  override readonly name = 'PermissionError'
}

export class NotFoundError extends EntigridError {
  override readonly name = 'NotFoundError'
}

/** The request cannot be accepted as it is; `fields` tells which properties are wrong, where that is known. */
export class ValidationError extends EntigridError {
  override readonly name = 'ValidationError'
}

/** The value of a unique property belongs to another entity; `fields` names the property. */
export class DuplicateError extends EntigridError {
  override readonly name = 'DuplicateError'
}

/** What a conditional write was about, so that it can be shown, merged or dropped. */
export interface Versions<E = Entity<Untyped>> {
  /** What was to be written; nothing for a deletion. */
  mine?: Untyped
  /** The entity as it is now; nothing if it is gone or cannot be read. */
  theirs?: E
  /** The entity as it was read; nothing where only its tag was given. */
  base?: E
}

/**
 * Something exists already, is in progress, or has changed since it was read (`precondition_failed`). `E` is the type of
 * the entity, which only the catching code can know.
 */
export class ConflictError<E = Entity<Untyped>> extends EntigridError implements Versions<E> {
  override readonly name = 'ConflictError'
  readonly mine: Untyped | undefined
  readonly theirs: E | undefined
  readonly base: E | undefined

  constructor(facts: ErrorFacts, { mine, theirs, base }: Versions<E> = {}) {
    super(facts)
    this.mine = mine
    this.theirs = theirs
    this.base = base
  }
}

/** Too many requests. Repeated by itself where `retryAfter` is within the time of the call. */
export class RateLimitError extends EntigridError {
  override readonly name = 'RateLimitError'
}

/** The server failed or cannot answer at the moment: any status from 500. */
export class UnavailableError extends EntigridError {
  override readonly name = 'UnavailableError'
}

/** No reply within the time allowed (`timeout`), or the server gave up waiting (`request_timeout`). */
export class TimeoutError extends EntigridError {
  override readonly name = 'TimeoutError'
}

/** The server could not be reached, or the connection broke before the whole reply was read. */
export class ConnectionError extends EntigridError {
  override readonly name = 'ConnectionError'
}

const AUTHENTICATION = /^(auth_.*|authentication|expired_token|invalid_client|invalid_grant)$/

const classFor = (status: number, code: string): typeof EntigridError => {
  // Wrong passwords come with 400 and missing permission with 401, as Usergrid has it: the code decides first.
  if (AUTHENTICATION.test(code)) return AuthenticationError
  if (code === 'duplicate_unique_property_exists') return DuplicateError
  if (status === 401 || status === 403) return PermissionError
  if (status === 404) return NotFoundError
  if (status === 408) return TimeoutError
  if (status === 409 || status === 412) return ConflictError
  if (status === 429) return RateLimitError
  if (status >= 500) return UnavailableError
  return ValidationError
}

/** The reply is not what the protocol promises, for instance a proxy's page. */
export const unexpectedReply = (status: number, requestId?: string): EntigridError =>
  new (status < 400 ? EntigridError : classFor(status, 'unexpected_reply'))({
    code: 'unexpected_reply',
    message: `The server answered with status ${status} and without the expected JSON`,
    status,
    requestId,
  })

interface ErrorBody {
  error: string
  error_description?: string
  operation?: number
  fields?: FieldProblem[]
}

/** The error that a reply with a status of 400 or more stands for. `now` is UTC milliseconds. */
export const errorOfReply = (
  status: number,
  body: unknown,
  { retryAfter, requestId, now }: { retryAfter?: string; requestId?: string; now: number },
): EntigridError => {
  if (!isErrorBody(body)) return unexpectedReply(status, requestId)
  return new (classFor(status, body.error))({
    code: body.error,
    message: body.error_description ?? body.error,
    status,
    fields: body.fields,
    retryAfter: secondsOf(retryAfter, now),
    requestId,
    operation: body.operation,
    body,
  })
}

const isErrorBody = (body: unknown): body is ErrorBody =>
  typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string'

/** `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3). Anything else counts as absent. */
const secondsOf = (retryAfter: string | undefined, now: number): number | undefined => {
  if (retryAfter === undefined) return undefined
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - now) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
