import type { ApiReply } from '../../api/request.js'
import { type Call, type Route, route } from '../../api/route.js'
import { AppError, illegalArgument } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { collectionName } from '../../domain/names.js'
import { type OrganizationDoors, ownOrganization } from './access.js'
import { managed } from './managed.js'

/** Providers that Usergrid signed in with by their own rules. */
const FORMER_PROVIDERS = new Set(['facebook', 'foursquare', 'pingident'])

/** What applications weigh, in bytes of JSON; and how they once signed in with others. */
export const sizeRoutes = (doors: OrganizationDoors): Route<Call>[] => [
  route('GET', 'orgs/:org/apps/:app/_size', async (call: Call) => {
    const sizes = await sizesOf(doors, call)
    const application = Object.values(sizes).reduce((sum, size) => sum + size, 0)
    return sized(call, { application })
  }),
  route('GET', 'orgs/:org/apps/:app/collections/_size', async (call: Call) =>
    sized(call, await sizesOf(doors, call)),
  ),
  route('GET', 'orgs/:org/apps/:app/:collection/_size', async (call: Call) => {
    const collection = collectionName(call.args[2]!)
    return sized(call, { [collection]: (await sizesOf(doors, call))[collection] ?? 0 })
  }),
  route('POST', 'orgs/:org/apps/:app/sia-provider', async (call: Call) => {
    await applicationAt(doors, call)
    const provider = call.params.get('provider_key')?.[0]
    if (provider === undefined || !FORMER_PROVIDERS.has(provider.toLowerCase()))
      throw illegalArgument(
        'Name the provider in provider_key: facebook, foursquare or pingident',
        'provider_key',
      )
    throw new AppError(
      'not_implemented',
      'Set up providers that speak OpenID Connect below auth/providers of the application',
    )
  }),
]

const applicationAt = async (doors: OrganizationDoors, call: Call) =>
  doors.organizations.application(await ownOrganization(doors, call), call.args[1]!)

const sizesOf = async (doors: OrganizationDoors, call: Call): Promise<Record<string, number>> =>
  Object.fromEntries(await doors.engine.store.sizes((await applicationAt(doors, call)).id))

const sized = (call: Call, size: JsonObject): ApiReply =>
  managed(call, { action: 'get application size for all entities', metadata: { aggregation: { size } } })
