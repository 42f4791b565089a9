import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ApiReply } from '@entigrid/core'
import { addCorsHeaders } from './cors.js'
import { wrapInCallback } from './jsonp.js'

/** Bytes above which a reply is worth compressing. */
const COMPRESS_ABOVE = 1_024
/** How long, and for how many bytes, an upload that nobody wants is read on before its connection is cut. */
const LINGER = { milliseconds: 1_000, bytes: 16_777_216 }
// 30 kB of 100 entities take 0.20 ms and 9.0 kB at level 1, 0.27 ms and 8.3 kB at the default of 6.
const compress = promisify(gzip)

export interface Sending {
  requestId: string
  /** Function to wrap the body in; makes the reply a script with status 200. */
  callback: string | undefined
  /** Ask the client not to reuse the connection. */
  last: boolean
}

/** Writes a reply and ends the response. A client that has gone away is no error. */
export const send = async (
  req: IncomingMessage,
  res: ServerResponse,
  reply: ApiReply,
  { requestId, callback: asked, last }: Sending,
): Promise<void> => {
  // Pages and redirects are not for scripts.
  const callback = isJson(reply) ? asked : undefined
  const text = callback === undefined ? reply.body : wrapInCallback(callback, reply.body)
  const status = callback !== undefined && reply.status >= 400 ? 200 : reply.status
  const length = Buffer.byteLength(text)
  const compressed =
    length > COMPRESS_ABOVE &&
    acceptsGzip(req.headers['accept-encoding']) &&
    (await compress(text, { level: 1 }))
  const body = compressed || text

  // A 304 has no body, and no length of one (RFC 9110, 15.4.5).
  const headers: string[] =
    status === 304 ? [] : ['Content-Length', String(compressed ? compressed.length : length)]
  if (text !== '') headers.push('Content-Type', contentType(reply, callback))
  if (compressed) headers.push('Content-Encoding', 'gzip')
  headers.push(
    'X-Request-Id',
    requestId,
    'X-Content-Type-Options',
    'nosniff',
    'Vary',
    'Accept-Encoding, Origin',
  )
  addCorsHeaders(req, headers)
  if (reply.headers !== undefined) addOwnHeaders(reply.headers, headers)
  if (last) headers.push('Connection', 'close')

  res.writeHead(status, headers)
  if (req.method === 'HEAD') res.end()
  else if (last && !req.complete) endAfterUpload(req, res, body)
  else res.end(body)
}

const isJson = ({ status, headers }: ApiReply): boolean =>
  headers?.['Content-Type'] === undefined && (status < 300 || status >= 400)

const contentType = ({ headers }: ApiReply, callback: string | undefined): string =>
  callback === undefined ? (headers?.['Content-Type'] ?? 'application/json') : 'application/javascript'

const addOwnHeaders = (own: Record<string, string>, headers: string[]): void => {
  for (const name in own) if (name !== 'Content-Type') headers.push(name, own[name]!)
}

/** Whether `Accept-Encoding` offers gzip with a weight above zero (RFC 9110, 12.5.3). */
const acceptsGzip = (offered: string | string[] | undefined): boolean => {
  if (typeof offered !== 'string' || !offered.includes('gzip')) return false
  return offered.split(',').some((offer) => {
    const [coding, ...parameters] = offer.split(';')
    return (
      coding!.trim().toLowerCase() === 'gzip' && !parameters.some((text) => /^\s*q=0(?:\.0*)?\s*$/.test(text))
    )
  })
}

/**
 * The client may still be sending. Closing now would reset the connection, and the client would see that instead
 * of the reply; so the body is sent, and the upload thrown away for a moment before the connection ends.
 */
const endAfterUpload = (req: IncomingMessage, res: ServerResponse, body: string | Buffer): void => {
  res.write(body)
  let left = LINGER.bytes
  const timer = setTimeout(() => res.end(), LINGER.milliseconds)
  const end = () => {
    clearTimeout(timer)
    res.end()
  }
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) end()
  })
  req.on('end', end)
  req.on('close', end)
  req.resume()
}
