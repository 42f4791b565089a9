import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  ConflictError,
  DuplicateError,
  EntigridError,
  errorOfReply,
  NotFoundError,
  PermissionError,
  RateLimitError,
  TimeoutError,
  UnavailableError,
  ValidationError,
} from './errors.js'

const now = Date.UTC(2025, 0, 1)

describe('the class of an error', () => {
  it.each([
    [400, 'illegal_argument', ValidationError],
    [400, 'query_parse', ValidationError],
    [405, 'unsupported_service_operation', ValidationError],
    [413, 'payload_too_large', ValidationError],
    [400, 'duplicate_unique_property_exists', DuplicateError],
    [400, 'invalid_grant', AuthenticationError],
    [403, 'invalid_grant', AuthenticationError],
    [400, 'auth_invalid_username_or_password', AuthenticationError],
    [401, 'expired_token', AuthenticationError],
    [401, 'auth_unverified_oath', AuthenticationError],
    [401, 'authentication', AuthenticationError],
    [401, 'invalid_client', AuthenticationError],
    [401, 'unauthorized', PermissionError],
    [403, 'forbidden_service_operation', PermissionError],
    [404, 'entity_not_found', NotFoundError],
    [404, 'service_resource_not_found', NotFoundError],
    [408, 'request_timeout', TimeoutError],
    [409, 'application_already_exists', ConflictError],
    [412, 'precondition_failed', ConflictError],
    [422, 'idempotency_key_reused', ValidationError],
    [429, 'too_many_requests', RateLimitError],
    [500, 'internal', UnavailableError],
    [501, 'not_implemented', UnavailableError],
    [503, 'unavailable', UnavailableError],
  ])('of status %i and code %s', (status, code, family) => {
    const error = errorOfReply(status, { error: code, error_description: 'Why' }, { now })

    expect(error.constructor).toBe(family)
    expect(error).toBeInstanceOf(EntigridError)
    expect(error).toMatchObject({ status, code, message: 'Why', name: family.name, fields: [] })
  })
})

describe('an error', () => {
  it('carries what the reply says about it', () => {
    const fields = [{ field: 'name', message: 'is taken' }]
    const body = {
      error: 'duplicate_unique_property_exists',
      error_description: 'Taken',
      fields,
      operation: 2,
    }

    const error = errorOfReply(400, body, { requestId: 'r1', retryAfter: '3', now })

    expect(error).toMatchObject({ fields, requestId: 'r1', retryAfter: 3, operation: 2 })
  })

  it.each([
    ['120', 120],
    ['Wed, 01 Jan 2025 00:00:30 GMT', 30],
    ['Tue, 31 Dec 2024 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('reads Retry-After "%s" as %s seconds', (retryAfter, seconds) => {
    expect(errorOfReply(503, { error: 'unavailable' }, { retryAfter, now }).retryAfter).toBe(seconds)
  })

  it.each([undefined, null, 'Bad gateway', [], { message: 'x' }])(
    'is told without an error body, from %j',
    (body) => {
      const error = errorOfReply(502, body, { now })

      expect(error).toBeInstanceOf(UnavailableError)
      expect(error).toMatchObject({ code: 'unexpected_reply', status: 502 })
    },
  )
})
