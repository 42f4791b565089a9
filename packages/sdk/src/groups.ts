import type { Call, CallOptions } from './call.js'
import { type Entity, type Ref, segmentOf } from './entity.js'
import { newKey } from './idempotency-key.js'
import { type Page, readAll, readPage } from './page.js'
import { type QueryInput, rawQuery } from './query.js'
import type { Session } from './session.js'

/** The built-in properties of groups. */
export interface GroupProperties {
  /** By which it is found, and in which slashes are allowed: `eng/web`. */
  path: string
  title?: string
}

export type UserGroup = Entity<GroupProperties, 'groups'>

/** Groups of users of an application, and who is in them. `U` is a user. */
export class Groups<U> {
  readonly #session: Session
  readonly #home: string

  constructor(session: Session, home: string) {
    this.#session = session
    this.#home = home
  }

  /** @throws {DuplicateError} if the path is taken. */
  create(properties: GroupProperties & Record<string, unknown>, options?: CallOptions): Promise<UserGroup> {
    const call: Call = { ...options, method: 'POST', path: `${this.#home}/groups`, body: properties }
    return this.#session.one({ ...call, idempotencyKey: newKey() })
  }

  /** @throws {NotFoundError} */
  get(group: Ref, options?: CallOptions): Promise<UserGroup> {
    return this.#session.one({ ...options, method: 'GET', path: this.#at(group) })
  }

  delete(group: Ref, options?: CallOptions): Promise<UserGroup> {
    return this.#session.one({ ...options, method: 'DELETE', path: this.#at(group), repeatable: true })
  }

  /** One page of its members, the latest first. */
  members(group: Ref, query?: QueryInput<U, U, U>, options?: CallOptions): Promise<Page<U>> {
    return readPage<U>(this.#session, `${this.#at(group)}/users`, rawQuery(query), options)
  }

  /** `members`, all pages. */
  allMembers(
    group: Ref,
    query?: QueryInput<U, U, U>,
    options?: CallOptions,
  ): AsyncGenerator<U, void, undefined> {
    return readAll<U>(this.#session, `${this.#at(group)}/users`, rawQuery(query), options)
  }

  /** Resolves with the user; adding a member again changes nothing. */
  addMember(group: Ref, user: Ref, options?: CallOptions): Promise<U> {
    return this.#member('POST', group, user, options)
  }

  removeMember(group: Ref, user: Ref, options?: CallOptions): Promise<U> {
    return this.#member('DELETE', group, user, options)
  }

  /** The groups that a user is in; one page. */
  of(user: Ref, options?: CallOptions): Promise<Page<UserGroup>> {
    return readPage<UserGroup>(this.#session, `${this.#home}/users/${segmentOf(user)}/groups`, {}, options)
  }

  #member(method: 'POST' | 'DELETE', group: Ref, user: Ref, options?: CallOptions): Promise<U> {
    const path = `${this.#at(group)}/users/${segmentOf(user)}`
    return this.#session.one({ ...options, method, path, repeatable: true })
  }

  #at(group: Ref): string {
    return `${this.#home}/groups/${segmentOf(group)}`
  }
}
