import { isUuid } from '../../domain/uuid.js'
import type { Engine } from '../../engine/engine.js'
import type { AdminState } from '../auth/index.js'
import { MANAGEMENT } from './types.js'

const MAX_KEPT = 10_000
const EVERY = { query: { projection: null, filter: null, direct: null, sort: [] }, limit: 1000, cursor: null }

/** Reads and remembers administrators with their memberships; `forget` after changing any. */
export class AdminSource {
  readonly #engine: Engine
  readonly #clock: () => number
  readonly #maxAge: number
  #kept = new Map<string, { value: AdminState; readAt: number }>()

  constructor({ engine, clock, maxAge }: { engine: Engine; clock: () => number; maxAge: number }) {
    this.#engine = engine
    this.#clock = clock
    this.#maxAge = maxAge
  }

  forget(): void {
    this.#kept = new Map()
  }

  async get(uuid: string): Promise<AdminState | null> {
    const known = this.#kept.get(uuid)
    const now = this.#clock()
    if (known !== undefined && now - known.readAt < this.#maxAge) return known.value
    const kept = this.#kept
    const value = await this.#read(uuid)
    if (value === null) return null
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(uuid, { value, readAt: now })
    return value
  }

  async #read(uuid: string): Promise<AdminState | null> {
    const admin = await this.#engine.store.get(MANAGEMENT.id, 'users', uuid)
    if (admin === null) return null
    const hop = { verb: '~users', direction: 'in', collection: 'organizations' } as const
    const { items } = await this.#engine.connected(MANAGEMENT.id, admin, hop, EVERY)
    const tokens = await this.#engine.store.dictionary(admin, 'tokens')
    const system = await this.#engine.store.dictionary(admin, 'system')
    return {
      uuid,
      username: String(admin.object['username']),
      activated: admin.object['activated'] === true,
      disabled: admin.object['disabled'] === true,
      isSysadmin: system.get('role') === 'sysadmin',
      organizations: new Set(items.map((item) => item.uuid)),
      tokensSince: Number(tokens.get('since') ?? 0),
      tokenKept: tokens.get('kept'),
      revokedTokens: new Set([...tokens.keys()].filter(isUuid)),
    }
  }
}
