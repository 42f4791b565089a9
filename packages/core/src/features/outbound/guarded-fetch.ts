import { lookup as systemLookup } from 'node:dns'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from '../../domain/public-address.js'

/** Of a reply; what we ask for is far smaller. */
const MAX_BYTES = 1_048_576
/** Of all addresses of a name. */
type Lookup = (
  hostname: string,
  options: { all: true },
  callback: (error: Error | null, addresses: { address: string; family: number }[]) => void,
) => void

export interface GuardOptions {
  /** Lets requests go to addresses of private networks, and over plain HTTP. */
  allowPrivateNetworks?: boolean | undefined
  /** Resolves names; that of the system by default. */
  lookup?: Lookup
}

export interface Outgoing {
  method?: string | undefined
  headers?: Record<string, string> | undefined
  body?: unknown
  signal?: AbortSignal | undefined
}

export type Fetch = (url: string, outgoing?: Outgoing) => Promise<Response>

/** A request that was not sent, or not answered as it should be. Its text is for the log alone. */
export class FetchFailed extends Error {
  override readonly name = 'FetchFailed'
}

/**
 * A `fetch` for addresses that others chose. The addresses that a name resolves to are checked where the socket
 * connects to them, so that a name cannot mean one address when it is checked and another one afterwards. Redirects are
 * not followed, no connection is used twice, and a reply has at most 1 MiB.
 * Rejects with {@link FetchFailed}, or as the signal says.
 */
export const guardedFetch = ({
  allowPrivateNetworks = false,
  lookup = systemLookup,
}: GuardOptions = {}): Fetch => {
  const options = allowPrivateNetworks ? {} : { lookup: publicOnly(lookup) }
  return async (text, { method = 'GET', headers = {}, body, signal } = {}) => {
    const url = new URL(text)
    if (!allowPrivateNetworks) checkUrl(url)
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise<Response>((resolve, reject) => {
      const fail = (cause: Error): void =>
        reject(cause.name === 'AbortError' ? signal?.reason : new FetchFailed(cause.message, { cause }))
      const outgoing = request(
        url,
        { method, headers, agent: false, ...options, ...(signal === undefined ? {} : { signal }) },
        (incoming) => {
          const chunks: Buffer[] = []
          let size = 0
          incoming.on('data', (chunk: Buffer) => {
            size += chunk.length
            chunks.push(chunk)
            if (size > MAX_BYTES) outgoing.destroy(new Error(`The reply is larger than ${MAX_BYTES} bytes`))
          })
          incoming.on('error', fail)
          incoming.on('end', () => {
            try {
              resolve(responseOf(incoming, Buffer.concat(chunks)))
            } catch (cause) {
              // Such as status 999: a `Response` is stricter than HTTP.
              fail(cause as Error)
            }
          })
        },
      )
      outgoing.on('error', fail)
      outgoing.end(body === undefined || body === null ? undefined : String(body))
    })
  }
}

/** A socket that is given an address resolves nothing, so that addresses in URLs are looked at here. */
const checkUrl = ({ protocol, hostname }: URL): void => {
  if (protocol !== 'https:') throw new FetchFailed('Only HTTPS is allowed')
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new FetchFailed(`${host} is not a public address`)
}

const publicOnly =
  (lookup: Lookup): LookupFunction =>
  (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const hidden = error === null ? addresses.find(({ address }) => !isPublicAddress(address)) : undefined
      const problem =
        error ?? (hidden === undefined ? null : new Error(`${hostname} is at ${hidden.address}, not public`))
      if (problem !== null) callback(problem, '')
      else if (options.all === true) callback(null, addresses)
      else callback(null, addresses[0]!.address, addresses[0]!.family)
    })

const responseOf = ({ statusCode: status = 0, rawHeaders }: IncomingMessage, content: Buffer): Response =>
  new Response([204, 205, 304].includes(status) ? null : new Uint8Array(content), {
    status,
    headers: headersOf(rawHeaders),
  })

const headersOf = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]!] as [string, string]] : []))
