import { setImmediate } from 'node:timers/promises'
import { Client } from './client.js'
import type { Door } from './door.js'
import type { Journal } from './journal.js'
import { Random } from './random.js'

export const CLIENTS = 32

/** Clients that write at the same time, each one request after another, for as long as they are let. */
export class Load {
  readonly #clients: readonly Client[]
  readonly #running: Promise<unknown>
  #isOver = false
  #acknowledged = 0
  #waiting: { count: number; resolve: () => void } | null = null
  #gate = Gate.open()

  constructor(
    doorOf: (client: number) => Door,
    journal: Journal,
    { seed, round }: { seed: number; round: number },
  ) {
    const around = {
      acknowledged: () => this.#count(),
      // A turn of the event loop lets replies of others come in.
      available: () => Promise.all([this.#gate.opened, setImmediate()]),
    }
    this.#clients = Array.from({ length: CLIENTS }, (_, id) => {
      const random = new Random(seed, round * CLIENTS + id)
      return new Client({ door: doorOf(id), journal, random, around, id, round })
    })
    this.#running = Promise.all(this.#clients.map((client) => client.run(() => this.#isOver)))
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Resolves at the `count`-th acknowledgement from now. @throws {Error} if the clients end before. */
  async until(count: number): Promise<void> {
    const reached = new Promise<void>((resolve) => {
      this.#waiting = { count: this.#acknowledged + count, resolve }
    })
    const ended = this.#running.then(() => {
      throw new Error('All clients lost their connection')
    })
    await Promise.race([reached, ended])
  }

  /** Has those who are told to try later wait for `resume`. */
  hold(): void {
    this.#gate = new Gate()
  }

  resume(): void {
    this.#gate.open()
  }

  /** Lets the clients finish what they are doing; resolves when they have. */
  async end(): Promise<void> {
    this.#isOver = true
    this.#gate.open()
    await this.#running
  }

  /** Sends again what was not answered and is safe to repeat. */
  async repeat(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.repeat()))
  }

  /** How many replies there were, by status. */
  get statuses(): ReadonlyMap<number, number> {
    const all = new Map<number, number>()
    for (const { statuses } of this.#clients)
      for (const [status, count] of statuses) all.set(status, (all.get(status) ?? 0) + count)
    return all
  }

  #count(): void {
    this.#acknowledged++
    if (this.#waiting !== null && this.#acknowledged >= this.#waiting.count) this.#waiting.resolve()
  }
}

/** Something that many wait for. */
class Gate {
  readonly opened: Promise<void>
  open = (): void => undefined

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve
    })
  }

  static open(): Gate {
    const gate = new Gate()
    gate.open()
    return gate
  }
}
