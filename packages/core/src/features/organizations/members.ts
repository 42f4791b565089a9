import { AppError } from '../../domain/errors.js'
import type { JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { addAdmin } from './administrators.js'
import type { AdminSource } from './admins.js'
import { ADDED, MANAGEMENT } from './types.js'

export const MEMBERS = '~users'

export interface MembersOptions {
  engine: Engine
  admins: AdminSource
}

/** Who administers which organization. All members of one have the same rights, from the next request on. */
export class Members {
  readonly #engine: Engine
  readonly #admins: AdminSource

  constructor({ engine, admins }: MembersOptions) {
    this.#engine = engine
    this.#admins = admins
  }

  /** Makes an administrator, and adds him. @throws {AppError} `duplicate_unique_property_exists` */
  create(principal: string, organization: StoredEntity, account: JsonObject): Promise<StoredEntity> {
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      const admin = addAdmin(edits, account)
      edits.tx.connect(organization, MEMBERS, admin)
      edits.afterCommit(() => this.#admins.forget())
      return admin
    })
  }

  /**
   * Adds an administrator; adding a member again changes nothing, and is `false`. `byStranger`: by somebody who may be
   * nobody to him, so that what the organization asks of its members is not asked of him when he signs in.
   */
  add(
    principal: string,
    organization: StoredEntity,
    admin: StoredEntity,
    byStranger: boolean,
  ): Promise<boolean> {
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      const [to, who] = [edits.get('organizations', organization.uuid), edits.get('users', admin.uuid)]
      if (edits.tx.isConnected(to, MEMBERS, who)) return false
      edits.tx.connect(to, MEMBERS, who)
      if (byStranger) edits.tx.setEntry(who, ADDED, to.uuid, String(edits.now))
      edits.afterCommit(() => this.#admins.forget())
      return true
    })
  }

  /**
   * Removes a member; `false` for one who is none.
   * @throws {AppError} `unable_to_leave_organization` for the last one.
   */
  async remove(principal: string, organization: StoredEntity, admin: StoredEntity): Promise<boolean> {
    const others = (await this.of(organization)).filter(({ uuid }) => uuid !== admin.uuid)
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      // Read first, which locks it: of the last two, who remove each other at the same moment, one stays.
      const from = edits.get('organizations', organization.uuid)
      if (!edits.tx.isConnected(from, MEMBERS, admin)) return false
      if (!others.some((other) => edits.tx.isConnected(from, MEMBERS, other)))
        throw new AppError('unable_to_leave_organization', 'Organizations must have at least one member.')
      edits.tx.disconnect(from, MEMBERS, admin)
      edits.tx.setEntry(edits.get('users', admin.uuid), ADDED, from.uuid, null)
      edits.afterCommit(() => this.#admins.forget())
      return true
    })
  }

  of(organization: StoredEntity): Promise<StoredEntity[]> {
    return this.#engine.everyConnected(MANAGEMENT.id, organization, {
      verb: MEMBERS,
      direction: 'out',
      collection: 'users',
    })
  }

  /** What the organizations ask of their members has changed. */
  forget(): void {
    this.#admins.forget()
  }

  /** The organizations that may ask something of an administrator who signs in: all but those of strangers. */
  async askingOf(admin: StoredEntity): Promise<StoredEntity[]> {
    const added = await this.#engine.store.dictionary(admin, ADDED)
    return (await this.organizationsOf(admin)).filter(({ uuid }) => !added.has(uuid))
  }

  /** The organizations that somebody administers. */
  organizationsOf(admin: StoredEntity): Promise<StoredEntity[]> {
    return this.#engine.everyConnected(MANAGEMENT.id, admin, {
      verb: MEMBERS,
      direction: 'in',
      collection: 'organizations',
    })
  }
}
