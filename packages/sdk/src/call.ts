import type { Method, Safeguards } from './transport.js'

export interface CallOptions {
  /** Aborting rejects the call with the signal's reason. */
  signal?: AbortSignal
  /** Milliseconds, in place of the client's. */
  timeout?: number
}

export interface OnceOptions extends CallOptions {
  /**
   * Makes the server carry the request out once, however often it comes within a day: 1 to 255 visible ASCII
   * characters. Made up for each call unless given.
   */
  idempotencyKey?: string
}

export interface Call extends CallOptions, Safeguards {
  method: Method
  path: string
  query?: Record<string, string | number | undefined>
  body?: unknown
  /** Sending it twice does the same as sending it once. Default: for GET, and for what has an idempotency key. */
  repeatable?: boolean
  /** Sent with this token in place of the client's credentials; with `''`, without any. */
  bearer?: string
}

/** Of requests that are written out. With `ifNoneMatch`, they resolve with `undefined` if nothing has changed. */
export type RequestOptions = CallOptions & Safeguards & Pick<Call, 'query' | 'body' | 'repeatable'>

/** A reply's body. Which keys it has depends on the request; `T` is the type of its entities. */
export interface Envelope<T = unknown> {
  entities?: T[]
  cursor?: string
  total?: number
  data?: unknown
  [key: string]: unknown
}

/** `undefined` in place of the body of a 304. */
export interface Reply<T> {
  status: number
  body: T
}
