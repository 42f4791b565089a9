import { type Application, isAppAdmin } from '../../api/caller.js'
import { envelope } from '../../api/envelope.js'
import { permit } from '../../api/permit.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Call, fieldsOf, type Route, route } from '../../api/route.js'
import { AppError, entityNotFound, unauthorized } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Grant, GrantRequest } from '../auth/index.js'
import { forBrowsers } from '../authorize/index.js'
import type { ProviderSignIn } from './provider-sign-in.js'
import { notConfigured, type Providers } from './providers.js'
import type { Provider } from './types.js'

export interface ProviderDoors {
  providers: Providers
  signIn: ProviderSignIn
  /** What a sign-in asks for, and the reply to it, as at the token endpoints. */
  request: (call: Call, app: Application) => Promise<GrantRequest>
  reply: (grant: Grant) => Promise<ApiReply>
}

/** Providers whose routes the original had, and where their tokens were given. */
const ORIGINAL = [
  ['facebook', 'fb_access_token'],
  ['foursquare', 'fq_access_token'],
  ['pingident', 'ping_access_token'],
] as const

/** `auth/...`: the providers of an application, and signing in with them. */
export const providerRoutes = (doors: ProviderDoors): Route<AppCall>[] => [
  ...ORIGINAL.map(([name, token]) => originalRoute(name, token)),
  route('GET', 'auth/providers', async (call: AppCall) => {
    admins(call)
    const providers = await doors.providers.list(call.app)
    return told(
      call,
      'get providers',
      providers.map((provider) => shown(doors, call, provider)),
    )
  }),
  route('GET', 'auth/providers/:provider', async (call: AppCall) => {
    admins(call)
    const provider = await doors.providers.find(call.app, call.args[0]!)
    if (provider === null) throw entityNotFound(call.args[0]!, false)
    return told(call, 'get provider', shown(doors, call, provider))
  }),
  route('PUT', 'auth/providers/:provider', async (call: AppCall) => {
    admins(call)
    const { app, args, caller, request } = call
    const provider = await doors.providers.set(caller.label, app, args[0]!, request.body)
    return told(call, 'set provider', shown(doors, call, provider))
  }),
  route('DELETE', 'auth/providers/:provider', async (call: AppCall) => {
    admins(call)
    const provider = await doors.providers.remove(call.caller.label, call.app, call.args[0]!)
    return told(call, 'remove provider', shown(doors, call, provider))
  }),
  route(
    'GET',
    'auth/:provider/start',
    forBrowsers((call: AppCall) => doors.signIn.start(call, call.app, call.args[0]!)),
  ),
  route(
    'GET',
    'auth/:provider/callback',
    forBrowsers((call: AppCall) => doors.signIn.finish(call, call.app, call.args[0]!)),
  ),
  route('POST', 'auth/:provider', async (call: AppCall) => {
    const request = await doors.request(call, call.app)
    return doors.reply(await doors.signIn.withToken(call.app, call.args[0]!, request))
  }),
]

/** Answers as the original did without such a provider; guests need a permission (identity rules 2.11). */
const originalRoute = (name: string, field: string): Route<AppCall> => {
  const asks = ({ caller, app, request }: AppCall): void => {
    const verb = request.method === 'POST' ? 'post' : 'get'
    permit(caller, app, { verb, path: [['auth'], [name]] })
  }
  return route(
    ['GET', 'POST'],
    `auth/${name}`,
    async (call: AppCall) => {
      asks(call)
      const token = fieldsOf(call)[field]
      if (typeof token !== 'string' || token === '')
        throw new AppError('invalid_request', 'missing access token')
      throw notConfigured(name)
    },
    asks,
  )
}

const admins = ({ caller, app }: AppCall): void => {
  if (!isAppAdmin(caller, app)) throw unauthorized()
}

/** Its secret is known to the provider and to us. */
const shown = (
  { signIn }: ProviderDoors,
  { app }: AppCall,
  { name, issuer, clientId, clientSecret, scopes, signUp }: Provider,
): JsonObject => ({
  name,
  issuer,
  clientId,
  hasSecret: clientSecret !== null,
  scopes: [...scopes],
  signUp,
  callback: signIn.callbackOf(app, name),
})

const told = ({ startedAt, now }: AppCall, action: string, data: JsonObject | JsonObject[]): ApiReply =>
  envelope({ action, data }, startedAt, now())
