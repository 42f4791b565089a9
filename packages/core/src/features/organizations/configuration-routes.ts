import type { ApiReply } from '../../api/request.js'
import { type Call, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import { unauthorized } from '../../domain/errors.js'
import { isSysadmin, type OrganizationDoors, ownOrganization } from './access.js'
import { type Configuration, Configurations, defaultsAt, readConfiguration } from './configuration.js'
import { managed } from './managed.js'

/** `/management/orgs/{org}/config`: for system administrators. */
export const configurationRoutes = (doors: OrganizationDoors): Route<Call>[] => {
  const configurations = new Configurations(doors.engine)
  return [
    route('GET', 'orgs/:org/config', async (call: Call) => {
      const organization = await systemsOrganization(doors, call)
      return shown(call, 'get organization configuration', await configurations.of(organization))
    }),
    route('PUT', 'orgs/:org/config', async (call: Call) => {
      const organization = await systemsOrganization(doors, call)
      const changes = readConfiguration(call.request.body ?? {})
      const own = await configurations.change(call.caller.label, organization, changes)
      const only = param(call.params, 'only_changed') === 'true' ? Object.keys(changes) : null
      return shown(call, 'put organization configuration', own, only)
    }),
  ]
}

const systemsOrganization = (doors: OrganizationDoors, call: Call) => {
  if (!isSysadmin(call.caller)) throw unauthorized('No system access authorized')
  return ownOrganization(doors, call)
}

/** All of it, or the keys that were asked for; defaults apart if they shall be. */
const shown = (
  call: Call,
  action: string,
  own: Configuration,
  only: readonly string[] | null = null,
): ApiReply => {
  const keys = only ?? param(call.params, 'items')?.split(',') ?? null
  const chosen = (entries: Configuration): Configuration =>
    Object.fromEntries(Object.entries(entries).filter(([key]) => keys === null || keys.includes(key)))
  const defaults = defaultsAt(call.request.baseUrl)
  return param(call.params, 'separate_defaults') === 'true'
    ? managed(call, { action, orgConfiguration: chosen(own), defaults: chosen(defaults) })
    : managed(call, { action, configuration: chosen({ ...defaults, ...own }) })
}
