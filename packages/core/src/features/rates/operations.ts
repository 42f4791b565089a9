import type { ApiRequest } from '../../api/request.js'
import { parsePath } from '../../api/url.js'
import { isJsonObject } from '../../domain/json.js'

/** How many operations a request counts as: each of a batch, and each entity of an array. */
export const operationsIn = ({ path, body }: ApiRequest): number => {
  if (typeof body !== 'object' || body === null) return 1
  if (Array.isArray(body)) return Math.max(1, body.length)
  const operations = isJsonObject(body) ? body['operations'] : undefined
  return Array.isArray(operations) && isBatch(path) ? Math.max(1, sizeOf(operations)) : 1
}

/** An operation may create many entities, too. */
const sizeOf = (operations: readonly unknown[]): number => {
  let size = 0
  for (const operation of operations) {
    const body = isJsonObject(operation) ? operation['body'] : undefined
    size += Array.isArray(body) ? Math.max(1, body.length) : 1
  }
  return size
}

/** Reads the path as the routes do, so that no other spelling of it counts less. */
const isBatch = (path: string): boolean => {
  try {
    return parsePath(path, Number.POSITIVE_INFINITY).at(-1)?.text.toLowerCase() === '_batch'
  } catch {
    return false
  }
}
