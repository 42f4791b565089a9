import { type HiddenProperties, hiddenIn } from '../../domain/hidden.js'
import { compileGrants, type Grants } from '../../domain/permission.js'
import { isUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import type { StoredEntity } from '../../storage/store.js'

/** An app user as the gate needs him: his present state and what he may do. */
export interface UserAccess {
  uuid: string
  username: string
  activated: boolean
  disabled: boolean
  grants: Grants
  /** Tokens issued before this (UTC milliseconds) are revoked. */
  tokensSince: number
  /** Of a token that stays good although it was issued before that. */
  tokenKept: string | undefined
  revokedTokens: ReadonlySet<string>
}

/** One holder of permission strings that count for somebody. */
export interface Held {
  /** `user`, `group` or `role`. */
  holder: string
  /** Username, path or name. */
  name: string
  strings: readonly string[]
}

export interface GrantsOptions {
  engine: Engine
  clock: () => number
  /** How long what was read stays good, in milliseconds: without end where this process alone writes. */
  maxAge: number
}

interface Kept<T> {
  value: T
  readAt: number
}

type Known = UserAccess | Grants | HiddenProperties | null

const MAX_KEPT = 20_000
const GROUPS = { verb: '~members', direction: 'in', collection: 'groups' } as const
const ROLES = { verb: '~assigned', direction: 'in', collection: 'roles' } as const

/**
 * Reads and remembers who may do what. Whatever changes roles, groups, users or their permission strings
 * calls `forget`, so that the next request sees it; other processes see it within `maxAge`.
 */
export class GrantsSource {
  readonly #engine: Engine
  readonly #clock: () => number
  readonly #maxAge: number
  readonly #kept = new Map<number, Map<string, Kept<Known>>>()
  #size = 0

  constructor({ engine, clock, maxAge }: GrantsOptions) {
    this.#engine = engine
    this.#clock = clock
    this.#maxAge = maxAge
  }

  forget(app: number): void {
    this.#size -= this.#kept.get(app)?.size ?? 0
    this.#kept.delete(app)
  }

  forgetAll(): void {
    this.#kept.clear()
    this.#size = 0
  }

  /** What guests may do; `null` when the application has no `guest` role any more. */
  forGuests(app: number): Promise<Grants | null> {
    return this.#remember(app, 'guest', async () => {
      const role = await this.#engine.find(app, 'roles', 'guest')
      return role === null ? null : compileGrants(await this.#strings([role]))
    })
  }

  /**
   * What the settings of the application's collections hide from its users and guests; `null` where that is nothing.
   * Where other processes write, too, the store remembers the settings for a while: not to be remembered for longer.
   */
  hidden(app: number): Promise<HiddenProperties | null> {
    const read = () => this.#readHidden(app)
    return Number.isFinite(this.#maxAge) ? read() : this.#remember(app, 'hidden', read)
  }

  async #readHidden(app: number): Promise<HiddenProperties | null> {
    return hiddenIn(await this.#engine.store.settings(app))
  }

  /** `null` when there is no such user. */
  forUser(app: number, uuid: string): Promise<UserAccess | null> {
    return this.#remember(app, `user:${uuid}`, async () => {
      const user = await this.#engine.store.get(app, 'users', uuid)
      if (user === null) return null
      const { activated, disabled, username } = user.object
      const tokens = await this.#engine.store.dictionary(user, 'tokens')
      return {
        uuid,
        username: String(username),
        activated: activated === true,
        disabled: disabled === true,
        grants: compileGrants(await this.#strings(await this.#holders(app, user)), {
          uuid,
          username: String(username),
        }),
        tokensSince: Number(tokens.get('since') ?? 0),
        tokenKept: tokens.get('kept'),
        revokedTokens: new Set([...tokens.keys()].filter(isUuid)),
      }
    })
  }

  /** Who holds which of the strings that count for a user, or for guests (`null`); read anew, nearest first. */
  async held(app: number, uuid: string | null): Promise<Held[]> {
    const entity =
      uuid === null
        ? await this.#engine.find(app, 'roles', 'guest')
        : await this.#engine.store.get(app, 'users', uuid)
    if (entity === null) return []
    const holders = uuid === null ? [entity] : await this.#holders(app, entity)
    return Promise.all(
      holders.map(async (holder) => {
        const [alias = 'name'] = this.#engine.descriptor(holder.collection).alias
        return {
          holder: this.#engine.typeOf(holder.collection),
          name: String(holder.object[alias]),
          strings: await this.#strings([holder]),
        }
      }),
    )
  }

  /** Everything whose permission strings count for a user: himself, `default`, his groups, and the roles of all. */
  async #holders(app: number, user: StoredEntity): Promise<StoredEntity[]> {
    // All of them: whoever adds him to many more must not push out what gives him his rights.
    const groups = await this.#engine.everyConnected(app, user, GROUPS)
    const owners = [user, ...groups]
    const assigned = await Promise.all(owners.map((owner) => this.#engine.everyConnected(app, owner, ROLES)))
    const byDefault = await this.#engine.find(app, 'roles', 'default')
    return [...owners, ...assigned.flat(), ...(byDefault === null ? [] : [byDefault])]
  }

  async #strings(holders: readonly StoredEntity[]): Promise<string[]> {
    const dictionaries = await Promise.all(
      holders.map((holder) => this.#engine.store.dictionary(holder, 'permissions')),
    )
    return dictionaries.flatMap((dictionary) => [...dictionary.keys()])
  }

  async #remember<T extends Known>(app: number, key: string, read: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(app)?.get(key)
    const now = this.#clock()
    if (kept !== undefined && now - kept.readAt < this.#maxAge) return kept.value as T
    if (this.#size >= MAX_KEPT) {
      this.#kept.clear()
      this.#size = 0
    }
    // Taken before reading, so that a change which comes in between lands in a map that is thrown away.
    const ofApp = this.#kept.get(app) ?? new Map<string, Kept<Known>>()
    this.#kept.set(app, ofApp)
    const value = await read()
    if (!ofApp.has(key)) this.#size++
    ofApp.set(key, { value, readAt: now })
    return value
  }
}
