import type { Application } from '../../api/caller.js'
import { AppError } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import type { StoredEntity } from '../../storage/store.js'
import type { Tokens } from './tokens.js'

/** The application that a token is for, with its properties. */
export interface TokenApplication {
  application: Application
  properties: JsonObject
}

/** What a sign-in is to be like, and where it comes from; the same for every type of grant. */
export interface Asked {
  /** Milliseconds, as it was sent. */
  ttl?: unknown
  /** Whether a refresh token is wanted. */
  refresh?: boolean
  /** Value of the header `User-Agent`. */
  agent?: string | undefined
  /** The network that the request comes from; absent in process. */
  network?: string | undefined
}

/** A request at a token endpoint. */
export interface GrantRequest {
  /** Of the body, else of the query. Anything may be in them. */
  fields: JsonObject
  /** `null` at the management endpoint. */
  app: TokenApplication | null
  asked: Asked
}

/** A token as it was granted, and to whom. */
export interface Grant {
  access_token: string
  /** Seconds. */
  expires_in: number
  refresh_token?: string
  /** Seconds. */
  refresh_expires_in?: number
  owner: StoredEntity
}

/**
 * Answers requests with one `grant_type`: proves who is asking, and ends in `tokens.signIn`.
 * @throws {AppError} `invalid_grant` for whatever proves nothing.
 */
export type GrantType = (request: GrantRequest, tokens: Tokens) => Promise<Grant>

export const badCredentials = (): AppError => new AppError('invalid_grant', 'invalid username or password')

/** Whether the fields of a token request ask for a refresh token. */
export const wantsRefresh = ({ refresh, scope }: JsonObject): boolean =>
  refresh === true ||
  refresh === 'true' ||
  (typeof scope === 'string' && scope.split(' ').includes('offline_access'))

/** The fields of a token request: of its body, else of its query; Basic credentials stand for a client's. */
export const tokenFields = (
  body: unknown,
  query: JsonObject,
  authorization: string | undefined,
): JsonObject => {
  const fields = { ...query, ...(isJsonObject(body) ? body : {}) }
  const basic = /^basic +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (basic === undefined) return fields
  const [id = '', ...secret] = Buffer.from(basic, 'base64').toString('utf8').split(':')
  return { ...fields, client_id: id, client_secret: secret.join(':') }
}
