import type { ApiReply } from '../../api/request.js'
import { type Call, fieldsOf, type Route, route } from '../../api/route.js'
import { type OrganizationDoors, ownOrganization } from './access.js'
import { newAccount } from './administrators.js'
import { text } from './fields.js'
import { managed } from './managed.js'
import { showAdmin } from './show.js'
import { MANAGEMENT } from './types.js'

/** `/management/orgs/{org}/users`: who administers an organization. */
export const memberRoutes = (doors: OrganizationDoors): Route<Call>[] => [
  route('GET', 'orgs/:org/users', async (call: Call) => {
    const members = await doors.organizations.members.of(await ownOrganization(doors, call))
    return managed(call, { action: 'get organization users', data: members.map(showAdmin) })
  }),
  route('POST', 'orgs/:org/users', (call: Call) => create(doors, call)),
]

const create = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const fields = fieldsOf(call)
  const { members } = doors.organizations
  const invited =
    String(fields['invite']) === 'true'
      ? await doors.engine.find(MANAGEMENT.id, 'users', text(fields['email'], 'email'))
      : null
  const by = call.caller.label
  if (invited !== null) await members.add(by, organization, invited)
  const admin = invited ?? (await members.create(by, organization, newAccount(fields)))
  return managed(call, { action: 'create user', data: { user: showAdmin(admin) } })
}
