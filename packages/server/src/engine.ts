import type { ApiReply, ApiRequest } from '@entigrid/core'

/** What this package needs of an engine. */
export interface Engine {
  /** Never rejects: errors are replies. */
  handle(request: ApiRequest): Promise<ApiReply>
  /** Rejects when the database cannot be reached. */
  ready(): Promise<void>
  /** Lets running requests finish, then closes the database. */
  close(): Promise<void>
  readonly version: string
}
