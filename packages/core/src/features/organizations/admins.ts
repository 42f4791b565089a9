import { isUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import { Remembered, type RememberedOptions } from '../../engine/remembered.js'
import type { StoredEntity } from '../../storage/store.js'
import type { AdminState } from '../auth/index.js'
import { asksForFactor, hasFactor } from '../factors/index.js'
import { ADDED, MANAGEMENT } from './types.js'

const ORGANIZATIONS = { verb: '~users', direction: 'in', collection: 'organizations' } as const

/** Reads and remembers administrators with their memberships; `forget` after changing any. */
export class AdminSource {
  readonly #engine: Engine
  readonly #known: Remembered<AdminState>

  constructor({ engine, ...age }: { engine: Engine } & RememberedOptions) {
    this.#engine = engine
    this.#known = new Remembered(age)
  }

  forget(): void {
    this.#known.forget()
  }

  get(uuid: string): Promise<AdminState | null> {
    return this.#known.get(uuid, () => this.#read(uuid))
  }

  async #read(uuid: string): Promise<AdminState | null> {
    const admin = await this.#engine.store.get(MANAGEMENT.id, 'users', uuid)
    if (admin === null) return null
    // All of them: anybody may add him to organizations of his own.
    const organizations = await this.#engine.everyConnected(MANAGEMENT.id, admin, ORGANIZATIONS)
    const closed = await this.#closedTo(admin, organizations)
    const tokens = await this.#engine.store.dictionary(admin, 'tokens')
    const system = await this.#engine.store.dictionary(admin, 'system')
    return {
      uuid,
      username: String(admin.object['username']),
      activated: admin.object['activated'] === true,
      disabled: admin.object['disabled'] === true,
      isSysadmin: system.get('role') === 'sysadmin',
      organizations: new Set(organizations.map((item) => item.uuid).filter((item) => !closed.has(item))),
      tokensSince: Number(tokens.get('since') ?? 0),
      tokenKept: tokens.get('kept'),
      revokedTokens: new Set([...tokens.keys()].filter(isUuid)),
    }
  }
  /** Organizations that ask a second factor of their members, and have added one without who is not asked at sign-in. */
  async #closedTo(admin: StoredEntity, organizations: readonly StoredEntity[]): Promise<Set<string>> {
    const added = await this.#engine.store.dictionary(admin, ADDED)
    const asking = organizations.filter((item) => added.has(item.uuid) && asksForFactor(item))
    if (asking.length === 0 || (await hasFactor(this.#engine, admin))) return new Set()
    return new Set(asking.map(({ uuid }) => uuid))
  }
}
