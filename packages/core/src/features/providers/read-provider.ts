import { isIP } from 'node:net'
import { type AppError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type Json } from '../../domain/json.js'
import { isPublicAddress } from '../../domain/public-address.js'
import type { Provider } from './types.js'

const NAME = /^[a-z\d][a-z\d-]{0,39}$/
/** The original's own routes, and the words behind `auth` that mean something else. */
const RESERVED: ReadonlySet<string> = new Set([
  'facebook',
  'foursquare',
  'pingident',
  'providers',
  'redirects',
  'passkey',
])
const VISIBLE = /^[\x20-\x7e]{1,500}$/
/** RFC 6749, 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/
const MAX_SCOPES = 20
const MAX_URL = 500

/** @throws {AppError} `illegal_argument` for a word that cannot name a provider. */
export const readProviderName = (word: string): string => {
  const name = word.toLowerCase()
  if (!NAME.test(name))
    throw illegalArgument('A provider is named by up to 40 letters, digits and "-"', 'name')
  if (RESERVED.has(name)) throw illegalArgument(`"${name}" cannot name a provider`, 'name')
  return name
}

/**
 * Reads `{"issuer", "clientId", "clientSecret"?, "scopes"?, "signUp"?}`.
 * @throws {AppError} `illegal_argument`
 */
export const readProvider = (
  name: string,
  body: Json | undefined,
  allowPrivateNetworks: boolean,
): Provider => {
  if (!isJsonObject(body)) throw illegalArgument('A provider is written as a JSON object')
  const { issuer, clientId, clientSecret = null, scopes = ['email', 'profile'], signUp = true } = body
  if (typeof clientId !== 'string' || !VISIBLE.test(clientId))
    throw illegalArgument('clientId must be a text of at most 500 visible characters', 'clientId')
  if (clientSecret !== null && (typeof clientSecret !== 'string' || !VISIBLE.test(clientSecret)))
    throw illegalArgument('clientSecret must be a text of at most 500 visible characters', 'clientSecret')
  if (typeof signUp !== 'boolean') throw illegalArgument('signUp must be true or false', 'signUp')
  return {
    name,
    issuer: readIssuer(issuer, allowPrivateNetworks),
    clientId,
    clientSecret,
    scopes: readScopes(scopes),
    signUp,
  }
}

const readIssuer = (value: Json | undefined, allowPrivateNetworks: boolean): string => {
  if (typeof value !== 'string' || value.length > MAX_URL || !URL.canParse(value) || /\s/.test(value))
    throw wrongIssuer('a URL')
  const { protocol, hostname, username, password, search, hash, pathname } = new URL(value)
  if (protocol !== 'https:' && !(allowPrivateNetworks && protocol === 'http:')) throw wrongIssuer('https')
  if (username !== '' || password !== '' || search !== '' || hash !== '' || /[?#]/.test(value))
    throw wrongIssuer('without credentials, query and fragment')
  // Where its metadata are is found from the issuer, so that both are sure to belong together.
  if (pathname.includes('/.well-known/')) throw wrongIssuer('the issuer itself, without /.well-known/')
  const host = hostname.replace(/^\[|\]$/g, '')
  if (!allowPrivateNetworks && isIP(host) !== 0 && !isPublicAddress(host))
    throw wrongIssuer('on the public internet')
  return value
}

const wrongIssuer = (what: string): AppError => illegalArgument(`The issuer must be ${what}`, 'issuer')

const readScopes = (value: Json): string[] => {
  const scopes = typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : value
  if (!Array.isArray(scopes) || scopes.length > MAX_SCOPES || !scopes.every(isScope))
    throw illegalArgument(`scopes must list at most ${MAX_SCOPES} names of scopes`, 'scopes')
  return [...new Set(['openid', ...scopes])]
}

const isScope = (value: Json): value is string => typeof value === 'string' && SCOPE.test(value)
