import { randomBytes } from 'node:crypto'
import type { ApiReply, ApiRequest, Json } from '@entigrid/core'
import { ConfigError } from '../config.js'

/** The body of a reply, as far as commands read it. */
export interface Body {
  data?: unknown
  entities?: Entity[]
  cursor?: string
  [key: string]: unknown
}

export type Entity = Readonly<Record<string, unknown>>

/** What the engine refused. */
export class Refusal extends ConfigError {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export interface DeskOptions {
  engine: { handle(request: ApiRequest): Promise<ApiReply> }
  /** Goes to the change log. */
  reason: string
  /** A password that the operator gave, by the environment and not by an argument, which others could read. */
  password: string | undefined
  /** For messages that are no result. */
  tell(text: string): void
}

interface Asking {
  query?: Record<string, string | number>
  body?: Json
  ifMatch?: string
}

/** Where operators ask: all rights, and every refusal on one line. */
export class Desk {
  readonly tell: (text: string) => void
  readonly #options: DeskOptions

  constructor(options: DeskOptions) {
    this.tell = options.tell
    this.#options = options
  }

  /** @throws {Refusal} */
  async ask(
    method: ApiRequest['method'],
    path: string,
    { query = {}, body, ifMatch }: Asking = {},
  ): Promise<Body> {
    const { engine, reason } = this.#options
    const reply = await engine.handle({
      method,
      path,
      search: searchOf(query),
      body,
      ifMatch,
      baseUrl: '',
      principal: { kind: 'system', reason },
    })
    const answer = JSON.parse(reply.body) as Body
    if (reply.status < 400) return answer
    throw new Refusal(String(answer['error']), String(answer['error_description']))
  }

  /** `null` for what is not there; `codes` are those that say so. */
  async find(path: string, codes: readonly string[], query: Asking['query'] = {}): Promise<Body | null> {
    try {
      return await this.ask('GET', path, { query })
    } catch (error) {
      if (error instanceof Refusal && codes.includes(error.code)) return null
      throw error
    }
  }

  /** What `key` holds of a listing, page by page, up to `limit`; whether there is more is told. */
  async list(
    path: string,
    key: string,
    { limit = Number.POSITIVE_INFINITY, ...query }: Record<string, string | number> & { limit?: number } = {},
  ): Promise<Entity[]> {
    const found: Entity[] = []
    let cursor: string | undefined
    do {
      const size = Math.min(Number(limit) - found.length, PAGE)
      const page = await this.ask('GET', path, {
        query: { ...query, limit: size, ...(cursor && { cursor }) },
      })
      found.push(...(page[key] as Entity[]))
      cursor = page.cursor
    } while (cursor !== undefined && found.length < limit)
    if (cursor !== undefined) this.tell('There are more: --limit NUMBER\n')
    return found
  }

  /** The operator's password, or a new one, which must then be shown. */
  password(): { password: string; shown: string } {
    const { password } = this.#options
    if (password !== undefined) return { password, shown: '' }
    const made = randomBytes(12).toString('base64url')
    return { password: made, shown: `Password: ${made}\n` }
  }
}

const PAGE = 1000

const searchOf = (query: Record<string, string | number>): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) search.set(name, String(value))
  return String(search)
}

/**
 * A name as one segment of a path.
 * @throws {ConfigError} for what means something else there, such as all entities
 */
export const segment = (name: string): string => {
  if (/^(|\.{1,2}|all|me|\{.*)$/is.test(name.trim()))
    throw new ConfigError(`${JSON.stringify(name)} is not a name`)
  return encodeURIComponent(name)
}

/** Organization and application as segments. @throws {ConfigError} */
export const application = (text: unknown): { organization: string; name: string; path: string } => {
  const [organization, name, ...rest] = typeof text === 'string' ? text.split('/') : []
  if (!organization || !name || rest.length > 0)
    throw new ConfigError('Name the application as ORGANIZATION/APPLICATION')
  return { organization, name, path: `/${segment(organization)}/${segment(name)}` }
}

/** @throws {ConfigError} unless what cannot be undone was confirmed */
export const confirmed = (yes: unknown, what: string): void => {
  if (yes !== true) throw new ConfigError(`${what}; add --yes if that is meant`)
}

/** A flag that is a number of results. @throws {ConfigError} */
export const limitOf = (flag: unknown): number => {
  if (flag === undefined) return 100
  if (typeof flag === 'string' && /^[1-9]\d{0,6}$/.test(flag)) return Number(flag)
  throw new ConfigError('--limit must be a whole number from 1 to 9999999')
}
