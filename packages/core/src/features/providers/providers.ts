import type { Application } from '../../api/caller.js'
import { AppError, entityNotFound, illegalArgument } from '../../domain/errors.js'
import type { Json } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { SecretBox } from '../auth/index.js'
import { readProvider, readProviderName } from './read-provider.js'
import type { Provider } from './types.js'

const DICTIONARY = 'providers'
const MAX_PROVIDERS = 20

export interface ProvidersOptions {
  engine: Engine
  box: SecretBox
  /** Number of the application that keeps all applications. */
  management: number
  allowPrivateNetworks: boolean
}

/** The providers of applications, kept beside each; their secrets sealed. */
export class Providers {
  readonly #options: ProvidersOptions

  constructor(options: ProvidersOptions) {
    this.#options = options
  }

  /** By name. */
  async list(app: Application): Promise<Provider[]> {
    const known = await this.#kept(app)
    return [...known.keys()].sort().map((name) => this.#read(name, known.get(name)!))
  }

  async find(app: Application, name: string): Promise<Provider | null> {
    const kept = (await this.#kept(app)).get(name.toLowerCase())
    return kept === undefined ? null : this.#read(name.toLowerCase(), kept)
  }

  /** Puts this in the place of the one of that name, if there is one. @throws {AppError} `illegal_argument` */
  async set(principal: string, app: Application, word: string, body: Json | undefined): Promise<Provider> {
    const { engine, management, allowPrivateNetworks } = this.#options
    const name = readProviderName(word)
    const provider = readProvider(name, body, allowPrivateNetworks)
    const text = this.#write(provider)
    await engine.transact(management, principal, (edits) => {
      const application = edits.get('applications', app.uuid)
      const known = edits.tx.dictionary(application, DICTIONARY)
      if (known.size >= MAX_PROVIDERS && !known.has(name))
        throw illegalArgument(`An application has at most ${MAX_PROVIDERS} providers`)
      edits.tx.setEntry(application, DICTIONARY, name, text)
    })
    return provider
  }

  /** Those who signed in with it keep their accounts. @throws {AppError} `entity_not_found` */
  async remove(principal: string, app: Application, word: string): Promise<Provider> {
    const { engine, management } = this.#options
    const name = word.toLowerCase()
    const kept = await engine.transact(management, principal, (edits) => {
      const application = edits.get('applications', app.uuid)
      const text = edits.tx.dictionary(application, DICTIONARY).get(name)
      if (text !== undefined) edits.tx.setEntry(application, DICTIONARY, name, null)
      return text
    })
    if (kept === undefined) throw entityNotFound(word, false)
    return this.#read(name, kept)
  }

  async #kept(app: Application): Promise<ReadonlyMap<string, string>> {
    const { engine, management } = this.#options
    return engine.store.dictionary(await engine.get(management, 'applications', app.uuid), DICTIONARY)
  }

  #write({ name, clientSecret, ...rest }: Provider): string {
    const sealed = clientSecret === null ? null : this.#options.box.seal(clientSecret)
    return JSON.stringify({ ...rest, sealed })
  }

  #read(name: string, text: string): Provider {
    const { sealed, ...rest } = JSON.parse(text) as Omit<Provider, 'name' | 'clientSecret'> & {
      sealed: string | null
    }
    return { name, ...rest, clientSecret: sealed === null ? null : this.#options.box.open(sealed) }
  }
}

/** @throws {AppError} `invalid_request`, as for every provider that is not there (identity rules 2.11). */
export const notConfigured = (name: string): AppError =>
  new AppError('invalid_request', `Signing in with ${name} is not configured`)
