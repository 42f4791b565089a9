import type { ApiReply } from '../../api/request.js'
import { type Call, type Route, route } from '../../api/route.js'
import { asObject } from '../../engine/engine.js'
import {
  type OrganizationDoors,
  ownAdmin,
  ownOrganization,
  registrationOf,
  unknownOrganization,
} from './access.js'
import { text } from './fields.js'
import { managed } from './managed.js'
import { showAdmin, showOrganization } from './show.js'

/** `/management/users/{user}/orgs`: the organizations of an administrator. */
export const membershipRoutes = (doors: OrganizationDoors): Route<Call>[] => [
  route('GET', 'users/:user/orgs', async (call: Call) => {
    const admin = await ownAdmin(doors.engine, call)
    const own = await doors.organizations.members.organizationsOf(admin)
    const data = Object.fromEntries(own.map(({ object, uuid }) => [String(object['name']), uuid]))
    return managed(call, { action: 'get user management', data })
  }),
  route('POST', 'users/:user/orgs', async (call: Call) => {
    const admin = await ownAdmin(doors.engine, call)
    const { organization } = asObject(call.request.body ?? {})
    const name = text(organization, 'organization')
    const options = { sandbox: false, registration: registrationOf(doors, call.caller) }
    const made = await doors.organizations.createFor(call.caller.label, admin, name, options)
    return managed(call, { action: 'new organization for user', data: showOrganization(made) })
  }),
  // Nobody joins an organization by himself: that takes rights on both, which only system administrators have.
  route('PUT', 'users/:user/orgs/:org', async (call: Call) => {
    const admin = await ownAdmin(doors.engine, call)
    const organization = await ownOrganization(doors, call, call.args[1]!)
    await doors.organizations.members.add(call.caller.label, organization, admin, false)
    return managed(call, { action: 'add user to organization', data: { user: showAdmin(admin) } })
  }),
  route('DELETE', 'users/:user/orgs/:org', (call: Call) => leave(doors, call)),
]

/** Of organizations that he does not administer he learns nothing, as if they did not exist. */
const leave = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const admin = await ownAdmin(doors.engine, call)
  const ref = call.args[1]!
  const organization = await doors.organizations.find(ref)
  const { members } = doors.organizations
  if (organization === null || !(await members.remove(call.caller.label, organization, admin)))
    throw unknownOrganization(ref)
  return managed(call, { action: 'remove user from organization', data: { user: showAdmin(admin) } })
}
