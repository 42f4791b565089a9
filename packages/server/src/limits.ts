/** Bounds on one request, checked before any work is done for it. */
export interface Limits {
  /** Bytes of a request body, both as sent and after gzip is undone. */
  body: number
  /** Levels of arrays and objects in a JSON body. */
  depth: number
  /** Characters of path and query string together. */
  url: number
}

export const DEFAULT_LIMITS: Limits = { body: 1_048_576, depth: 64, url: 16_384 }
