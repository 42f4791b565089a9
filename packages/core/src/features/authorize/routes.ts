import { isAppAdmin } from '../../api/caller.js'
import { envelope } from '../../api/envelope.js'
import type { ApiReply } from '../../api/request.js'
import { type AppCall, type Call, type Route, route } from '../../api/route.js'
import { unauthorized } from '../../domain/errors.js'
import type { Authorize } from './authorize.js'
import { forBrowsers } from './browser.js'
import type { Redirects } from './redirects.js'

export interface AuthorizeDoors {
  authorize: Authorize
  redirects: Redirects
  /** Uuid of the application that keeps administrators. */
  management: string
}

/** `authorize` on both planes, and the addresses that browsers go back to, `auth/redirects`. */
export const authorizeRoutes = (
  doors: AuthorizeDoors,
): { management: Route<Call>[]; app: Route<AppCall>[] } => ({
  management: [
    route(
      ['GET', 'POST'],
      'authorize',
      forBrowsers((call: Call) => doors.authorize.answer(call, null)),
    ),
    route(['GET', 'PUT'], 'auth/redirects', (call: Call) => {
      const { kind } = call.caller.principal
      if (kind !== 'sysadmin' && kind !== 'system') throw unauthorized('No system access authorized')
      return redirects(doors, call, doors.management)
    }),
  ],
  app: [
    route(
      ['GET', 'POST'],
      'authorize',
      forBrowsers((call: AppCall) => doors.authorize.answer(call, call.app)),
    ),
    route(['GET', 'PUT'], 'auth/redirects', (call: AppCall) => {
      if (!isAppAdmin(call.caller, call.app)) throw unauthorized()
      return redirects(doors, call, call.app.uuid)
    }),
  ],
})

const redirects = async (
  { redirects: kept }: AuthorizeDoors,
  { request, caller, startedAt, now }: Call,
  uuid: string,
): Promise<ApiReply> => {
  const isChange = request.method === 'PUT'
  const uris = isChange ? await kept.set(caller.label, uuid, request.body) : await kept.of(uuid)
  const action = isChange ? 'set redirect addresses' : 'get redirect addresses'
  return envelope({ action, data: { redirectUris: [...uris] } }, startedAt, now())
}
