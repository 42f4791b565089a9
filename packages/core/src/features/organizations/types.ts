import type { JsonObject } from '../../domain/json.js'

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

export interface ClientCredentials {
  client_id: string
  client_secret: string
}
