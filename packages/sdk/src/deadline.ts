import { TimeoutError } from './errors.js'

/** Timers take 32 signed bits of milliseconds; more would fire at once. */
const LONGEST = 2 ** 31 - 1

export interface Deadline {
  readonly signal: AbortSignal
  /** Milliseconds until then. */
  left(): number
  /** Must be called when the work is over, or the timer keeps the process alive. */
  close(): void
}

/** A signal aborted with a `TimeoutError` after `timeout` milliseconds, or with the reason of `outer`. */
export const openDeadline = (timeout: number, outer?: AbortSignal): Deadline => {
  const end = performance.now() + timeout
  const controller = new AbortController()
  const expire = () => controller.abort(timeoutError(timeout))
  const timer = timeout <= LONGEST ? setTimeout(expire, timeout) : undefined
  const pass = () => controller.abort(outer?.reason)
  if (outer?.aborted) pass()
  else outer?.addEventListener('abort', pass, { once: true })
  return {
    signal: controller.signal,
    left: () => end - performance.now(),
    close: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', pass)
    },
  }
}

/** What works on need not watch the signal; who waits for it is released at once anyway. */
export const orAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const timeoutError = (timeout: number) =>
  new TimeoutError({ code: 'timeout', message: `No reply within ${timeout} ms` })
