import type { ApiReply } from '../../api/request.js'
import { type Call, type Route, route } from '../../api/route.js'
import { param } from '../../api/url.js'
import { readLimit } from '../../domain/page.js'
import type { StoredEntity } from '../../storage/store.js'
import { type OrganizationDoors, ownAdmin, ownOrganization } from './access.js'
import { feedOf } from './feeds.js'
import { managed } from './managed.js'

/** What happened in an organization, or in all that an administrator belongs to. */
export const feedRoutes = (doors: OrganizationDoors): Route<Call>[] => [
  route('GET', 'orgs/:org/feed', async (call: Call) =>
    feed(doors, call, 'get organization feed', await ownOrganization(doors, call)),
  ),
  route('GET', 'users/:user/feed', async (call: Call) => {
    const admin = await ownAdmin(doors.engine, call)
    const own = await doors.organizations.members.organizationsOf(admin)
    return feed(doors, call, 'get admin user feed', own)
  }),
]

const feed = async (
  { engine }: OrganizationDoors,
  call: Call,
  action: string,
  of: StoredEntity | readonly StoredEntity[],
): Promise<ApiReply> => {
  const limit = readLimit(param(call.params, 'limit'), 10, engine.limits.pageSize)
  const { items, cursor } = await feedOf(engine, of, { limit, cursor: param(call.params, 'cursor') ?? null })
  const entities = items.map(({ object }) => object)
  return managed(call, { action, status: 'ok', entities, cursor: cursor ?? undefined })
}
