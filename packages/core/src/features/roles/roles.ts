import type { Caller } from '../../api/caller.js'
import { illegalArgument, resourceNotFound } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import { formatPermission, parsePermission } from '../../domain/permission.js'
import type { Edits } from '../../engine/edits.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { knownBy, spellingsOf } from '../collections/index.js'
import type { FirstRole } from './descriptor.js'
import type { GrantsSource } from './grants.js'

const PERMISSIONS = 'permissions'

/** Collections whose entities hold permission strings. */
export const HOLDERS = ['users', 'groups', 'roles']

/** Collections whose entities roles are assigned to. */
export const ASSIGNED_TO = ['users', 'groups']
const ASSIGNED = '~assigned'

/** Permission strings of users, groups and roles. They are kept literally, in lower case. */
export class Roles {
  readonly #engine: Engine
  readonly #grants: GrantsSource

  constructor(engine: Engine, grants: GrantsSource) {
    this.#engine = engine
    this.#grants = grants
  }

  /** Makes the roles of a new application, within the transaction that makes the application. */
  createFirst(edits: Edits, roles: readonly FirstRole[]): void {
    edits.each(roles, ({ name, title, permissions }) => {
      const role = edits.create('roles', { name, title })
      for (const permission of permissions) edits.tx.setEntry(role, PERMISSIONS, permission, '')
    })
  }

  /** What a reference means, as far as the caller may know it by that. */
  async known(app: number, caller: Caller, collection: string, ref: string): Promise<StoredEntity | null> {
    const found = await this.#engine.find(app, collection, ref)
    return knownBy(caller, this.#engine.descriptor(collection).alias, ref, found)
  }

  /** How an entity may be written in a permission string, whichever of its names was used for it. */
  async spellings(app: number, caller: Caller, collection: string, ref: string): Promise<readonly string[]> {
    const holder = await this.known(app, caller, collection, ref)
    return holder === null
      ? [ref]
      : spellingsOf(holder, caller, (name) => this.#engine.descriptor(name).alias)
  }

  /** Permission strings of a user, group or role. @throws {AppError} `service_resource_not_found`. */
  async permissions(app: number, collection: string, ref: string): Promise<string[]> {
    return [
      ...(await this.#engine.store.dictionary(await this.#holder(app, collection, ref), PERMISSIONS)).keys(),
    ]
  }

  /** Adds strings; those that are there already change nothing. @throws {AppError} `illegal_argument` with the reason. */
  add(
    app: number,
    principal: string,
    collection: string,
    ref: string,
    permissions: readonly string[],
  ): Promise<string[]> {
    const stored = permissions.map((text) => formatPermission(parsePermission(text)))
    return this.#change(app, principal, collection, ref, (edits, holder) => {
      for (const permission of stored) edits.tx.setEntry(holder, PERMISSIONS, permission, '')
    })
  }

  /** Removes strings by their text; unknown ones change nothing. */
  remove(
    app: number,
    principal: string,
    collection: string,
    ref: string,
    permissions: readonly string[],
  ): Promise<string[]> {
    return this.#change(app, principal, collection, ref, (edits, holder) => {
      for (const permission of permissions)
        edits.tx.setEntry(holder, PERMISSIONS, normalised(permission), null)
    })
  }

  /** The roles assigned to a user or group, by name in lower case. @throws {AppError} `service_resource_not_found`. */
  async assigned(app: number, collection: string, ref: string): Promise<JsonObject> {
    const holder = await this.#holder(app, collection, ref)
    const hop = { verb: ASSIGNED, direction: 'in', collection: 'roles' } as const
    const assigned = await this.#engine.everyConnected(app, holder, hop)
    return Object.fromEntries(assigned.map(({ object }) => [String(object['roleName']), object]))
  }

  /** Assigns a role, once however often. Returns what `assigned` does. */
  async assign(
    app: number,
    principal: string,
    collection: string,
    ref: string,
    name: string,
  ): Promise<JsonObject> {
    await this.#engine.transact(app, principal, (edits) => {
      edits.tx.connect(edits.get('roles', name), ASSIGNED, edits.get(collection, ref))
      edits.afterCommit(() => this.#grants.forget(app))
    })
    return this.assigned(app, collection, ref)
  }

  async #change(
    app: number,
    principal: string,
    collection: string,
    ref: string,
    change: (edits: Edits, holder: StoredEntity) => void,
  ): Promise<string[]> {
    return this.#engine.transact(app, principal, (edits) => {
      const holder = edits.find(collection, ref)
      if (holder === null) throw resourceNotFound()
      change(edits, holder)
      edits.afterCommit(() => this.#grants.forget(app))
      return [...edits.tx.dictionary(holder, PERMISSIONS).keys()]
    })
  }

  async #holder(app: number, collection: string, ref: string): Promise<StoredEntity> {
    const holder = await this.#engine.find(app, collection, ref)
    if (holder === null) throw resourceNotFound()
    return holder
  }
}

/** What was stored before a rule was tightened may no longer parse, and can still be removed. */
const normalised = (permission: string): string => {
  try {
    return formatPermission(parsePermission(permission))
  } catch {
    return permission.trim().toLowerCase()
  }
}

/** The strings of a request: `{"permission": "get:/dogs"}`, or an array of strings there. */
export const permissionStrings = (value: unknown): string[] => {
  const list = Array.isArray(value) ? value : [value]
  const isText = (item: unknown): item is string => typeof item === 'string' && item.trim() !== ''
  if (list.length === 0 || !list.every(isText))
    throw illegalArgument("You must supply a 'permission' property", 'permission')
  return list
}
