import { illegalArgument } from '../../domain/errors.js'
import type { Descriptor } from '../../engine/descriptor.js'

/** Before the name of a role that belongs to a group. */
const SCOPE = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}:(?=.)/i
const KEPT = new Set(['name', 'title', 'inactivity'])

/** Roles: named sets of permission strings. The name never changes; `inactivity` is in milliseconds, 0 for off. */
export const roleDescriptor: Partial<Descriptor> & { collection: string } = {
  collection: 'roles',
  immutable: ['name', 'rolename'],
  typed: { title: 'string', inactivity: 'number' },
  subCollections: {
    groups: { collection: 'groups', verb: '~assigned', direction: 'out' },
    users: { collection: 'users', verb: '~assigned', direction: 'out' },
  },
  sets: { permissions: 'permissions' },
  commands: ['permissions'],
  prepare: (properties) => {
    const name = properties.get('name')
    if (typeof name !== 'string') throw illegalArgument('A role needs a name', 'name')
    for (const key of properties.keys()) if (!KEPT.has(key.toLowerCase())) properties.delete(key)
    properties.set('roleName', name.toLowerCase())
    if (!properties.has('title')) properties.set('title', name.replace(SCOPE, ''))
    if (!properties.has('inactivity')) properties.set('inactivity', 0)
  },
}

/** Roles of a new application, by name: title and permission strings. */
export interface FirstRole {
  name: string
  title: string
  permissions: readonly string[]
}

const GUEST = ['post:/users', 'post:/devices', 'put:/devices/*']
const EVERYTHING = 'get,put,post,delete:/**'
/** Spelled differently from the one of `default`: clients add and remove exactly this text. */
const OPEN = 'get,post,put,delete:/**'

/** A new application is closed: guests may sign up, users may work below `/users/me`. */
export const CLOSED_ROLES: readonly FirstRole[] = [
  { name: 'admin', title: 'Administrator', permissions: [] },
  { name: 'default', title: 'Default', permissions: ['get,put,post,delete:/users/me/**'] },
  { name: 'guest', title: 'Guest', permissions: GUEST },
]

/** What Usergrid gave every new application: whoever has an account may do everything. */
export const USERGRID_ROLES: readonly FirstRole[] = CLOSED_ROLES.map((role) =>
  role.name === 'default' ? { ...role, permissions: [EVERYTHING] } : role,
)

/** The sandbox of an organization is open to everybody, as in Usergrid. */
export const SANDBOX_ROLES: readonly FirstRole[] = USERGRID_ROLES.map((role) =>
  role.name === 'guest' ? { ...role, permissions: [...GUEST, OPEN] } : role,
)
