import type { ApiReply } from '../../api/request.js'
import { type Call, fieldsOf, type Route, route } from '../../api/route.js'
import type { StoredEntity } from '../../storage/store.js'
import { findAdmin, isSysadmin, type OrganizationDoors, ownOrganization, unknownAdmin } from './access.js'
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
  route(['PUT', 'POST'], 'orgs/:org/users/:user', (call: Call) => add(doors, call)),
  route('DELETE', 'orgs/:org/users/:user', (call: Call) => remove(doors, call)),
]

const create = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const fields = fieldsOf(call)
  const { members } = doors.organizations
  const { invite } = fields
  const invited =
    invite === true || invite === 'true'
      ? await doors.engine.find(MANAGEMENT.id, 'users', text(fields['email'], 'email'))
      : null
  const by = call.caller.label
  const isAdded = invited === null || (await members.add(by, organization, invited, !isSysadmin(call.caller)))
  const admin = invited ?? (await members.create(by, organization, newAccount(fields)))
  if (isAdded) tell(doors, call, organization, admin, invited === null)
  return managed(call, { action: 'create user', data: { user: showAdmin(admin) } })
}

/** Whoever works on the server itself tells him in his own way. */
const tell = (
  { registration }: OrganizationDoors,
  { caller: { principal, self } }: Call,
  organization: StoredEntity,
  admin: StoredEntity,
  isNew: boolean,
): void => {
  if (principal.kind !== 'system')
    registration.added(organization, admin, { by: self?.username ?? null, isNew })
}

const adminAt = async ({ engine }: OrganizationDoors, { args, caller }: Call): Promise<StoredEntity> => {
  const ref = args[1]!
  const admin = await findAdmin(engine, caller, ref)
  if (admin === null) throw unknownAdmin(ref)
  return admin
}

const add = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const admin = await adminAt(doors, call)
  const isAdded = await doors.organizations.members.add(
    call.caller.label,
    organization,
    admin,
    !isSysadmin(call.caller),
  )
  if (isAdded) tell(doors, call, organization, admin, false)
  return managed(call, { action: 'add user to organization', data: { user: showAdmin(admin) } })
}

/**
 * Of administrators of other organizations nobody learns that they exist.
 * @throws {AppError} `management`, `unable_to_leave_organization`
 */
const remove = async (doors: OrganizationDoors, call: Call): Promise<ApiReply> => {
  const organization = await ownOrganization(doors, call)
  const admin = await adminAt(doors, call)
  if (!(await doors.organizations.members.remove(call.caller.label, organization, admin)))
    throw unknownAdmin(call.args[1]!)
  return managed(call, { action: 'remove user from organization', data: { user: showAdmin(admin) } })
}
