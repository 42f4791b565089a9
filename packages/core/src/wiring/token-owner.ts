import type { JsonObject } from '../domain/json.js'
import {
  type AdminSource,
  MANAGEMENT,
  type Organizations,
  showAdmin,
  showApplications,
  showOrganization,
  wholeOrganization,
} from '../features/organizations/index.js'
import type { GrantsSource } from '../features/roles/index.js'
import type { StoredEntity } from '../storage/store.js'

export interface OwnerSources {
  organizations: Organizations
  admins: AdminSource
  grants: GrantsSource
  /** When the password of an administrator was last set, in UTC milliseconds. */
  passwordChanged: (admin: StoredEntity) => Promise<number | null>
}

/** What a token reply tells of its owner (identity rules 2.3). */
export const describeOwner = async (
  owner: StoredEntity,
  { organizations, admins, grants, passwordChanged }: OwnerSources,
): Promise<JsonObject> => {
  if (owner.collection === 'organizations')
    return { organization: await wholeOrganization(organizations, owner) }
  if (owner.collection === 'applications') return { application: owner.uuid }
  if (owner.app !== MANAGEMENT.id) {
    const hidden = (await grants.hidden(owner.app))?.get('users')
    return { user: hidden?.without(owner.object) ?? owner.object }
  }
  const memberships = (await admins.get(owner.uuid))?.organizations ?? new Set<string>()
  const own = await Promise.all([...memberships].map((uuid) => organizations.find(uuid)))
  const shown = await Promise.all(
    own
      .filter((organization) => organization !== null)
      .map(async (organization) => {
        const applications = showApplications(await organizations.applications(organization))
        return [
          String(organization.object['name']),
          { ...showOrganization(organization), applications },
        ] as const
      }),
  )
  const changed = await passwordChanged(owner)
  const user = { ...showAdmin(owner), organizations: Object.fromEntries(shown) }
  return { ...(changed === null ? {} : { passwordChanged: changed }), user }
}
