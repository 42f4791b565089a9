import type { IncomingMessage } from 'node:http'

export const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
/** Headers of replies that pages of other origins may read. */
const EXPOSED = 'ETag, Idempotency-Replayed, Retry-After, RateLimit-Policy, RateLimit, X-Request-Id'
const ORIGIN_OF_URL = /^https?:\/\/[^/?#\s]+/i

/**
 * Adds the CORS headers every reply carries. The origin is that of `Origin` (also the word `null`), else of
 * `Referer`, with credentials allowed; without either, anybody, without credentials. No cookie is ever an
 * authentication here, so that a page learns nothing it could not ask for without credentials.
 */
export const addCorsHeaders = (req: IncomingMessage, headers: string[]): void => {
  const origin = req.headers.origin ?? ORIGIN_OF_URL.exec(req.headers.referer ?? '')?.[0]
  headers.push('Access-Control-Allow-Origin', origin ?? '*')
  // Pages always say where they come from; nobody else looks at these.
  if (origin !== undefined)
    headers.push('Access-Control-Allow-Credentials', 'true', 'Access-Control-Expose-Headers', EXPOSED)
}

/** Headers of the reply to OPTIONS: what a preflight asked for is allowed. */
export const preflightHeaders = ({ headers }: IncomingMessage): Record<string, string> => {
  const allowed: Record<string, string> = {
    Allow: METHODS,
    'Access-Control-Allow-Methods': headers['access-control-request-method'] ?? METHODS,
    'Access-Control-Max-Age': '86400',
  }
  const requested = headers['access-control-request-headers']
  if (requested !== undefined) allowed['Access-Control-Allow-Headers'] = requested
  return allowed
}
