import { type Application, type Caller, isAppAdmin } from '../../api/caller.js'
import { members, RawJson } from '../../api/envelope.js'
import { networkIn } from '../../api/network.js'
import { withSecret } from '../../api/reply.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Call, fieldsOf, type Route, route } from '../../api/route.js'
import { AppError, unauthorized } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import { NEVER_EXPIRES_IN } from './claims.js'
import { type Grant, type GrantRequest, type TokenApplication, tokenFields, wantsRefresh } from './grant.js'
import type { Tokens } from './tokens.js'

export interface TokenDoors {
  tokens: Tokens
  /** Properties of an application, for its `accesstokenttl`. */
  properties: (app: Application) => Promise<JsonObject>
  /** What a reply shows of whom a token was made for: `user`, `organization` or `application`. */
  describe: (owner: StoredEntity) => Promise<JsonObject>
  /** An app user by path segment. */
  user: (app: Application, ref: string) => Promise<Grant['owner']>
}

export interface TokenRoutes {
  management: Route<Call>[]
  app: Route<AppCall>[]
  /** What a sign-in at another endpoint asks for (`app` is `null` on the management plane). */
  request: (call: Call, app: Application | null) => Promise<GrantRequest>
  /** The reply to a sign-in, which is the same wherever it was made. */
  reply: (grant: Grant) => Promise<ApiReply>
}

/** Signing in: `POST|GET .../token` on both planes. Replies have no envelope. */
export const tokenRoutes = (doors: TokenDoors): TokenRoutes => ({
  management: [
    route(['GET', 'POST'], 'token', (call: Call) => grant(doors, call, null)),
    route(['GET', 'POST'], 'me', (call: Call) => me(doors, call)),
  ],
  app: [
    route(['GET', 'POST'], 'token', (call: AppCall) => grant(doors, call, call.app)),
    route('GET', 'users/:user/token', (call: AppCall) => mint(doors, call)),
  ],
  request: (call, app) => requestOf(doors, call, app),
  reply: (grant) => granted(doors, grant),
})

const grant = async (doors: TokenDoors, call: Call, app: Application | null): Promise<ApiReply> => {
  const { caller, request } = call
  const asked = await requestOf(doors, call, app)
  // Usergrid issued a new token here, without end; ours is not renewed without credentials.
  const isRenewal = app === null && asked.fields['grant_type'] === undefined
  if (isRenewal && caller.token !== undefined && caller.self !== null) return mine(doors, caller)
  if (request.method === 'POST' && Object.keys(asked.fields).length === 0)
    throw new AppError('illegal_argument', 'missing json post data')
  return granted(doors, await doors.tokens.grant(asked))
}

const requestOf = async (
  doors: TokenDoors,
  call: Call,
  application: Application | null,
): Promise<GrantRequest> => {
  const { request } = call
  const fields = tokenFields(
    request.body,
    fieldsOf({ ...call, request: { ...request, body: undefined } }),
    request.authorization,
  )
  return {
    fields,
    app: application === null ? null : await tokenApplication(doors, application),
    asked: {
      ttl: fields['ttl'],
      refresh: wantsRefresh(fields),
      agent: request.userAgent,
      network: networkIn(request),
    },
  }
}

const tokenApplication = async (
  { properties }: TokenDoors,
  application: Application,
): Promise<TokenApplication> => ({ application, properties: await properties(application) })

/** With a token: who it belongs to. Without: the same as asking for one. */
const me = async (doors: TokenDoors, call: Call): Promise<ApiReply> => {
  const { caller } = call
  return caller.token === undefined || caller.self === null ? grant(doors, call, null) : mine(doors, caller)
}

/** The token that was presented, with what is left of it. */
const mine = async (doors: TokenDoors, { token = '', self }: Caller): Promise<ApiReply> => {
  const owner = await doors.tokens.administrator(self!.uuid)
  return granted(doors, { access_token: token, expires_in: await doors.tokens.remaining(token), owner })
}

const mint = async (doors: TokenDoors, call: AppCall): Promise<ApiReply> => {
  const { app, caller, args, params } = call
  if (caller.principal.kind === 'guest') throw unauthorized()
  if (!isAppAdmin(caller, app))
    throw new AppError('unauthorized', 'Only administrators of the application may do this', { status: 403 })
  const user = await doors.user(app, args[0]!)
  const ttl = params.get('ttl')?.[0]
  const application = await tokenApplication(doors, app)
  return granted(doors, await doors.tokens.grantFor(user, application, ttl, caller.label))
}

const granted = async (doors: TokenDoors, { owner, ...granted }: Grant): Promise<ApiReply> => {
  const described = await doors.describe(owner)
  // JavaScript has no number for the greatest lifetime; its exact digits are written instead.
  const seconds = new RawJson(
    granted.expires_in === NEVER_EXPIRES_IN ? '9223372036854775' : String(granted.expires_in),
  )
  const body = members({ ...granted, expires_in: seconds, ...described })
  return withSecret({ status: 200, body: `{${body.slice(0, -1)}}` })
}
