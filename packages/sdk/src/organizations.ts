import type { CallOptions } from './call.js'

/** Who signs in to manage organizations. */
export interface Administrator {
  uuid: string
  username: string
  name: string
  email: string
  activated: boolean
  confirmed: boolean
  disabled: boolean
}

export interface NewOrganization {
  organization: string
  username: string
  email: string
  name?: string
  password: string
}

/** What an administrator changes of his account; further properties are his own. */
export interface AdministratorChanges {
  username?: string
  email?: string
  name?: string
  [property: string]: unknown
}

export interface Organization {
  uuid: string
  name: string
  /** Its own properties. */
  properties: Record<string, unknown>
}

/** An organization with what is in it. */
export interface WholeOrganization extends Organization {
  /** Uuids by full name. */
  applications: Record<string, string>
  /** Administrators by username. */
  users: Record<string, Administrator>
  settings?: OrganizationSettings
}

export interface OrganizationSettings {
  /** Whether its administrators must have a second factor. */
  enforce2fa?: boolean
}

export interface NewAdministrator {
  email: string
  /** The e-mail address unless told. */
  username?: string
  name?: string
  password?: string
}

/** What of a listing is read, and where it goes on. */
export interface PageOptions extends CallOptions {
  limit?: number
  cursor?: string
}
