import type { StoredEntity } from '../../storage/store.js'
import { badCredentials, type GrantType } from './grant.js'

export interface ClientGrantOptions {
  client: (id: string, secret: string) => Promise<StoredEntity | null>
  /** Told of wrong client credentials. @throws {AppError} `too_many_requests` */
  failed: (network: string | undefined) => Promise<void>
}

/** `grant_type=client_credentials`: of an organization or application, at either plane. Nobody signs in by it. */
export const clientGrant =
  ({ client, failed }: ClientGrantOptions): GrantType =>
  async ({ fields, asked }, tokens) => {
    const { client_id: id, client_secret: secret } = fields
    if (typeof id !== 'string' || typeof secret !== 'string') throw badCredentials()
    const started = tokens.now
    const owner = await client(id, secret)
    if (owner === null) {
      await failed(asked.network)
      throw badCredentials()
    }
    return tokens.grantToClient(owner, asked.ttl, started)
  }
