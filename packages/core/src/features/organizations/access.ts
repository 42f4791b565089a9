import type { Caller } from '../../api/caller.js'
import type { Call } from '../../api/route.js'
import { AppError, unauthorized } from '../../domain/errors.js'
import { isUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Organizations } from './organizations.js'
import { MANAGEMENT, type Registration } from './types.js'

export interface OrganizationDoors {
  organizations: Organizations
  engine: Engine
  registration: Registration
}

export const isSysadmin = ({ principal }: Caller): boolean =>
  principal.kind === 'sysadmin' || principal.kind === 'system'

/**
 * The organization that the path names, for those who may manage it. Whether it exists is told to nobody else.
 * @throws {AppError} `unauthorized`, `management` for an unknown one.
 */
export const ownOrganization = async (
  { organizations }: OrganizationDoors,
  { args, caller }: Call,
  ref = args[0]!,
): Promise<StoredEntity> => {
  const organization = await organizations.find(ref)
  if (organization !== null && manages(caller, organization.uuid)) return organization
  if (organization === null && isSysadmin(caller)) throw unknownOrganization(ref)
  throw unauthorized('No organization access authorized')
}

export const unknownOrganization = (ref: string): AppError =>
  new AppError('management', `Could not find organization for ${isUuid(ref) ? 'ID' : 'name'}: ${ref}`)

const manages = (caller: Caller, uuid: string): boolean => {
  if (isSysadmin(caller)) return true
  const { principal, organizations } = caller
  if (principal.kind === 'organization') return principal.organization === uuid
  return principal.kind === 'admin' && organizations.has(uuid)
}

/** What holds for a caller who registers himself; nothing does for system administrators. @throws {AppError} `illegal_argument` */
export const registrationOf = ({ registration }: OrganizationDoors, caller: Caller): Registration | null => {
  if (isSysadmin(caller)) return null
  registration.checkOpen()
  return registration
}

/** The administrator that a path segment means: a uuid, username or e-mail address, or `me`. */
export const findAdmin = async (
  engine: Engine,
  { self }: Caller,
  ref: string,
): Promise<StoredEntity | null> => {
  if (ref.toLowerCase() !== 'me') return engine.find(MANAGEMENT.id, 'users', ref)
  return self === null ? null : engine.find(MANAGEMENT.id, 'users', self.uuid)
}

export const unknownAdmin = (ref: string): AppError => {
  const kind = isUuid(ref) ? 'user id' : ref.includes('@') ? 'email' : 'username'
  return new AppError('management', `Could not find user for ${kind}: ${ref}`)
}

/**
 * The administrator that the path begins with, for himself and for system administrators. Whether there is such a
 * one is told to nobody else.
 * @throws {AppError} `unauthorized`, `management` for an unknown one.
 */
export const ownAdmin = async (engine: Engine, { args, caller }: Call): Promise<StoredEntity> => {
  const [ref = ''] = args
  const admin = await findAdmin(engine, caller, ref)
  if (admin !== null && (isSysadmin(caller) || isSelf(caller, admin))) return admin
  if (admin === null && isSysadmin(caller)) throw unknownAdmin(ref)
  throw noAdminAccess()
}

export const noAdminAccess = (): AppError => unauthorized('No admin user access authorized')

/** On the management plane only administrators have a self. */
export const isSelf = ({ self }: Caller, admin: StoredEntity): boolean => self?.uuid === admin.uuid
