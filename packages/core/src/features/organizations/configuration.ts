import { illegalArgument } from '../../domain/errors.js'
import { isJsonObject, type JsonObject } from '../../domain/json.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'
import { MANAGEMENT } from './types.js'

const CONFIGURATION = 'configuration'
const VIEW = /^usergrid\.view\.[\w.-]{1,100}$/
const MAX_VALUE = 2000
const MAX_ENTRIES = 100

export type Configuration = Readonly<Record<string, string>>

/** What holds for an organization that says nothing, and the keys that it may say; views have no default. */
export const defaultsAt = (baseUrl: string): Configuration => ({
  'usergrid.api.url.base': baseUrl,
  'usergrid.rest.default-connection-param': 'all',
  'usergrid.admin.sysadmin.email': '',
})

/**
 * Texts that an organization's tools keep under Usergrid's keys. The server itself goes by its own settings, but for
 * `usergrid.view...`: where people are sent in place of its pages.
 */
export class Configurations {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** What was set for the organization itself. */
  async of(organization: StoredEntity): Promise<Configuration> {
    return Object.fromEntries(await this.#engine.store.dictionary(organization, CONFIGURATION))
  }

  /** Where people are sent in place of a page, `null` for a page of ours. */
  async view(organization: StoredEntity, page: string): Promise<string | null> {
    const url = (await this.of(organization))[`usergrid.view.${page}`]
    const view = url !== undefined && URL.canParse(url) ? new URL(url) : null
    // As it was parsed: what was written may have signs that no header bears.
    return view !== null && /^https?:$/.test(view.protocol) ? view.href : null
  }

  /** Lays changes over what is there; the empty text removes an entry. @throws {AppError} `illegal_argument` */
  async change(
    principal: string,
    organization: StoredEntity,
    changes: Configuration,
  ): Promise<Configuration> {
    return this.#engine.transact(MANAGEMENT.id, principal, (edits) => {
      const current = edits.get('organizations', organization.uuid)
      for (const [key, value] of Object.entries(changes))
        edits.tx.setEntry(current, CONFIGURATION, key, value === '' ? null : value)
      const entries = edits.tx.dictionary(current, CONFIGURATION)
      if (entries.size > MAX_ENTRIES) throw illegalArgument(`A configuration has at most ${MAX_ENTRIES} keys`)
      return Object.fromEntries(entries)
    })
  }
}

/** @throws {AppError} `illegal_argument` for unknown keys, and for values that are no texts. */
export const readConfiguration = (body: unknown): Configuration => {
  if (!isJsonObject(body)) throw illegalArgument('A configuration is written as a JSON object of strings')
  const known = Object.keys(defaultsAt(''))
  const strangers = Object.keys(body).filter((key) => !known.includes(key) && !VIEW.test(key))
  if (strangers.length > 0)
    throw illegalArgument(`Invalid organization config keys: ${strangers.join(', ')}`, strangers[0])
  for (const [key, value] of Object.entries(body as JsonObject))
    if (typeof value !== 'string' || value.length > MAX_VALUE)
      throw illegalArgument(`The value of ${key} must be a string of at most ${MAX_VALUE} characters`, key)
  return body as Configuration
}
