import { illegalArgument } from '../../domain/errors.js'
import type { Json } from '../../domain/json.js'

/** An application's, at most. */
const MAX_URIS = 20
/** Printable ASCII, so that it goes into a header as it is. */
const TEXT = /^[\x21-\x7e]{1,2000}$/
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])
/** Schemes of apps are domains in reverse, so that they are somebody's (RFC 8252, 7.1). */
const APP_SCHEME = /^[a-z][a-z\d+-]*(?:\.[a-z\d+-]+)+:$/

/**
 * Reads a list of addresses that browsers may be sent to after signing in: `https:`, `http:` on this machine, or the
 * scheme of an app such as `org.example.shop:/signed-in`; without a fragment or credentials.
 * @throws {AppError} `illegal_argument`
 */
export const readRedirectUris = (value: Json | undefined): string[] => {
  if (!Array.isArray(value) || value.length > MAX_URIS)
    throw illegalArgument(`redirectUris must list at most ${MAX_URIS} addresses`, 'redirectUris')
  return [...new Set(value.map(readRedirectUri))]
}

const readRedirectUri = (value: Json): string => {
  if (typeof value === 'string' && TEXT.test(value) && isAllowed(value)) return value
  throw illegalArgument(
    `${JSON.stringify(value).slice(0, 200)} is no address to go back to: use https, http on loopback, or a scheme such ` +
      'as org.example.app, without a fragment',
    'redirectUris',
  )
}

const isAllowed = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || text.includes('#') || url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' ? LOOPBACK.has(url.hostname) : APP_SCHEME.test(url.protocol)
}

/** Whether a browser may be sent there: the address is registered, letter for letter; on loopback with any port. */
export const isRegistered = (registered: readonly string[], uri: string): boolean =>
  TEXT.test(uri) && registered.some((one) => one === uri || isSameOnLoopback(one, uri))

/** Native programs listen on whatever port they get (RFC 8252, 7.3; RFC 9700, 2.1). */
const isSameOnLoopback = (registered: string, uri: string): boolean => {
  const [one, other] = [withoutPort(registered), withoutPort(uri)]
  return one !== null && one === other
}

const withoutPort = (text: string): string | null => {
  const [, host, rest = ''] =
    /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::\d{1,5})?(\/.*)?$/.exec(text) ?? []
  return host === undefined || !URL.canParse(text) ? null : host + rest
}

/** The address with parameters added to its query. */
export const withParams = (uri: string, params: Record<string, string | undefined>): string => {
  const given = Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams(given)}`
}

/** What a page's policy calls the place that an address is at. */
export const sourceOf = (uri: string): string => {
  const { protocol, origin } = new URL(uri)
  return origin === 'null' ? protocol : origin
}
