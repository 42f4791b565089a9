import { AppError } from '../domain/errors.js'
import { newUuid } from '../domain/uuid.js'
import type { ApiReply, ErrorBody } from './request.js'

const INTERNAL = 'An internal error occurred. Quote error_id when reporting it'

const CHALLENGE = 'Bearer realm="entigrid"'

/** Told of every error that is not meant for callers, with the `error_id` that the caller saw instead. */
export type ReportError = (error: unknown, errorId: string) => void

/** A reply belongs to one request, so that it is completed in place: copying it costs more than all else here. */
export const addHeader = (reply: ApiReply, name: string, value: string): void => {
  reply.headers ??= {}
  reply.headers[name] = value
}

/** A reply with a secret in it: nobody keeps it, and no link that is followed from it tells its address. */
export const withSecret = (reply: ApiReply): ApiReply => {
  addHeader(reply, 'Cache-Control', 'no-store')
  addHeader(reply, 'Referrer-Policy', 'no-referrer')
  return reply
}

/**
 * The only place that turns an error into a reply. An `AppError` shows its code and message; anything else
 * becomes a 500 with a fixed sentence and an `error_id`, its own text going to `report` alone.
 * `startedAt` and `now` are UTC milliseconds.
 */
export const errorReply = (
  error: unknown,
  startedAt: number,
  now: number,
  report?: ReportError,
): ApiReply => {
  const times = { timestamp: startedAt, duration: now - startedAt }
  if (error instanceof AppError) return appErrorReply(error, times)
  const errorId = newUuid()
  report?.(error, errorId)
  const reply = appErrorReply(new AppError('internal', INTERNAL), times)
  return { ...reply, body: `${reply.body.slice(0, -1)},"error_id":"${errorId}"}` }
}

const appErrorReply = (error: AppError, times: { timestamp: number; duration: number }): ApiReply => {
  const body: ErrorBody = {
    error: error.code,
    ...times,
    error_description: error.message,
    exception: error.exception,
    code: error.status,
    message: error.message,
  }
  if (error.operation !== undefined) body.operation = error.operation
  if (error.fields !== undefined) body.fields = error.fields
  const reply: ApiReply = { status: error.status, body: JSON.stringify({ ...body, ...error.more }) }
  if (error.retryAfter !== undefined) reply.headers = { 'Retry-After': String(error.retryAfter) }
  // RFC 9110, 15.5.2 wants one. The scheme Basic, which we take, too, would make browsers ask for a password.
  if (error.status === 401) addHeader(reply, 'WWW-Authenticate', CHALLENGE)
  return reply
}
