import { describe, expect, it } from 'vitest'
import { AppError } from '../domain/errors.js'
import { errorReply } from './reply.js'

describe('errorReply', () => {
  it('shows code, message and fields of an error meant for callers', () => {
    const error = new AppError('illegal_argument', 'bad name', {
      fields: [{ field: 'name', message: 'bad' }],
    })

    const reply = errorReply(error, 1_000, 1_007)

    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.body)).toEqual({
      error: 'illegal_argument',
      timestamp: 1_000,
      duration: 7,
      error_description: 'bad name',
      exception: 'IllegalArgumentException',
      code: 400,
      message: 'bad name',
      fields: [{ field: 'name', message: 'bad' }],
    })
  })

  it('adds what the caller can go on with', () => {
    const error = new AppError('second_factor_required', 'a code, please', { more: { factors: ['totp'] } })

    expect(JSON.parse(errorReply(error, 0, 0).body)).toMatchObject({ code: 403, factors: ['totp'] })
  })

  it('hides the text of any other error and reports it under the error_id', () => {
    const reports: [unknown, string][] = []
    const error = new Error('password of the database is hunter2')

    const reply = errorReply(error, 0, 0, (...report) => reports.push(report))

    const body = JSON.parse(reply.body)
    expect(reply.status).toBe(500)
    expect(reply.body).not.toContain('hunter2')
    expect(body).toMatchObject({ error: 'internal', exception: 'InternalException', code: 500 })
    expect(reports).toEqual([[error, body.error_id]])
  })

  it('says how to authenticate, in a way that makes no browser ask for a password', () => {
    const reply = errorReply(new AppError('expired_token', 'over'), 0, 0)

    expect(reply).toMatchObject({ status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="entigrid"' } })
    expect(errorReply(new AppError('entity_not_found', 'none'), 0, 0).headers).toBeUndefined()
  })

  it('sends Retry-After when the error says when to come back', () => {
    const reply = errorReply(new AppError('unavailable', 'later', { retryAfter: 3 }), 0, 0)

    expect(reply).toMatchObject({ status: 503, headers: { 'Retry-After': '3' } })
  })
})
