import type { Application } from '../../api/caller.js'
import type { ApiReply } from '../../api/request.js'
import { type Call, fieldsOf } from '../../api/route.js'
import { clientId } from '../../domain/credentials.js'
import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import {
  badCredentials,
  type GrantRequest,
  type PasswordProof,
  type Proven,
  type TokenApplication,
  type Tokens,
} from '../auth/index.js'
import {
  checkOnce,
  goBack,
  type Return,
  ReturnedError,
  readChallenge,
  readReturn,
  sendingBack,
} from './browser.js'
import type { CodeStep } from './code-step.js'
import type { Codes } from './codes.js'
import { newOneTimeText, type OneTimeTexts } from './one-time.js'
import type { Redirects } from './redirects.js'
import { codePage, passwordPage, type SignInPage } from './sign-in-page.js'

export interface AuthorizeOptions {
  engine: Engine
  codes: Codes
  /** For those who have given their password and are asked for a code. */
  steps: OneTimeTexts
  redirects: Redirects
  tokens: Tokens
  prove: PasswordProof
  codeStep: CodeStep
  /** What a sign-in asks for, as at the token endpoints. */
  request: (call: Call, app: Application | null) => Promise<GrantRequest>
  /** Names of the providers of an application. */
  providers: (app: Application) => Promise<readonly string[]>
  /** The application that keeps administrators. */
  management: { id: number; uuid: string }
}

/** Parameters of the request that come again with the form. */
const CARRIED = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
]
/** The program that asks for administrators: there is no secret, so that anybody may use the name. */
const MANAGEMENT_CLIENT = 'management'
const WRONG = badCredentials().message

/** The request as far as it is known to be right. */
interface Authorization {
  call: Call
  app: Application | null
  to: Return
  challenge: string
  clientId: string
  page: Pick<SignInPage, 'name' | 'redirectUri' | 'carried' | 'providers'>
}

/**
 * Signing in on a page of ours for a program that sent the browser here: the authorization code of OAuth 2.0, with
 * registered addresses and PKCE only (RFC 6749, 7636, 9700).
 */
export class Authorize {
  readonly #options: AuthorizeOptions

  constructor(options: AuthorizeOptions) {
    this.#options = options
  }

  /** GET shows the page, POST signs in; `app` is `null` for administrators. @throws {AppError} which a page shows. */
  async answer(call: Call, app: Application | null): Promise<ApiReply> {
    checkOnce(call)
    const fields = fieldsOf(call)
    const { management, redirects, providers } = this.#options
    const to = readReturn(fields, await redirects.of(app?.uuid ?? management.uuid))
    const client = app === null ? MANAGEMENT_CLIENT : clientId('application', app.uuid)
    if (fields['client_id'] !== client) throw new AppError('invalid_request', 'The client_id is unknown')
    return sendingBack(call, to, async () => {
      const challenge = readRequest(fields)
      const page = {
        name: app?.applicationName ?? 'the management of applications',
        redirectUri: to.redirectUri,
        carried: carriedIn(fields),
        providers: app === null ? [] : await providers(app),
      }
      if (call.request.method === 'GET') return passwordPage({ ...page, username: '', problem: null })
      return this.#signIn({ call, app, to, challenge, clientId: client, page })
    })
  }

