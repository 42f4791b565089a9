import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

const HOST = /^(?:[\w.-]{1,255}|\[[\da-fA-F:.]{2,45}\])(?::\d{1,5})?$/

/**
 * The URL that the client reached us by, down to the mount point and without a trailing slash. A `Host` header
 * that is no host is replaced by the address the connection came in at. `X-Forwarded-Proto` and
 * `X-Forwarded-Host` count only when the proxy that sets them is trusted.
 */
export const baseUrlOf = (req: IncomingMessage, mount: string, trustProxy: boolean): string => {
  const forwarded = trustProxy ? forwardedBy(req) : undefined
  const secure = (req.socket as Partial<TLSSocket>).encrypted === true
  const scheme = forwarded?.scheme ?? (secure ? 'https' : 'http')
  const host = forwarded?.host ?? (isHost(req.headers.host) ? req.headers.host : localAddress(req))
  return `${scheme}://${host}${mount}`
}

const isHost = (value: string | undefined): value is string => value !== undefined && HOST.test(value)

const forwardedBy = ({ headers }: IncomingMessage) => {
  const host = firstOf(headers['x-forwarded-host'])
  const scheme = firstOf(headers['x-forwarded-proto'])?.toLowerCase()
  return {
    host: isHost(host) ? host : undefined,
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
  }
}

const firstOf = (value: string | string[] | undefined): string | undefined =>
  (Array.isArray(value) ? value[0] : value)?.split(',', 1)[0]?.trim()

const localAddress = ({ socket }: IncomingMessage): string => {
  const { localPort } = socket
  const address = socket.localAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'localhost'
  const host = address.includes(':') ? `[${address}]` : address
  return localPort === undefined ? host : `${host}:${localPort}`
}
