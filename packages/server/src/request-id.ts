import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const TOKEN = /^[\w.:-]{1,64}$/

/** The id that the caller gave the request in `X-Request-Id`, if it is a short token; otherwise a new one. */
export const requestIdOf = ({ headers }: IncomingMessage): string => {
  const given = headers['x-request-id']
  return typeof given === 'string' && TOKEN.test(given) ? given : randomUUID()
}