  async #signIn(authorization: Authorization): Promise<ApiReply> {
    const { call, app, page } = authorization
    const request = await this.#options.request(call, app)
    const { username } = request.fields
    try {
      const proven = await this.#proven(request)
      return await this.#secondStep(authorization, request, proven)
    } catch (error) {
      const { message } = ofSignIn(error)
      const problem = message === WRONG ? 'Username or password do not match' : message
      const typed = typeof username === 'string' ? username : ''
      return failed(error, (status) => passwordPage({ ...page, username: typed, problem, status }))
    }
  }

  /** Who has given his password, now or on the page before. @throws {AppError} `invalid_grant` */
  async #proven(request: GrantRequest): Promise<Proven> {
    const { engine, prove, steps, tokens } = this.#options
    const { app, fields } = request
    const { step } = fields
    if (step === undefined) {
      const proven = await prove(request, tokens)
      tokens.checkState(proven.user)
      return proven
    }
    const home = this.#homeOf(app)
    const kept = await engine.transact(home, null, (edits) => steps.take(edits, step))
    const user = kept === null ? null : await engine.store.get(home, 'users', String(kept['user']))
    if (kept === null || user === null) throw new AppError('invalid_grant', 'That took too long: begin again')
    const revoked = kept['revoked']
    return { user, revoked: typeof revoked === 'string' ? revoked : null }
  }

  /** Asks for a code where there must be one. Whoever has to set one up does so in the program that he came from. */
  async #secondStep(
    authorization: Authorization,
    { app, asked, fields: { code } }: GrantRequest,
    proven: Proven,
  ): Promise<ApiReply> {
    const { codeStep } = this.#options
    if (!(await codeStep.isAsked(proven.user, app))) return this.#goBack(authorization, proven, false)
    const ask = async (problem: string | null, status?: number): Promise<ApiReply> => {
      const step = await this.#keep(app, proven)
      return codePage({ ...authorization.page, step, problem, ...(status === undefined ? {} : { status }) })
    }
    if (typeof code !== 'string' || code === '') return ask(null)
    try {
      await codeStep.prove(proven.user, app, code, asked.network)
    } catch (error) {
      return failed(error, (status) => ask(ofSignIn(error).message, status))
    }
    return this.#goBack(authorization, proven, true)
  }

  async #keep(app: TokenApplication | null, { user, revoked }: Proven): Promise<string> {
    const { engine, steps } = this.#options
    const step = newOneTimeText()
    const value = { user: user.uuid, revoked }
    await engine.transact(this.#homeOf(app), null, (edits) => steps.keep(edits, step, value))
    return step
  }

  async #goBack(authorization: Authorization, proven: Proven, isComplete: boolean): Promise<ApiReply> {
    const { engine, codes } = this.#options
    const { call, to, challenge, clientId } = authorization
    const { user, revoked } = proven
    const { redirectUri } = to
    const meaning = {
      user: user.uuid,
      revoked,
      how: 'password',
      isComplete,
      redirectUri,
      challenge,
      clientId,
    }
    const code = newOneTimeText()
    await engine.transact(user.app, null, (edits) => codes.keep(edits, code, meaning))
    return goBack(call, to, { code })
  }

  #homeOf(app: TokenApplication | null): number {
    return app?.application.id ?? this.#options.management.id
  }
}

/** Returns the challenge. @throws {ReturnedError} */
const readRequest = (fields: JsonObject): string => {
  const { response_type: type } = fields
  if (type === undefined) throw new ReturnedError('invalid_request', 'response_type is required')
  if (type !== 'code') throw new ReturnedError('unsupported_response_type', 'The response_type must be code')
  return readChallenge(fields)
}

const carriedIn = (fields: JsonObject): Record<string, string> =>
  Object.fromEntries(
    CARRIED.flatMap((name) => {
      const value = fields[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )

/** The error as one that the page shows. @throws whatever else it is. */
const ofSignIn = (error: unknown): AppError => {
  if (error instanceof AppError && ['invalid_grant', 'too_many_requests'].includes(error.code)) return error
  throw error
}

/** The page again, with the status of what went wrong where it is more than a slip. */
const failed = async (
  error: unknown,
  page: (status: number) => ApiReply | Promise<ApiReply>,
): Promise<ApiReply> => {
  const { code, retryAfter } = ofSignIn(error)
  const reply = await page(code === 'too_many_requests' ? 429 : 200)
  if (retryAfter !== undefined) reply.headers!['Retry-After'] = String(retryAfter)
  return reply
}
