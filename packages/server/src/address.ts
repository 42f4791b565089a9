import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

const IPV4_PORT = /^(\d+\.\d+\.\d+\.\d+):\d+$/
const IPV6_PORT = /^\[([^\]]+)\](?::\d+)?$/

/**
 * The address that a request came from. Behind a trusted proxy it is the last one of `X-Forwarded-For`, which the
 * proxy itself put there; whatever precedes it was sent by the client. All that have no address count as one.
 */
export const addressOf = ({ headers, socket }: IncomingMessage, trustProxy: boolean): string =>
  (trustProxy ? forwardedAddress(headers['x-forwarded-for']) : undefined) ?? socket.remoteAddress ?? 'unknown'

const forwardedAddress = (value: string | string[] | undefined): string | undefined => {
  const last = (Array.isArray(value) ? value.join() : value)?.split(',').at(-1)?.trim() ?? ''
  const bare = IPV4_PORT.exec(last)?.[1] ?? IPV6_PORT.exec(last)?.[1] ?? last
  return isIP(bare) === 0 ? undefined : bare
}
