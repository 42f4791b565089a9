/** Lets callers use a few things in turn, first come first served. */
export class Turns<T> {
  readonly #free: T[]
  readonly #waiting: ((thing: T) => void)[] = []

  constructor(things: readonly T[]) {
    this.#free = [...things]
  }

  async use<R>(work: (thing: T) => Promise<R>): Promise<R> {
    const thing = this.#free.pop() ?? (await new Promise<T>((resolve) => this.#waiting.push(resolve)))
    try {
      return await work(thing)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free.push(thing)
      else next(thing)
    }
  }

  /** Takes one out of use; `giveBack` ends that. */
  async take(): Promise<{ thing: T; giveBack: () => void }> {
    let giveBack = (): void => undefined
    const thing = await new Promise<T>((resolve, reject) => {
      this.use(
        (taken) =>
          new Promise<void>((release) => {
            giveBack = release
            resolve(taken)
          }),
      ).catch(reject)
    })
    return { thing, giveBack }
  }
}
