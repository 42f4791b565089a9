import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  type IDToken,
  implicitAuthentication,
  None,
  useIdTokenResponseType,
} from 'openid-client'
import { type Fetch, FetchFailed } from '../outbound/index.js'
import type { Claims } from './profile.js'
import type { Provider } from './types.js'

// All that is asked of the library, which is loaded when somebody signs in: it takes 7 MB.

export type { Configuration }

/** What ID tokens come from: the library keeps the two apart. */
export type Use = 'code' | 'token'

/** What only the server knows of a browser that is at a provider. */
export interface Secrets {
  state: string
  nonce: string
  verifier: string
}

/** How the issuer is asked. */
export interface Asking {
  fetch: Fetch
  /** Whether it may be asked without TLS. */
  allowInsecure: boolean
}

/** Seconds that an issuer gets to answer. */
const TIMEOUT = 10
/** Of our own making: the library reads tokens from the addresses that browsers come back to. */
const NO_PLACE = 'https://token.invalid/'
const NO_ANSWER: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_MISSING_SERVER_METADATA',
  'OAUTH_INVALID_SERVER_METADATA',
])

/** Reads what the issuer says of itself. */
export const discover = async (
  { issuer, clientId, clientSecret }: Provider,
  use: Use,
  { fetch, allowInsecure }: Asking,
): Promise<Configuration> => {
  const authentication = clientSecret === null ? None() : withSecret(clientSecret)
  const configuration = await discovery(new URL(issuer), clientId, {}, authentication, {
    [customFetch]: fetch as CustomFetch,
    timeout: TIMEOUT,
    execute: allowInsecure ? [allowInsecureRequests] : [],
  })
  configuration.timeout = TIMEOUT
  if (use === 'token') useIdTokenResponseType(configuration)
  // Also of tokens that come straight from the issuer.
  else enableNonRepudiationChecks(configuration)
  return configuration
}

/** The method that OpenID Connect has for a default, unless the issuer says that it knows only the other one. */
const withSecret = (secret: string): ClientAuth => {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest)
  }
}

/** Where a browser goes to sign in. */
export const addressOf = async (
  configuration: Configuration,
  { scopes }: Provider,
  callback: string,
  { state, nonce, verifier }: Secrets,
): Promise<URL> =>
  buildAuthorizationUrl(configuration, {
    redirect_uri: callback,
    scope: scopes.join(' '),
    state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })

/** What the issuer says of who came back; `returned` is the address, with its query. */
export const claimsByCode = async (
  configuration: Configuration,
  returned: URL,
  { state, nonce, verifier }: Secrets,
): Promise<Claims> => {
  const tokens = await authorizationCodeGrant(configuration, returned, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  })
  return completed(configuration, tokens.claims()!, tokens.access_token)
}

/** Many issuers tell the e-mail address only when they are asked for it (OpenID Connect Core, 5.4). */
const completed = async (
  configuration: Configuration,
  claims: IDToken,
  accessToken: string,
): Promise<Claims> => {
  const isKnown = claims['email'] !== undefined && claims['email_verified'] !== undefined
  if (isKnown || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
  const told = await fetchUserInfo(configuration, accessToken, claims.sub)
  // Both from one place: what is said to be verified is the address that stands beside it.
  return { ...told, ...claims, email: told.email, email_verified: told.email_verified }
}

/** What an ID token says that was asked for with this nonce. */
export const claimsByToken = (
  configuration: Configuration,
  idToken: string,
  nonce: string,
): Promise<IDToken> =>
  implicitAuthentication(
    configuration,
    new URL(`${NO_PLACE}#${new URLSearchParams({ id_token: idToken })}`),
    nonce,
  )

/** Whether the issuer gave no answer to go by, or what it answered is too late or too early, or wrong. */
export const failureOf = (error: unknown): 'unanswered' | 'untimely' | 'wrong' => {
  if (error instanceof FetchFailed) return 'unanswered'
  if (!(error instanceof ClientError)) return 'wrong'
  if (error.cause instanceof FetchFailed || NO_ANSWER.has(String(error.code))) return 'unanswered'
  return error.code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED' ? 'untimely' : 'wrong'
}
