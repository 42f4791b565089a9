import { ConnectionError, RateLimitError, UnavailableError } from './errors.js'

export interface RetryOptions {
  /** How often a failed request is repeated at most. Default 2; 0 turns repeating off. */
  limit?: number
  /** Resolves after `ms` milliseconds, or rejects with the reason of the signal. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>
  /** From 0 up to 1. */
  random?: () => number
}

const FIRST_WAIT_MS = 200

/**
 * Milliseconds to wait before a request is sent again, `undefined` if it would be no use. The wait
 * doubles with each attempt (the first is 0), its upper half is random so that many clients do not come back
 * together, and it is never less than the server asks for.
 */
export const waitBeforeRetry = (
  error: unknown,
  attempt: number,
  random: () => number,
): number | undefined => {
  if (!isTemporary(error)) return undefined
  const backoff = FIRST_WAIT_MS * 2 ** attempt * (0.5 + random() / 2)
  return Math.max(backoff, (error.retryAfter ?? 0) * 1000)
}

const isTemporary = (error: unknown): error is ConnectionError | RateLimitError | UnavailableError =>
  error instanceof ConnectionError ||
  error instanceof RateLimitError ||
  (error instanceof UnavailableError && error.status >= 502 && error.status <= 504)

export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
