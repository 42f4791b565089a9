import type { JsonObject } from '../../domain/json.js'
import type { Edits } from '../../engine/edits.js'
import type { StoredEntity } from '../../storage/store.js'

/** Beside an administrator: organizations that others have added him to, by uuid. He need not know them. */
export const ADDED = 'added'

/** The hidden application that keeps organizations, applications and administrators. */
export const MANAGEMENT = { id: 1, uuid: 'b6768a08-b5d5-11e3-a495-11ddb1de66c8' } as const

/** `POST /management/orgs`: further keys become properties of the owner. */
export interface NewOrganization {
  organization: string
  username: string
  name: string
  email: string
  /** Without one the owner must reset it before signing in. */
  password?: string | undefined
  properties: JsonObject
  ownerProperties: JsonObject
}

/** What becomes of those who register themselves, and of those whom others add. */
export interface Registration {
  /** @throws {AppError} `illegal_argument` where only system administrators make administrators and organizations. */
  checkOpen(): void
  /** Puts an administrator who registered himself into his first state, in the transaction that makes him. */
  beginAdmin(edits: Edits, admin: StoredEntity): StoredEntity
  /** The same for an organization. */
  beginOrganization(edits: Edits, organization: StoredEntity): StoredEntity
  /** Somebody was made an administrator of an organization; `by` is who did it, `isNew` whether he was made for it. */
  added(organization: StoredEntity, admin: StoredEntity, how: { by: string | null; isNew: boolean }): void
}

export interface ClientCredentials {
  client_id: string
  client_secret: string
}
