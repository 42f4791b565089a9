import { isAppAdmin } from '../../api/caller.js'
import { permit } from '../../api/permit.js'
import { withSecret } from '../../api/reply.js'
import { type AppCall, type Route, route } from '../../api/route.js'
import { AppError, illegalArgument, unauthorized } from '../../domain/errors.js'
import { asObject, type Engine } from '../../engine/engine.js'
import { readMilliseconds } from '../auth/index.js'
import { appEnvelope } from '../collections/index.js'
import type { Organizations } from './organizations.js'
import { showApplication } from './routes.js'
import { checkSignInProperties } from './settings.js'

/** The application itself: `/{org}/{app}`, its credentials, `hello`. */
export const applicationRoutes = (organizations: Organizations, engine: Engine): Route<AppCall>[] => [
  route('GET', '', async (call: AppCall) => {
    permit(call.caller, call.app, { verb: 'get', path: [] })
    return appEnvelope(call, {
      entities: [await showApplication(engine, await organizations.entityOf(call.app))],
    })
  }),
  route(['PUT', 'POST'], '', async (call: AppCall) => {
    admins(call)
    const body = asObject(call.request.body ?? {})
    const ttl = body['accesstokenttl']
    if (ttl !== undefined && ttl !== null && ttl !== '' && readMilliseconds(ttl) === null) {
      throw illegalArgument(
        'accesstokenttl must be a whole number of milliseconds, 0 or more',
        'accesstokenttl',
      )
    }
    checkSignInProperties(body)
    const updated =
      call.request.method === 'PUT'
        ? await organizations.updateApplication(call.caller.label, call.app, body)
        : await organizations.entityOf(call.app)
    return appEnvelope(call, { entities: [await showApplication(engine, updated)] })
  }),
  route('DELETE', '', async () => {
    throw new AppError('unsupported_service_operation', 'Delete must be done from the management endpoint')
  }),
  route('GET', 'hello', async (call: AppCall) =>
    appEnvelope(call, { data: { say: 'Hello!' }, entities: [] }),
  ),
  route('GET', 'credentials', async (call: AppCall) => {
    admins(call)
    const credentials = await organizations.credentials(await organizations.entityOf(call.app))
    return withSecret(
      appEnvelope(call, { action: 'get application keys', status: 'ok', credentials: { ...credentials } }),
    )
  }),
  route('POST', 'credentials', async (call: AppCall) => {
    admins(call)
    const credentials = await organizations.newCredentials(
      call.caller.label,
      await organizations.entityOf(call.app),
    )
    return withSecret(
      appEnvelope(call, {
        action: 'generate application keys',
        status: 'ok',
        credentials: { ...credentials },
      }),
    )
  }),
]

const admins = ({ caller, app }: AppCall): void => {
  if (!isAppAdmin(caller, app)) throw unauthorized()
}
