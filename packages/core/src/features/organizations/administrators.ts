import { DuplicateError, illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import { fold } from '../../domain/text.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { Listing, StoredEntity } from '../../storage/store.js'
import type { AdminSource } from './admins.js'
import { MANAGEMENT, type Registration } from './types.js'

/** What changes of an administrator. Absent fields stay. */
export interface AdminChanges {
  username?: string
  email?: string
  /** `null` removes it. */
  name?: string | null
  activated?: unknown
  confirmed?: unknown
  disabled?: unknown
  /** Laid over what is there; `null` and the empty string remove a property. */
  properties: JsonObject
}

export interface AdministratorsOptions {
  engine: Engine
  admins: AdminSource
}

/** The accounts of administrators. */
export class Administrators {
  readonly #engine: Engine
  readonly #admins: AdminSource

  constructor({ engine, admins }: AdministratorsOptions) {
    this.#engine = engine
    this.#admins = admins
  }

  /** Makes an administrator of no organization. @throws {AppError} `duplicate_unique_property_exists` */
  create(principal: string, account: JsonObject, registration: Registration | null): Promise<StoredEntity> {
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      const admin = addAdmin(edits, account)
      return registration?.beginAdmin(edits, admin) ?? admin
    })
  }

  /** One page of all administrators, the newest first. */
  list(limit: number, cursor: string | null): Promise<Listing> {
    const query = { projection: null, filter: null, direct: null, sort: [] }
    return this.#engine.list(MANAGEMENT.id, 'users', { query, limit, cursor })
  }

  /**
   * Changes an account, and does with it in one transaction what `also` does.
   * @throws {AppError} `duplicate_unique_property_exists`; `illegal_argument` for another username of a system
   * administrator.
   */
  update(
    principal: string,
    { uuid }: StoredEntity,
    { properties, ...changes }: AdminChanges,
    also: ((edits: Edits) => void) | null = null,
  ): Promise<StoredEntity> {
    return this.transact(principal, (edits) => {
      const admin = edits.get('users', uuid)
      checkUsername(edits, admin, changes.username)
      also?.(edits)
      const merged = mergedProperties(admin.object['properties'], properties)
      const updated = edits.update(admin, { ...changes, properties: merged } as JsonObject)
      checkNames(edits, updated)
      return updated
    })
  }

  /** Changes accounts, which counts from the next request on. */
  transact<T>(principal: string, work: (edits: Edits) => T): Promise<T> {
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      edits.afterCommit(() => this.#admins.forget())
      return work(edits)
    })
  }
}

/** The account that a body asks for. @throws {AppError} `illegal_argument` without an e-mail address. */
export const newAccount = (fields: JsonObject): JsonObject => {
  if (typeof fields['email'] !== 'string' || fields['email'] === '')
    throw illegalArgument('email form parameter is required', 'email')
  const { email, username = email, name = username, password = null } = fields
  return { username, name, email, password }
}

/**
 * Makes an administrator in a transaction.
 * @throws {AppError} `duplicate_unique_property_exists`
 */
export const addAdmin = (edits: Edits, account: JsonObject): StoredEntity => {
  const admin = edits.create('users', account)
  checkNames(edits, admin)
  return admin
}

/** Nobody takes as his username the e-mail address of another, nor the reverse: paths and sign-ins mean one by either. */
const checkNames = (edits: Edits, { uuid, object }: StoredEntity): void => {
  for (const [property, taken] of [
    ['username', 'email'],
    ['email', 'username'],
  ] as const) {
    const value = object[property]
    const other = typeof value === 'string' ? edits.tx.find('users', taken, value) : null
    if (other !== null && other.uuid !== uuid) throw new DuplicateError('user', property, String(value))
  }
}

/** The start of a server makes a system administrator of whoever has the configured username. */
const checkUsername = (edits: Edits, admin: StoredEntity, username: string | undefined): void => {
  if (username === undefined || fold(username) === fold(String(admin.object['username']))) return
  if (edits.tx.dictionary(admin, 'system').get('role') === 'sysadmin')
    throw illegalArgument('The username of a system administrator cannot be changed', 'username')
}

/** Properties with changes laid over them; `null` and the empty string remove one. */
export const mergedProperties = (before: unknown, changes: JsonObject): JsonObject => {
  const merged = { ...(isJsonObject(before) ? (before as JsonObject) : {}), ...changes }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== '' && value !== null))
}
