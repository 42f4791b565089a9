import { type Application, type Caller, isAppAdmin } from '../../api/caller.js'
import { networkIn } from '../../api/network.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Call, fieldsOf, type Route, route } from '../../api/route.js'
import { AppError, unauthorized } from '../../domain/errors.js'
import type { Json, JsonObject } from '../../domain/json.js'
import { NEVER_EXPIRES_IN } from './access-token.js'
import { type Grant, type Tokens, tokenFields } from './tokens.js'

export interface TokenDoors {
  tokens: Tokens
  /** Properties of an application, for its `accesstokenttl`. */
  properties: (app: Application) => Promise<JsonObject>
  /** What a grant shows of whom it was made for: `user`, `organization` or `application`. */
  describe: (grant: Grant) => Promise<JsonObject>
  /** An app user by path segment. */
  user: (app: Application, ref: string) => Promise<Grant['owner']>
}

/** Signing in: `POST|GET .../token` on both planes. Replies have no envelope. */
export const tokenRoutes = (doors: TokenDoors): { management: Route<Call>[]; app: Route<AppCall>[] } => ({
  management: [
    route(['GET', 'POST'], 'token', (call: Call) => grant(doors, call, null)),
    route(['GET', 'POST'], 'me', (call: Call) => me(doors, call)),
  ],
  app: [
    route(['GET', 'POST'], 'token', (call: AppCall) => grant(doors, call, call.app)),
    route('GET', 'users/:user/token', (call: AppCall) => mint(doors, call)),
  ],
})

const grant = async (doors: TokenDoors, call: Call, application: Application | null): Promise<ApiReply> => {
  const { caller, request } = call
  const fields = tokenFields(
    request.body,
    fieldsOf({ ...call, request: { ...request, body: undefined } }),
    request.authorization,
  )
  // Usergrid issued a new token here, without end; ours is not renewed without credentials.
  const isRenewal = application === null && fields['grant_type'] === undefined
  if (isRenewal && caller.token !== undefined && caller.self !== null) return mine(doors, caller)
  if (request.method === 'POST' && Object.keys(fields).length === 0)
    throw new AppError('illegal_argument', 'missing json post data')
  const app = application === null ? null : { application, properties: await doors.properties(application) }
  return granted(doors, await doors.tokens.grant(fields, app, networkIn(request)))
}

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
  const made = await doors.tokens.grantFor(
    user,
    { application: app, properties: await doors.properties(app) },
    params.get('ttl')?.[0],
  )
  return granted(doors, made)
}

const granted = async (doors: TokenDoors, { access_token, expires_in, owner }: Grant): Promise<ApiReply> => {
  const described = await doors.describe({ access_token, expires_in, owner })
  // JavaScript has no number for the greatest lifetime; its exact digits are written instead.
  const seconds = expires_in === NEVER_EXPIRES_IN ? '9223372036854775' : String(expires_in)
  const rest = JSON.stringify(described satisfies Json).slice(1)
  const body = `{"access_token":${JSON.stringify(access_token)},"expires_in":${seconds}${rest === '}' ? '' : ','}${rest}`
  return { status: 200, body, headers: { 'Cache-Control': 'no-store' } }
}
