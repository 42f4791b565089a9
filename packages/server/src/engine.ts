import type { ApiReply, ApiRequest, Limits } from '@entigrid/core'

/** What this package needs of an engine to serve it. */
export interface Engine {
  /** Never rejects: errors are replies. */
  handle(request: ApiRequest): Promise<ApiReply>
  /** Rejects when the database cannot be reached. */
  ready(): Promise<void>
  /** Lets running requests finish, then closes the database. */
  close(): Promise<void>
  readonly version: string
  /** What a request may ask for; the defaults when absent. */
  readonly limits?: Limits | undefined
}

/** What a first start made, or found there. */
export interface Bootstrapped {
  created: boolean
  username: string
  /** Present only when it was generated just now. */
  password?: string | undefined
  organization: string
  application: string
}

/** An engine that can set up an empty database. */
export interface StandaloneEngine extends Engine {
  /** Makes the first administrator and organization, with its sandbox, unless they are there. */
  bootstrap(first: {
    username: string
    password?: string | undefined
    organization: string
  }): Promise<Bootstrapped>
  /** Makes a new key that signs access tokens; with `forgetting`, those by older ones are refused from now on. */
  rotateKeys(options: { forgetting: boolean }): Promise<string>
}
