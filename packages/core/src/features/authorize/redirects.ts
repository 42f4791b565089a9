import { isJsonObject, type Json } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import { readRedirectUris } from './redirect-uri.js'

const COLLECTION = 'redirects'

/** The addresses that browsers may be sent to after signing in to an application, or to the management plane. */
export class Redirects {
  readonly #engine: Engine
  readonly #management: number

  constructor({ engine, management }: { engine: Engine; management: number }) {
    this.#engine = engine
    this.#management = management
  }

  /** `uuid` is that of the application. */
  async of(uuid: string): Promise<readonly string[]> {
    const kept = await this.#engine.store.find(this.#management, COLLECTION, 'name', nameOf(uuid))
    const uris = kept?.object['uris']
    return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : []
  }

  /** Puts these in the place of all there are; returns them. @throws {AppError} `illegal_argument` */
  async set(principal: string, uuid: string, body: Json | undefined): Promise<readonly string[]> {
    const uris = readRedirectUris(isJsonObject(body) ? body['redirectUris'] : undefined)
    await this.#engine.transact(this.#management, principal, (edits) =>
      edits.put(COLLECTION, nameOf(uuid), { uris }),
    )
    return uris
  }
}

/** Not the uuid itself, by which an entity would be looked for. */
const nameOf = (uuid: string): string => `of ${uuid}`
