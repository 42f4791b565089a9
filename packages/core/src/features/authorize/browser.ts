import { notice, pageReply } from '../../api/page.js'
import type { ApiReply } from '../../api/request.js'
import type { Call } from '../../api/route.js'
import { AppError } from '../../domain/errors.js'
import { html } from '../../domain/html.js'
import type { JsonObject } from '../../domain/json.js'
import { isChallenge } from './codes.js'
import { isRegistered, withParams } from './redirect-uri.js'

const MAX_STATE = 2000
/** Of requests that begin a sign-in; none may be given twice (RFC 6749, 3.1). */
const PARAMETERS = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
]

/** Where a browser goes back to, and what it takes along. */
export interface Return {
  redirectUri: string
  state: string | undefined
}

/** What sends the browser back with an error (RFC 6749, 4.1.2.1). */
export class ReturnedError extends Error {
  override readonly name = 'ReturnedError'

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Answers a browser: errors meant for callers become pages. */
export const forBrowsers =
  <C extends Call>(run: (call: C) => Promise<ApiReply>) =>
  async (call: C): Promise<ApiReply> => {
    try {
      return await run(call)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return errorPage(error)
    }
  }

/** The same, once it is known where to go back to: errors of the protocol are sent there. */
export const sendingBack = async (
  call: Call,
  to: Return,
  work: () => Promise<ApiReply>,
): Promise<ApiReply> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ReturnedError)) throw error
    return goBack(call, to, { error: error.code, error_description: error.message })
  }
}

export const goBack = (
  call: Call,
  { redirectUri, state }: Return,
  params: Record<string, string>,
): ApiReply => redirect(call, withParams(redirectUri, { ...params, state }))

/**
 * The address may hold a code, which is nobody else's business. After a form the method becomes GET: a password is not
 * sent on.
 */
export const redirect = ({ request }: Call, location: string): ApiReply => ({
  status: request.method === 'GET' ? 302 : 303,
  body: '',
  headers: { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' },
})

/**
 * Where a request wants to go back to, if that is registered: nobody is sent anywhere else, not even with an error.
 * @throws {AppError} `not_found` where nothing is registered, `invalid_request`
 */
export const readReturn = (fields: JsonObject, registered: readonly string[]): Return => {
  if (registered.length === 0)
    throw new AppError(
      'not_found',
      'Nobody can sign in here with a browser: no address to go back to is registered',
    )
  const { redirect_uri: redirectUri, state } = fields
  if (typeof redirectUri !== 'string' || !isRegistered(registered, redirectUri))
    throw new AppError('invalid_request', 'The redirect_uri is not registered')
  if (state !== undefined && (typeof state !== 'string' || state.length > MAX_STATE))
    throw new AppError('invalid_request', `The state must be a text of at most ${MAX_STATE} characters`)
  return { redirectUri, state }
}

/** @throws {ReturnedError} `invalid_request` */
export const readChallenge = ({ code_challenge, code_challenge_method: method }: JsonObject): string => {
  if (isChallenge(code_challenge) && method === 'S256') return code_challenge
  throw new ReturnedError('invalid_request', 'A code_challenge of the code_challenge_method S256 is required')
}

/** @throws {AppError} `invalid_request` for a parameter that is given twice. */
export const checkOnce = ({ params }: Call): void => {
  const twice = PARAMETERS.find((name) => (params.get(name)?.length ?? 0) > 1)
  if (twice !== undefined) throw new AppError('invalid_request', `The parameter ${twice} is given twice`)
}

const errorPage = (error: AppError): ApiReply => {
  const reply = pageReply({
    title: 'This did not work',
    content: html`${notice(error.message, 'alert')}`,
    status: error.status,
  })
  if (error.retryAfter !== undefined) reply.headers!['Retry-After'] = String(error.retryAfter)
  return reply
}
