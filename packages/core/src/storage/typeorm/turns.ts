import { DatabaseClosedError } from './database-closed.js'

interface Waiter<T> {
  resolve: (thing: T) => void
  reject: (error: Error) => void
}

/** Lets callers use a few things in turn, first come first served. */
export class Turns<T> {
  readonly #free: T[]
  readonly #size: number
  readonly #waiting: Waiter<T>[] = []
  #closed: (() => void) | null = null

  constructor(things: readonly T[]) {
    this.#free = [...things]
    this.#size = things.length
  }

  /** Takes one out of use until `give`. @throws {DatabaseClosedError} once closed, also for those who wait. */
  take(): Promise<T> {
    if (this.#closed !== null) return Promise.reject(new DatabaseClosedError())
    const thing = this.#free.pop()
    if (thing !== undefined) return Promise.resolve(thing)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  give(thing: T): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next.resolve(thing)
    else this.#free.push(thing)
    if (this.#free.length === this.#size) this.#closed?.()
  }

  async use<R>(work: (thing: T) => Promise<R>): Promise<R> {
    const thing = await this.take()
    try {
      return await work(thing)
    } finally {
      this.give(thing)
    }
  }

  /** Turns away those who wait or come later; resolves when everything in use has been given back. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closed = resolve
      for (const { reject } of this.#waiting.splice(0)) reject(new DatabaseClosedError())
      if (this.#free.length === this.#size) resolve()
    })
  }
}
