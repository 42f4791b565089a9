import type { Call, CallOptions, Envelope } from './call.js'
import { type Entity, type Place, pathOf, segment } from './entity.js'
import { newKey } from './idempotency-key.js'
import { readPage } from './page.js'
import type { Session } from './session.js'

export interface RoleProperties {
  name: string
  title?: string
}

export type Role = Entity<RoleProperties, 'roles'>

/** Whose permission strings are meant: a role by its name, or a user or group. */
export type Holder = string | Place

/** The roles of an application: what they allow, and who has them. */
export class Roles {
  readonly #session: Session
  readonly #home: string

  constructor(session: Session, home: string) {
    this.#session = session
    this.#home = home
  }

  async list(options?: CallOptions): Promise<Role[]> {
    return (await readPage<Role>(this.#session, `${this.#home}/roles`, { limit: 1000 }, options)).entities
  }

  /** @throws {DuplicateError} if the name is taken. */
  create(properties: RoleProperties, options?: CallOptions): Promise<Role> {
    const call: Call = { ...options, method: 'POST', path: `${this.#home}/roles`, body: properties }
    return this.#session.one({ ...call, idempotencyKey: newKey() })
  }

  delete(name: string, options?: CallOptions): Promise<Role> {
    return this.#session.one({ ...options, method: 'DELETE', path: this.#at(name), repeatable: true })
  }

  /** The permission strings that a role, user or group holds itself. */
  permissions(holder: Holder, options?: CallOptions): Promise<string[]> {
    return this.#permissions('GET', holder, {}, options)
  }

  /**
   * Adds permission strings, such as `get,put:/articles/**`, and resolves with all.
   * @throws {ValidationError} for a string that is none, with the reason.
   */
  grant(holder: Holder, permissions: string | string[], options?: CallOptions): Promise<string[]> {
    return this.#permissions('POST', holder, { body: { permission: permissions } }, options)
  }

  /** Removes permission strings, and resolves with those that are left. */
  revoke(holder: Holder, permissions: string | string[], options?: CallOptions): Promise<string[]> {
    return this.#permissions('DELETE', holder, { body: { permission: permissions } }, options)
  }

  /** Gives a role to a user, or to all who are in a group. */
  async assign(name: string, to: Place, options?: CallOptions): Promise<void> {
    await this.#assignment('POST', name, to, options)
  }

  async unassign(name: string, from: Place, options?: CallOptions): Promise<void> {
    await this.#assignment('DELETE', name, from, options)
  }

  /** The names of the roles that are assigned to a user or group itself. */
  async of(holder: Place, options?: CallOptions): Promise<string[]> {
    const path = `${this.#home}${pathOf(holder)}/rolenames`
    return Object.keys((await this.#session.send({ ...options, method: 'GET', path })).data as object)
  }

  async #permissions(
    method: Call['method'],
    holder: Holder,
    call: Partial<Call>,
    options?: CallOptions,
  ): Promise<string[]> {
    const at = typeof holder === 'string' ? this.#at(holder) : this.#home + pathOf(holder)
    const path = `${at}/permissions`
    const reply = await this.#session.send<Envelope>({ ...options, ...call, method, path, repeatable: true })
    return reply.data as string[]
  }

  #assignment(method: Call['method'], name: string, holder: Place, options?: CallOptions): Promise<unknown> {
    // The singular would name a connection there.
    const to = pathOf(holder).replace(/^\/(user|group)\//, '/$1s/')
    return this.#session.send({ ...options, method, path: this.#at(name) + to, repeatable: true })
  }

  #at(name: string): string {
    return `${this.#home}/roles/${segment(name)}`
  }
}
