import { accountName } from '../../domain/account-names.js'
import { DuplicateError } from '../../domain/errors.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Passwords } from '../users/index.js'
import type { AdminSource } from './admins.js'
import type { Organizations } from './organizations.js'
import { MANAGEMENT } from './types.js'

export interface FirstStart {
  username: string
  /** Made up when absent. */
  password?: string | undefined
  organization: string
}

/** What a first start made, or found. `password` is there only when it was made up just now. */
export interface Bootstrapped {
  created: boolean
  username: string
  password?: string
  organization: string
  application: string
}

export interface BootstrapOptions {
  engine: Engine
  organizations: Organizations
  passwords: Passwords
  admins: AdminSource
}

const BY = 'system:bootstrap'

/**
 * Makes the system administrator and the first organization, with its sandbox, unless they are there. A given
 * password that differs from the administrator's replaces it.
 */
export const bootstrap = async (options: BootstrapOptions, first: FirstStart): Promise<Bootstrapped> => {
  try {
    return await findOrMake(options, first)
  } catch (error) {
    if (!(error instanceof DuplicateError)) throw error
    // A process that starts at the same moment was quicker: what it made is found now.
    return findOrMake(options, first)
  }
}

const findOrMake = async (
  options: BootstrapOptions,
  { username, password, organization }: FirstStart,
): Promise<Bootstrapped> => {
  const result = { username, organization, application: 'sandbox' }
  // Not by e-mail address: anybody may register with one that looks like this name.
  const admin = await options.engine.store.find(MANAGEMENT.id, 'users', 'username', accountName(username))
  if (admin !== null) {
    if (password !== undefined) await keepPassword(options, admin, password)
    await makeSysadmin(options, admin)
    if ((await options.organizations.find(organization)) === null)
      await addOrganization(options, admin, organization)
    return { ...result, created: false }
  }
  const made = password ?? options.passwords.madeUp(MANAGEMENT.id)
  const email = username.includes('@') ? username : `${username.replaceAll(' ', '.')}@localhost`
  const owner = await makeAdmin(options, organization, { username, name: username, email, password: made })
  await makeSysadmin(options, owner)
  return { ...result, created: true, ...(password === undefined ? { password: made } : {}) }
}

/** Owner of the new organization, or a member of the one that is there. */
const makeAdmin = async (
  { organizations }: BootstrapOptions,
  organization: string,
  account: { username: string; name: string; email: string; password: string },
): Promise<StoredEntity> => {
  const existing = await organizations.find(organization)
  if (existing === null) {
    const made = await organizations.create(BY, {
      ...account,
      organization,
      properties: {},
      ownerProperties: {},
    })
    return made.owner
  }
  return organizations.members.create(BY, existing, account)
}

const keepPassword = async (
  { engine, passwords }: BootstrapOptions,
  admin: StoredEntity,
  password: string,
): Promise<void> => {
  if (await passwords.verify(engine, admin, password)) return
  await passwords.change(engine, BY, admin, {
    oldPassword: null,
    newPassword: password,
    mayRepeat: true,
  })
}

const makeSysadmin = async ({ engine, admins }: BootstrapOptions, admin: StoredEntity): Promise<void> => {
  if ((await engine.store.dictionary(admin, 'system')).get('role') === 'sysadmin') return
  await engine.transact(MANAGEMENT.id, BY, (edits) =>
    edits.tx.setEntry(edits.get('users', admin.uuid), 'system', 'role', 'sysadmin'),
  )
  admins.forget()
}

const addOrganization = async (
  { organizations }: BootstrapOptions,
  admin: StoredEntity,
  name: string,
): Promise<void> => {
  await organizations.createFor(BY, admin, name)
}
