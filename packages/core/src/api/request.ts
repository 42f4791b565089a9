import type { FieldProblem } from '../domain/errors.js'
import type { Json } from '../domain/json.js'
import type { Principal } from './principal.js'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * One request, freed from its transport. HTTP and the in-process client both make these; everything past
 * this point treats them alike.
 */
export interface ApiRequest {
  method: Method
  /** Below the mount point, still percent-encoded, without the query string: `/acme/sandbox/dogs`. */
  path: string
  /** The query string without its leading `?`. Further `?` in it stand for `&` (old clients send them). */
  search: string
  /** Value of the `Authorization` header. */
  authorization?: string | undefined
  /** Values of the headers `If-Match` and `If-None-Match` (RFC 9110, 13.1). */
  ifMatch?: string | undefined
  ifNoneMatch?: string | undefined
  /** Value of the header `Idempotency-Key`. */
  idempotencyKey?: string | undefined
  /** Parsed JSON body, or the fields of a form. `undefined` when there was none. */
  body?: Json | undefined
  /** True when `body` came from a form (all values are strings). */
  form?: boolean
  /** Scheme, host and mount path that clients reach us by, without a trailing slash. */
  baseUrl: string
  /** Set by in-process callers in place of credentials. */
  principal?: Principal
  /** Of the client, as text: IPv4 or IPv6. Absent in process; then only who asks is counted. */
  address?: string | undefined
  /** Value of the header `User-Agent`, by which people tell their sign-ins apart. */
  userAgent?: string | undefined
  signal?: AbortSignal
}

/** One reply: a status, a text, and the few headers that belong to its meaning. */
export interface ApiReply {
  status: number
  /** Of JSON, unless a header `Content-Type` says otherwise; empty with status 304. Stored documents reach it unparsed. */
  body: string
  headers?: Record<string, string>
}

/** Body of every reply with a status of 400 or more. */
export interface ErrorBody {
  error: string
  error_description: string
  exception: string
  timestamp: number
  duration: number
  /** HTTP status, and the same text again: the reference's `Error` model. */
  code: number
  message: string
  /** Place, from 0, of the operation of a batch that failed. */
  operation?: number
  fields?: FieldProblem[]
}
